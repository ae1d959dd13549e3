// Card for the name, description and icon of the relay (NIP-11), in the view of members and roles.

import type { ConfigView } from '../../../api/config.ts';
import type { Context } from '../context.ts';
import { textField } from '../fields.ts';
import { load, perform } from '../load.ts';
import { button, make } from '../make.ts';
import { card } from '../parts.ts';

const FIELDS = [
  ['name', 'Name'],
  ['description', 'Description'],
  ['icon', 'Icon URL'],
] as const;

/** Card that changes the relay's description of itself, each field on its own. */
export function descriptionCard(context: Context): HTMLElement {
  const forms = load(
    'the relay information',
    context.left,
    () => context.call('config', {}, context.left),
    (view) => FIELDS.map(([what, label]) => form(context, what, label, textNow(view, what))),
  );
  return card(
    'Relay information (NIP-11)',
    make('p', null, 'Values set here override the configuration, immediately and after restarts.'),
    forms.place,
  );
}

/**
 * Value of an `info` option. It comes in the syntax of relay.conf: for a line of text as in JSON.
 */
function textNow({ options }: ConfigView, what: string): string {
  const value = options.find(({ key }) => key === `info.${what}`)?.value ?? '';
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

function form(
  context: Context,
  what: (typeof FIELDS)[number][0],
  label: string,
  now: string,
): HTMLElement {
  const field = textField(label, { maxlength: 2000, value: now });
  const state = make('div', { class: 'state' });
  const set = (pressed: HTMLButtonElement, text: string) =>
    void perform(pressed, state, async () => {
      await context.call('mod.describe', { what, text });
      if (text !== '') context.say(`${label}: set.`);
      else {
        context.say(`${label}: as configured again.`);
        field.input.value = textNow(await context.call('config', {}), what);
      }
    });
  const submit = make('button', { type: 'submit' }, 'Set');
  const reset = button('As configured', 'quiet', () => set(reset, ''));
  const place = make(
    'form',
    { class: 'stack', 'aria-label': label },
    make('div', { class: 'row end grow-first' }, field.place, submit, reset),
    state,
  );
  place.addEventListener('submit', (event) => {
    event.preventDefault();
    set(submit, field.input.value.trim());
  });
  return place;
}
