// `wok policy test`: runs a policy over recorded events, without a relay.

import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import type { Log } from '../log/log.ts';
import type { TrialResult } from '../maintenance/policy-trial.ts';
import { type Command, CommandError, print } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { interruptible } from './interrupt.ts';
import { columns } from './mod/action.ts';

/** Command `wok policy`: reports which recorded events the configured policy would refuse. */
export const policyCommand: Command = {
  name: 'policy',
  actions: {
    test: {
      args: '[file]',
      summary: 'Test the events of a file (or standard input), one JSON object per line',
    },
  },
  summary: 'Run the configured policy over recorded events, and print what it would refuse',
  flags: [
    ...directoryFlags,
    {
      name: '--json',
      text: 'One JSON object for each event that is not accepted, then the summary',
    },
    { name: '--summary', text: 'Only the summary' },
    { name: '--authed', text: 'Treat every author as authenticated (NIP-42)' },
    { name: '--no-verify', text: 'Do not verify signatures' },
    { name: '--plugins', text: 'Start the configured plugins, query them, and stop them' },
  ],
  examples: [
    'wok policy test events.jsonl --config new.conf',
    'wok export | wok policy test --set policy.pow_min=10 --summary',
  ],
  async run(call) {
    const [file] = call.args;
    const config = configOfCall(call);
    const { notTried, PolicyTrial } = await import('../maintenance/policy-trial.ts');
    const trial = await PolicyTrial.open(
      config,
      {
        verify: !call.flags.has('no-verify'),
        authed: call.flags.has('authed'),
        plugins: call.flags.has('plugins'),
      },
      toStandardError,
    );
    const json = call.flags.has('json');
    const counts = new Map<string, number>();
    let events = 0;
    let accepted = 0;
    // Without plugins nothing has to be ended, and Ctrl-C ends a module that never returns, too.
    const run = call.flags.has('plugins') ? interruptible : atOnce;
    const interrupted = await run(async (signal) => {
      try {
        for await (const line of linesOf(call.cwd, file, signal)) {
          if (line.trim() === '') continue;
          const result = await trial.try(line);
          if (signal.aborted) break;
          events++;
          if (result.action === 'accepted') accepted++;
          else {
            counts.set(result.rule, (counts.get(result.rule) ?? 0) + 1);
            if (!call.flags.has('summary')) print(json ? JSON.stringify(result) : textOf(result));
          }
        }
      } finally {
        // Plugins are processes of their own: they end here, also on Ctrl-C.
        await trial.stop();
      }
      return signal.aborted;
    });
    const rules = [...counts].sort(([, a], [, b]) => b - a);
    const left = notTried(config, call.flags.has('plugins'));
    const { pluginFailures } = trial;
    for (const [why, count] of Object.entries(pluginFailures)) {
      left.push(`plugins failed: ${why}, ${count} times`);
    }
    if (json) {
      const refusedBy = Object.fromEntries(rules);
      print(JSON.stringify({ summary: { events, accepted, refusedBy, notTried: left } }));
    } else {
      const rows = [['accepted', `${accepted}`, share(accepted, events)]];
      for (const [rule, count] of rules) rows.push([rule, `${count}`, share(count, events)]);
      print([`${events} events`, columns(rows), ...left.map((one) => `(${one})`)].join('\n'));
    }
    return interrupted ? INTERRUPTED : exitCodes.ok;
  },
};

function atOnce<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return work(new AbortController().signal);
}

function textOf({ id, kind, action, rule, text }: TrialResult): string {
  return `${action}  ${id === '' ? '-'.repeat(64) : id}  kind ${kind ?? '?'}  ${rule}: ${text}`;
}

function share(count: number, all: number): string {
  return all === 0 ? '' : `${((100 * count) / all).toFixed(1)} %`;
}

async function* linesOf(
  cwd: string,
  file: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const isInput = file === undefined || file === '-';
  const input = isInput ? process.stdin : createReadStream(resolve(cwd, file));
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY, signal });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CommandError(`${file} cannot be read (${code}).`, exitCodes.refused);
  }
}

const say = (text: string) => process.stderr.write(`wok: ${text}\n`);
const toStandardError: Log = { debug: () => {}, info: say, warn: say, error: say };
