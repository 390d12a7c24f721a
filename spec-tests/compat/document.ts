// docs/compatibility.md from what was seen and the reasons.

import { type Difference, type Reason, reasonFor, type Venue } from "./judge.ts";

const WHERE: Readonly<Record<string, string>> = {
  bookworm: "Debian 12, cgroup v1",
  "sid-v1": "Debian sid, cgroup v1",
  sid: "Debian sid in the guest machine, cgroup v2",
};

const LONGEST = 160;
const MOST = 8;

const number = (version: string): string => version.replace(" version", "").replace(/\+.*/, "");

/** Text in a cell of a table. */
function cell(text: string): string {
  const line = text.replaceAll("\n", " / ").replaceAll("|", "\\|");
  return `\`${line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line}\``;
}

interface Group {
  aspect: string;
  difference: Difference;
  venue: Venue;
  titles: string[];
}

/** Cases that differ in the same way are one row. */
function groupsOf(venues: readonly Venue[], reasons: readonly Reason[], reason: Reason): Group[] {
  const groups = new Map<string, Group>();
  for (const venue of venues) {
    for (const [title, aspects] of Object.entries(venue.differences)) {
      for (const [aspect, difference] of Object.entries(aspects)) {
        if (reasonFor(reasons, venue.runc, title, aspect) !== reason) continue;
        const key = JSON.stringify([venue.runc, aspect, difference.runc, difference.berth]);
        const group = groups.get(key) ?? { aspect, difference, venue, titles: [] };
        group.titles.push(title);
        groups.set(key, group);
      }
    }
  }
  return [...groups.values()];
}

function row({ aspect, difference, venue, titles }: Group): string {
  const shown = titles.slice(0, MOST).map((title) => cell(title));
  if (titles.length > MOST) shown.push(`and ${titles.length - MOST} more`);
  const crun = difference.crun === undefined ? "" : cell(difference.crun);
  return `| ${shown.join(", ")} | ${aspect} | ${number(venue.runc)}: ${cell(difference.runc)} | ${cell(difference.berth)} | ${crun} |`;
}

function section(venues: readonly Venue[], reasons: readonly Reason[], reason: Reason): string {
  const rows = groupsOf(venues, reasons, reason).map(row);
  const head = "| case | what | runc | berth | crun |\n| --- | --- | --- | --- | --- |";
  return `## ${reason.title}\n\n${reason.why}\n\n${head}\n${rows.join("\n")}\n`;
}

/** The reasons that no difference has. */
export function idle(seen: Readonly<Record<string, Venue>>, reasons: readonly Reason[]): string[] {
  return reasons
    .filter((reason) => groupsOf(Object.values(seen), reasons, reason).length === 0)
    .map(({ title }) => title);
}

/** The page. */
export function document(seen: Readonly<Record<string, Venue>>, reasons: readonly Reason[]): string {
  const venues = Object.values(seen);
  const table = Object.entries(seen).map(([name, venue]) => {
    const differing = Object.keys(venue.differences).length;
    return `| ${WHERE[name] ?? name} | ${number(venue.runc)} | ${number(venue.crun)} | ${venue.cases} | ${venue.cases - differing} | ${differing} |`;
  });
  const used = reasons.filter((reason) => groupsOf(venues, reasons, reason).length > 0);
  return `# Compatibility with runc's command line

Written by \`UPDATE=1 spec-tests/compat/run.sh\`, and by \`sid.sh\` beside it, which asks the newest runc and crun, those of
Debian sid; a run without UPDATE fails where a difference is new, gone or other than here.

Every command and flag of runc in every form, mistakes, and each command in each state of a container, on runc and on
Berth: exit code, shape of standard output (JSON keys, tables, whose help), lines on standard error and in the log (text and
JSON: levels and keys), phrases that engines look for in errors, files left with their modes, and the container's status
afterwards. What crun does is asked where the two differ. In the guest, which is slow,
what differs on Debian 12 is asked first, each flag is written in one way only, and the log is JSON; the table says how much
of it ran.

The words of errors are Berth's own: \`COMMAND: what failed: the kernel's words (the field of config.json)\`; the phrases
that engines look for are in them.

| where | runc | crun | cases | alike | different |
| --- | --- | --- | ---: | ---: | ---: |
${table.join("\n")}

${used.map((reason) => section(venues, reasons, reason)).join("\n")}`;
}
