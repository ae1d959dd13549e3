import { systemClock } from '../src/lib/clock.ts';
import { openWriter, termKey } from '../src/storage/open.ts';
import { TermHasher } from '../src/storage/terms.ts';
import { removals, writerEvents } from '../src/supervisor/cells.ts';
import { type LaneTask, serveLane } from '../src/supervisor/lane.ts';
import { Writer } from '../src/writer/writer.ts';

/** The thread of the writer. */
export function run(task: LaneTask): Promise<void> {
  return serveLane(task, (log, meter) => {
    const { config, credits } = task;
    const db = openWriter(config.storage);
    const hasher = new TermHasher(termKey(db));
    const role = new Writer(
      config,
      db,
      hasher,
      writerEvents(credits),
      removals(credits),
      systemClock,
      log,
      meter,
    );
    return { role, facts: { head: role.head, idFilter: role.idFilterMemory } };
  });
}
