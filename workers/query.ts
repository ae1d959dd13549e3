import { systemClock } from '../src/lib/clock.ts';
import { Query } from '../src/query/query.ts';
import { openReader, termKey } from '../src/storage/open.ts';
import { TermHasher } from '../src/storage/terms.ts';
import { removals } from '../src/supervisor/cells.ts';
import { type LaneTask, serveLane } from '../src/supervisor/lane.ts';

/** The thread of one query lane. */
export function run(task: LaneTask): Promise<void> {
  return serveLane(task, () => {
    const { config, credits } = task;
    const db = openReader(config.storage);
    const hasher = new TermHasher(termKey(db));
    const role = new Query(config, db, hasher, removals(credits), systemClock);
    return { role, facts: {} };
  });
}
