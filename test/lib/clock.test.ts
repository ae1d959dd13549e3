// Tests of the clock that all threads share.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';

const THREADS = 16;

/** Milliseconds by which clocks may differ: more than their resolution. */
const TOLERANCE = 0.1;

const CLOCK = new URL('../../dist/src/lib/clock.js', import.meta.url).href;

/** Source of a thread that answers every message with its time. */
const SOURCE = `
  import { parentPort } from 'node:worker_threads';
  import { systemClock } from '${CLOCK}';
  parentPort.on('message', () => parentPort.postMessage(systemClock.milliseconds()));
  parentPort.postMessage(0);
`;

describe('the shared clock', () => {
  it('is the same in threads that start beside busy ones', async () => {
    const workers = Array.from(
      { length: THREADS },
      () => new Worker(new URL(`data:text/javascript,${encodeURIComponent(SOURCE)}`)),
    );
    try {
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      for (const worker of workers) {
        // The answer was made between the two readings here, whatever the machine does meanwhile.
        for (let i = 0; i < 50; i++) {
          const before = systemClock.milliseconds();
          worker.postMessage(null);
          const [theirs] = await once(worker, 'message');
          const after = systemClock.milliseconds();
          expect(theirs).toBeGreaterThan(before - TOLERANCE);
          expect(theirs).toBeLessThan(after + TOLERANCE);
        }
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  });
});
