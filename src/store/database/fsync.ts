// Syncs files to the disk.

import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** Waits until the content and the name of a file are on the disk. */
export function syncFile(file: string): void {
  for (const path of [file, dirname(file)]) {
    if (!existsSync(path)) continue;
    const descriptor = openSync(path, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}
