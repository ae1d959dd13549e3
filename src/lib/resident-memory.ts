// Resident memory of this process.

let last = 0;

/**
 * Returns the bytes of memory that the process has (RSS); those of the last call while no file
 * descriptor is free, because Node.js opens a file of /proc for it and throws then.
 */
export function residentBytes(): number {
  try {
    last = process.memoryUsage.rss();
  } catch {
    // Out of file descriptors.
  }
  return last;
}
