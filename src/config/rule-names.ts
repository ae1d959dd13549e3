// Stable names of the rules that can refuse a write.

/**
 * Names of all rules that can refuse a write, roughly in the order of the checks. They occur in
 * rejection records, in the audit log and as metric labels. A released name is never reused for
 * another rule; the position in this list is not guaranteed.
 */
export const ruleNames = [
  // Sender and rates, before parsing.
  'in-flight',
  'ingester-queue',
  'banned-ip',
  'rate-ip',
  'rate-subnet',
  // Form of the event, independent of the policy.
  'shape',
  'limits',
  // Rules on what the event claims: nothing is proven yet, so they can only refuse.
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
  'access',
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
  // Proof: hash, novelty, signature, author rate.
  'id',
  'duplicate',
  'signature',
  'rate-pubkey',
  // Stages that may be asynchronous.
  'spam',
  'module',
  'plugin',
  'plugin-queue',
  // Writer: queue, storage rules, event log.
  'writer-queue',
  'vanished',
  'inbox-full',
  'deleted',
  'superseded',
  'storage',
] as const;

export type RuleName = (typeof ruleNames)[number];
