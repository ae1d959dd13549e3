// View of the configuration in effect, with its reload.

import type { ConfigChanges, ConfigOption, ConfigView } from '../../../api/config.ts';
import type { Context, View } from '../context.ts';
import { ask } from '../dialog.ts';
import { checkField, textField } from '../fields.ts';
import { amount } from '../format.ts';
import { failure, load, progress } from '../load.ts';
import { button, fill, make } from '../make.ts';
import { badge, card, row, table } from '../parts.ts';

/** Options in effect, with a search, and the card that reloads the configuration. */
export const configuration: View = {
  name: 'config',
  title: 'Configuration',
  group: 'Run',
  method: 'config',
  open: (context) => {
    const find = textField('Search', {
      type: 'search',
      placeholder: 'In names, values and descriptions',
    });
    const changed = checkField('Only options that differ from the default');
    let show: () => void = () => {};
    const options = load(
      'the configuration',
      context.left,
      () => context.call('config', {}, context.left),
      (view) => {
        const list = make('div', { class: 'stack' });
        show = () => fill(list, ...sections(view, find.input.value, changed.input.checked));
        show();
        return list;
      },
    );
    find.input.addEventListener('input', () => show());
    changed.input.addEventListener('change', () => show());
    return [
      reloadCard(context, () => void options.reload()),
      make('div', { class: 'toolbar end' }, find.place, changed.place),
      options.place,
    ];
  },
};

/** Card that compares the configuration with its sources, and reloads it after a confirmation. */
function reloadCard(context: Context, reloaded: () => void): HTMLElement {
  const result = make('div', { class: 'stack', role: 'status' });
  const compare = () => {
    fill(result, progress('Loading the configuration…'));
    context.call('config.compare', {}, context.left).then(
      (changes) => fill(result, ...changesPart(changes), take(changes)),
      (error: unknown) => {
        if (!context.left.aborted) fill(result, problems(error, compare));
      },
    );
  };
  const take = ({ live }: ConfigChanges) =>
    live.length > 0 && button('Apply…', 'primary', () => void confirm(live.length));
  const confirm = (changes: number) =>
    ask({
      title: 'Apply the changes?',
      text: make(
        'p',
        null,
        `${amount(changes, 'option')} take effect immediately in all workers. The log records old and new values.`,
      ),
      action: 'Reload',
      act: async () => {
        const done = await context.call('reload', {});
        context.say('The configuration is reloaded.');
        fill(result, make('p', { class: 'notice good' }, 'Reloaded.'), ...changesPart(done));
        reloaded();
      },
    });
  return card(
    'Reload',
    make(
      'p',
      null,
      'The relay reads its file, environment and flags again and shows what would change. Nothing changes before you confirm, and nothing at all if the configuration has an error.',
    ),
    make('div', { class: 'row' }, button('Check for changes', '', compare)),
    result,
  );
}

function problems(error: unknown, again: () => void): HTMLElement {
  const place = failure(error, again);
  place.querySelector('span')?.classList.add('prewrap');
  return place;
}

function changesPart({ live, waiting }: ConfigChanges): HTMLElement[] {
  if (live.length + waiting.length === 0) {
    return [make('p', { class: 'muted' }, 'No differences from the configuration in effect.')];
  }
  const rows = [
    ...live.map((one) => ({ ...one, when: badge('immediately', 'good') })),
    ...waiting.map((one) => ({ ...one, when: badge('after a restart', 'warning') })),
  ].map(({ key, from, to, when }) =>
    row(
      make('code', null, key),
      make('code', { class: 'old' }, from),
      make('code', { class: 'new' }, to),
      when,
    ),
  );
  return [table('Changes', ['Option', 'In effect', 'New', 'Applies'], rows).frame];
}

function sections(view: ConfigView, find: string, onlyChanged: boolean): HTMLElement[] {
  const words = find
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const fits = (option: ConfigOption) =>
    !(onlyChanged && option.isDefault) &&
    words.every((word) =>
      `${option.key} ${option.value} ${option.text}`.toLowerCase().includes(word),
    );
  const isNarrowed = words.length > 0 || onlyChanged;
  const parts = view.sections.flatMap(({ name, text }) => {
    const all = view.options.filter(({ key }) => key.startsWith(`${name}.`));
    const shown = all.filter(fits);
    if (shown.length === 0) return [];
    const set = all.filter(({ isDefault }) => !isDefault).length;
    return [
      make(
        'details',
        { class: 'card section', open: isNarrowed },
        make(
          'summary',
          null,
          make('h2', null, name),
          ' ',
          set > 0 && badge(`${set} set`, 'good'),
          ' ',
          make('span', { class: 'muted small' }, text),
        ),
        make('dl', { class: 'options' }, ...shown.map(optionPart)),
      ),
    ];
  });
  return parts.length > 0
    ? parts
    : [make('p', { class: 'empty', role: 'status' }, 'No option matches.')];
}

function optionPart(option: ConfigOption): HTMLElement {
  return make(
    'div',
    null,
    make(
      'dt',
      { class: 'row' },
      make('code', null, option.key),
      badge(option.live ? 'live' : 'restart', option.live ? '' : 'warning'),
      option.secret && badge('secret'),
    ),
    make(
      'dd',
      { class: 'stack' },
      make(
        'div',
        { class: 'row' },
        make('code', { class: option.isDefault ? 'value' : 'value set' }, option.value),
        option.unit !== '' && make('span', { class: 'muted small' }, option.unit),
        make(
          'span',
          { class: 'muted small' },
          option.isDefault
            ? 'the default'
            : [`from ${option.from}; the default is `, make('code', null, option.default)],
        ),
      ),
      make('p', { class: 'small' }, option.text),
      make('p', { class: 'muted small' }, `Values: ${option.takes}.`),
    ),
  );
}
