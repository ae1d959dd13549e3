// Findings of `wok doctor`: the type that every examination returns, and a builder for it.

/**
 * Severity of a finding: `note` is only worth knowing, `warn` will do harm some day, `bad` does
 * harm now.
 */
export type Severity = 'ok' | 'note' | 'warn' | 'bad';

/** Result of one check of the doctor. */
export interface Finding {
  /** `database`, `disk`, `process`, `kernel`, `clock`, `files`, `configuration`. */
  area: string;
  /** Short and stable name, for programs. */
  name: string;
  severity: Severity;
  /** Sentence that states the condition. */
  text: string;
  /** Advice on what to do; '' if there is nothing to do. */
  advice: string;
}

/** Returns functions that add findings of one area to the list `made`. */
export function findings(area: string) {
  const made: Finding[] = [];
  const add =
    (severity: Severity) =>
    (name: string, text: string, advice = '') => {
      made.push({ area, name, severity, text, advice });
    };
  return { made, ok: add('ok'), note: add('note'), warn: add('warn'), bad: add('bad') };
}
