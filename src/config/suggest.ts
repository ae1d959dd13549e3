// Sentences about unknown sections and options, with the name that was most likely meant.

import { nearest } from '../lib/nearest.ts';
import { type OptionKey, optionKeys, sections, splitKey } from './options.ts';

/** Returns the sentence about a key above all sections of a file. */
export function strayKey(name: string): string {
  if (Object.hasOwn(sections, name)) {
    return `${name} is a section: write [${name}] on a line of its own and its options below it.`;
  }
  const meant = suggestKey(name);
  const advice =
    meant === undefined ? 'Every option belongs below a [section].' : `Did you mean ${meant}?`;
  return `"${name}" is outside of a section. ${advice}`;
}

/** Returns the advice that follows "there is no section". */
export function suggestSection(section: string): string {
  const meant = nearest(section, Object.keys(sections));
  if (meant !== undefined) return `Did you mean [${meant}]?`;
  return `The sections are: ${Object.keys(sections).join(', ')}.`;
}

/** Returns the sentence about an option that does not exist. */
export function unknownOption(key: string): string {
  const meant = suggestKey(key);
  if (meant !== undefined) return `there is no option ${key}. Did you mean ${meant}?`;
  const section = key.split('.', 1)[0]!;
  if (!Object.hasOwn(sections, section)) {
    return `there is no option ${key}. The sections are: ${Object.keys(sections).join(', ')}.`;
  }
  const names = optionKeys.filter((known) => splitKey(known)[0] === section);
  return `there is no option ${key}. Below [${section}] there are: ${names.join(', ')}.`;
}

/** Returns the option most likely meant: the same name in another section, or a close one. */
export function suggestKey(key: string): OptionKey | undefined {
  const dot = key.indexOf('.');
  const section = key.slice(0, Math.max(dot, 0));
  const name = key.slice(dot + 1);
  const nameOf = (known: OptionKey) => splitKey(known)[1];

  const elsewhere = optionKeys.find((known) => nameOf(known) === name);
  if (elsewhere !== undefined) return elsewhere;
  const sameSection = optionKeys.filter((known) => splitKey(known)[0] === section);
  for (const group of [sameSection, optionKeys]) {
    const close = nearest(name, group.map(nameOf));
    if (close !== undefined) return group.find((known) => nameOf(known) === close);
  }
  return undefined;
}
