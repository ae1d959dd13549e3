// Records between ingester and the plugin host. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';

/** Types of questions to a plugin. */
export const ASK_EVENT = 1;
export const ASK_REQ = 2;
export const ASK_COUNT = 3;

/**
 * Question for the plugins. `ticket` numbers the questions of an ingester worker; `subject` is the
 * id of the event or of the subscription, `body` the canonical JSON of the event or a JSON array of
 * filters. `sourceType` is an index into the list in `policy/plugins/protocol.ts`.
 */
export interface PluginAsk {
  ticket: number;
  type: number;
  connId: number;
  kind: number;
  sourceType: number;
  sourceInfo: string;
  authed: string;
  subject: string;
  body: Buffer;
}

export function writePluginAsk(to: RecordWriter, ask: PluginAsk): void {
  to.u32(ask.ticket);
  to.u8(ask.type);
  to.u32(ask.connId);
  to.u16(ask.kind);
  to.u8(ask.sourceType);
  to.text(ask.sourceInfo);
  to.text(ask.authed);
  to.text(ask.subject);
  to.blob(ask.body);
}

export function readPluginAsk(from: RecordReader): PluginAsk {
  const ticket = from.u32();
  const type = from.u8();
  assert(type >= ASK_EVENT && type <= ASK_COUNT, 'a question to a plugin has an unknown type');
  return {
    ticket,
    type,
    connId: from.u32(),
    kind: from.u16(),
    sourceType: from.u8(),
    sourceInfo: from.text(),
    authed: from.text(),
    subject: from.text(),
    body: from.blob(),
  };
}

/** Outcomes of a plugin's response. */
export const PLUGIN_ACCEPT = 1;
export const PLUGIN_REJECT = 2;
export const PLUGIN_SHADOW = 3;

/** Accepted, but with the filters in `filters`. */
export const PLUGIN_REPLACE = 4;

/** No plugin could be asked: refused, or accepted by an open circuit, as its entry says. */
export const PLUGIN_FAILED = 5;
export const PLUGIN_FAILED_OPEN = 6;

/** A plugin is alive but overloaded. */
export const PLUGIN_BUSY = 7;

/** plugins → ingester: response of the plugin `by`; `filters` is a JSON array or empty. */
export interface PluginResponse {
  ticket: number;
  outcome: number;
  by: string;
  message: string;
  filters: string;
}

export function writePluginResponse(to: RecordWriter, response: PluginResponse): void {
  to.u32(response.ticket);
  to.u8(response.outcome);
  to.text(response.by);
  to.text(response.message);
  to.text(response.filters);
}

export function readPluginResponse(from: RecordReader): PluginResponse {
  const ticket = from.u32();
  const outcome = from.u8();
  assert(
    outcome >= PLUGIN_ACCEPT && outcome <= PLUGIN_BUSY,
    'a response of a plugin has an unknown outcome',
  );
  return {
    ticket,
    outcome,
    by: from.text(),
    message: from.text(),
    filters: from.text(),
  };
}
