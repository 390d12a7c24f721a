// A table as Go's text/tabwriter prints it for runc: columns at least 12 wide, at least 3 spaces between.

const MIN_WIDTH = 12;
const PADDING = 3;

/** Rows of cells as lines. The last column is not padded; widths count characters. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (let i = 0; i < row.length - 1; i++) {
      widths[i] = Math.max(widths[i] ?? MIN_WIDTH, [...(row[i] as string)].length + PADDING);
    }
  }
  let text = "";
  for (const row of rows) {
    for (let i = 0; i < row.length - 1; i++) {
      const cell = row[i] as string;
      text += cell + " ".repeat((widths[i] as number) - [...cell].length);
    }
    text += `${row[row.length - 1]}\n`;
  }
  return text;
}
