import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../paths.ts';
import { type Encoded, encode } from './encoded.ts';

/** A file that pages use. */
export class Asset {
  readonly type: string;
  readonly #bytes: Buffer;
  #body: Encoded | null = null;

  constructor(type: string, bytes: Buffer) {
    this.type = type;
    this.#bytes = bytes;
  }

  /** The bytes and their compressed forms, made when the file is asked for first: 4 ms each. */
  get body(): Encoded {
    this.#body ??= encode(this.#bytes);
    return this.#body;
  }
}

const TYPES = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
} as const;
type Extension = keyof typeof TYPES;

const FOLDER = 'src/pages/browser';

/** From installed packages, by the name under which browsers find them. */
const VENDOR = {
  'vendor/uplot.js': 'uPlot.esm.js',
  'vendor/uplot.css': 'uPlot.min.css',
} as const;

/**
 * Everything that pages load: what stands in `src/pages/browser` and was built from there, known at the
 * start and nothing else. Their address has a hash of all of them, so browsers may keep them for ever.
 */
export class Assets {
  /** Of all files; what changes one of them changes it. */
  readonly hash: string;
  readonly #assets: ReadonlyMap<string, Asset>;

  private constructor(files: ReadonlyMap<string, Buffer>) {
    const hash = createHash('sha256');
    for (const [name, bytes] of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
    this.hash = hash.digest('hex').slice(0, 16);
    this.#assets = new Map(
      [...files].map(([name, bytes]) => [name, new Asset(TYPES[extensionOf(name)], bytes)]),
    );
  }

  /** Reads them, the first time that a process asks. */
  static load(): Assets {
    Assets.#loaded ??= new Assets(readFiles());
    return Assets.#loaded;
  }
  static #loaded: Assets | null = null;

  /** The address of a file. @throws Error for a name that there is not. */
  url(name: string): string {
    if (!this.#assets.has(name)) throw new Error(`there is no asset ${name}`);
    return `/assets/${this.hash}/${name}`;
  }

  /** What is at a path like `/assets/0123456789abcdef/base.css`, and whether the hash is ours. */
  at(path: string): { asset: Asset; current: boolean } | null {
    const [, hash, name] = /^\/assets\/([0-9a-f]{16})\/(.+)$/.exec(path) ?? [];
    const asset = this.#assets.get(name ?? '');
    return asset === undefined ? null : { asset, current: hash === this.hash };
  }

  get names(): string[] {
    return [...this.#assets.keys()];
  }
}

function readFiles(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const sources = join(packageRoot, FOLDER);
  const built = join(packageRoot, 'dist', FOLDER);
  for (const [folder, extension] of [
    [sources, 'css'],
    [sources, 'svg'],
    [built, 'js'],
  ] as const) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((one) => one.endsWith(`.${extension}`)).sort()) {
      if (!name.startsWith('vendor/'))
        files.set(name, withoutMap(readFileSync(join(folder, name))));
    }
  }
  const package_ = createRequire(import.meta.url).resolve('uplot/package.json');
  for (const [name, file] of Object.entries(VENDOR)) {
    files.set(name, readFileSync(join(package_, '../dist', file)));
  }
  return files;
}

/** The maps of the sources are not served, so nothing shall point to them. */
function withoutMap(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString().replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}

function extensionOf(name: string): Extension {
  return name.slice(name.lastIndexOf('.') + 1) as Extension;
}
