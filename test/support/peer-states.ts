// States of the relays of [[peers]], as the control socket of a relay gives them.

import type { PeerStatus } from '../../src/messages/admin-peers.ts';
import { Control } from './control.ts';

/** Returns the states of the peers of the relay that runs on a directory. */
export async function peerStates({ directory }: { directory: string }): Promise<PeerStatus[]> {
  const control = await Control.connect(directory);
  const found = await control.ask<PeerStatus[]>('peers');
  control.socket.destroy();
  return found;
}
