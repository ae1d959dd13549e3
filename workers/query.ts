import { systemClock } from '../src/lib/clock.ts';
import { Query } from '../src/query/query.ts';
import { openReader, termKey } from '../src/storage/open.ts';
import { TermHasher } from '../src/storage/terms.ts';
import { type LaneTask, serveLane } from '../src/supervisor/lane.ts';

/** The thread of one query lane. */
export function run(task: LaneTask): Promise<void> {
  return serveLane(task, () => {
    const db = openReader(task.config.storage);
    const role = new Query(task.config, db, new TermHasher(termKey(db)), systemClock);
    return { role, facts: {} };
  });
}
