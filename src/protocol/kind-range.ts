// Parser of kinds and ranges of kinds in option values.

/** Largest kind of NIP-01. */
const KIND_MAX = 65_535;

/** Returns the first and last kind of "1" or "20000-29999", or undefined if the text is neither. */
export function kindRange(text: string): [first: number, last: number] | undefined {
  const found = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(text);
  if (found === null) return undefined;
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  return first <= last && last <= KIND_MAX ? [first, last] : undefined;
}

/** Returns all kinds of a list of such texts. */
export function kindsIn(ranges: readonly string[]): number[] {
  const kinds: number[] = [];
  for (const range of ranges) {
    const [first, last] = kindRange(range) ?? [1, 0];
    for (let kind = first; kind <= last; kind++) kinds.push(kind);
  }
  return kinds;
}
