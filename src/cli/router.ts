// `wok router`: exchanges events with the relays of strfry's router file until it is interrupted.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config/options.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { TaocppConfigError } from '../lib/taocpp-config.ts';
import { ERRORS_ON_STANDARD_ERROR } from '../log/standard-error.ts';
import type { RouterStream } from '../maintenance/migrate/strfry/router.ts';
import type { PeerOptions } from '../peers/peer.ts';
import type { PeerGate } from '../peers/peer-gate.ts';
import type { ConnectionOptions } from '../peers/relay-connection.ts';
import { type Call, type Command, CommandError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { filtersOfText } from './filter-flags.ts';
import { connectionOptions, peerFlags, peerUrl } from './peer-flags.ts';
import { runPeers } from './run-peers.ts';
import { repairFlags, repairOf } from './stream.ts';

/** Command `wok router`: exchanges events with several relays. */
export const routerCommand: Command = {
  name: 'router',
  args: '<file>',
  summary: 'Exchange events with the relays of a router file of strfry, until interrupted',
  flags: [...directoryFlags, ...repairFlags, ...peerFlags],
  examples: ['wok router strfry-router.conf'],
  async run(call) {
    const config = configOfCall(call);
    const file = resolve(call.cwd, call.args[0] ?? '');
    const { streams, connectionTimeoutSeconds } = await routesIn(file);
    const gates: PeerGate[] = [];
    try {
      return await runPeers(config, async (signal) => {
        const options = await connectionOptions(call, signal);
        const seconds = call.flags.has('timeout') ? undefined : connectionTimeoutSeconds;
        const connection =
          seconds === undefined ? options : { ...options, timeoutMilliseconds: seconds * 1000 };
        const peers: PeerOptions[] = [];
        for (const stream of streams)
          peers.push(...(await peersOf(call, config, stream, connection, gates)));
        return peers;
      });
    } finally {
      await Promise.all(gates.map((gate) => gate.stop()));
    }
  },
};

const ALL_ON_STANDARD_ERROR = {
  ...ERRORS_ON_STANDARD_ERROR,
  warn: ERRORS_ON_STANDARD_ERROR.error,
};

/** @throws CommandError if the file cannot be read, or holds something that cannot be used. */
async function routesIn(file: string) {
  const { readRouterFile } = await import('../maintenance/migrate/strfry/router.ts');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read: ${(error as Error).message}.`,
      exitCodes.refused,
    );
  }
  try {
    const found = readRouterFile(text);
    if (found.problems.length === 0) return found;
    throw new CommandError(`${file}: ${found.problems.join(' ')}`, exitCodes.config);
  } catch (error) {
    if (!(error instanceof TaocppConfigError)) throw error;
    const { line, column, message } = error;
    throw new CommandError(
      `${file}, line ${line}, column ${column}: ${message}.`,
      exitCodes.config,
    );
  }
}

/** Returns a peer for each address of a stream; they share its plugins. */
async function peersOf(
  call: Call,
  config: Config,
  { name, dir, urls, filter, pluginDown, pluginUp }: RouterStream,
  connection: ConnectionOptions,
  gates: PeerGate[],
): Promise<PeerOptions[]> {
  const { PeerGate } = await import('../peers/peer-gate.ts');
  const gateOf = (command: string | undefined) => {
    if (command === undefined) return undefined;
    const gate = new PeerGate(config, command, ALL_ON_STANDARD_ERROR);
    gates.push(gate);
    return gate;
  };
  const [down, up] = [gateOf(pluginDown), gateOf(pluginUp)];
  const filters = filtersOfText(JSON.stringify(filter));
  return urls.map((text) => {
    const url = peerUrl(text);
    return {
      name: urls.length === 1 ? name : `${name} ${url}`,
      url,
      direction: dir,
      filters,
      connection: async () => connection,
      ...repairOf(call),
      gates: { down: down?.of(url), up: up?.of(url) },
    };
  });
}
