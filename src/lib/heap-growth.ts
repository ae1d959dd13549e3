import { setFlagsFromString } from 'node:v8';

/** A heap grows by this share of what was alive before it is collected again, in percent. */
const GROWTH_PERCENT = 60;

/**
 * Has V8 collect a heap when it has grown by 60 %, in all threads that are started later, too. Left to
 * itself it lets a heap that is filled quickly grow to four times what is alive: under a flood of REQs
 * of 240 kB the relay took 732 MB, with this 441 MB, and answered as fast.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
