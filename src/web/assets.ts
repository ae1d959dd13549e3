// Static files of the pages: style sheets, images, browser modules and vendored packages.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Encoded, encode } from '../lib/encoded.ts';
import { packageRoot } from '../paths.ts';

/** File that pages load, with its media type. */
class Asset {
  readonly type: string;
  readonly #bytes: Buffer;
  #body: Encoded | null = null;

  constructor(type: string, bytes: Buffer) {
    this.type = type;
    this.#bytes = bytes;
  }

  /** Bytes and their compressed forms, made on the first request for the file: 4 ms each. */
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

const FOLDER = 'src/web/browser';

/** Package and file, by the name under which browsers request it. */
const VENDOR = {
  'vendor/scure-base.js': ['@scure/base', 'index.js'],
  'vendor/uplot.js': ['uplot', 'dist/uPlot.esm.js'],
  'vendor/uplot.css': ['uplot', 'dist/uPlot.min.css'],
} as const;

/**
 * Fixed set of the files that pages load: those in `src/web/browser`, the modules built from
 * there and the vendored files, all read at the start. Addresses contain a hash over all files, so
 * browsers may cache them for ever.
 */
export class Assets {
  /** Hash over all files: the first 16 hex digits of a SHA-256. */
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

  /** Returns the set of this thread; reads the files on the first call. */
  static load(): Assets {
    Assets.#loaded ??= new Assets(readFiles());
    return Assets.#loaded;
  }
  static #loaded: Assets | null = null;

  /** Address of a file. @throws Error for an unknown name. */
  url(name: string): string {
    if (!this.#assets.has(name)) throw new Error(`there is no asset ${name}`);
    return `/assets/${this.hash}/${name}`;
  }

  /**
   * Asset at a path like `/assets/0123456789abcdef/base.css`; `current`: true if the path has the
   * hash of this set. Null for an unknown name or another path.
   */
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
  const require = createRequire(import.meta.url);
  for (const [name, [from, file]] of Object.entries(VENDOR)) {
    files.set(name, readFileSync(join(require.resolve(`${from}/package.json`), '..', file)));
  }
  return files;
}

/** Removes the reference to the source map, because source maps are not served. */
function withoutMap(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString().replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}

function extensionOf(name: string): Extension {
  return name.slice(name.lastIndexOf('.') + 1) as Extension;
}
