// Tags as an operator types them: `name=value`, one a line.

export function tagLines(tags: Record<string, string>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

/** The tags of a text, or the first line that is none. */
export function readTags(text: string): { tags: Record<string, string>; wrong?: string } {
  const lines = text.split("\n").filter((line) => line.trim());
  const wrong = lines.find((line) => line.indexOf("=") < 1);
  const pairs = lines.map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()] as const;
  });
  return wrong === undefined ? { tags: Object.fromEntries(pairs) } : { tags: {}, wrong };
}
