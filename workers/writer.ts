// Entry of the worker thread that runs the writer. Its writer lease owns the database for writing.

import { systemClock } from '../src/lib/clock.ts';
import { removals, writerEvents, writeState } from '../src/supervisor/cells.ts';
import { type LaneTask, serveLane } from '../src/supervisor/lane.ts';
import { WriterSeat } from '../src/writer/lease.ts';

/** Runs the writer, as a piscina task. */
export function run(task: LaneTask): Promise<void> {
  return serveLane(task, (logger, meter, _orders, _share, trouble) => {
    const { config, credits, standby } = task;
    const parts = {
      config,
      queue: writerEvents(credits),
      removals: removals(credits),
      writes: writeState(credits),
      clock: systemClock,
      logger,
      meter,
      trouble,
    };
    const role = new WriterSeat(parts, standby);
    return { role, facts: { idFilter: role.idFilterMemory } };
  });
}
