// Check of `wok doctor` that the files of the database are there and hold what was committed.

import { readMarker } from '../../store/database/open-marker.ts';
import { missingOf } from '../../store/database/presence.ts';
import { type Finding, findings } from './finding.ts';

/** Result of the check of the files. */
interface PresenceReport {
  findings: Finding[];
  /**
   * Set if committed events are missing; `hasLog`: some may be in a write-ahead log that SQLite
   * does not read.
   */
  missing: { hasLog: boolean } | null;
}

/** Checks that the files of a database are there and hold what was committed to them. */
export function examinePresence(directory: string): PresenceReport {
  const { made, ok, bad } = findings('database');
  const marker = readMarker(directory);
  if (marker !== null && marker.lost !== '' && isAlive(marker.pid)) {
    bad('files', `Process ${marker.pid} reported: ${marker.lost}.`);
    return { findings: made, missing: null };
  }
  const missing = missingOf(directory);
  if (missing === null) ok('files', 'All committed events are there.');
  else {
    const [what, advice = ''] = missing.error.message.split(/; (.*)/s);
    const text = `${what!.charAt(0).toUpperCase()}${what!.slice(1)}.`;
    const repair = missing.hasLog
      ? 'wok doctor --repair searches the write-ahead log for it; or '
      : '';
    bad(
      'missing',
      text,
      `${repair}${advice}.`.replace(/^./, (first) => first.toUpperCase()),
    );
  }
  return { findings: made, missing };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
