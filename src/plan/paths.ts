// Paths as text: nothing is looked up.

/** The absolute path without `.`, `..`, doubled and trailing slashes, as Go's filepath.Clean; `..` stops at the root. */
export function cleanPath(path: string): string {
  // `/.` also finds /.., and dot files, which is rare enough.
  if (path.indexOf("/.") < 0 && path.indexOf("//") < 0 && (path.length === 1 || !path.endsWith("/"))) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** `path` itself when it is absolute, else `path` below the absolute `folder`; clean. */
export function absolutePath(folder: string, path: string): string {
  return cleanPath(path.startsWith("/") ? path : `${folder}/${path}`);
}

/** What follows the last slash. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
