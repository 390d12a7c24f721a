// yargs-parser without its Node entry: the same parser, with no need of fs, path and process.
declare module "yargs-parser/browser" {
  interface Result {
    _: string[];
    "--"?: string[];
    [name: string]: string | string[] | undefined;
  }
  export default function parse(
    args: readonly string[],
    options: {
      string: string[];
      alias: Record<string, string>;
      configuration: Record<string, boolean>;
    },
  ): Result;
}
