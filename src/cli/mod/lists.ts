// Actions of `wok mod` on the lists of bans and allowances, on events, and on the audit log.

import { timeText } from '../../lib/duration.ts';
import type { ListedRow } from '../../store/database/listed.ts';
import type { AuditRow } from '../../web/api/moderation.ts';
import { type Call, UsageError } from '../command.ts';
import { askRelay } from '../control.ts';
import { type Action, columns, endOf, limitOf, tell } from './action.ts';

const LISTS = '<pubkey|event|kind|ip> <subject>';
const PAGE = 1000;

function put(name: 'ban' | 'allow', summary: string): Action {
  return {
    args: LISTS,
    summary,
    async run(call, [list, subject]) {
      if (call.flags.has('remove') && list !== 'pubkey') {
        throw new UsageError('--remove is for wok mod ban pubkey.');
      }
      const answer = await askRelay<{ removed: number | null }>(call, 'mod.put', {
        list,
        subject,
        stance: name,
        reason: call.flags.last('reason') ?? '',
        expiresAt: endOf(call),
        remove: call.flags.has('remove'),
      });
      tell(call, answer, ({ removed }) => {
        const events = removed ? `; ${removed} events were removed` : '';
        return `${list} ${subject} is ${name === 'ban' ? 'banned' : 'allowed'}${events}.`;
      });
    },
  };
}

function take(name: 'unban' | 'unallow', summary: string): Action {
  const lists = name === 'unban' ? LISTS.replace('ip>', 'ip|author>') : LISTS;
  return {
    args: lists,
    summary,
    async run(call, [list, subject]) {
      const answer = await askRelay<{ taken: boolean }>(call, 'mod.take', {
        list,
        subject,
        stance: name === 'unban' ? 'ban' : 'allow',
        reason: call.flags.last('reason') ?? '',
      });
      const state = name === 'unban' ? 'banned' : 'allowed';
      tell(call, answer, ({ taken }) =>
        taken
          ? `${list} ${subject} is no longer ${state}.`
          : `${list} ${subject} was not ${state}; nothing changed.`,
      );
    },
  };
}

async function wholeList(call: Call, list: string, stance: string): Promise<ListedRow[]> {
  const rows: ListedRow[] = [];
  for (;;) {
    const after = rows.at(-1)?.subject ?? '';
    const page = await askRelay<ListedRow[]>(call, 'mod.list', {
      list,
      stance,
      after,
      limit: PAGE,
    });
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

const list: Action = {
  args: '<pubkey|event|kind|ip|author>',
  summary: 'Show bans and allowances',
  async run(call, [name]) {
    const rows = [
      ...(await wholeList(call, name!, 'ban')),
      ...(await wholeList(call, name!, 'allow')),
    ];
    tell(call, rows, () => (rows.length === 0 ? 'The list is empty.' : listText(rows)));
  },
};

function listText(rows: readonly ListedRow[]): string {
  return columns(
    rows.map(({ stance, subject, at, by, expires_at, reason }) => [
      stance,
      subject,
      timeText(at),
      expires_at === null ? 'permanent' : `until ${timeText(expires_at)}`,
      `by ${by}`,
      reason,
    ]),
  );
}

const remove: Action = {
  args: '<event|author> <subject>',
  summary: 'Remove an event, or all events of an author so far, and refuse them from now on',
  async run(call, [what, subject]) {
    const reason = call.flags.last('reason') ?? '';
    const answer = await askRelay<{ removed: number | null }>(call, 'mod.remove', {
      what,
      subject,
      reason,
    });
    tell(call, answer, ({ removed }) =>
      removed === null
        ? `${what} ${subject} is removed.`
        : `${removed} events of ${subject} were removed.`,
    );
  },
};

const audit: Action = {
  args: '[subject]',
  summary: 'Show the audit log: time, actor, action and reason; newest last',
  async run(call, args) {
    const rows = await askRelay<AuditRow[]>(call, 'mod.audit', {
      subject: args[0] ?? '',
      limit: limitOf(call),
    });
    tell(call, rows.reverse(), () =>
      rows.length === 0
        ? 'The audit log has no entries.'
        : columns(
            rows.map(({ at, by, action, subject, reason }) => [
              timeText(at),
              by,
              action,
              subject,
              reason,
            ]),
          ),
    );
  },
};

/** Actions of `wok mod` on lists, stored events and the audit log, by name. */
export const listActions: Readonly<Record<string, Action>> = {
  ban: put('ban', 'Ban an entry of a list, for a duration or permanently'),
  unban: take('unban', 'End a ban, or accept the old events of a removed author again'),
  allow: put('allow', 'Allow an entry of a list, overriding the configuration'),
  unallow: take('unallow', 'End an allowance'),
  list,
  remove,
  audit,
};
