/** The configuration, and retention. Types only; see api.ts. For admins. */

export interface ConfigVerbs {
  /** Every option as it is in effect, in the order of relay.conf. */
  config: { params: Record<string, never>; result: ConfigView };
  /**
   * Reads the configuration again without taking it over: what a `reload` would change. Fails with
   * `refused` and a sentence a line where it is wrong.
   */
  'config.compare': { params: Record<string, never>; result: ConfigChanges };
  /** Takes over what applies live. Fails like `config.compare`; then all settings stay as they are. */
  reload: { params: Record<string, never>; result: ConfigChanges };
  /**
   * What the rules of retention would remove, or removing it, in the background: one task at a time,
   * asked for again and again by `show`. `preview` and `run` begin one (`refused` while another runs),
   * `stop` ends it where it is. null: there was none since the start.
   */
  'retention.task': {
    params: { do: 'preview' | 'run' | 'show' | 'stop' };
    result: RetentionTask | null;
  };
}

export interface ConfigView {
  sections: { name: string; text: string }[];
  options: ConfigOption[];
}

export interface ConfigOption {
  /** `section.name`. */
  key: string;
  /** What is in effect and what it is by default, as relay.conf writes it; a secret is `"•••"`. */
  value: string;
  default: string;
  isDefault: boolean;
  /** Where it stands: `/etc/wok/relay.conf line 3`, `WOK_IO__PORT`, `--port`; '' for a default. */
  from: string;
  /** Whether it applies live; else it needs a restart. */
  live: boolean;
  secret: boolean;
  /** What it takes: `a whole number from 1 to 65535, or 0 (any free port)`. */
  takes: string;
  /** '' if it has none. */
  unit: string;
  /** One or two sentences for operators. */
  text: string;
}

/** What has changed, or would. */
export interface ConfigChanges {
  live: ConfigChange[];
  /** What has to wait for a restart. */
  waiting: ConfigChange[];
}

/** Values as relay.conf writes them; secrets are masked. */
export interface ConfigChange {
  key: string;
  from: string;
  to: string;
}

/** A run of retention, or a preview of one. */
export interface RetentionTask {
  what: 'preview' | 'run';
  state: 'running' | 'done' | 'stopped' | 'failed';
  /** Why, where it has failed; else ''. */
  error: string;
  /** Seconds since 1970; `endedAt` is null while it runs. */
  startedAt: number;
  endedAt: number | null;
  /** Entries of the index that were looked at so far. */
  looked: number;
  /** As far as it has come: what goes, or went, by rule. */
  report: RetentionReport;
}

export interface RetentionReport {
  rules: RuleTotal[];
  events: number;
  /** Of their bodies, as they are stored. */
  bytes: number;
  /** Bytes of the database in use before. */
  usedBytes: number;
}

/** What goes, or went, by one rule. */
export interface RuleTotal {
  /** The entry of the configuration, or `budget`. */
  rule: string;
  events: number;
  /** Of their bodies, as they are stored. */
  bytes: number;
  /** The ages of what goes, as created_at. */
  oldest: number;
  newest: number;
}
