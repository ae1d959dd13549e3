// Policy modules of one ingester worker: loads them and runs their hooks as a stage of the policy
// pipeline.

import type { Config } from '../../config/options.ts';
import { sharedMilliseconds } from '../../lib/clock.ts';
import type { Log } from '../../log/log.ts';
import { asRefusal, type Refusal } from '../../protocol/refusal.ts';
import {
  ACCEPT,
  type PolicyRead,
  type PolicyResult,
  type PolicyWrite,
  type ReadPolicyResult,
  type Sender,
} from '../result.ts';
import type {
  Decision,
  PolicyClient,
  PolicyEvent,
  PolicyFilter,
  PolicyModule,
  ReplaceFilters,
  ShadowReject,
} from './module-api.d.ts';
import { HOOKS, loadModule, wrongModule } from './module-file.ts';
import { FAILED, Hook, type HookOptions } from './module-hook.ts';
import { HOOK_BITS, ModuleWatch } from './module-watch.ts';
import { moduleName, type TimePlugin } from './names.ts';

const NOT_WORKING: Refusal = 'error: a policy module of this relay failed; try again later';

type EventHook = Hook<[PolicyEvent, PolicyClient], Decision | ShadowReject>;
type FilterHook = Hook<
  [readonly PolicyFilter[], PolicyClient, 'REQ' | 'COUNT'],
  Decision | ReplaceFilters
>;
type ConnectionHook = Hook<[PolicyClient], Decision>;

interface Loaded {
  readonly name: string;
  /** Index in `policy.modules`. */
  readonly place: number;
  readonly module: PolicyModule;
}

/** Observers of the calls: timer, watchdog table and number of the worker. */
interface Beside {
  readonly time: TimePlugin;
  readonly watch: ModuleWatch;
  readonly worker: number;
}

/** Policy modules of the operator (`policy.modules`) in one ingester worker, called in order. */
export class PolicyModules {
  readonly #loaded: readonly Loaded[];
  readonly #log: Log;
  readonly #beside: Beside;
  #failOpen = false;
  #events: EventHook[] = [];
  #filters: FilterHook[] = [];
  #connections: ConnectionHook[] = [];

  private constructor(loaded: readonly Loaded[], config: Config, log: Log, beside: Beside) {
    this.#loaded = loaded;
    this.#log = log;
    this.#beside = beside;
    this.reconfigure(config);
  }

  /**
   * Loads and starts modules. @throws Error named ConfigError, with a sentence for the operator.
   */
  static async load(
    config: Config,
    worker: number,
    log: Log,
    time: TimePlugin = () => {},
    watch = new ModuleWatch(ModuleWatch.share()),
  ): Promise<PolicyModules> {
    const loaded: Loaded[] = [];
    watch.leave(worker);
    for (const [place, path] of config.policy.modules.entries()) {
      const name = moduleName(path);
      if (watch.isOff(place)) {
        // Stubs for its exported hooks: they are never called, as a module that is off always
        // fails.
        const wasLoaded = HOOKS.filter((hook) => watch.has(place, hook));
        const module = Object.fromEntries(wasLoaded.map((hook) => [hook, () => false]));
        loaded.push({ name, place, module: module as PolicyModule });
        continue;
      }
      const module = await loadModule(path);
      const say = (text: string, facts: Record<string, unknown> = {}) =>
        log.info(text, { ...facts, module: name });
      try {
        await module.start?.({ worker, log: say });
      } catch (error) {
        throw wrongModule(`${path} failed in start(): ${String(error)}`);
      }
      for (const hook of HOOKS) if (module[hook]) watch.loaded(place, HOOK_BITS[hook]);
      loaded.push({ name, place, module });
    }
    return new PolicyModules(loaded, config, log, { time, watch, worker });
  }

  /** Applies new times and limits; the modules stay loaded. */
  reconfigure({ policy, plugins }: Config): void {
    this.#failOpen = plugins.fail === 'open';
    const common = {
      timeoutMilliseconds: policy.modules_timeout_milliseconds,
      breakerFailures: plugins.breaker_failures,
      breakerMilliseconds: plugins.breaker_seconds * 1000,
    };
    this.#events = [];
    this.#filters = [];
    this.#connections = [];
    const { worker, watch } = this.#beside;
    for (const { name, place, module } of this.#loaded) {
      const { acceptEvent, acceptFilter, acceptConnection } = module;
      const at = (hook: string) => `${name} ${hook}`;
      const options: HookOptions = {
        ...common,
        isOff: () => watch.isOff(place),
        enters: () => watch.enter(worker, place, sharedMilliseconds()),
        leaves: () => watch.leave(worker),
        time: (seconds) => this.#beside.time(name, seconds),
      };
      if (acceptEvent) {
        const hook = new Hook(at('acceptEvent'), acceptEvent, readEvent, options, this.#log);
        this.#events.push(hook);
      }
      if (acceptFilter) {
        const hook = new Hook(at('acceptFilter'), acceptFilter, readFilter, options, this.#log);
        this.#filters.push(hook);
      }
      if (acceptConnection) {
        const call = acceptConnection;
        const hook = new Hook(at('acceptConnection'), call, readDecision, options, this.#log);
        this.#connections.push(hook);
      }
    }
  }

  get asksWrites(): boolean {
    return this.#events.length > 0;
  }

  get asksReads(): boolean {
    return this.#filters.length > 0;
  }

  get asksConnections(): boolean {
    return this.#connections.length > 0;
  }

  stop(): void {
    for (const { module } of this.#loaded) module.stop?.();
  }

  evaluateWrite({ event, from }: PolicyWrite): PolicyResult | Promise<PolicyResult> {
    // The bytes to store were measured and hashed before; a module that tries to change the event
    // throws.
    Object.freeze(event);
    return inTurn<EventHook, PolicyResult>(this.#events, ACCEPT, (hook) => {
      const said = hook.ask(event, from);
      const evaluate = (answer: Awaited<typeof said>): PolicyResult => {
        if (answer === FAILED) return this.#failure(hook.name);
        if (typeof answer !== 'object') return evaluated(hook.name, answer);
        const message = answer.message ?? '';
        return { action: 'shadow', rule: 'module', by: hook.name, message };
      };
      return said instanceof Promise ? said.then(evaluate) : evaluate(said);
    });
  }

  /** Runs the filter hooks. Later modules see the filters that an earlier one has replaced. */
  evaluateRead(read: PolicyRead): ReadPolicyResult | Promise<ReadPolicyResult> {
    let filters = read.filters as readonly PolicyFilter[];
    let replaced: ReadPolicyResult = ACCEPT;
    const last = inTurn<FilterHook, ReadPolicyResult>(this.#filters, ACCEPT, (hook) => {
      const said = hook.ask(filters, read.from, read.type);
      const evaluate = (answer: Awaited<typeof said>): ReadPolicyResult => {
        if (answer === FAILED) return this.#failure(hook.name);
        if (typeof answer !== 'object') return evaluated(hook.name, answer);
        filters = answer.filters;
        replaced = { action: 'replace', rule: 'module', by: hook.name, filters };
        return ACCEPT;
      };
      return said instanceof Promise ? said.then(evaluate) : evaluate(said);
    });
    const ends = (result: ReadPolicyResult) => (result.action === 'accept' ? replaced : result);
    return last instanceof Promise ? last.then(ends) : ends(last);
  }

  /** Returns the reason to refuse a connection, or null. */
  evaluateConnection(from: Sender): Refusal | null | Promise<Refusal | null> {
    const last = inTurn<ConnectionHook, ReadPolicyResult>(this.#connections, ACCEPT, (hook) => {
      const said = hook.ask(from);
      const evaluate = (answer: Awaited<typeof said>): ReadPolicyResult =>
        answer === FAILED ? this.#failure(hook.name) : evaluated(hook.name, answer);
      return said instanceof Promise ? said.then(evaluate) : evaluate(said);
    });
    const ends = (result: ReadPolicyResult) => (result.action === 'refuse' ? result.message : null);
    return last instanceof Promise ? last.then(ends) : ends(last);
  }

  #failure(by: string) {
    if (this.#failOpen) return ACCEPT;
    return { action: 'refuse', rule: 'module', by, message: NOT_WORKING } as const;
  }
}

function evaluated(by: string, decision: Decision) {
  if (decision === true) return ACCEPT;
  return { action: 'refuse', rule: 'module', by, message: asRefusal(decision) } as const;
}

/**
 * Asks the items in order until one does not accept; returns a promise only if one of them does.
 */
function inTurn<Asked, Said extends { action: string }>(
  list: readonly Asked[],
  accept: Said,
  ask: (one: Asked) => Said | Promise<Said>,
): Said | Promise<Said> {
  for (let i = 0; i < list.length; i++) {
    const said = ask(list[i]!);
    if (said instanceof Promise) {
      const rest = list.slice(i + 1);
      return said.then((one) => (one.action === 'accept' ? inTurn(rest, accept, ask) : one));
    }
    if (said.action !== 'accept') return said;
  }
  return accept;
}

function readDecision(answer: unknown): Decision | undefined {
  if (answer === true) return true;
  return typeof answer === 'string' ? answer.toWellFormed() : undefined;
}

function readEvent(answer: unknown): Decision | ShadowReject | undefined {
  const { action, message } = (answer ?? {}) as { action?: unknown; message?: unknown };
  if (action !== 'shadowReject') return readDecision(answer);
  return typeof message === 'string' ? { action, message: message.toWellFormed() } : { action };
}

function readFilter(answer: unknown): Decision | ReplaceFilters | undefined {
  const { action, filters } = (answer ?? {}) as { action?: unknown; filters?: unknown };
  if (action !== 'replace') return readDecision(answer);
  return Array.isArray(filters) ? { action, filters: filters as PolicyFilter[] } : undefined;
}
