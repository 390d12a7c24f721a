// JSON pointers (RFC 6901).

/** One reference token: `~` becomes `~0`, `/` becomes `~1`. */
export function escapeToken(token: string): string {
  return token.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The pointer that a list of member names and indexes makes; "" for none. */
export function pointer(tokens: readonly (string | number)[]): string {
  let text = "";
  for (let i = 0; i < tokens.length; i++) text += `/${escapeToken(String(tokens[i]))}`;
  return text;
}

/** The tokens of a pointer. */
export function pointerTokens(text: string): string[] {
  if (text === "") return [];
  return text
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}
