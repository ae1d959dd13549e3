// Cursors of peers in their file: unit tests.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PeerCursors } from '../../src/peers/cursors.ts';
import { freshDirectory } from '../support/temporary.ts';

const fileIn = (directory: string) => join(directory, 'wok-peers.json');

it('are found again, the thousand that were set last', () => {
  const directory = freshDirectory();
  const cursors = new PeerCursors(directory);
  for (let n = 0; n < 1_001; n++) cursors.set(`peer ${n}`, n);
  cursors.set('peer 1', 5_000);
  cursors.set('another', 7);
  const again = new PeerCursors(directory);
  expect([again.of('peer 0'), again.of('peer 1'), again.of('peer 2'), again.of('another')]).toEqual(
    [undefined, 5_000, undefined, 7],
  );
  expect(Object.keys(JSON.parse(readFileSync(fileIn(directory), 'utf8')))).toHaveLength(1_000);
});

it('are none of a damaged file, and survive a directory that cannot be written', () => {
  const directory = freshDirectory();
  writeFileSync(fileIn(directory), '{"a": 1, "b": "x"');
  expect(new PeerCursors(directory).of('a')).toBeUndefined();
  writeFileSync(fileIn(directory), '{"a": 1, "b": "x"}');
  const cursors = new PeerCursors(directory);
  expect([cursors.of('a'), cursors.of('b')]).toEqual([1, undefined]);
  const gone = new PeerCursors(join(directory, 'gone'));
  gone.set('a', 3);
  expect(gone.of('a')).toBe(3);
});
