import { Admin } from '../src/admin/admin.ts';
import { systemClock } from '../src/lib/clock.ts';
import { openReader, termKey } from '../src/storage/open.ts';
import { TermHasher } from '../src/storage/terms.ts';
import { type LaneTask, serveLane } from '../src/supervisor/lane.ts';

/** The thread of the admin room. */
export function run(task: LaneTask): Promise<void> {
  return serveLane(task, async (log) => {
    const { config } = task;
    const db = openReader(config.storage);
    const hasher = new TermHasher(termKey(db));
    const role = new Admin({ config, db, hasher, clock: systemClock, log });
    await role.open();
    return { role, facts: {} };
  });
}
