/** The parts of a score, stable names: they stand in logs, decisions and metrics. */
export const spamParts = [
  'duplicate',
  'links',
  'mentions',
  'hashtags',
  'capitals',
  'new-key',
  'reports',
  'words',
] as const;
export type SpamPart = (typeof spamParts)[number];
