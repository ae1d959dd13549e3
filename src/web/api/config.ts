// Types of the admin page's calls about the configuration and retention, for admins. Types only,
// shared with the browser; see api.ts.

export interface ConfigMethods {
  /** Returns each option with its value in effect, in the order of relay.conf. */
  config: { params: Record<string, never>; result: ConfigView };
  /**
   * Reads the configuration again without applying it, and returns the changes that a `reload`
   * would make. Fails with `refused` and one sentence a line if it is invalid.
   */
  'config.compare': { params: Record<string, never>; result: ConfigChanges };
  /** Applies what can change live. Fails like `config.compare`; then no setting changes. */
  reload: { params: Record<string, never>; result: ConfigChanges };
  /**
   * Runs or previews retention in the background, one task at a time; `show` polls it. `preview`
   * and `run` begin one (`refused` while another runs), `stop` ends it where it is. null: there was
   * none since the start.
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
  /** Key `section.name`. */
  key: string;
  /** Value in effect and default value, as relay.conf writes them; a secret is `"•••"`. */
  value: string;
  default: string;
  isDefault: boolean;
  /** Source of the value: `/etc/wok/relay.conf line 3`, `WOK_IO__PORT`, `--port`; '': default. */
  from: string;
  /** True if it applies live; else it needs a restart. */
  live: boolean;
  secret: boolean;
  /** Allowed values: `a whole number from 1 to 65535, or 0 (any free port)`. */
  takes: string;
  /** Unit of the value, or ''. */
  unit: string;
  /** Explanation for operators, one or two sentences. */
  text: string;
}

/** Changes that were made, or would be. */
export interface ConfigChanges {
  live: ConfigChange[];
  /** Changes that need a restart. */
  waiting: ConfigChange[];
}

/** Change of one option. Values as relay.conf writes them; secrets are masked. */
interface ConfigChange {
  key: string;
  from: string;
  to: string;
}

/** Retention run, or preview of one. */
export interface RetentionTask {
  what: 'preview' | 'run';
  state: 'running' | 'done' | 'stopped' | 'failed';
  /** Reason of a failure; else ''. */
  error: string;
  /** Seconds since 1970; `endedAt` is null while it runs. */
  startedAt: number;
  endedAt: number | null;
  /** Number of index entries read so far. */
  looked: number;
  /** Events removed, or to remove, so far, by rule. */
  report: RetentionReport;
}

export interface RetentionReport {
  rules: RuleTotal[];
  events: number;
  /** Size of their bodies, as stored. */
  bytes: number;
  /** Bytes of the database in use before. */
  usedBytes: number;
}

/** Events removed, or to remove, by one rule. */
export interface RuleTotal {
  /** Configuration entry, or `budget`. */
  rule: string;
  events: number;
  /** Size of their bodies, as stored. */
  bytes: number;
  /** Range of their created_at. */
  oldest: number;
  newest: number;
}
