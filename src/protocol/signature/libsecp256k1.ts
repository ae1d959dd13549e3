// Signature backend on the system's libsecp256k1, called through koffi. Each thread has its own
// context and key cache.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { requireOptional } from '../../lib/optional-package.ts';
import type { SignatureBackend } from './backend.ts';

/**
 * Part of koffi's interface that is used (its own types are unavailable where the package is
 * absent).
 */
interface Koffi {
  load(path: string): { func(definition: string): (...args: unknown[]) => unknown };
}

type Pointer = bigint;
type Parse = (context: Pointer, parsed: Uint8Array, pubkey: Uint8Array) => number;
type Verify = (
  context: Pointer,
  sig: Uint8Array,
  message: Uint8Array,
  messageBytes: number,
  parsed: Uint8Array,
) => number;

// Libraries before 2022 abort the process when a context made without this flag verifies; later
// ones treat it as SECP256K1_CONTEXT_NONE.
const SECP256K1_CONTEXT_VERIFY = 0x101;

/**
 * Sonames by release: .7 is 0.8, .6 is 0.7, .5 is 0.6, .2 is 0.3 to 0.5, .1 is 0.2, .0 is older.
 */
const SONAMES = [7, 6, 5, 2, 1, 0];

/**
 * Returns the names under which the library may be found, best first, for the dynamic loader or as
 * a path.
 */
export function libraryNames(platform: NodeJS.Platform = process.platform): string[] {
  if (platform !== 'darwin') {
    return [...SONAMES.map((version) => `libsecp256k1.so.${version}`), 'libsecp256k1.so'];
  }
  const files = ['libsecp256k1.dylib', ...SONAMES.map((v) => `libsecp256k1.${v}.dylib`)];
  return ['', '/opt/homebrew/lib/', '/usr/local/lib/', '/opt/local/lib/'].flatMap((folder) =>
    files.map((file) => folder + file),
  );
}

/**
 * Loads the system's libsecp256k1 through koffi.
 *
 * @throws Error that says what is missing.
 */
export function loadLibsecp256k1(names: readonly string[] = libraryNames()): SignatureBackend {
  const koffi = requireOptional('koffi') as Koffi;
  const unfit: string[] = [];
  for (const name of names) {
    let library: ReturnType<Koffi['load']>;
    try {
      library = koffi.load(name);
    } catch {
      continue;
    }
    try {
      return bind(library, name);
    } catch (error) {
      unfit.push(`${name} is unfit: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (unfit.length > 0) throw new Error(unfit.join('; '));
  throw new Error(`no library found under the names ${names.join(', ')}`);
}

function bind(library: ReturnType<Koffi['load']>, name: string): SignatureBackend {
  // This function arrived together with the message length in secp256k1_schnorrsig_verify (July
  // 2021). An older library would take the length for a pointer and crash the process.
  library.func(
    'int secp256k1_schnorrsig_sign_custom(void *c, void *s, void *m, size_t n, void *k, void *e)',
  );
  const create = library.func('void *secp256k1_context_create(unsigned int flags)');
  const parse = library.func(
    'int secp256k1_xonly_pubkey_parse(void *context, uint8_t *parsed, const uint8_t *pubkey)',
  ) as Parse;
  const verify = library.func(
    'int secp256k1_schnorrsig_verify(void *context, const uint8_t *sig, const uint8_t *message, size_t message_bytes, const uint8_t *parsed)',
  ) as Verify;
  const context = create(SECP256K1_CONTEXT_VERIFY) as Pointer | null;
  if (!context) throw new Error('secp256k1_context_create failed');
  return {
    name: 'libsecp256k1',
    detail: `${loadedFile(name)} through koffi`,
    verify: verifier(context, parse, verify),
  };
}

// Offsets in one block of memory, in bytes: the inputs and outputs of the C functions, then the key
// cache.
const SIG_AT = 0;
const MESSAGE_AT = 64;
const KEY_AT = 96;
const PARSED_AT = 128;
const SLOTS_AT = 192;
/** Bytes of a slot: a key and, as in the working area, its parsed form right after it. */
const SLOT_BYTES = 32 + 64;

/**
 * Number of slots, 0.8 MB a thread. A power of two, because the slot is taken from bits of the key.
 */
const SLOTS = 8192;

/**
 * Returns the verify function with its own key cache.
 *
 * Inputs are copied to memory that C can always read: V8 would move a small Uint8Array out of its
 * heap first, at 1 to 2 µs each. How the memory is handed to koffi (views, BigInt or plain
 * addresses) made no difference.
 *
 * Parsing a key costs a square root, so the parsed form of recently used keys is kept, one per
 * slot. Measured in pairs: 10 % less for each verification with a cached key (52.8 to 47.6 µs, and
 * 46 to 42 µs with 0.8.0), 1 to 3 % more for each other one. A Map in its place cost 7 to 9 %
 * then.
 */
function verifier(context: Pointer, parse: Parse, verify: Verify): SignatureBackend['verify'] {
  const memory = new Uint8Array(new ArrayBuffer(SLOTS_AT + SLOTS * SLOT_BYTES));
  const words = new Int32Array(memory.buffer);
  const [sigArea, messageArea] = [memory.subarray(SIG_AT, 64), memory.subarray(MESSAGE_AT, 96)];
  const [keyArea, parsedArea] = [memory.subarray(KEY_AT, 128), memory.subarray(PARSED_AT, 192)];
  // An empty slot must not match the key of 32 zero bytes: C aborts on a parsed key of zeroes.
  const taken = new Uint8Array(SLOTS);

  return (sig, message, pubkey) => {
    if (sig.length !== 64 || message.length !== 32 || pubkey.length !== 32) return false;
    sigArea.set(sig);
    messageArea.set(message);
    keyArea.set(pubkey);
    // The last bytes are used, since people grind keys for pretty first ones.
    const slot = (words[KEY_AT / 4 + 7] ?? 0) & (SLOTS - 1);
    const slotAt = SLOTS_AT + slot * SLOT_BYTES;
    if (taken[slot] === 1 && sameKey(words, slotAt / 4)) {
      memory.copyWithin(PARSED_AT, slotAt + 32, slotAt + SLOT_BYTES);
    } else {
      if (parse(context, parsedArea, keyArea) !== 1) return false;
      memory.copyWithin(slotAt, KEY_AT, SLOTS_AT);
      taken[slot] = 1;
    }
    return verify(context, sigArea, messageArea, 32, parsedArea) === 1;
  };
}

function sameKey(words: Int32Array, slotWord: number): boolean {
  for (let word = 0; word < 8; word += 1) {
    if (words[slotWord + word] !== words[KEY_AT / 4 + word]) return false;
  }
  return true;
}

/** Returns the file that a loader name such as libsecp256k1.so.1 resolved to, where Linux tells. */
function loadedFile(name: string): string {
  if (process.platform !== 'linux' || name.includes('/')) return name;
  try {
    const paths = readFileSync('/proc/self/maps', 'utf8').match(/\/.*$/gm) ?? [];
    return paths.find((path) => basename(path).startsWith(name)) ?? name;
  } catch {
    return name;
  }
}
