// Help and the version, as text, from the table.

import { VERSION } from "../version.ts";
import { COMMAND_TEXT, FLAG_TEXT, PROGRAM } from "./help-text.ts";
import { COMMANDS, type Command, type CommandName, type Flag, GLOBAL_FLAGS } from "./table.ts";

const WIDTH = 100;
const OTHER_TEXT: Readonly<Record<string, string>> = { help: "show help", version: "print the version" };
const HELP: Flag = { name: "help", kind: "bool", short: "h" };
const PRINT_VERSION: Flag = { name: "version", kind: "bool", short: "v" };

/** The three lines that engines parse. */
export function versionText(): string {
  return `berth version ${VERSION.berth}\ncommit: ${VERSION.commit}\nspec: ${VERSION.spec}\n`;
}

export function programHelp(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length), "help, h".length) + 2;
  const commands = COMMANDS.map(({ name }) => `   ${name.padEnd(width)}${COMMAND_TEXT[name].purpose}`);
  commands.push(`   ${"help, h".padEnd(width)}show a list of commands, or help for one command`);
  return [
    section("NAME", [`   berth - ${PROGRAM.purpose}`, "", ...PROGRAM.about.flatMap((line) => wrap(line, "   "))]),
    section("USAGE", ["   berth [global options] command [command options] [arguments...]"]),
    section(
      "VERSION",
      versionText()
        .trimEnd()
        .replace("berth version ", "")
        .split("\n")
        .map((line) => `   ${line}`),
    ),
    section("COMMANDS", commands),
    section("GLOBAL OPTIONS", flagLines([...GLOBAL_FLAGS, HELP, PRINT_VERSION])),
  ].join("\n");
}

export function commandHelp(command: Command): string {
  const text = COMMAND_TEXT[command.name as CommandName];
  const usage = ["   berth", command.name, "[command options]", text.args].filter((word) => word !== "").join(" ");
  const sections = [
    section("NAME", [`   berth ${command.name} - ${text.purpose}`]),
    section("USAGE", [usage]),
    section(
      "DESCRIPTION",
      text.about.flatMap((line) => wrap(line, "   ")),
    ),
  ];
  if (text.example !== undefined) {
    const [purpose, ...lines] = text.example;
    sections.push(section("EXAMPLE", [`   ${purpose}`, "", ...lines.map((line) => `       ${line}`)]));
  }
  sections.push(section("OPTIONS", flagLines([...command.flags, HELP])));
  return sections.join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.join("\n")}\n`;
}

function flagLines(flags: readonly Flag[]): string[] {
  const shown = flags.filter((flag) => flag.hidden === undefined);
  const left = shown.map(flagUsage);
  const width = Math.max(...left.map((text) => text.length)) + 2;
  return shown.map((flag, i) => `   ${(left[i] as string).padEnd(width)}${flagText(flag)}`);
}

/** `--bundle value, -b value`. */
function flagUsage({ name, short, kind }: Flag): string {
  const value = kind === "bool" ? "" : " value";
  return short === undefined ? `--${name}${value}` : `--${name}${value}, -${short}${value}`;
}

function flagText({ name, value }: Flag): string {
  const text = OTHER_TEXT[name] ?? FLAG_TEXT[name as keyof typeof FLAG_TEXT];
  return value === undefined ? text : `${text} (default: ${JSON.stringify(value)})`;
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  const lead = text.slice(0, text.length - text.trimStart().length);
  for (const word of text.trimStart().split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + lead + line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + lead + line];
}
