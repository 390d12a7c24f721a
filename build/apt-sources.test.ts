import { describe, expect, test } from "vitest";
import { parseDeb822, parseList, sourcesFor } from "./apt-sources.ts";

describe("parseList", () => {
  test("reads one-line entries with and without options", () => {
    const text = `# comment
deb http://mirror.example/debian bookworm main contrib
deb [arch=amd64 signed-by=/usr/share/keyrings/d.gpg] http://mirror.example/debian bookworm-updates main # tail
deb-src http://mirror.example/debian bookworm main
`;
    expect(parseList(text)).toEqual([
      { uri: "http://mirror.example/debian", suite: "bookworm", options: {} },
      {
        uri: "http://mirror.example/debian",
        suite: "bookworm-updates",
        options: { "signed-by": "/usr/share/keyrings/d.gpg" },
      },
      { uri: "http://mirror.example/debian", suite: "bookworm", options: {} },
    ]);
  });
});

describe("parseDeb822", () => {
  test("reads an entry for each URI and suite", () => {
    const text = `Types: deb
# comment
URIs: http://a.example/debian http://b.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/d.gpg
`;
    const entries = parseDeb822(text);
    expect(entries.map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
      "http://a.example/debian bookworm",
      "http://a.example/debian bookworm-updates",
      "http://b.example/debian bookworm",
      "http://b.example/debian bookworm-updates",
    ]);
    expect(entries[0]?.options).toEqual({ "Signed-By": "/usr/share/keyrings/d.gpg" });
  });

  test("leaves out what is switched off", () => {
    expect(parseDeb822("Enabled: no\nTypes: deb\nURIs: http://a.example\nSuites: bookworm\n")).toEqual([]);
  });

  test("keeps a key that is written into the entry", () => {
    const key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----";
    const text = `Types: deb\nURIs: http://a.example/debian\nSuites: bookworm\nComponents: main\nSigned-By: ${key}\n`;
    const derived = sourcesFor("trixie", parseDeb822(text));
    expect(derived).toContain(`Signed-By: ${key}\n`);
    expect(parseDeb822(derived)[0]?.suite).toBe("trixie");
  });
});

describe("sourcesFor", () => {
  test("offers the suite's sources from Debian's main archive alone, once", () => {
    const options = { "Signed-By": "/k.gpg" };
    const entries = [
      { uri: "http://m.example/debian", suite: "bookworm", options },
      { uri: "http://m.example/debian", suite: "bookworm-updates", options },
      { uri: "http://m.example/debian", suite: "bookworm", options },
      { uri: "http://m.example/debian-security", suite: "bookworm-security", options },
      { uri: "http://other.example/node_20.x", suite: "nodistro", options },
    ];
    expect(sourcesFor("trixie", entries)).toBe(
      "Types: deb-src\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\nSigned-By: /k.gpg\n",
    );
  });

  test("is empty when there is no Debian archive", () => {
    expect(sourcesFor("trixie", [{ uri: "http://x.example", suite: "nodistro", options: {} }])).toBe("");
  });
});
