// Plugin host: the thread that runs the operator's plugins and owns their processes.

import type { Channel } from '../../channel/channel.ts';
import { RecordOutbox } from '../../channel/outbox.ts';
import { RecordReader } from '../../channel/records.ts';
import type { Config } from '../../config/options.ts';
import { parsePluginEntry } from '../../config/plugin-entry.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../log/log.ts';
import type { StationName } from '../../messages/control.ts';
import {
  ASK_EVENT,
  ASK_REQ,
  PLUGIN_ACCEPT,
  PLUGIN_BUSY,
  PLUGIN_FAILED,
  PLUGIN_FAILED_OPEN,
  PLUGIN_REJECT,
  PLUGIN_REPLACE,
  PLUGIN_SHADOW,
  type PluginAsk,
  type PluginResponse,
  readPluginAsk,
  writePluginResponse,
} from '../../messages/ingester-plugins.ts';
import { ChildPidTable } from './child-pids.ts';
import type { TimePlugin } from './names.ts';
import { type CountFailure, Plugin, type PluginOptions } from './plugin.ts';
import { eventLine, type PluginAnswer, queryLine, type Source, sourceTypes } from './protocol.ts';

/** Counters of the plugin host. */
interface PluginMeter {
  readonly failed: CountFailure;
  readonly circuitsOpen: (plugins: number) => void;
  /** Called when a plugin has answered, or has taken too long. */
  readonly answered: TimePlugin;
}

/** Question in progress through the chain of plugins. */
interface Asking {
  readonly ask: PluginAsk;
  readonly outbox: RecordOutbox;
  readonly receivedAt: number;
  /** Id that the plugin's answer has to carry. */
  readonly id: string;
  /** Filters that replace the client's, set by a plugin of the chain, or ''. */
  filters: string;
  /** Plugin that was skipped because it failed, or ''. */
  failedOpen: string;
}

/**
 * Plugin host, a thread beside the data path: it starts the operator's programs, asks them about
 * events and queries, and isolates the relay from their faults.
 *
 * In: questions of all ingester workers. Out: responses. Bound: what the workers may have waiting
 * (`plugins.waiting_events_max`, `plugins.waiting_bytes_max`). If it dies, it is restarted, and the
 * workers refuse the open questions.
 */
export class PluginHost {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #meter: PluginMeter;
  readonly #childPids: ChildPidTable;
  #chain: { key: string; plugin: Plugin }[] = [];
  /** Plugins removed by the last reload, resolved when they have stopped. */
  #leaving: Promise<void>[] = [];
  #questions = 0;

  constructor(
    config: Config,
    log: Log,
    clock: Clock,
    meter: PluginMeter,
    processes: SharedArrayBuffer,
  ) {
    this.#meter = meter;
    this.#childPids = new ChildPidTable(processes);
    this.#childPids.endAll();
    this.#log = log;
    this.#clock = clock;
    this.reconfigure(config);
  }

  /** Keeps the plugins with an unchanged entry, starts new ones, and stops the others. */
  reconfigure({ plugins }: Config): void {
    const former = this.#chain;
    this.#chain = plugins.commands.map((text) => {
      const options = pluginOptions(text, plugins);
      const key = JSON.stringify(options);
      const kept = former.findIndex((one) => one.key === key);
      if (kept >= 0) return former.splice(kept, 1)[0]!;
      return { key, plugin: new Plugin(options, this.#log, this.#meter.failed, this.#childPids) };
    });
    this.#leaving = former.map(({ plugin }) => plugin.retire());
  }

  attach(station: StationName, _worker: number, channel: Channel): void {
    if (station !== 'ingester') return;
    const outbox = new RecordOutbox(channel);
    channel.receive((batch) => {
      const reader = new RecordReader(batch);
      while (reader.more) this.#take(readPluginAsk(reader), outbox);
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#leaving, ...this.#chain.map(({ plugin }) => plugin.stop())]);
  }

  #take(ask: PluginAsk, outbox: RecordOutbox): void {
    this.#questions = (this.#questions + 1) % Number.MAX_SAFE_INTEGER;
    const id = ask.type === ASK_EVENT ? ask.subject : `query-${this.#questions}`;
    const receivedAt = this.#clock.seconds();
    this.#step({ ask, outbox, receivedAt, id, filters: '', failedOpen: '' }, 0);
  }

  /** Asks the plugins from index `from` of the chain on; the first that refuses decides. */
  #step(asking: Asking, from: number): void {
    const { ask } = asking;
    for (let i = from; i < this.#chain.length; i++) {
      const { plugin } = this.#chain[i]!;
      if (!(ask.type === ASK_EVENT ? plugin.coversKind(ask.kind) : plugin.coversReads)) continue;
      const askedAt = performance.now();
      plugin.ask(ask.connId, asking.id, line(asking), (answer) => {
        // A failure has no meaningful duration: often no process was asked.
        if (answer !== 'failed') {
          this.#meter.answered(plugin.name, (performance.now() - askedAt) / 1000);
        }
        const response = this.#evaluate(asking, plugin, answer);
        if (response === null) this.#step(asking, i + 1);
        else this.#say(asking, response);
      });
      return;
    }
    const { failedOpen, filters } = asking;
    if (filters !== '') this.#say(asking, { outcome: PLUGIN_REPLACE, filters });
    else if (failedOpen === '') this.#say(asking, { outcome: PLUGIN_ACCEPT });
    else this.#say(asking, { outcome: PLUGIN_FAILED_OPEN, by: failedOpen });
  }

  /** Returns the response for an answer, or null when the next plugin is asked. */
  #evaluate(
    asking: Asking,
    plugin: Plugin,
    answer: PluginAnswer | 'busy' | 'failed',
  ): Partial<PluginResponse> | null {
    const by = plugin.name;
    if (answer === 'busy') return { outcome: PLUGIN_BUSY, by };
    const isEvent = asking.ask.type === ASK_EVENT;
    if (answer !== 'failed') {
      const { action, message, filters } = answer;
      if (action === 'accept') return null;
      if (action === 'reject') {
        this.#log.debug('a plugin rejected an event or query', {
          plugin: by,
          id: asking.ask.subject,
          message,
        });
        return { outcome: PLUGIN_REJECT, by, message };
      }
      if (action === 'shadowReject' && isEvent) return { outcome: PLUGIN_SHADOW, by, message };
      if (action === 'replace' && !isEvent && filters !== null) {
        asking.filters = JSON.stringify(filters);
        return null;
      }
      this.#log.error('a plugin returned a response that does not match the request', {
        plugin: by,
        action,
        question: isEvent ? 'new' : 'req or count',
      });
    }
    if (!plugin.failOpen) return { outcome: PLUGIN_FAILED, by };
    asking.failedOpen = by;
    return null;
  }

  #say({ ask, outbox }: Asking, response: Partial<PluginResponse>): void {
    this.#meter.circuitsOpen(this.#chain.filter(({ plugin }) => plugin.isOpen).length);
    const said = { outcome: PLUGIN_FAILED, by: '', message: '', filters: '', ...response };
    writePluginResponse(outbox.records, { ...said, ticket: ask.ticket });
    outbox.touch();
  }
}

function line({ ask, id, receivedAt, filters }: Asking): Buffer {
  const source: Source = {
    type: sourceTypes[ask.sourceType]!,
    info: ask.sourceInfo,
    authed: ask.authed,
  };
  if (ask.type === ASK_EVENT) return eventLine(ask.body, source, receivedAt);
  const type = ask.type === ASK_REQ ? 'req' : 'count';
  const body = filters === '' ? ask.body : Buffer.from(filters);
  return queryLine(type, id, ask.subject, body, source, receivedAt);
}

/** Returns the options of an entry of `plugins.commands`, with defaults for those it omits. */
function pluginOptions(text: string, plugins: Config['plugins']): PluginOptions {
  const entry = parsePluginEntry(text)!;
  return {
    entry,
    failOpen: (entry.fail ?? plugins.fail) === 'open',
    timeoutMilliseconds: entry.timeoutMilliseconds ?? plugins.timeout_milliseconds,
    processes: entry.processes ?? plugins.processes,
    pipelineMax: entry.pipeline ?? plugins.pipeline_max,
    breakerFailures: plugins.breaker_failures,
    breakerMilliseconds: plugins.breaker_seconds * 1000,
  };
}
