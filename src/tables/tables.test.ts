import { execFileSync, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { describe, expect, test } from "vitest";
import { CAP_LAST, capabilitiesOf, capabilityName, capabilityNames, capabilityNumber } from "./capabilities.ts";
import { errnoName, errnoNumber, errnoText } from "./errno.ts";
import { ioPriorityClasses, ioPriorityClassName, ioPriorityClassNumber, ioPriorityValue } from "./io-priority.ts";
import { isNamespaceType, namespaceFile, namespaceFlag, namespaceOfFlag, namespaceTypes } from "./namespaces.ts";
import { personalityDomain, personalityNumber } from "./personality.ts";
import { rlimitName, rlimitNames, rlimitNumber } from "./rlimits.ts";
import {
  schedulerFlag,
  schedulerFlagNames,
  schedulerFlagsOf,
  schedulerPolicies,
  schedulerPolicyName,
  schedulerPolicyNumber,
} from "./scheduler.ts";
import { parseSignal, signalName } from "./signals.ts";
import { sysctlNamespace, sysctlPath } from "./sysctl.ts";

const NO_NAMES = ["", "x", "__proto__", "constructor", "toString"];

describe("capabilities", () => {
  test("have the numbers of linux/capability.h", () => {
    expect(CAP_LAST).toBe(40);
    expect([capabilityNumber("CAP_CHOWN"), capabilityNumber("CAP_SYS_ADMIN"), capabilityNumber("CAP_MKNOD")]).toEqual([
      0, 21, 27,
    ]);
    expect([capabilityNumber("CAP_AUDIT_READ"), capabilityNumber("CAP_CHECKPOINT_RESTORE")]).toEqual([37, 40]);
  });
  test("go to numbers and back", () => {
    for (const name of capabilityNames()) expect(capabilityName(capabilityNumber(name))).toBe(name);
    expect(capabilitiesOf((1n << 41n) - 1n)).toEqual(capabilityNames());
    expect(capabilitiesOf(0x2000000420n)).toEqual(["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_READ"]);
    for (const name of [...NO_NAMES, "CHOWN", "cap_chown"]) expect(capabilityNumber(name)).toBe(-1);
  });
});

describe("signals", () => {
  test("are those of this machine", () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      if (name === "SIGUNUSED") continue;
      expect(parseSignal(name), name).toBe(number);
      expect(parseSignal(name.slice(3).toLowerCase()), name).toBe(number);
      expect(parseSignal(String(number))).toBe(number);
    }
  });
  test("go to names and back", () => {
    for (let number = 1; number <= 64; number++) {
      if (number !== 32 && number !== 33) expect(parseSignal(signalName(number))).toBe(number);
    }
  });
  test.each([
    ["RTMIN", 34],
    ["sigrtmin+3", 37],
    ["RTMIN+30", 64],
    ["RTMAX", 64],
    ["RTMAX-30", 34],
    ["0", 0],
    ["64", 64],
    ["SigKill", 9],
    ["IOT", 6],
    ["CLD", 17],
    ["POLL", 29],
  ])("%s is %d", (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });
  test.each([
    ...NO_NAMES,
    "SIG",
    "SIGSIGKILL",
    "65",
    "-9",
    "+9",
    "9 ",
    " 9",
    "9x",
    "0x9",
    "RTMIN+",
    "RTMIN-1",
    "RTMIN+31",
    "RTMAX+1",
    "RTMIN+1x",
    "1000000000000",
  ])("%j is no signal", (text) => {
    expect(parseSignal(text)).toBeUndefined();
  });
});

describe("resource limits", () => {
  test("go to numbers and back", () => {
    for (const name of rlimitNames()) expect(rlimitName(rlimitNumber(name))).toBe(name);
    expect([rlimitNumber("RLIMIT_CPU"), rlimitNumber("RLIMIT_NOFILE"), rlimitNumber("RLIMIT_RTTIME")]).toEqual([
      0, 7, 15,
    ]);
    for (const name of [...NO_NAMES, "NOFILE", "rlimit_cpu"]) expect(rlimitNumber(name)).toBe(-1);
  });
});

describe("namespaces", () => {
  test("go to flags and back", () => {
    expect(namespaceTypes()).toHaveLength(8);
    for (const type of namespaceTypes()) expect(namespaceOfFlag(namespaceFlag(type))).toBe(type);
    expect(new Set(namespaceTypes().map(namespaceFile)).size).toBe(8);
    for (const name of [...NO_NAMES, "net", "mnt"]) expect(isNamespaceType(name)).toBe(false);
  });
  test("have the files of /proc/self/ns", () => {
    const files = execFileSync("ls", ["/proc/self/ns"], { encoding: "utf8" }).split("\n");
    for (const type of namespaceTypes()) expect(files).toContain(namespaceFile(type));
  });
});

describe("scheduling", () => {
  test("policies and flags go to numbers and back", () => {
    for (const name of schedulerPolicies()) expect(schedulerPolicyName(schedulerPolicyNumber(name))).toBe(name);
    expect(schedulerPolicyNumber("SCHED_DEADLINE")).toBe(6);
    for (const name of schedulerFlagNames()) expect(schedulerFlagsOf(schedulerFlag(name))).toEqual([name]);
    expect(schedulerFlag("SCHED_FLAG_UTIL_CLAMP_MAX")).toBe(0x40);
    for (const name of NO_NAMES) expect([schedulerPolicyNumber(name), schedulerFlag(name)]).toEqual([-1, 0]);
  });
  test("I/O classes go to numbers and back", () => {
    expect(ioPriorityClasses()).toHaveLength(3);
    for (const name of ioPriorityClasses()) expect(ioPriorityClassName(ioPriorityClassNumber(name))).toBe(name);
    expect(ioPriorityValue("IOPRIO_CLASS_BE", 4)).toBe((2 << 13) | 4);
    expect(ioPriorityClassName(0)).toBeUndefined();
    for (const name of NO_NAMES) expect(ioPriorityClassNumber(name)).toBe(-1);
  });
  test("personality domains go to numbers and back", () => {
    for (const name of ["LINUX", "LINUX32"]) expect(personalityDomain(personalityNumber(name) as number)).toBe(name);
    for (const name of NO_NAMES) expect(personalityNumber(name)).toBeUndefined();
  });
});

describe("error numbers", () => {
  test("go to names and back", () => {
    for (let number = 1; number <= 133; number++) {
      if (number !== 41 && number !== 58) expect(errnoNumber(errnoName(number))).toBe(number);
    }
    expect(errnoNumber("")).toBeUndefined();
    expect(errnoNumber("E")).toBeUndefined();
  });
  test("have the phrases that engines match", () => {
    expect([1, 2, 13].map(errnoText)).toEqual([
      "operation not permitted",
      "no such file or directory",
      "permission denied",
    ]);
    expect([errnoText(0), errnoText(41), errnoText(134), errnoText(-1), errnoName(999)]).toEqual([
      "errno 0",
      "errno 41",
      "errno 134",
      "errno -1",
      "errno 999",
    ]);
  });
  test.skipIf(spawnSync("python3", ["-V"]).status !== 0)("are glibc's texts (needs python3)", () => {
    const script = "import os,json;print(json.dumps([os.strerror(i) for i in range(134)]))";
    const texts: string[] = JSON.parse(execFileSync("python3", ["-c", script], { encoding: "utf8" }));
    texts.forEach((text, number) => {
      if (number > 0 && number !== 41 && number !== 58)
        expect(errnoText(number).toLowerCase()).toBe(text.toLowerCase());
    });
  });
});

describe("sysctls", () => {
  test.each([
    ["net.ipv4.ip_forward", "net/ipv4/ip_forward", "network"],
    ["net/ipv4/ip_forward", "net/ipv4/ip_forward", "network"],
    ["net.ipv4.conf.eno2/100.rp_filter", "net/ipv4/conf/eno2.100/rp_filter", "network"],
    ["net/ipv4/conf/eno2.100/rp_filter", "net/ipv4/conf/eno2.100/rp_filter", "network"],
    ["kernel.shm_rmid_forced", "kernel/shm_rmid_forced", "ipc"],
    ["fs.mqueue.msg_max", "fs/mqueue/msg_max", "ipc"],
    ["kernel.domainname", "kernel/domainname", "uts"],
    ["user.max_user_namespaces", "user/max_user_namespaces", "user"],
    ["kernel.core_pattern", "kernel/core_pattern", undefined],
    ["vm.swappiness", "vm/swappiness", undefined],
    ["netx", "netx", undefined],
  ])("%s is %s of the namespace %s", (key, path, type) => {
    expect(sysctlPath(key)).toBe(path);
    expect(sysctlNamespace(path)).toBe(type);
  });
  test.each(["", "net..x", "net/../kernel/core_pattern", "/net/ipv4", "net.ipv4.", "net/./x", "net.//.x"])(
    "%j has no path",
    (key) => {
      expect(sysctlPath(key)).toBeUndefined();
    },
  );
});
