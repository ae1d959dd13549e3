// `wok download` and `wok upload`: events of another relay as lines of JSON, and the reverse.

import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatCount } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import { idOfLine } from '../protocol/event-text.ts';
import { filterJson } from '../protocol/filter.ts';
import { type Command, UsageError } from './command.ts';
import { filterFlags, filtersOfCall } from './filter-flags.ts';
import { interruptible } from './interrupt.ts';
import { connectionOptions, connectToPeer, peerFailure, peerFlags, peerUrl } from './peer-flags.ts';

const PIPELINE = 50;
const WINDOW_BYTES = 1024 * 1024;

/** Command `wok download`: writes the events of another relay to standard output. */
export const downloadCommand: Command = {
  name: 'download',
  args: '<url>',
  summary: 'Write the events of another relay to standard output, one per line, newest first',
  flags: [...filterFlags, ...peerFlags],
  examples: [
    `wok download wss://relay.example.com --filter '{"kinds":[0,3]}' > events.jsonl`,
    'wok download wss://relay.example.com --authors npub1… | wok import',
  ],
  run(call) {
    const url = peerUrl(call.args[0] ?? '');
    const filters = filtersOfCall(call);
    return interruptible(async (signal) => {
      const [{ fetchAll }, { LineOutput }] = await Promise.all([
        import('../peers/fetch-all.ts'),
        import('../maintenance/event-lines.ts'),
      ]);
      const remote = await connectToPeer(url, await connectionOptions(call, signal));
      const progress = new Progress();
      remote.onNotice = (text) => progress.say(`${url} says: ${text}`);
      const output = new LineOutput(process.stdout);
      const isShown = process.stdout.isTTY !== true;
      let count = 0;
      const incomplete = (second: number) =>
        progress.say(
          `wok: ${url} has more events of the second ${second} than it sends at once; some are missing`,
        );
      try {
        for (const filter of filters) {
          await fetchAll(
            remote,
            filterJson(filter),
            async (_event, json) => {
              if (output.closed) throw new ClosedPipe();
              count++;
              await output.line(json);
              if (isShown)
                progress.update('reading', count, 0, () => `${formatCount(count)} events`);
            },
            incomplete,
          );
        }
      } catch (error) {
        progress.clear();
        if (error instanceof ClosedPipe) return exitCodes.ok;
        if (signal.aborted) return INTERRUPTED;
        throw peerFailure(error, url);
      } finally {
        remote.close();
      }
      progress.clear();
      await output.flush();
      process.stderr.write(`${formatCount(count)} events\n`);
      return exitCodes.ok;
    });
  },
};

/** Command `wok upload`: publishes the events of a file to another relay. */
export const uploadCommand: Command = {
  name: 'upload',
  args: '<url> [file]',
  summary: 'Publish the events of a file (or standard input), one per line, to another relay',
  flags: [
    {
      name: '--pipeline <events>',
      text: `Events that may wait for an answer (default ${PIPELINE})`,
    },
    { name: '--show-rejected', text: 'Print the id and the reason of every rejected event' },
    ...peerFlags,
  ],
  examples: [
    'wok upload wss://relay.example.com events.jsonl',
    'wok export --kinds 0,3 | wok upload wss://relay.example.com',
  ],
  run(call) {
    const url = peerUrl(call.args[0] ?? '');
    const events = call.flags.integer('pipeline', 1, 10_000) ?? PIPELINE;
    const name = call.args[1];
    if (name === undefined && process.stdin.isTTY === true)
      throw new UsageError('Name a file, or pipe the events to standard input.');
    const file = name === undefined ? null : resolve(call.cwd, name);
    if (file !== null && statSync(file, { throwIfNoEntry: false })?.isDirectory() !== false)
      throw new UsageError(`There is no file ${file}.`);
    const input = file === null ? process.stdin : createReadStream(file);
    return interruptible(async (signal) => {
      const [{ Publisher }, { TransferTally }] = await Promise.all([
        import('../peers/publisher.ts'),
        import('../peers/tally.ts'),
      ]);
      const remote = await connectToPeer(url, await connectionOptions(call, signal));
      const progress = new Progress();
      remote.onNotice = (text) => progress.say(`${url} says: ${text}`);
      const tally = new TransferTally();
      const publisher = new Publisher(
        remote,
        { events, bytes: WINDOW_BYTES },
        {
          result: (id, result) => {
            tally.take(result);
            if (!result.ok && call.flags.has('show-rejected'))
              progress.say(`${id}: ${result.message}`);
            progress.update('publishing', tally.answered, 0);
          },
        },
      );
      let number = 0;
      try {
        for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
          number++;
          if (line.trim() === '') continue;
          const id = idOfLine(line);
          if (id === null) {
            progress.say(`wok: line ${number} holds no event; it is left out`);
            continue;
          }
          await publisher.room();
          publisher.add(id, line);
          if (signal.aborted) break;
        }
        await publisher.drained();
      } catch (error) {
        progress.clear();
        if (signal.aborted) return INTERRUPTED;
        throw peerFailure(error, url);
      } finally {
        remote.close();
      }
      progress.clear();
      for (const text of tally.lines()) process.stderr.write(`${text}\n`);
      if (signal.aborted) return INTERRUPTED;
      return tally.refused > 0 && tally.stored + tally.known === 0
        ? exitCodes.refused
        : exitCodes.ok;
    });
  },
};

/** Standard output was closed by the program that read it. */
class ClosedPipe extends Error {}
