// Counting functions for events, refusals and log lines, with the cells of their labels looked up
// once.

import { type RuleName, ruleNames } from '../config/rule-names.ts';
import { element, present } from '../lib/assert.ts';
import type { CountLine } from '../log/line-limiter.ts';
import { KIND_MAX, kindClass } from '../protocol/kinds.ts';
import {
  type CLIENT_MESSAGE_TYPES,
  EVENT_CLASSES,
  EVENT_OUTCOMES,
  KINDS,
  LOG_LEVELS,
  REFUSAL_PREFIXES,
  REFUSED,
} from './label-values.ts';
import { byLabel, cellOf } from './layout.ts';
import type { Meter } from './meter.ts';

type EventOutcome = (typeof EVENT_OUTCOMES)[number];
export type Refused = (typeof REFUSED)[number];
export type ClientMessageType = (typeof CLIENT_MESSAGE_TYPES)[number];

const EVENTS = byLabel(EVENT_CLASSES, (eventClass) =>
  byLabel(EVENT_OUTCOMES, (outcome) => cellOf('wok_events_total', { class: eventClass, outcome })),
);
const REFUSALS = byLabel(REFUSED, (of) =>
  byLabel(REFUSAL_PREFIXES, (prefix) => cellOf('wok_refusals_total', { of, prefix })),
);
const RULES = byLabel(ruleNames, (rule) => cellOf('wok_rule_refusals_total', { rule }));
const BY_KIND = new Map(
  KINDS.map((kind) => [kind as string, cellOf('wok_events_accepted_total', { kind })]),
);
const OTHER_KIND = present(BY_KIND.get('other'), 'cell of other kinds');
const KIND_CELLS = Uint32Array.from(
  { length: KIND_MAX + 1 },
  (_, kind) => BY_KIND.get(String(kind)) ?? OTHER_KIND,
);

const LINES = byLabel(LOG_LEVELS, (level) => cellOf('wok_log_lines_total', { level }));
const LEFT_OUT = cellOf('wok_log_lines_left_out_total');

/** Returns a callback that counts log lines by level. */
export function countLines(meter: Meter): CountLine {
  return (level, omitted) => {
    meter.add(LINES[level]);
    if (omitted) meter.add(LEFT_OUT);
  };
}

/** Counts an event by class and outcome; `kind` is the unchecked value of the event. */
export function countEvent(meter: Meter, kind: unknown, outcome: EventOutcome): void {
  const isKind = typeof kind === 'number' && Number.isInteger(kind) && kind >= 0;
  const eventClass = isKind && kind <= KIND_MAX ? kindClass(kind) : 'none';
  meter.add(EVENTS[eventClass][outcome]);
}

/** Counts an event that was stored or passed on, by its kind. */
export function countAccepted(meter: Meter, kind: number): void {
  meter.add(element(KIND_CELLS[kind]));
}

/** Counts a refusal by the prefix of its text. */
export function countRefusal(meter: Meter, of: Refused, message: string): void {
  const prefix = message.slice(0, message.indexOf(':')) as keyof (typeof REFUSALS)[Refused];
  meter.add(REFUSALS[of][prefix] ?? REFUSALS[of].other);
}

/** Counts a refused write by the rule that refused it. */
export function countRule(meter: Meter, rule: RuleName): void {
  meter.add(RULES[rule]);
}
