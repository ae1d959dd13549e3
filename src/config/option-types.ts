// Types of the rows of the option table, and the type of a configuration that follows from them.

import type { FormatName } from './formats.ts';

interface OptionBase {
  /** Description for operators, one or two sentences. */
  readonly text: string;
  /** True if a running relay can take a new value without a restart. */
  readonly reload: boolean;
  /** True for a secret value: it is masked wherever it would be shown. */
  readonly secret?: true;
}

/** Integer from `min` to `max`, or 0 where `zero` says what 0 means. */
export interface IntegerOption extends OptionBase {
  readonly type: 'integer';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  readonly zero?: string;
}

interface BooleanOption extends OptionBase {
  readonly type: 'boolean';
  readonly default: boolean;
}

/** Text, free or in a format of formats.ts, which may also normalise it. */
export interface StringOption extends OptionBase {
  readonly type: 'string';
  readonly default: string;
  readonly format?: FormatName;
}

/** List of texts; `format` applies to each of them. */
interface StringListOption extends OptionBase {
  readonly type: 'string[]';
  readonly default: readonly string[];
  readonly format?: FormatName;
}

/** One of the words in `values`. */
interface EnumOption extends OptionBase {
  readonly type: 'enum';
  readonly default: string;
  readonly values: readonly [string, ...string[]];
}

/** Row of the option table. */
export type Option = IntegerOption | BooleanOption | StringOption | StringListOption | EnumOption;

type WithoutText<Row> = Row extends Option ? Omit<Row, keyof OptionBase> : never;

/** Row of the table of constants: value and check, as in the row of an option. */
export type Constant = WithoutText<Option>;

/** Value of an option or a constant after the check. */
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

/** Type of an entry with the fields of a table of rows, read-only. */
export type FieldsOf<Table> = { readonly [Key in keyof Table]: ValueOf<Table[Key]> };

type SectionOf<Key> = Key extends `${infer Section}.${string}` ? Section : never;

/**
 * Configuration type of a table: `{ 'io.port': row, … }` becomes `{ io: { port: number, … },
 * … }`, read-only at every level.
 */
export type ConfigOf<Table> = {
  readonly [Section in SectionOf<keyof Table>]: {
    readonly [Key in keyof Table as Key extends `${Section}.${infer Name}` ? Name : never]: ValueOf<
      Table[Key]
    >;
  };
};
