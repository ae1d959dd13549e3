// Parser of the entries of `spam.points`: the points of each sign of spam.

/** Signs of spam with points, and the points of each where `spam.points` leaves it out. */
const STANDARD = {
  duplicate: 60,
  link: 20,
  mention: 5,
  hashtag: 10,
  capitals: 15,
  'new-key': 25,
  report: 40,
};
const POINTS_MAX = 10_000;

/** Points by sign of spam; 0: the sign does not count. */
export type SpamPoints = Readonly<Record<keyof typeof STANDARD, number>>;

/** Entries of all signs with their standard points, the default of `spam.points`. */
export const standardSpamPoints: readonly string[] = Object.entries(STANDARD).map(
  ([sign, points]) => `${sign} ${points}`,
);

/** Description of a valid entry, to follow "must be". */
export const SPAM_POINTS_MUST = `a name and its points from 0 to ${POINTS_MAX}, like "link 20"; the names are ${Object.keys(STANDARD).join(', ')}`;

/** Parses an entry like `link 20`; returns undefined if its name or its number is not valid. */
export function spamPointsEntry(
  text: string,
): [sign: keyof SpamPoints, points: number] | undefined {
  const [, sign = '', points] = /^([a-z-]+)\s+(\d{1,6})$/.exec(text.trim()) ?? [];
  if (!Object.hasOwn(STANDARD, sign) || Number(points) > POINTS_MAX) return undefined;
  return [sign as keyof SpamPoints, Number(points)];
}

/** Returns the points of all signs; of two entries for one sign the last counts. */
export function spamPoints(entries: readonly string[]): SpamPoints {
  return { ...STANDARD, ...Object.fromEntries(entries.map((text) => spamPointsEntry(text)!)) };
}
