import { expect, test } from "vitest";
import { environment } from "./environment.ts";
import { optionsWith } from "./golden-support.ts";

const of = (...entries: string[]) => environment(entries, optionsWith({}));

test("of several entries with one name the last one counts and keeps its place", () => {
  expect(of("A=1", "B=2", "A=3").env).toEqual(["B=2", "A=3"]);
});

test("names that objects inherit are names like any other", () => {
  expect(of("__proto__=1", "constructor=2").env).toEqual(["__proto__=1", "constructor=2"]);
});

test("PATH is the last one's value, with the equals signs in it", () => {
  expect(of("PATH=/a", "PATH=/b=c").path).toBe("/b=c");
  expect(of("X=1").path).toBe("");
});

test("an empty HOME is left out and looked up, as in runc", () => {
  expect(of("HOME=", "X=1")).toEqual({ env: ["X=1"], path: "", needsHome: true });
  expect(of("HOME=/h").needsHome).toBe(false);
  expect(of().needsHome).toBe(true);
});

test("passed sockets are announced for pid 1", () => {
  expect(environment(["A=1"], optionsWith({ listenFds: 3 })).env).toEqual(["A=1", "LISTEN_FDS=3", "LISTEN_PID=1"]);
});

test("what Podman writes of them into config.json gives way, names stay", () => {
  const entries = ["LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=a:b"];
  const announced = environment(entries, optionsWith({ listenFds: 2 })).env;
  expect(announced).toEqual(["LISTEN_FDNAMES=a:b", "LISTEN_FDS=2", "LISTEN_PID=1"]);
  expect(of(...entries).env).toEqual(entries);
});
