// The configuration on the page /admin: the source of each value, the changes that a reload would
// make, and reloads. Relay in its own process, by the page's API.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { describe, expect, it } from 'vitest';
import type { ConfigOption } from '../../src/web/api/config.ts';
import { AdminPage } from '../support/admin-page.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';

const adminKey = generateSecretKey();
const ADMIN = `[admin]\npubkeys = ["${getPublicKey(adminKey)}"]\n`;

async function started(text: string) {
  const directory = freshDirectory();
  const file = join(directory, 'relay.conf');
  const write = (content: string) => writeFileSync(file, content);
  write(text);
  const env = { WOK_LIMITS__TAGS_MAX: '1000' };
  const wok = WokProcess.spawn({}, directory, [], ['--config', file], env);
  await wok.listening();
  const page = await AdminPage.open(wok.httpUrl, adminKey);
  const option = async (key: string): Promise<ConfigOption> => {
    const { options } = await page.ask('config');
    return options.find((one) => one.key === key)!;
  };
  return { wok, file, write, page, option };
}

describe('config', () => {
  it('has every option with its value, its default and its origin', async () => {
    const { file, page, option, wok } = await started(
      `[info]\nname = "one"\n[query]\nworkers = 1\n${ADMIN}`,
    );
    const { sections, options } = await page.ask('config');
    expect(options.length).toBeGreaterThan(100);
    expect(new Set(options.map(({ key }) => key)).size).toBe(options.length);
    const names = sections.map(({ name }) => name);
    expect(options.every(({ key }) => names.includes(key.split('.')[0]!))).toBe(true);
    expect(await option('info.name')).toMatchObject({
      value: '"one"',
      default: '"wok relay"',
      isDefault: false,
      from: `${file} line 2`,
      live: true,
      secret: false,
    });
    expect(await option('query.workers')).toMatchObject({
      value: '1',
      from: `${file} line 4`,
      live: false,
    });
    expect(await option('limits.tags_max')).toMatchObject({
      value: '1000',
      from: 'WOK_LIMITS__TAGS_MAX',
      unit: 'tags',
      takes: 'a whole number from 1 to 100000',
    });
    expect(await option('io.port')).toMatchObject({ value: '0', from: '--set io.port' });
    expect(await option('limits.filters_max')).toMatchObject({ isDefault: true, from: '' });
    await page.ask('mod.describe', { what: 'name', text: 'renamed' });
    expect(await option('info.name')).toMatchObject({
      value: '"renamed"',
      from: 'changed while the relay ran',
    });
    expect(wok.err).toBe('');
  });
});

describe('a reload', () => {
  it('is compared first, then changes options and their origins', async () => {
    const { file, write, page, option } = await started(`[info]\nname = "one"\n${ADMIN}`);
    expect(await page.ask('config.compare')).toEqual({ live: [], waiting: [] });
    write(`${ADMIN}\n[limits]\nfilters_max = 7\n[info]\nname = "two"\n[io]\npath = "/other"\n`);
    const changes = {
      live: expect.arrayContaining([
        { key: 'info.name', from: '"one"', to: '"two"' },
        { key: 'limits.filters_max', from: '100', to: '7' },
      ]),
      waiting: [{ key: 'io.path', from: '"/"', to: '"/other"' }],
    };
    expect(await page.ask('config.compare')).toEqual(changes);
    expect(await option('info.name')).toMatchObject({ value: '"one"' });
    expect(await page.ask('reload')).toEqual(changes);
    expect(await option('info.name')).toMatchObject({ value: '"two"', from: `${file} line 7` });
    expect(await option('limits.filters_max')).toMatchObject({
      value: '7',
      from: `${file} line 5`,
    });
    // The change waits for a restart, so the value in effect stands in no file.
    expect(await option('io.path')).toMatchObject({ value: '"/"', from: '' });
    expect(await page.ask('config.compare')).toMatchObject({ live: [], waiting: changes.waiting });
  });

  it('names mistakes in a file, and then changes nothing', async () => {
    const { write, page, option } = await started(`[info]\nname = "one"\n${ADMIN}`);
    write(`[info]\nname = "two"\n[limits]\ntags_maximum = 3\nfilters_max = "x"\n${ADMIN}`);
    for (const method of ['config.compare', 'reload'] as const) {
      const { status, body } = await page.answer(method);
      expect(status).toBe(409);
      expect(body.error).toMatchObject({ kind: 'refused' });
      expect(body.error!.message).toContain('line 4');
      expect(body.error!.message).toContain('limits.filters_max is "x"');
    }
    expect(await option('info.name')).toMatchObject({ value: '"one"' });
  });

  it('ends the session of a key that is no admin any more', async () => {
    const { write, page } = await started(ADMIN);
    write('[info]\nname = "nobody is admin"\n');
    await page.ask('reload');
    await until(async () => (await page.answer('session')).status === 401, 'the end');
  });
});
