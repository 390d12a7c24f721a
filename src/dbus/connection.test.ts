import { describe, expect, test } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import { socketAddresses } from "./address.ts";
import { authAnswer, authLine } from "./auth.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

describe("an address", () => {
  test.each([
    ["unix:path=/run/dbus/system_bus_socket", ["/run/dbus/system_bus_socket"]],
    ["unix:path=/run/user/1000/bus,guid=0123", ["/run/user/1000/bus"]],
    ["unix:abstract=/tmp/dbus-x,guid=1", ["\0/tmp/dbus-x"]],
    ["unix:path=/a%20b%2cc", ["/a b,c"]],
    ["unix:path=/%ff", ["/\udcff"]],
    ["tcp:host=localhost,port=1;unix:path=/a;unix:abstract=b", ["/a", "\0b"]],
    ["unix:runtime=yes", ["/run/user/7/bus"]],
  ])("%s is %j", (list, sockets) => {
    expect(socketAddresses(list, "/run/user/7")).toEqual(sockets);
  });

  test.each(["", "unix", ":path=/a", "unix:path", "unix:path=", "unix:path=/a%2", "unix:path=/a%zz", "unix:path=%00"])(
    "%j is none",
    (list) => {
      expect(() => socketAddresses(list, undefined)).toThrow(RuntimeError);
    },
  );

  test.each(["tcp:host=a", "unix:tmpdir=/tmp", "unix:runtime=yes"])("%s leads to no socket", (list) => {
    expect(() => socketAddresses(list, undefined)).toThrow(RuntimeError);
  });
});

describe("authentication", () => {
  test("a line is taken when it is complete", () => {
    expect(authLine(bytes("OK 1234"))).toBeUndefined();
    expect(authLine(bytes("OK 1234\r\nl"))).toEqual({ line: "OK 1234", next: 9 });
  });

  test.each(["OK 12\n", "\n", "OK\x01\r\n", "\xff\r\n", "x".repeat(2000)])("%j is no line", (text) => {
    expect(() => authLine(bytes(text))).toThrow(RuntimeError);
  });

  test("the server asks, takes or refuses us", () => {
    expect(authAnswer("DATA")).toBe("data");
    expect(authAnswer("OK 0123456789abcdef")).toBe("ok");
    expect(() => authAnswer("REJECTED EXTERNAL")).toThrow(RuntimeError);
    expect(() => authAnswer("OKAY")).toThrow(RuntimeError);
  });
});
