import type { MetricsMemory } from './meter.ts';
import type { Talker } from './ring-rows.ts';
import { TALKERS, TextRing } from './text-ring.ts';

/** How long io goes on looking after somebody has asked. */
const WATCH_MILLISECONDS = 10_000;

/** Has io look for talkers for a while. */
export function watchTalkers({ watch }: MetricsMemory): void {
  new Float64Array(watch)[0] = Date.now() + WATCH_MILLISECONDS;
}

/** Whether somebody has asked lately. */
export function talkersWatched({ watch }: MetricsMemory): boolean {
  return new Float64Array(watch)[0]! > Date.now();
}

/** For io: what it found, the greatest first; none when nobody looks any more. */
export function tellTalkers({ talkers }: MetricsMemory, found: readonly Talker[]): void {
  const ring = new TextRing(talkers, 0, TALKERS);
  for (let slot = 0; slot < TALKERS; slot++) {
    const talker = found[slot];
    ring.write(slot, talker === undefined ? '' : JSON.stringify(talker));
  }
}

/** What io has found, the greatest first. */
export function talkers(memory: MetricsMemory): Talker[] {
  return new TextRing(memory.talkers, 0, TALKERS)
    .read()
    .map((text) => JSON.parse(text) as Talker)
    .sort((a, b) => weight(b) - weight(a));
}

/** What a talker costs, in bytes: a message costs more than its bytes. */
export function weight({ messages, bytesIn, bytesOut }: Omit<Talker, 'ip'>): number {
  return messages * 1024 + bytesIn + bytesOut;
}
