// Unit tests of test/support: temporary directories, and attempts with deadlines (`inTime`).

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inTime } from './pace.ts';
import { delay } from './process.ts';
import { freshDirectory, makeRunDirectory, removeTree } from './temporary.ts';

describe('temporary directories', () => {
  it('stand below the folder of the run, which everything that is started here gets as well', () => {
    const run = tmpdir();
    expect(basename(run)).toMatch(/^wok-test-[\w.]+-\d+-\w{6}$/);
    expect(dirname(freshDirectory())).toBe(run);
    const told = spawnSync(process.execPath, ['-p', 'os.tmpdir()'], { encoding: 'utf8' });
    expect(told.stdout.trim()).toBe(run);
  });

  it('of a run that was killed are removed by the next one, those of others are not', () => {
    const base = freshDirectory();
    const own = makeRunDirectory(base);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const killed = own.replace(`-${process.pid}-`, `-${pid}-`);
    const elsewhere = join(base, `wok-test-other-${pid}-abcdef`);
    const foreign = join(base, 'wok-test-abcdef');
    for (const one of [killed, elsewhere, foreign])
      mkdirSync(join(one, 'data'), { recursive: true });
    const next = makeRunDirectory(base);
    expect(existsSync(killed)).toBe(false);
    const left = [own, elsewhere, foreign, next].map((one) => basename(one));
    expect(readdirSync(base).sort()).toEqual(left.sort());
  });

  it('go away though a test has closed a folder in them', () => {
    const directory = makeRunDirectory(freshDirectory());
    mkdirSync(join(directory, 'closed/inner'), { recursive: true });
    writeFileSync(join(directory, 'closed/inner/file'), '');
    spawnSync('chmod', ['-R', '000', join(directory, 'closed')]);
    removeTree(directory);
    expect(existsSync(directory)).toBe(false);
  });
});

describe('an attempt in time', () => {
  it('that comes too late is made again with more time', async () => {
    const scales: number[] = [];
    await inTime(async (scale, within) => {
      scales.push(scale);
      within(50 * scale);
      if (scale < 16) {
        await delay(60 * scale);
        throw new Error('gone already');
      }
    });
    expect(scales).toEqual([1, 4, 16]);
  });

  it('that fails in its time, or after it was done, has failed', async () => {
    let attempts = 0;
    const early = inTime(async (_, within) => {
      attempts++;
      within(600_000);
      throw new Error('wrong');
    });
    await expect(early).rejects.toThrow('wrong');
    const afterwards = inTime(async (_, within) => {
      attempts++;
      within(600_000)();
      throw new Error('wrong later');
    });
    await expect(afterwards).rejects.toThrow('wrong later');
    expect(attempts).toBe(2);
  });
});
