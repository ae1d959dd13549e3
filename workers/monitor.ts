import { Monitor } from '../src/monitor/monitor.ts';
import { openReader, termKey } from '../src/storage/open.ts';
import { TermHasher } from '../src/storage/terms.ts';
import { type LaneTask, serveLane } from '../src/supervisor/lane.ts';

/** The thread of the monitor. */
export function run(task: LaneTask): Promise<void> {
  return serveLane(task, (_log, meter) => {
    // Only for the key: monitor works in memory.
    const db = openReader(task.config.storage);
    const hasher = new TermHasher(termKey(db));
    db.close();
    return { role: new Monitor(task.config, hasher, meter), facts: {} };
  });
}
