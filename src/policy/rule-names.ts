/**
 * The stable names of everything that may refuse a write, in the order in which it is asked: they stand
 * in decisions, in the audit log and as labels of metrics. A name that was released is never used for
 * anything else; the place in this list is no promise.
 */
export const ruleNames = [
  // Who sends, before anything is parsed.
  'in-flight',
  'ingester-queue',
  'banned-ip',
  'rate-ip',
  'rate-subnet',
  'rate-all',
  // What every event has to be, whatever the policy.
  'shape',
  'limits',
  // By what the event claims: nothing is proven yet, so these only ever refuse.
  'pubkey-banned',
  'author-removed',
  'event-banned',
  'kind-banned',
  'auth',
  'protected',
  'dm-inbox',
  'kinds',
  'pubkeys-denied',
  'lists-loading',
  'doors',
  'pubkeys-allowed',
  'admission',
  'web-of-trust',
  'nip05',
  'hashtags',
  'mentions',
  'required-tags',
  'pow',
  'tag-patterns',
  'content-patterns',
  // What the event is.
  'id',
  'duplicate',
  'signature',
  'rate-pubkey',
  // What may take its time.
  'spam',
  'module',
  'plugin',
  'verdict-queue',
  // The way to the log.
  'writer-queue',
  'vanished',
  'inbox-full',
  'deleted',
  'superseded',
  'storage',
] as const;

export type RuleName = (typeof ruleNames)[number];
