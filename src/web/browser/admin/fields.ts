// Form fields with labels.

import { freshId, make } from './make.ts';

/** Form field with its label; `input` is the control in it. */
interface Field<Input extends HTMLElement = HTMLInputElement> {
  readonly place: HTMLElement;
  readonly input: Input;
}

/** Field for a line of text; `attributes` are those of the input. */
export function textField(
  label: string,
  attributes: Readonly<Record<string, string | number | boolean | null>> = {},
  hint = '',
): Field {
  const id = freshId();
  const input = make('input', {
    id,
    type: 'text',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': hint === '' ? null : `${id}-hint`,
    ...attributes,
  });
  const place = make(
    'div',
    { class: 'field' },
    make('label', { for: id }, label),
    input,
    hint !== '' && make('p', { class: 'hint', id: `${id}-hint` }, hint),
  );
  return { place, input };
}

/** Field for one of several choices: `[value, text]`. */
export function choiceField(
  label: string,
  choices: readonly (readonly [string, string])[],
  chosen = '',
): Field<HTMLSelectElement> {
  const id = freshId();
  const options = choices.map(([value, text]) =>
    make('option', { value, selected: value === chosen }, text),
  );
  const input = make('select', { id }, ...options);
  const place = make('div', { class: 'field' }, make('label', { for: id }, label), input);
  return { place, input };
}

/** Checkbox. */
export function checkField(label: string, checked = false): Field {
  const id = freshId();
  const input = make('input', { id, type: 'checkbox', checked });
  const place = make('div', { class: 'choice' }, input, make('label', { for: id }, label));
  return { place, input };
}

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Field for a duration; `value` returns its end in seconds since 1970, 0: never. */
export function expiryField(): { place: HTMLElement; value(): number } {
  const { place, input } = choiceField('Duration', [
    ['0', 'Permanent'],
    [String(HOUR), '1 hour'],
    [String(DAY), '1 day'],
    [String(7 * DAY), '7 days'],
    [String(30 * DAY), '30 days'],
    [String(365 * DAY), '1 year'],
  ]);
  const value = () => {
    const seconds = Number(input.value);
    return seconds === 0 ? 0 : Math.floor(Date.now() / 1000) + seconds;
  };
  return { place, value };
}

/** Field for the reason in the audit log. */
export function reasonField(): Field {
  return textField(
    'Reason',
    { maxlength: 300 },
    'It is recorded in the audit log and may be shown to clients.',
  );
}

/** Time in a `datetime-local` input in seconds since 1970, or null. */
export function momentIn(input: HTMLInputElement): number | null {
  const at = Date.parse(input.value);
  return Number.isNaN(at) ? null : Math.floor(at / 1000);
}
