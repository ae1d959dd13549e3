// Default size of a negentropy message. In a file of its own, because every call of `wok` loads it.

/** Bytes of a negentropy message at most, before they are written as hex: the default of strfry. */
export const FRAME_BYTES = 60_000;
