// Flood of queries for large results that are not read.

import { framesOf } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

const NOTES = { short: 100, full: 500 };
const CONTENT_CHARACTERS = 20_000;
const QUESTIONS = 20;

/**
 * Flood of queries for stored events of 20 kB, by connections that ask for all of them and read
 * nothing.
 */
export const deafReaders: Scenario = {
  name: 'deaf-readers',
  about: 'up to 400 connections ask for 500 stored notes of 20 kB, 20 times, and read nothing',
  from: ['one', 'many'],
  proof: 'questions',
  async prepare(attack) {
    const author = await attack.author();
    const content = 'x'.repeat(CONTENT_CHARACTERS);
    const notes = Array.from({ length: attack.short ? NOTES.short : NOTES.full }, (_, n) => ({
      content: `${n} ${content}`,
      created_at: 1_700_000_000 + n,
    }));
    await attack.store(author, notes);
  },
  async flood(attack) {
    const questions = framesOf(
      Array.from({ length: QUESTIONS }, (_, n) => `["REQ","${n}",{"kinds":[1],"limit":500}]`),
    );
    await attack.wires(
      [98, 8],
      async (wire) => {
        if (!(await wire.write(questions))) return;
        attack.count('questions', QUESTIONS);
        await wire.ended;
      },
      { reads: false },
    );
  },
};
