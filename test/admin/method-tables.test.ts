// Tables of RPC methods and of NIP-86 methods: every method has an entry, the documents name all of
// them with role and effect, and the admin page and the control socket follow the table.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AdminContext } from '../../src/admin/context.ts';
import { nip86Methods } from '../../src/admin/nip86-methods.ts';
import { isPageMethod, methodsOf, objection } from '../../src/admin/pages/access.ts';
import { rpcMethods, runRpcMethod } from '../../src/admin/rpc-methods.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { packageRoot } from '../../src/paths.ts';
import type { PageMethod } from '../../src/web/api/api.ts';

/** Returns the first cells of the rows of a table below a heading, without the quotes of code. */
function rowsBelow(document: string, heading: string): string[][] {
  const text = readFileSync(join(packageRoot, document), 'utf8');
  const section = text.slice(text.indexOf(`## ${heading}\n`)).split(/\n## /)[0]!;
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, 4))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
}

/** Imports the modules of src for which `isWanted` is true and returns their exports by name. */
async function exportsOf(
  isWanted: (file: string, text: string) => boolean,
): Promise<Map<string, unknown>> {
  const files = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' });
  const found = new Map<string, unknown>();
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const path = join(packageRoot, 'src', file);
    if (!isWanted(file, readFileSync(path, 'utf8'))) continue;
    const module = (await import(path)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) found.set(`${file} ${name}`, value);
  }
  return found;
}

describe('RPC methods', () => {
  it('are all in the table', async () => {
    const exported = await exportsOf((_, text) => text.includes('rpcMethod({'));
    const methods = [...exported].filter(([name]) => name.endsWith('Method'));
    const entries = new Set([...rpcMethods.values()].map(({ method }) => method));
    expect(methods.filter(([, method]) => !entries.has(method as never))).toEqual([]);
    // `session` has no method of its own.
    expect(methods.length).toBe(rpcMethods.size - 1);
  });

  it('are all in docs/admin.md, with role and effect', () => {
    const table = [...rpcMethods].map(([name, { role, writes }]) => [
      name,
      role === 'local' ? 'control socket' : role,
      writes ? 'yes' : 'no',
    ]);
    expect(rowsBelow('docs/admin.md', 'RPC methods')).toEqual(table);
  });

  it('are for the page as the table says', () => {
    const names = (role: string) =>
      [...rpcMethods].flatMap(([name, entry]) => (entry.role === role ? [name] : []));
    expect(names('local').filter(isPageMethod)).toEqual([]);
    expect(methodsOf('moderator')).toEqual(names('moderator'));
    expect(new Set(methodsOf('admin'))).toEqual(
      new Set([...names('moderator'), ...names('admin')]),
    );
    for (const name of names('admin') as PageMethod[]) {
      expect(isPageMethod(name)).toBe(true);
      expect(objection('moderator', name, {}, defaultConfig)).toBe(`${name} is for admins only.`);
      expect(objection('admin', name, {}, defaultConfig)).toBeNull();
    }
  });

  it('are for the control socket but for session, which is for browsers', async () => {
    const caller = { by: 'shell', role: 'admin' } as const;
    const asked = runRpcMethod('session', {}, {} as AdminContext, caller);
    await expect(asked).rejects.toMatchObject({ name: 'RpcError', code: 'usage' });
  });
});

describe('NIP-86 methods', () => {
  it('are all in the table', async () => {
    const exported = await exportsOf((file) => /^(moderation|members)\/nip86/.test(file));
    const makers = /(putting|taking|listing)$/;
    const methods = [...exported].filter(([name]) => !makers.test(name));
    expect(methods.length).toBeGreaterThan(10);
    const entries = new Set<unknown>(Object.values(nip86Methods).map(({ run }) => run));
    expect(methods.filter(([, method]) => !entries.has(method))).toEqual([]);
  });

  it('are all in docs/moderation.md, with role and effect', () => {
    const table = Object.entries(nip86Methods).map(([name, { role, writes }]) => [
      name,
      role,
      writes ? 'yes' : 'no',
    ]);
    expect(rowsBelow('docs/moderation.md', 'NIP-86 methods')).toEqual(table);
  });
});
