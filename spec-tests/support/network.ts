// A network namespace of the test's own, which stands for the host's: its devices can be taken away.

import { execFileSync, spawn } from "node:child_process";
import type { CallOptions } from "./runtime.ts";
import type { Sandbox } from "./sandbox.ts";

export interface LinkInfo {
  name: string;
  index: number;
  flags: string[];
  mtu: number;
  mac: string;
  /** As `192.0.2.1/24`, those that the kernel gives itself left out. */
  addresses: string[];
}

interface IpLink {
  ifname: string;
  ifindex: number;
  flags: string[];
  mtu: number;
  address: string;
  addr_info: { local: string; prefixlen: number; scope: string; address?: string; label?: string }[];
}

export class Network {
  /** Its file in /proc. */
  readonly path: string;

  private constructor(pid: number) {
    this.path = `/proc/${pid}/ns/net`;
  }

  static async make(t: Sandbox): Promise<Network> {
    const script = "ip link set lo up; echo ready; exec sleep 1000";
    const child = t.helper(spawn("unshare", ["--net", "sh", "-c", script], { stdio: ["ignore", "pipe", "inherit"] }));
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    return new Network(child.pid ?? -1);
  }

  /** One with the device `here`, which has that address, and `other`, the other end of its cable. */
  static async withDevice(t: Sandbox, address = "192.0.2.1/24"): Promise<Network> {
    const network = await Network.make(t);
    network.veth("here", "other");
    network.address("here", address);
    return network;
  }

  /** For a call of a runtime that sees this namespace as the host's. */
  get inside(): CallOptions & { prefix: string[] } {
    return { prefix: ["nsenter", `--net=${this.path}`] };
  }

  ip(...args: string[]): string {
    return execFileSync("nsenter", [`--net=${this.path}`, "ip", ...args], { encoding: "utf8", stdio: "pipe" });
  }

  /** Two devices that are each other's cable. */
  veth(name: string, peer: string): void {
    this.ip("link", "add", "name", name, "type", "veth", "peer", "name", peer);
  }

  address(name: string, ...address: string[]): void {
    // What IPv6 has to find out about its addresses would take a second.
    const quick = address[0]?.includes(":") === true ? ["nodad"] : [];
    this.ip("address", "add", ...address, "dev", name, ...quick);
  }

  links(): LinkInfo[] {
    return linksOf(this.ip("-json", "address", "show"));
  }

  link(name: string): LinkInfo | undefined {
    return this.links().find((link) => link.name === name);
  }
}

/** What `ip -json address show` prints, without lo. */
export function linksOf(json: string): LinkInfo[] {
  return (JSON.parse(json) as IpLink[])
    .filter(({ ifname }) => ifname !== "lo")
    .map(({ ifname, ifindex, flags, mtu, address, addr_info }) => ({
      name: ifname,
      index: ifindex,
      flags,
      mtu,
      mac: address,
      addresses: addr_info
        .filter(({ scope, local }) => !(scope === "link" && local.startsWith("fe80:")))
        .map((info) => `${info.local}${info.address === undefined ? "" : ` peer ${info.address}`}/${info.prefixlen}`),
    }));
}
