// View of the audit log, with a search by subject and originator.

import type { AuditRow } from '../../../api/moderation.ts';
import { doer } from '../author.ts';
import type { View } from '../context.ts';
import { textField } from '../fields.ts';
import { button, type Child, make } from '../make.ts';
import { pager } from '../pager.ts';
import { badge, eventLink, person, row, table, when } from '../parts.ts';

const PAGE = 100;

/** Audit log: time, originator, action, subject and reason, newest first. */
export const audit: View = {
  name: 'audit',
  title: 'Audit log',
  group: 'Moderate',
  method: 'mod.audit',
  open: (context) => {
    const subject = textField('About', {
      value: context.query.get('subject') ?? '',
      placeholder: 'key, id, kind or address',
    });
    const by = textField('By', {
      value: context.query.get('by') ?? '',
      placeholder: 'key, shell or relay',
    });
    const { frame, rows } = table('Audit log', ['When', 'By', 'What', 'About', 'Reason']);
    const log = pager<number>({
      what: 'the audit log',
      empty: 'No entries match.',
      container: rows,
      frame,
      left: context.left,
      ask: async (before) => {
        const [about, who] = [subject.input.value.trim(), by.input.value.trim()];
        const found = await context.call(
          'mod.audit',
          {
            limit: PAGE,
            ...(before === null ? {} : { before }),
            ...(about === '' ? {} : { subject: about }),
            ...(who === '' ? {} : { by: who }),
          },
          context.left,
        );
        const last = found.at(-1);
        return { items: found.map(auditRow), next: found.length < PAGE || !last ? null : last.n };
      },
    });
    const form = make(
      'form',
      { class: 'toolbar end', role: 'search', 'aria-label': 'Audit log' },
      make(
        'div',
        { class: 'row end' },
        subject.place,
        by.place,
        make('button', { type: 'submit' }, 'Show'),
      ),
      button('Refresh', '', () => void log.reload()),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void log.reload();
    });
    return [
      make(
        'p',
        { class: 'muted small' },
        'Newest first. Entries cannot be changed; moderation.audit_days says how long they are kept.',
      ),
      form,
      make('div', { class: 'card' }, log.place),
    ];
  },
};

function auditRow({ at, by, action, subject, reason }: AuditRow): HTMLTableRowElement {
  return row(when(at), doer(by), badge(action), subjectPart(action, subject), reason);
}

/** Subject as a link if the action tells what 64 hex characters are, else as (shortened) text. */
function subjectPart(action: string, subject: string): Child {
  if (subject === '') return '';
  if (/^[0-9a-f]{64}$/.test(subject)) {
    if (/event/.test(action)) return eventLink(subject);
    if (/pubkey|author|role/.test(action)) return person(subject);
  }
  const text = subject.length > 40 ? `${subject.slice(0, 12)}…${subject.slice(-6)}` : subject;
  return make('code', { title: subject }, text);
}
