import type { FormatName } from './formats.ts';

interface OptionBase {
  /** One or two sentences for operators. */
  readonly text: string;
  /** Whether a running relay can take a new value without a restart. */
  readonly reload: boolean;
  /** A value that nobody may see: it is masked wherever it would be shown. */
  readonly secret?: true;
}

/** A whole number from `min` to `max`, or 0 where `zero` says what 0 means. */
export interface IntegerOption extends OptionBase {
  readonly type: 'integer';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  readonly zero?: string;
}

export interface BooleanOption extends OptionBase {
  readonly type: 'boolean';
  readonly default: boolean;
}

/** Any text, or text in a format of formats.ts, which may also normalise it. */
export interface StringOption extends OptionBase {
  readonly type: 'string';
  readonly default: string;
  readonly format?: FormatName;
}

/** A list of texts; `format` holds for each of them. */
export interface StringListOption extends OptionBase {
  readonly type: 'string[]';
  readonly default: readonly string[];
  readonly format?: FormatName;
}

/** One word out of `values`. */
export interface EnumOption extends OptionBase {
  readonly type: 'enum';
  readonly default: string;
  readonly values: readonly [string, ...string[]];
}

/** One row of the option table. */
export type Option = IntegerOption | BooleanOption | StringOption | StringListOption | EnumOption;

/** What an option may hold once it is checked. */
export type OptionValue = number | boolean | string | readonly string[];

type ValueOf<O> = O extends { type: 'integer' }
  ? number
  : O extends { type: 'boolean' }
    ? boolean
    : O extends { type: 'enum'; values: readonly (infer V)[] }
      ? V
      : O extends { type: 'string[]' }
        ? readonly string[]
        : string;

type SectionOf<Key> = Key extends `${infer Section}.${string}` ? Section : never;

/** `{ 'io.port': row, … }` to `{ io: { port: number, … }, … }`, read-only all through. */
export type ConfigOf<Table> = {
  readonly [Section in SectionOf<keyof Table>]: {
    readonly [Key in keyof Table as Key extends `${Section}.${infer Name}` ? Name : never]: ValueOf<
      Table[Key]
    >;
  };
};
