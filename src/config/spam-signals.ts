// Names of the parts of a spam score.

/**
 * Parts of a spam score. The names are stable: they occur in logs, rejection records and metrics.
 */
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
