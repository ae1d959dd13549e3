// `wok status`: prints version, files and sizes of the relay that runs on the data directory.

import type { Status } from '../admin/rpc/status.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { formatBytes, formatCount } from '../lib/format.ts';
import type { PeerStatus } from '../messages/admin-peers.ts';
import { type Command, print } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

/** Command `wok status`: describes the relay that runs on this data directory. */
export const statusCommand: Command = {
  name: 'status',
  summary: 'Show the state of the relay that runs on the data directory',
  flags: controlFlags,
  examples: ['wok status --data /var/lib/wok'],
  async run(call) {
    const status = await askRelay<Status>(call, 'status');
    if (call.flags.has('json')) {
      print(JSON.stringify(status));
      return exitCodes.ok;
    }
    const { version, pid, startedAt, configFile, database, seq, indexedSeq } = status;
    const { databaseBytes, writeAheadLogBytes, identityAdvice, proxyAdvice, peers } = status;
    const bytes = formatBytes(databaseBytes + writeAheadLogBytes);
    const inLog = `${formatBytes(writeAheadLogBytes)} of it in the write-ahead log`;
    print(
      [
        `wok ${version}, process ${pid}, since ${new Date(startedAt * 1000).toISOString()}`,
        `configuration  ${configFile ?? 'no file; defaults, environment and flags'}`,
        `database       ${database}, ${bytes}, ${inLog}`,
        `events         ${seq} accepted, ${indexedSeq} of them indexed`,
        ...(identityAdvice === null ? [] : [`addresses      ${identityAdvice}`]),
        ...(proxyAdvice === null ? [] : [`proxy          ${proxyAdvice}`]),
        ...peers.map((peer) => `peer           ${peerText(peer)}`),
      ].join('\n'),
    );
    return exitCodes.ok;
  },
};

/** Describes a peer in one line. */
function peerText({ name, state, failure, lagSeconds, direction, down, up }: PeerStatus): string {
  const behind = lagSeconds === 0 ? '' : `, behind by ${formatCount(lagSeconds)} s`;
  const why = state === 'waiting' && failure !== '' ? ` (${failure})` : '';
  const fetched = direction === 'up' ? '' : `, fetched ${formatCount(down.stored)}`;
  const sent = direction === 'down' ? '' : `, sent ${formatCount(up.stored)}`;
  return `${name}: ${state}${why}${behind}${fetched}${sent}`;
}
