// linux.netDevices: devices of the runtime's network namespace become the container's. The tests' runtime runs in a network
// namespace of its own, so that the machine's devices stay where they are.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { type LinkInfo, linksOf, Network } from "./support/network.ts";
import { Runtime } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

type Devices = Record<string, { name?: string }>;

const OURS = { only: ["berth"] } as const;
const SLEEP = "sleep 1000";

function withDevices(devices: Devices, network?: string): (config: Config) => void {
  return (config) => {
    config.linux.netDevices = devices;
    if (network === undefined) return;
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "network");
    config.linux.namespaces.push({ type: "network", path: network });
  };
}

/** The devices of a container that was created, as iproute2 sees them. */
async function devicesOf(t: Sandbox, id = t.id): Promise<LinkInfo[]> {
  const { pid } = await t.state(id);
  const words = [`--net=/proc/${pid}/ns/net`, "ip", "-json", "address", "show"];
  return linksOf(execFileSync("nsenter", words, { encoding: "utf8" }));
}

/** A namespace with `here`, up and with addresses, and the other end of its cable. */
async function hostWithDevice(t: Sandbox): Promise<Network> {
  const host = await Network.withDevice(t);
  host.ip("link", "set", "here", "address", "02:00:00:00:00:17", "mtu", "1400");
  host.address("here", "2001:db8::1/64");
  host.ip("link", "set", "here", "up");
  host.ip("link", "set", "other", "up");
  return host;
}

const GLOBAL = ["192.0.2.1/24", "2001:db8::1/64"];

suite("netDevices", (rule) => {
  rule(
    "a device is moved with its name, MAC address, MTU, index and global permanent addresses, and is up",
    async (t) => {
      const host = await hostWithDevice(t);
      const before = host.link("here") as LinkInfo;
      await t.create(SLEEP, withDevices({ here: {} }), [], host.inside);
      expect(host.links().map(({ name }) => name)).toEqual(["other"]);
      const [here, ...others] = await devicesOf(t);
      expect(others).toEqual([]);
      expect(here).toMatchObject({ name: "here", mac: "02:00:00:00:00:17", mtu: 1400, index: before.index });
      expect(here?.addresses).toEqual(GLOBAL);
      expect(here?.flags).toContain("UP");
      await t.ok(["delete", "--force", t.id]);
    },
    OURS,
  );

  rule(
    "addresses keep their order, peers, labels and whether they are deprecated; others than global permanent ones stay away",
    async (t) => {
      const host = await Network.withDevice(t);
      host.address("here", "192.0.2.2/24");
      host.address("here", "198.51.100.1/24", "label", "here:web");
      host.address("here", "10.0.0.1", "peer", "10.0.0.2/30");
      host.address("here", "203.0.113.1/24", "preferred_lft", "0");
      host.address("here", "169.254.7.7/16", "scope", "link");
      host.address("here", "192.0.2.99/24", "valid_lft", "1000", "preferred_lft", "500");
      for (const last of [1, 2, 3]) host.address("here", `2001:db8::${last}/64`);
      host.address("here", "2001:db8::99/64", "valid_lft", "1000", "preferred_lft", "500");
      host.ip("link", "set", "here", "up");
      const shown = host.ip("address", "show", "here");
      expect(shown).toContain("scope global secondary here");
      const out = await t.sh("ip address show inside", withDevices({ here: { name: "inside" } }), host.inside);
      const lines = (text: string) =>
        text
          .split("\n")
          .filter((line) => /inet6? /.test(line) && !/fe80|169\.254|\.99\/|::99\//.test(line))
          .map((line) => line.trim().replace(/ (tentative|dadfailed|nodad|flags 02|brd \S+|proto \S+)/g, ""));
      expect(lines(out)).toHaveLength(8);
      expect(lines(out)).toEqual(lines(shown).map((line) => line.replace(/\bhere\b/, "inside")));
      expect(out).not.toMatch(/169\.254|\.99\/|::99\//);
      expect(out).toMatch(/203\.0\.113\.1.*deprecated/);
    },
    OURS,
  );

  rule(
    "devices change their names, also each other's, and get a number for %d",
    async (t) => {
      const host = await Network.make(t);
      host.veth("a", "b");
      host.veth("c", "d");
      const macs = Object.fromEntries(host.links().map(({ name, mac }) => [mac, name]));
      const devices = { a: { name: "b" }, b: { name: "a" }, c: { name: "net%d" }, d: { name: "net%d" } };
      await t.create(SLEEP, withDevices(devices), [], host.inside);
      expect(host.links()).toEqual([]);
      const names = (await devicesOf(t)).map(({ name, mac }) => `${macs[mac]}=${name}`);
      expect(names.sort()).toEqual(["a=b", "b=a", "c=net0", "d=net1"]);
      await t.ok(["delete", "--force", t.id]);
    },
    OURS,
  );

  rule(
    "a device goes by any of its names, and keeps them",
    async (t) => {
      const host = await hostWithDevice(t);
      host.ip("link", "property", "add", "dev", "here", "altname", "a-second-name");
      await t.create(SLEEP, withDevices({ "a-second-name": {} }), [], host.inside);
      expect((await devicesOf(t)).map(({ name }) => name)).toEqual(["here"]);
      await t.ok(["delete", "--force", t.id]);
    },
    OURS,
  );

  rule(
    "a namespace that is joined gets them, whatever indexes it has, and keeps them after delete",
    async (t) => {
      const host = await hostWithDevice(t);
      const joined = await Network.make(t);
      for (let i = 0; i < 4; i++) joined.veth(`x${i}`, `y${i}`);
      const taken = joined.links().map(({ index }) => index);
      expect(taken).toContain(host.link("here")?.index);
      await t.create(SLEEP, withDevices({ here: { name: "inside" } }, joined.path), [], host.inside);
      expect(joined.link("inside")?.addresses).toEqual(GLOBAL);
      expect(joined.link("inside")?.flags).toContain("UP");
      expect(joined.links()).toHaveLength(9);
      await t.ok(["start", t.id]);
      await t.ok(["delete", "--force", t.id], host.inside);
      expect(joined.link("inside")?.addresses).toEqual(GLOBAL);
    },
    OURS,
  );

  for (const [title, edit] of [
    ["with a user namespace", withUserNamespace],
    [
      "with a time namespace, which takes a second clone",
      (config: Config) => config.linux.namespaces.push({ type: "time" }),
    ],
    [
      "with both, and a namespace that is joined",
      (config: Config) => {
        withUserNamespace(config);
        config.linux.namespaces.push({ type: "time" });
      },
    ],
  ] as const) {
    rule(
      `${title}, too`,
      async (t) => {
        const host = await hostWithDevice(t);
        const joined = title.includes("joined") ? (await Network.make(t)).path : undefined;
        await t.create(
          SLEEP,
          (config) => {
            withDevices({ here: { name: "inside" } }, joined)(config);
            edit(config);
            // A joined namespace does not belong to the new user namespace: no sysfs of it.
            if (joined !== undefined) config.mounts = config.mounts.filter(({ type }) => type !== "sysfs");
          },
          [],
          host.inside,
        );
        expect((await devicesOf(t)).map(({ name, addresses }) => ({ name, addresses }))).toEqual([
          { name: "inside", addresses: GLOBAL },
        ]);
        await t.ok(["delete", "--force", t.id]);
      },
      OURS,
    );
  }

  rule(
    "hooks find the devices moved",
    async (t) => {
      const host = await hostWithDevice(t);
      const hook = t.script(
        "hook",
        `ip link show here; nsenter --net=/proc/$(sed 's/.*"pid": *//; s/,.*//')/ns/net ip link`,
      );
      const out = t.script("tell", `exec ${hook} > ${t.path("out")} 2>&1`);
      const bundle = t.bundle("true", (config) => {
        withDevices({ here: { name: "inside" } })(config);
        config.hooks = { createRuntime: [{ path: out }] };
      });
      await t.ok(["run", "--bundle", bundle, t.id], host.inside);
      expect(t.read("out")).toMatch(/"?here"? does not exist[\s\S]*inside@/);
    },
    OURS,
  );

  rule(
    "they live as long as the container's namespace: berth keeps it by nothing",
    async (t) => {
      const host = await hostWithDevice(t);
      const bundle = t.bundle(SLEEP, withDevices({ here: {} }));
      const running = t.start(["run", "--bundle", bundle, t.id], host.inside);
      await t.waitFor("running");
      const { pid } = await t.state();
      // While it stands still, only a descriptor of its could hold the namespace.
      process.kill(running.pid, "SIGSTOP");
      try {
        process.kill(pid, "SIGKILL");
        await until("the device is gone, and its peer with it", () => host.links().length === 0);
      } finally {
        process.kill(running.pid, "SIGCONT");
      }
      await running.done;
    },
    OURS,
  );

  rule(
    "without them no netlink socket is made",
    async (t) => {
      const bundle = t.bundle("true", withDevices({}));
      const trace = t.path("trace");
      const prefix = ["strace", "-f", "-o", trace, "-e", "trace=socket,setns"];
      await t.ok(["run", "--bundle", bundle, t.id], { prefix });
      expect(readFileSync(trace, "utf8")).not.toMatch(/NETLINK|setns/);
    },
    OURS,
  );

  rule(
    "explain shows each move",
    async (t) => {
      const bundle = t.bundle("true", withDevices({ eth7: { name: "inside" }, "e~8": {} }));
      const { stdout } = await t.runtime.call(["explain", bundle]);
      expect(stdout).toMatch(/find network device eth7, whose name inside is free there +\/linux\/netDevices\/eth7\n/);
      expect(stdout).toMatch(/move network device eth7 .* as inside, .* \/linux\/netDevices\/eth7\n/);
      expect(stdout).toMatch(/move network device e~8 .* as e~8, .* \/linux\/netDevices\/e~08\n/);
    },
    OURS,
  );
});

/** What the host has, with the addresses that are brought back. */
const seen = (host: Network) =>
  host.links().map(({ name, index, mac, addresses, flags }) => ({
    name,
    index,
    mac,
    addresses,
    up: flags.includes("UP"),
  }));

suite("netDevices that cannot be moved", (rule) => {
  const refused = async (t: Sandbox, host: Network, edit: (config: Config) => void, said: RegExp): Promise<void> => {
    const before = seen(host);
    const bundle = t.bundle("true", edit);
    const log = t.path(`log-${t.newId()}`);
    const { code, stderr } = await t.fails(
      ["--log", log, "--log-format", "json", "create", "--bundle", bundle, t.id],
      host.inside,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(said);
    expect((JSON.parse(readFileSync(log, "utf8").trim()) as { msg: string }).msg).toMatch(said);
    expect(seen(host)).toEqual(before);
    expect(await t.left()).toEqual([]);
  };

  rule(
    "one that does not exist: the error names it, and the others stay",
    async (t) => {
      const host = await hostWithDevice(t);
      const said = /no such network device: "none": no such device \(\/linux\/netDevices\/none\)/;
      await refused(t, host, withDevices({ here: {}, none: {} }), said);
    },
    OURS,
  );

  rule(
    "a name that is taken in the container",
    async (t) => {
      const host = await hostWithDevice(t);
      const joined = await Network.make(t);
      joined.veth("taken", "peer");
      const said = /has a device "taken" already: "other": file exists \(\/linux\/netDevices\/other\)/;
      await refused(t, host, withDevices({ here: {}, other: { name: "taken" } }, joined.path), said);
      expect(joined.links()).toHaveLength(2);
      await refused(t, host, withDevices({ here: { name: "lo" } }), /"lo" already.*\/linux\/netDevices\/here/);
    },
    OURS,
  );

  rule(
    "one that the kernel does not let go: its words, and those that were moved are brought back as they were",
    async (t) => {
      const host = await hostWithDevice(t);
      host.ip("link", "add", "within", "type", "bridge");
      const said = /cannot move the network device: .*"within".*invalid argument.*\(\/linux\/netDevices\/within\)/;
      await refused(t, host, withDevices({ here: { name: "inside" }, other: {}, within: {} }), said);
      expect(host.link("here")?.addresses).toEqual(GLOBAL);
    },
    OURS,
  );

  for (const joins of [false, true]) {
    rule(
      `a container that is not made after all, in a ${joins ? "joined" : "new"} network namespace: they are brought back`,
      async (t) => {
        const host = await hostWithDevice(t);
        const joined = joins ? await Network.make(t) : undefined;
        const edit = (config: Config): void => {
          withDevices({ here: { name: "inside" }, other: {} }, joined?.path)(config);
          config.process.args = ["/no/such/program"];
        };
        await refused(t, host, edit, /\/no\/such\/program/);
        expect(joined?.links() ?? []).toEqual([]);
      },
      OURS,
    );
  }

  rule(
    "no network namespace, or the runtime's own",
    async (t) => {
      const host = await hostWithDevice(t);
      const none = (config: Config): void => {
        withDevices({ here: {} })(config);
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "network");
      };
      await refused(t, host, none, /needs a network namespace.*\(\/linux\/netDevices\)/);
      await refused(t, host, withDevices({ here: {} }, host.path), /host's network namespace.*\(\/linux\/netDevices\)/);
      await refused(t, host, withDevices({ here: {} }, "/proc/self/ns/net"), /host's network namespace/);
    },
    OURS,
  );
});

const TEST_BUILD = process.env.TEST_BERTH ?? "dist/test/berth";
/** More calls of one function than a create has. */
const END = 300;

suite(
  "netDevices, when a native call fails",
  (rule) => {
    rule(
      "whichever it is, the devices are where they were, or the container has them",
      async (t) => {
        const bundle = t.bundle("true", withDevices({ here: { name: "inside" } }));
        const EIO = "5";
        for (const name of ["route_socket", "send_words", "read", "open"]) {
          const host = await hostWithDevice(t);
          const before = seen(host);
          for (let n = 1; n < END; n++) {
            const env = { ...process.env, BERTH_FAIL_NATIVE: `${name}:${n}:${EIO}` };
            const id = t.newId();
            const { code } = await t.call(["create", "--bundle", bundle, id], { ...host.inside, env });
            if (code === 0) {
              expect(host.link("here"), `${name} ${n}`).toBeUndefined();
              await t.ok(["delete", "--force", id]);
              break;
            }
            expect(seen(host), `${name} ${n}`).toEqual(before);
          }
          expect(await t.left()).toEqual([]);
        }
      },
      { timeout: 120_000 },
    );
  },
  existsSync(TEST_BUILD) ? [new Runtime(TEST_BUILD)] : [],
);
