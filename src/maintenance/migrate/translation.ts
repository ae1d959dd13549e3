// Translation of the configuration of another relay into options of wok: tables of rules by key,
// and remarks about what could not be carried over.

import { isSecretKey } from '../../config/formats.ts';
import type { IntegerOption, Option, OptionValue } from '../../config/option-types.ts';
import {
  MESSAGE_FRAME_BYTES,
  type OptionKey,
  optionOf,
  options as optionTable,
} from '../../config/options.ts';
import { describeValue, valueSchema } from '../../config/value-schema.ts';

/** Table of values by name, as a parser of TOML, YAML, JSON or strfry.conf returns it. */
export type Tree = Readonly<Record<string, unknown>>;

/** Option of wok that was set, with the keys of the other relay that it comes from. */
export interface Carried {
  readonly value: OptionValue;
  readonly from: readonly string[];
}

/** Remark on a key that could not be carried over as it is. */
export interface Remark {
  /** Key of the other relay, dotted. */
  readonly key: string;
  /** Its value for people, shortened; '' if the key was not given. */
  readonly value: string;
  /** Reason, and what to do instead. */
  readonly text: string;
  /** True if something is lost until the operator does something. */
  readonly needsAction: boolean;
}

/** Result of a translation. Every given key has an option or a remark, or both. */
export interface Translation {
  readonly options: ReadonlyMap<OptionKey, Carried>;
  readonly remarks: readonly Remark[];
  /** Blocks for the end of relay.conf that are commented out, one text each. */
  readonly blocks: readonly string[];
}

/** Rule for one key: sets options of the translation, or adds a remark. */
export type Rule = (value: unknown, into: Translator) => void;

/**
 * Rules by dotted key. A key that ends in `.*` is for all keys below it that have no rule of their
 * own.
 */
export type Rules = Readonly<Record<string, Rule>>;

const SHOWN_LENGTH_MAX = 60;
const MESSAGE_BYTES_MAX = optionTable['limits.message_bytes_max'].max;

/** Translation while it is made; rules get it as their second argument. */
export class Translator {
  readonly options = new Map<OptionKey, Carried>();
  readonly remarks: Remark[] = [];
  readonly blocks: string[] = [];
  /** Directory at which relative paths of the configuration start. */
  readonly directory: string;
  readonly #tree: Tree;
  /** Key whose rule is applied. */
  key = '';
  #value: unknown;

  constructor(tree: Tree, directory: string) {
    this.#tree = tree;
    this.directory = directory;
  }

  /** Applies the rule of one key. */
  apply(rule: Rule, key: string, value: unknown): void {
    this.key = key;
    this.#value = value;
    rule(value, this);
  }

  /** Returns the value of another key; undefined if it is not given. */
  other(key: string): unknown {
    return valueAt(this.#tree, key);
  }

  /** Adds a remark: something is lost until the operator does something. */
  act(text: string): void {
    this.#remark(text, true);
  }

  /** Adds a remark: nothing needs to be done. */
  note(text: string): void {
    this.#remark(text, false);
  }

  /**
   * Sets an option. A number out of range becomes the nearest one, invalid items of a list are left
   * out, and another value that the option cannot have is not set; each with a remark.
   */
  set(option: OptionKey, value: unknown): void {
    const row = optionOf(option);
    const fitting = this.#fitting(option, row, value);
    if (fitting === undefined) return;
    const from = this.options.get(option)?.from ?? [];
    this.options.set(option, { value: fitting, from: [...new Set([...from, this.key])] });
  }

  /** Adds items to an option that is a list. */
  add(option: OptionKey, items: readonly unknown[]): void {
    const before = this.options.get(option)?.value;
    this.set(option, [...new Set([...(Array.isArray(before) ? before : []), ...items])]);
  }

  /** Makes options agree that depend on one another, and adds what was changed as remarks. */
  reconcile(): void {
    const event = this.#number('limits.event_bytes_max');
    const message = this.#number('limits.message_bytes_max');
    const because = 'an event has to fit into a message';
    const wanted = event + MESSAGE_FRAME_BYTES;
    const isGiven = this.options.has('limits.event_bytes_max');
    if (wanted > message && isGiven && wanted <= MESSAGE_BYTES_MAX) {
      this.#adjust('limits.message_bytes_max', wanted, because);
    } else if (wanted > message) {
      const largest = isGiven ? MESSAGE_BYTES_MAX : message;
      if (largest > message) this.#adjust('limits.message_bytes_max', largest, because);
      this.#adjust('limits.event_bytes_max', largest - MESSAGE_FRAME_BYTES, because);
    }
    const limit = this.#number('limits.limit_max');
    if (this.#number('limits.limit_default') > limit) {
      this.#adjust(
        'limits.limit_default',
        limit,
        'a filter without a limit may not return more than one with a limit',
      );
    }
  }

  #number(option: OptionKey): number {
    return Number(this.options.get(option)?.value ?? optionOf(option).default);
  }

  #adjust(option: OptionKey, value: number, because: string): void {
    const from = this.options.get(option)?.from ?? [];
    this.options.set(option, { value, from });
    this.remarks.push({
      key: option,
      value: String(value),
      text: `was adjusted: ${because}.`,
      needsAction: false,
    });
  }

  #remark(text: string, needsAction: boolean): void {
    this.remarks.push({ key: this.key, value: shown(this.#value), text, needsAction });
  }

  #fitting(option: OptionKey, row: Option, value: unknown): OptionValue | undefined {
    if (row.type === 'integer' && Number.isFinite(value))
      return this.#near(option, row, value as number);
    if (row.type === 'string[]' && Array.isArray(value)) return this.#items(option, row, value);
    const result = valueSchema(row).safeParse(value);
    if (result.success) return result.data as OptionValue;
    this.act(`${option} must be ${describeValue(row)}; it was left as it is.`);
    return undefined;
  }

  /** Returns the number nearest to a value that the option can have. */
  #near(option: OptionKey, row: IntegerOption, value: number): number {
    const isZero = value === 0 && row.zero !== undefined;
    const near = isZero ? 0 : Math.min(Math.max(Math.round(value), row.min), row.max);
    if (near !== value) this.act(`${option} must be ${describeValue(row)}; it was set to ${near}.`);
    return near;
  }

  #items(option: OptionKey, row: Option, items: readonly unknown[]): OptionValue | undefined {
    const good: string[] = [];
    const bad: unknown[] = [];
    for (const item of items) {
      const result = valueSchema(row).safeParse([item]);
      if (result.success) good.push(...(result.data as readonly string[]));
      else bad.push(item);
    }
    if (bad.length > 0) {
      this.act(`left out of ${option}, which must be ${describeValue(row)}: ${shown(bad)}.`);
    }
    // Without the wrong items the list is empty, which means "all" in many options: it is left out.
    return good.length === 0 && items.length > 0 ? undefined : [...new Set(good)];
  }
}

/**
 * Translates a configuration by a table of rules.
 *
 * @param directory directory at which its relative paths start.
 * @param standard values of the other relay's own defaults, for keys that are not given and whose
 *   default has to be carried over all the same, such as the port.
 */
export function translate(
  tree: Tree,
  rules: Rules,
  directory: string,
  standard: Tree = {},
): Translator {
  // Tables of some parsers have no prototype, and rules may turn any value into a text.
  const plain = structuredClone(tree);
  const into = new Translator(plain, directory);
  const given = new Map(leavesOf(plain));
  for (const [key, value] of given) into.apply(ruleOf(rules, key), key, value);
  for (const [key, value] of Object.entries(standard)) {
    if (!given.has(key)) into.apply(ruleOf(rules, key), `${key} (its default)`, value);
  }
  into.reconcile();
  return into;
}

/** Returns the rule for a key; one that remarks that the key is unknown if there is none. */
export function ruleOf(rules: Rules, key: string): Rule {
  if (Object.hasOwn(rules, key)) return rules[key]!;
  for (let at = key.lastIndexOf('.'); at > 0; at = key.lastIndexOf('.', at - 1)) {
    const above = `${key.slice(0, at)}.*`;
    if (Object.hasOwn(rules, above)) return rules[above]!;
  }
  return unknownKey;
}

const unknownKey: Rule = (_, into) => {
  into.act(
    'wok does not know this key. Look for a counterpart in relay.conf (wok config print --defaults).',
  );
};

/** Yields the values of a tree with their dotted keys; a list is one value. */
export function* leavesOf(tree: Tree, path = ''): Generator<[key: string, value: unknown]> {
  for (const [name, value] of Object.entries(tree)) {
    const key = path === '' ? name : `${path}.${name}`;
    if (isTree(value)) yield* leavesOf(value, key);
    else yield [key, value];
  }
}

/** Returns true for a table, false for a list, a date or a plain value. */
export function isTree(value: unknown): value is Tree {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function valueAt(tree: Tree, key: string): unknown {
  let value: unknown = tree;
  for (const name of key.split('.')) {
    if (!isTree(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Returns a value for people, shortened; a secret key is never shown. */
export function shown(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string' && isSecretKey(value)) return '(a secret key)';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}

/** Rule that sets an option to the value, changed by `change` if that is given. */
export function option(key: OptionKey, change: (value: never) => unknown = (value) => value): Rule {
  return (value, into) => into.set(key, change(value as never));
}

/** Rule that sets a text option, unless the text is empty. */
export function text(key: OptionKey): Rule {
  return (value, into) => {
    if (value === '' || value === null) into.note('it is empty, as it is in wok by default.');
    else into.set(key, value);
  };
}

/** Rule that says why nothing needs to be done. */
export function note(reason: string): Rule {
  return (_, into) => into.note(reason);
}

/** Rule that says what is lost and what to do instead. */
export function act(reason: string): Rule {
  return (_, into) => into.act(reason);
}

/** Rule that applies `yes` where the value is as `condition` says, else `no`. */
export function when(
  condition: (value: unknown, into: Translator) => boolean,
  yes: Rule,
  no: Rule,
): Rule {
  return (value, into) => (condition(value, into) ? yes : no)(value, into);
}

/** Rule that never shows the value, because it is a secret. */
export function secret(rule: Rule): Rule {
  return (_, into) => into.apply(rule, into.key, '(a secret)');
}

/** Rule that applies several rules one after the other. */
export function all(...rules: readonly Rule[]): Rule {
  return (value, into) => {
    for (const rule of rules) rule(value, into);
  };
}
