// Assertions of what the relay's own code guarantees. One that fails is a bug: its Error ends the
// thread, like every broken invariant. What a client can get wrong is a return value instead.
// Each function is so short (27 bytes of bytecode at most) that V8 always inlines it, and nothing
// is built before an assertion has failed, so they may stand in inner loops.

/**
 * Throws unless a condition holds.
 *
 * @param message what is wrong, and with what: a constant, for it is evaluated every time.
 * @throws Error with this message.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) fail(message);
}

/**
 * Returns a value that is always there: what a look-up finds, or what a start has set.
 *
 * @param what what is missing if it is not there: a constant, like "body of a stored event".
 * @throws Error if the value is undefined or null, with a message that says what is missing.
 */
export function present<T>(value: T, what: string): NonNullable<T> {
  if (value === undefined || value === null) missing(what);
  return value;
}

/**
 * Returns the element of an array, read at an index that is always within its bounds:
 * `element(words[at])`. The caller reads it, because V8 learns for every read which kind of array
 * it sees; a function that reads for all callers would be slow.
 *
 * @throws Error if there is no such element.
 */
export function element<T>(value: T | undefined): T {
  if (value === undefined) fail('array index out of bounds');
  return value;
}

function missing(what: string): never {
  throw new Error(`missing: ${what}`);
}

function fail(message: string): never {
  throw new Error(message);
}
