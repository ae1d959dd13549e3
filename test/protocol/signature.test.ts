// Unit tests of the signature backends (@noble/curves, libsecp256k1, npm secp256k1), on this thread
// and in worker threads, and of deploy/install-system-packages.sh with fake commands.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join as joinPath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { requireOptional } from '../../src/lib/optional-package.ts';
import type { SignatureBackendName } from '../../src/protocol/signature/backend.ts';
import { libraryNames, loadLibsecp256k1 } from '../../src/protocol/signature/libsecp256k1.ts';
import {
  type NativeSecp256k1,
  recoverNonce,
  sumNonce,
} from '../../src/protocol/signature/npm-secp256k1.ts';
import {
  type ChosenSignatureBackend,
  loadSignatureBackend,
  SIGNATURE_CANDIDATES,
  type SignatureCandidate,
} from '../../src/protocol/signature/signature.ts';
import {
  bytesFor,
  edgeCases,
  flipBit,
  join,
  ORDER,
  readVectors,
  type SignatureCase,
  toBytes,
  toNumber,
} from '../fixtures/bip340.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory } from '../support/relay.ts';

const { sign, getPublicKey: publicKey } = schnorr;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SEED = testSeed('protocol/signature');
const NAMES: readonly SignatureBackendName[] = ['libsecp256k1', 'secp256k1', 'noble'];
const backends = new Map<SignatureBackendName, ChosenSignatureBackend>();
const absent = new Map<SignatureBackendName, string>();

beforeAll(async () => {
  for (const name of NAMES) {
    try {
      backends.set(name, await loadSignatureBackend(name));
    } catch (error) {
      absent.set(name, String(error));
    }
  }
});

/** Returns the backend, or skips a test that this machine cannot run. */
function backendOrSkip(context: TestContext, name: SignatureBackendName): ChosenSignatureBackend {
  const backend = backends.get(name);
  if (backend !== undefined) return backend;
  const reason = absent.get(name);
  // A backend that loads and gives wrong answers must fail its tests, not skip them.
  if (/it (accepts|refuses)/.test(reason ?? '')) throw new Error(reason);
  return context.skip(`${name} is not here: ${reason}`);
}

function wrongAnswers(backend: ChosenSignatureBackend, cases: readonly SignatureCase[]): string[] {
  return cases
    .filter(({ sig, message, pubkey, valid }) => backend.verify(sig, message, pubkey) !== valid)
    .map(({ name }) => name);
}

it('noble is always there', () => {
  expect(backends.get('noble')?.detail).toMatch(/^@noble\/curves \d/);
});

describe.each(NAMES)('%s', (name) => {
  it('says what it is', (context) => {
    const backend = backendOrSkip(context, name);
    process.stdout.write(`${name}: ${backend.detail}\n`);
    expect(backend.name).toBe(name);
    expect(backend.passedOver).toEqual([]);
    expect(backend.detail).toMatch(
      { libsecp256k1: /koffi/, secp256k1: /native/, noble: /slow/ }[name],
    );
  });

  it.skipIf(!process.env.WOK_TEST_DATA)('passes the vectors of BIP-340', (context) => {
    const backend = backendOrSkip(context, name);
    const vectors = readVectors(joinPath(process.env.WOK_TEST_DATA!, 'bip340-vectors.csv'));
    const usual = vectors.filter(({ message }) => message.length === 32);
    expect(usual).toHaveLength(15);
    expect(usual.filter(({ valid }) => valid)).toHaveLength(5);
    expect(wrongAnswers(backend, usual)).toEqual([]);
    const unusual = vectors.filter(({ message }) => message.length !== 32);
    expect(unusual.filter((v) => backend.verify(v.sig, v.message, v.pubkey))).toEqual([]);
  });

  it('passes the edge cases', (context) => {
    const backend = backendOrSkip(context, name);
    const cases = edgeCases();
    expect(cases.length).toBeGreaterThan(50);
    expect(cases.filter(({ valid }) => valid)).toHaveLength(4);
    expect(wrongAnswers(backend, cases)).toEqual([]);
    // Again, because the backend may have cached the keys.
    expect(wrongAnswers(backend, cases)).toEqual([]);
  });

  it('refuses other lengths', (context) => {
    const backend = backendOrSkip(context, name);
    const { sig, message, pubkey } = edgeCases()[0]!;
    const longer = (bytes: Uint8Array): Uint8Array => join(bytes, Uint8Array.of(0));
    const none = new Uint8Array(0);
    for (const change of [longer, (b: Uint8Array) => b.subarray(1), () => none]) {
      expect(backend.verify(change(sig), message, pubkey)).toBe(false);
      expect(backend.verify(sig, change(message), pubkey)).toBe(false);
      expect(backend.verify(sig, message, change(pubkey))).toBe(false);
    }
    expect(backend.verify(sig, message, pubkey)).toBe(true);
  });

  it('reads views into larger memory, and leaves them alone', (context) => {
    const backend = backendOrSkip(context, name);
    const { sig, message, pubkey } = edgeCases()[0]!;
    const memory = join(Uint8Array.of(1, 2, 3), sig, message, pubkey, Uint8Array.of(4));
    const before = Uint8Array.from(memory);
    const views = [memory.subarray(3, 67), memory.subarray(67, 99), memory.subarray(99, 131)];
    expect(backend.verify(views[0]!, views[1]!, views[2]!)).toBe(true);
    expect(memory).toEqual(before);
    const buffers = [sig, message, pubkey].map((bytes) => Buffer.from(bytes));
    expect(backend.verify(buffers[0]!, buffers[1]!, buffers[2]!)).toBe(true);
  });

  it('accepts what @noble/curves signs', (context) => {
    const backend = backendOrSkip(context, name);
    const [secret, message] = [bytesFor('secret'), bytesFor('message')];
    const [one, other] = [sign(message, secret), sign(message, secret)];
    expect(one).toHaveLength(64);
    expect(Buffer.from(one).equals(other)).toBe(false);
    expect(backend.verify(one, message, publicKey(secret))).toBe(true);
    expect(backend.verify(other, message, publicKey(secret))).toBe(true);
    expect(backend.verify(one, message, publicKey(bytesFor('other secret')))).toBe(false);
  });
});

it('libsecp256k1 keeps keys apart that share a place in its memory', (context) => {
  const backend = backendOrSkip(context, 'libsecp256k1');
  const byPlace = new Map<number, Uint8Array>();
  let pair: [Uint8Array, Uint8Array] | undefined;
  // The cache slot is 13 bits of the key; among a few hundred keys two share one.
  for (let n = 0; pair === undefined && n < 2000; n += 1) {
    const secret = bytesFor(`place ${n}`);
    const key = publicKey(secret);
    const place = ((key[29]! << 8) | key[28]!) & 8191;
    const earlier = byPlace.get(place);
    if (earlier) pair = [earlier, secret];
    byPlace.set(place, secret);
  }
  const message = bytesFor('place');
  const [a, b] = pair!.map((secret) => ({ key: publicKey(secret), sig: sign(message, secret) }));
  // Keys with the slot of a's key that differ from it, on the curve or not.
  const strangers = [1, 2, 3, 4, 5, 6].map((bit) => flipBit(a!.key, bit));
  for (let round = 0; round < 3; round += 1) {
    expect(backend.verify(a!.sig, message, a!.key)).toBe(true);
    expect(backend.verify(b!.sig, message, a!.key)).toBe(false);
    for (const key of strangers) expect(backend.verify(a!.sig, message, key)).toBe(false);
    expect(backend.verify(a!.sig, message, a!.key)).toBe(true);
    expect(backend.verify(b!.sig, message, b!.key)).toBe(true);
    expect(backend.verify(a!.sig, message, b!.key)).toBe(false);
  }
});

describe('a random run', () => {
  const random = new Random(SEED);
  const randomBytes = (): Uint8Array => Uint8Array.from(Buffer.from(random.hex(64), 'hex'));
  const PEOPLE = 40;
  const SIGNED = 800;
  const TRIES_EACH = 25;
  const cases: SignatureCase[] = [];

  beforeAll(() => {
    const secrets = Array.from({ length: PEOPLE }, randomBytes);
    const keys = secrets.map((secret) => publicKey(secret));
    for (let n = 0; n < SIGNED; n += 1) {
      const person = random.below(PEOPLE);
      const message = randomBytes();
      const sig = sign(message, secrets[person]!, randomBytes());
      for (let attempt = 0; attempt < TRIES_EACH; attempt += 1) {
        cases.push(maybeCorrupt(random, { sig, message, pubkey: keys[person]! }));
      }
    }
  });

  it.for(NAMES)('%s answers as expected', (name, context) => {
    const backend = backendOrSkip(context, name);
    // @noble/curves needs more than a millisecond for each signature.
    const mine = name === 'noble' ? cases.filter((_, n) => n % 40 === 0) : cases;
    expect(mine).toHaveLength(name === 'noble' ? 500 : 20_000);
    const valid = mine.filter((one) => one.valid).length / mine.length;
    expect(valid).toBeGreaterThan(0.4);
    expect(valid).toBeLessThan(0.6);
    expect(wrongAnswers(backend, mine)).toEqual([]);
  });
});

function maybeCorrupt(
  random: Random,
  { sig, message, pubkey }: Pick<SignatureCase, 'sig' | 'message' | 'pubkey'>,
): SignatureCase {
  if (random.chance(0.5)) return { name: 'whole', sig, message, pubkey, valid: true };
  const what = random.pick(['sig', 'message', 'pubkey'] as const);
  const whole = { sig, message, pubkey };
  const bit = random.below(whole[what].length * 8);
  return {
    ...whole,
    [what]: flipBit(whole[what], bit),
    name: `bit ${bit} of ${what} of ${Buffer.from(join(sig, message, pubkey)).toString('hex')}`,
    valid: false,
  };
}

describe('the way npm secp256k1 computes a nonce point', () => {
  const random = new Random(SEED);
  const randomScalar = (): bigint => (BigInt(`0x${random.hex(64)}`) % (ORDER - 1n)) + 1n;
  const native = (context: TestContext): NativeSecp256k1 => {
    backendOrSkip(context, 'secp256k1');
    return requireOptional('secp256k1/bindings.js') as NativeSecp256k1;
  };
  const expected = (x: bigint, s: bigint, e: bigint): string => {
    const { BASE, ZERO } = secp256k1.Point;
    const times = (point: typeof BASE, by: bigint) => (by === 0n ? ZERO : point.multiply(by));
    return times(BASE, s)
      .subtract(times(schnorr.utils.lift_x(x), e))
      .toHex(true);
  };
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  it('is right by recovery and by sums', (context) => {
    const addon = native(context);
    const recover = recoverNonce(addon);
    const xs = [1n, 2n, toNumber(publicKey(bytesFor('x'))), toNumber(publicKey(bytesFor('y')))];
    const edges = [1n, 2n, ORDER - 1n, ORDER / 2n];
    const scalars = [...edges, ...Array.from({ length: 4 }, randomScalar)];
    for (const x of xs) {
      for (const s of [0n, ...scalars]) {
        for (const e of scalars) {
          const point = expected(x, s, e);
          expect(hex(recover(x, s, e))).toBe(point);
          expect(hex(sumNonce(addon, toBytes(x), s, e))).toBe(point);
        }
      }
    }
  });

  it('is right where recovery does not reach', (context) => {
    const addon = native(context);
    const s = randomScalar();
    for (const x of [ORDER, ORDER + 2n]) {
      for (const [left, right] of [
        [s, 5n],
        [s, 0n],
        [0n, s],
      ] as const) {
        expect(hex(sumNonce(addon, toBytes(x), left, right))).toBe(expected(x, left, right));
      }
    }
  });

  it('throws at infinity and off the curve', (context) => {
    const addon = native(context);
    const recover = recoverNonce(addon);
    const secret = bytesFor('infinity');
    const x = toNumber(publicKey(secret));
    const even = schnorr.utils.lift_x(x).equals(secp256k1.Point.BASE.multiply(toNumber(secret)));
    const d = even ? toNumber(secret) : ORDER - toNumber(secret);
    expect(() => recover(x, d, 1n)).toThrow();
    expect(() => sumNonce(addon, toBytes(x), d, 1n)).toThrow();
    expect(() => sumNonce(addon, toBytes(x), 0n, 0n)).toThrow();
    for (const e of [0n, 1n]) expect(() => sumNonce(addon, toBytes(5n), 1n, e)).toThrow();
    expect(() => recover(5n, 1n, 1n)).toThrow();
  });
});

describe('choosing', () => {
  const working = (name: SignatureBackendName): SignatureCandidate => ({
    name,
    load: () => ({ ...backends.get('noble')!, name, detail: `stand-in for ${name}` }),
    install: `How to install ${name}.`,
  });
  const missing = (name: SignatureBackendName): SignatureCandidate => ({
    ...working(name),
    load: () => Promise.reject(new Error(`${name} is missing`)),
  });
  const answering = (verify: () => boolean): SignatureCandidate => ({
    ...working('secp256k1'),
    load: () => ({ name: 'secp256k1', detail: 'liar 1.0', verify }),
  });

  it('takes the best that loads', async () => {
    const best = await loadSignatureBackend('auto');
    expect(best.name).toBe(NAMES.find((name) => backends.has(name)));
    const better = NAMES.slice(0, NAMES.indexOf(best.name));
    expect(best.passedOver.map(({ name }) => name)).toEqual(better);
  });

  it('says why it passed over the better ones', async () => {
    for (const [verify, fault] of [
      [() => true, /^liar 1.0: it accepts a signature with a wrong r$/],
      [() => false, /^liar 1.0: it refuses a valid signature$/],
    ] as const) {
      const list = [missing('libsecp256k1'), answering(verify), working('noble')];
      const chosen = await loadSignatureBackend('auto', list);
      expect(chosen.name).toBe('noble');
      expect(chosen.passedOver).toEqual([
        { name: 'libsecp256k1', reason: 'libsecp256k1 is missing' },
        { name: 'secp256k1', reason: expect.stringMatching(fault) },
      ]);
    }
  });

  it('takes the one that is named, or tells what to install', async () => {
    const list = [missing('libsecp256k1'), answering(() => true), working('noble')];
    const named = await loadSignatureBackend('noble', list);
    expect(named).toMatchObject({ name: 'noble', passedOver: [] });
    await expect(loadSignatureBackend('libsecp256k1', list)).rejects.toThrow(
      'The signature backend libsecp256k1 cannot be used: libsecp256k1 is missing. How to install libsecp256k1.',
    );
    await expect(loadSignatureBackend('secp256k1', list)).rejects.toThrow(/liar 1\.0.*wrong r/);
    await expect(loadSignatureBackend('auto', list.slice(0, 2))).rejects.toThrow(
      /^No signature backend can be used \(libsecp256k1: .* is missing; secp256k1: liar/,
    );
  });
});

describe('choosing: advice and modules', () => {
  it('names the script in the advice', () => {
    for (const { install } of SIGNATURE_CANDIDATES) {
      expect(install).toContain('deploy/install-system-packages.sh');
    }
  });

  it('refuses a module that is not there', () => {
    expect(() => requireOptional('wok-no-such-module')).toThrow(/^the npm module .* does not load/);
  });

  it.skipIf(process.platform !== 'linux')('refuses a library of another sort', (context) => {
    backendOrSkip(context, 'libsecp256k1');
    expect(() => loadLibsecp256k1(['libnothing.so.9'])).toThrow(/no library found.*libnothing/);
    expect(() => loadLibsecp256k1(['libm.so.6'])).toThrow(/libm.so.6 is unfit.*sign_custom/);
    const found = loadLibsecp256k1(['libnothing.so.9', 'libm.so.6', ...libraryNames()]);
    expect(found.detail).toMatch(/libsecp256k1/);
  });

  it('knows the names of Linux and macOS', () => {
    expect(libraryNames('linux')[0]).toBe('libsecp256k1.so.7');
    expect(libraryNames('linux')).toContain('libsecp256k1.so.0');
    expect(libraryNames('linux').at(-1)).toBe('libsecp256k1.so');
    expect(libraryNames('darwin')).toContain('/opt/homebrew/lib/libsecp256k1.dylib');
  });

  it('never loads the JavaScript half of npm secp256k1', (context) => {
    backendOrSkip(context, 'secp256k1');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    expect(loaded.some((path) => path.endsWith('secp256k1/bindings.js'))).toBe(true);
    expect(loaded.filter((path) => /secp256k1\/(lib\/)?elliptic\.js$/.test(path))).toEqual([]);
  });
});

describe('in worker threads', () => {
  // Worker threads need JavaScript, so the module is compiled to a temporary folder.
  const folder = freshDirectory();
  const entry = joinPath(folder, 'out/src/protocol/signature/signature.js');

  beforeAll(() => {
    symlinkSync(joinPath(ROOT, 'node_modules'), joinPath(folder, 'node_modules'));
    writeFileSync(joinPath(folder, 'package.json'), '{ "type": "module" }');
    const config = {
      extends: joinPath(ROOT, 'tsconfig.json'),
      compilerOptions: {
        rootDir: ROOT,
        outDir: joinPath(folder, 'out'),
        incremental: false,
        tsBuildInfoFile: null,
        sourceMap: false,
        typeRoots: [joinPath(ROOT, 'node_modules/@types')],
      },
      files: [joinPath(ROOT, 'src/protocol/signature/signature.ts')],
      include: [],
    };
    writeFileSync(joinPath(folder, 'tsconfig.json'), JSON.stringify(config));
    const compiler = joinPath(ROOT, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [compiler, '-p', folder], { stdio: 'inherit' });
  });

  it.for(NAMES)('%s works in three at once, and in those that follow', async (name, context) => {
    const here = backendOrSkip(context, name);
    const rounds = name === 'noble' ? 1 : 20;
    const cases = edgeCases();
    for (const crew of [1, 2]) {
      const answers = [1, 2, 3].map(() =>
        runWorker(pathToFileURL(entry).href, name, rounds, cases),
      );
      // This thread verifies at the same time as the workers.
      expect(wrongAnswers(here, cases)).toEqual([]);
      for (const answer of await Promise.all(answers)) {
        expect(answer, `crew ${crew}`).toEqual({ name, checked: rounds * cases.length, wrong: [] });
      }
    }
  });
});

/** Starts a thread that loads the backend and verifies; resolves to its result. */
function runWorker(
  entry: string,
  name: SignatureBackendName,
  rounds: number,
  cases: readonly SignatureCase[],
): Promise<unknown> {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { entry, name, rounds, cases } = workerData;
    import(entry).then(async ({ loadSignatureBackend }) => {
      const backend = await loadSignatureBackend(name);
      const wrong = [];
      let checked = 0;
      for (let round = 0; round < rounds; round += 1) {
        for (const { name, sig, message, pubkey, valid } of cases) {
          if (backend.verify(sig, message, pubkey) !== valid) wrong.push(name);
          checked += 1;
        }
        await new Promise(setImmediate);
      }
      parentPort.postMessage({ name: backend.name, checked, wrong });
    });`;
  const worker = new Worker(code, { eval: true, workerData: { entry, name, rounds, cases } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (status) => reject(new Error(`the thread ended with ${status}`)));
  });
}

describe('deploy/install-system-packages.sh', () => {
  const script = joinPath(ROOT, 'deploy/install-system-packages.sh');
  /** Runs the script with these commands instead of the system's; returns status and output. */
  function run(
    commands: Record<string, string>,
    ...args: string[]
  ): { status: number; text: string } {
    const bin = freshDirectory();
    const all: Record<string, string> = {
      ldconfig: '',
      'apt-cache': '',
      id: 'echo 0',
      ...commands,
    };
    for (const [name, body] of Object.entries(all)) {
      writeFileSync(joinPath(bin, name), `#!/bin/sh\n${body}\n`);
      chmodSync(joinPath(bin, name), 0o755);
    }
    for (const tool of ['sed', 'head', 'env']) symlinkSync(`/usr/bin/${tool}`, joinPath(bin, tool));
    // The script appends /sbin and /usr/sbin to this; they hold no package manager.
    const options = {
      env: { PATH: bin, STATE: joinPath(bin, 'state') },
      encoding: 'utf8',
    } as const;
    const done = spawnSync('/bin/sh', [script, ...args], options);
    return { status: done.status ?? -1, text: done.stdout + done.stderr };
  }

  const LIBRARY = 'libsecp256k1.so.2 (libc6,x86-64) => /usr/lib/libsecp256k1.so.2';
  const INSTALLED = `if [ -e "$STATE" ]; then echo "	${LIBRARY}"; fi`;
  const HAS_2 = 'case "$2" in *-2) echo "libsecp256k1-2 | 0.5.0-1 | somewhere" ;; esac';

  it('is content when the library is there', () => {
    const { status, text } = run({ ldconfig: `echo "	${LIBRARY}"` });
    expect(text).toMatch(/there already: \/usr\/lib\/libsecp256k1\.so\.2\n$/);
    expect(status).toBe(0);
  });

  it('installs the package that the distribution has', () => {
    const apt = 'echo "apt-get $*"; : >"$STATE"';
    const { status, text } = run({ ldconfig: INSTALLED, 'apt-cache': HAS_2, 'apt-get': apt });
    expect(text).toMatch(/^apt-get install .*libsecp256k1-2$/m);
    expect(text).not.toMatch(/update/);
    expect(text).toMatch(/installed libsecp256k1-2: \/usr\/lib/);
    expect(status).toBe(0);
  });

  it('goes through sudo when it is not root', () => {
    const sudo = 'echo "sudo $*"; shift; exec "$@"';
    const apt = ': >"$STATE"';
    const commands = {
      ldconfig: INSTALLED,
      'apt-cache': HAS_2,
      'apt-get': apt,
      sudo,
      id: 'echo 7',
    };
    const { status, text } = run(commands);
    expect(text).toMatch(/^sudo -n env .* apt-get install .*libsecp256k1-2$/m);
    expect(status).toBe(0);
  });

  it('fails only on request when there is nothing to be had', () => {
    for (const [commands, reason] of [
      [{}, /no apt-get here/],
      [{ 'apt-get': 'echo "apt-get $*"' }, /apt-get update -qq[\s\S]*has no package/],
      [{ 'apt-get': '', id: 'echo 7' }, /needs root or sudo/],
      [{ 'apt-get': 'exit 100', 'apt-cache': HAS_2 }, /apt-get install libsecp256k1-2 failed/],
      [{ 'apt-get': '', 'apt-cache': HAS_2 }, /the loader does not find it/],
    ] as const) {
      const lenient = run(commands);
      expect(lenient.text).toMatch(reason);
      expect(lenient.text).toMatch(/wok runs all the same/);
      expect(lenient.status).toBe(0);
      expect(run(commands, '--require').status).toBe(1);
    }
    expect(run({}, '--other').status).toBe(2);
  });
});
