/** How bad something is: `note` is only worth knowing, `warn` will hurt some day, `bad` hurts now. */
export type Severity = 'ok' | 'note' | 'warn' | 'bad';

/** What the doctor found about one thing. */
export interface Finding {
  /** `database`, `disk`, `process`, `kernel`, `clock`, `files`, `configuration`. */
  area: string;
  /** Short and stable, for programs. */
  name: string;
  severity: Severity;
  /** A sentence that says what is. */
  text: string;
  /** What to do; '' where nothing is to be done. */
  advice: string;
}

/** Makes findings of one area. */
export function findings(area: string) {
  const made: Finding[] = [];
  const add =
    (severity: Severity) =>
    (name: string, text: string, advice = '') => {
      made.push({ area, name, severity, text, advice });
    };
  return { made, ok: add('ok'), note: add('note'), warn: add('warn'), bad: add('bad') };
}
