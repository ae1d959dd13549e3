// View of retention: preview, run and progress.

import type { RetentionTask } from '../../../api/config.ts';
import { messageOf } from '../api.ts';
import type { Context, View } from '../context.ts';
import { ask } from '../dialog.ts';
import { amount, bytes, count, percent, span } from '../format.ts';
import { liveStatus } from '../live-status.ts';
import { failure, progress } from '../load.ts';
import { button, fill, make } from '../make.ts';
import { badge, card, Numeric, row, table, when } from '../parts.ts';
import { Poller } from '../poller.ts';

const RUNNING_MILLISECONDS = 1_000;
const RESTING_MILLISECONDS = 15_000;

/** Preview and run of the retention rules, with the state of the last task. */
export const retention: View = {
  name: 'retention',
  title: 'Retention',
  group: 'Run',
  method: 'retention.task',
  open: (context) => {
    const content = make('div', { class: 'stack' }, progress('Loading…'));
    const state = make('div', { class: 'state' });
    let isRunning = false;
    const show = (task: RetentionTask | null) => {
      isRunning = task?.state === 'running';
      stop.hidden = !isRunning;
      for (const one of [preview, run]) one.setAttribute('aria-disabled', String(isRunning));
      fill(
        content,
        pending(context),
        task === null
          ? make(
              'p',
              { class: 'empty' },
              'No run since the start of the relay. A preview changes nothing.',
            )
          : taskPart(task),
      );
    };
    const poller = new Poller(
      async (leaving) => show(await context.call('retention.task', { do: 'show' }, leaving)),
      () => (isRunning ? RUNNING_MILLISECONDS : RESTING_MILLISECONDS),
      context.left,
    );
    const begin = async (what: 'preview' | 'run' | 'stop') => {
      show(await context.call('retention.task', { do: what }));
      poller.now();
    };
    const attempt = (what: 'preview' | 'stop') => {
      fill(state, progress('Asking…'));
      begin(what).then(
        () => fill(state),
        (error: unknown) =>
          fill(
            state,
            failure(messageOf(error), () => attempt(what)),
          ),
      );
    };
    const preview = button('Preview', 'primary', () => {
      if (!isRunning) attempt('preview');
    });
    const run = button('Run now…', 'danger', () => {
      if (!isRunning) void confirmRun(context, begin);
    });
    const stop = button('Stop', '', () => attempt('stop'));
    stop.hidden = true;
    return [
      make(
        'p',
        { class: 'muted small' },
        'The rules are in [retention] of the configuration and are applied automatically; a preview shows what would be removed now.',
      ),
      make('div', { class: 'row' }, preview, run, stop),
      state,
      liveStatus(poller, context.left, [content]),
      content,
    ];
  },
};

/** Note on the newest events, which no run can see before they are in the index. */
function pending({ feed }: Context): HTMLElement | false {
  const { head, indexed } = feed.latest?.storage ?? { head: 0, indexed: 0 };
  return (
    head > indexed &&
    make(
      'p',
      { class: 'muted small' },
      `The newest ${amount(head - indexed, 'event')} are not indexed yet; the rules apply to them as soon as they are.`,
    )
  );
}

function confirmRun(context: Context, begin: (what: 'run') => Promise<void>): Promise<boolean> {
  return ask({
    title: 'Apply the retention rules now?',
    text: make(
      'p',
      null,
      'All events that a preview shows are removed in the background now, instead of at the next interval. This cannot be undone.',
    ),
    action: 'Remove',
    danger: true,
    act: async () => {
      await begin('run');
      context.say('The run has started.');
    },
  });
}

const STATES = {
  running: ['running', 'warning'],
  done: ['done', 'good'],
  stopped: ['stopped', 'warning'],
  failed: ['failed', 'bad'],
} as const;

function taskPart(task: RetentionTask): HTMLElement {
  const { report, what, state, startedAt, endedAt, looked, error } = task;
  const [text, kind] = STATES[state];
  const lasted = span((endedAt ?? Date.now() / 1000) - startedAt);
  const outcome = what === 'run' ? 'removed' : 'would be removed';
  const share = report.usedBytes > 0 ? report.bytes / report.usedBytes : 0;
  const { frame } = table(
    'By rule',
    ['Rule', number('events'), number('of JSON'), 'oldest', 'to'],
    report.rules.map((one) =>
      row(
        make('code', null, one.rule),
        new Numeric(count(one.events)),
        new Numeric(bytes(one.bytes)),
        one.events === 0 ? '–' : when(one.oldest),
        one.events === 0 ? '–' : when(one.newest),
      ),
    ),
  );
  return card(
    what === 'run' ? 'The last run' : 'The last preview',
    make(
      'div',
      { class: 'row' },
      badge(text, kind),
      make(
        'span',
        { class: 'muted small' },
        'started ',
        when(startedAt),
        `, ${state === 'running' ? 'for' : 'took'} ${lasted}; ${amount(looked, 'entry', 'entries')} of the index checked`,
      ),
    ),
    state === 'running' && make('progress', { 'aria-label': 'Retention is running' }),
    error !== '' && make('p', { class: 'notice bad' }, error),
    make(
      'p',
      { role: 'status' },
      `${state === 'running' ? 'So far ' : ''}${amount(report.events, 'event')} ${outcome}, ${bytes(report.bytes)} of JSON; the database uses ${bytes(report.usedBytes)} (${percent(share)}).`,
    ),
    report.rules.length > 0 ? frame : make('p', { class: 'muted' }, 'No rule removes anything.'),
  );
}

const number = (name: string) => ({ name, number: true }) as const;
