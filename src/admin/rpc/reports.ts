// RPC methods of the report queue (NIP-56).

import { z } from 'zod';
import type { Reported, ReportRow } from '../../web/api/moderation.ts';
import { verb } from '../context.ts';
import { putOnList } from '../moderation.ts';
import { dismissReports, reported, reportsOf } from '../reports.ts';

const PAGE_MAX = 10_000;
const target = z.string().regex(/^[0-9a-f]{64}$/, 'an event id or a public key, 64 hex characters');

/** RPC method `mod.reports`: returns the report queue. */
export const reportsVerb = verb({
  name: 'mod.reports',
  params: z.strictObject({ limit: z.int().positive().max(PAGE_MAX).default(100) }),
  run: ({ limit }, room): Reported[] => reported(room, limit),
});

/** RPC method `mod.report`: returns the reports about a target, with their authors and texts. */
export const reportVerb = verb({
  name: 'mod.report',
  params: z.strictObject({ target, limit: z.int().positive().max(PAGE_MAX).default(100) }),
  run: ({ target, limit }, room): ReportRow[] => reportsOf(room, target, limit),
});

/** RPC method `mod.dismiss`: takes a target off the queue; `keep`: new reports are not queued. */
export const dismissVerb = verb({
  name: 'mod.dismiss',
  params: z.strictObject({
    target,
    reason: z.string().max(1000).default(''),
    keep: z.boolean().default(false),
  }),
  async run({ target, reason, keep }, room, { by }) {
    const act = { by, reason };
    if (keep) {
      await putOnList(room, {
        list: 'event',
        subject: target,
        stance: 'allow',
        expiresAt: 0,
        ...act,
      });
    }
    return { reports: await dismissReports(room, target, act) };
  },
});
