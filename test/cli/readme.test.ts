// The command in docs/getting-started.md that writes and reads a first event, run by a shell
// against an in-process relay.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/paths.ts';
import { Client } from '../support/client.ts';
import { testEnvironment } from '../support/environment.ts';
import { startRelay } from '../support/relay.ts';

it('a first event is written and read back as docs/getting-started.md says', async () => {
  const relay = await startRelay();
  const guide = readFileSync(join(packageRoot, 'docs/getting-started.md'), 'utf8');
  const lines = /```sh\n(node --input-type=module -e [\s\S]*?)```/.exec(guide)![1]!;
  expect(lines).toContain('ws://127.0.0.1:7777');
  const line = lines.replaceAll('ws://127.0.0.1:7777', relay.url);
  const child = spawn('sh', ['-c', line], { cwd: packageRoot, env: testEnvironment() });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  expect({ err, code }).toEqual({ err: '', code: 0 });
  expect(out).toContain("content: 'hello'");
  const client = await Client.connect(relay.url);
  const { events } = await client.query({ kinds: [1] });
  expect(events.map(({ content }) => content)).toEqual(['hello']);
  expect(out).toContain(events[0]!.id);
  await client.close();
  await relay.stop();
});
