// Entry of the worker thread that exchanges events with the relays of [[peers]].

import { PeerMeter } from '../src/peers/peer-meter.ts';
import { Peers } from '../src/peers/peers.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';

/** Runs the peers worker, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, (log, meter) => {
    const role = new Peers(task.config, log, new PeerMeter(meter, task.metrics));
    return { role, facts: {} };
  });
}
