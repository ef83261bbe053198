// Numbers with their nouns.

export function count(number: number, noun: string, several = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : several}`;
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** The order of lists that people read. */
export function byName(a: { name: string }, b: { name: string }): number {
  return collator.compare(a.name, b.name);
}
