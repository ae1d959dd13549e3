// Static checks of the source text: imports between folders, places of certain code, names in
// documents, and the form of comments and texts. No code of the relay runs.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { constantKeys } from '../src/config/constants.ts';
import { optionKeys } from '../src/config/options.ts';
import { withMetricsTable } from '../src/metrics/document.ts';
import { metricNames } from '../src/metrics/table.ts';
import { packageRoot } from '../src/paths.ts';

/** Stations, each a folder of src, in the order of the data path. */
const STATIONS = ['io', 'ingester', 'writer', 'monitor', 'query', 'sync'] as const;

/**
 * Floor plan: layers of folders and files of src, lowest first. A folder imports folders of lower
 * layers only; folders of one layer, such as the stations, never import each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['paths', 'no-inspector'],
  ['lib'],
  ['protocol', 'negentropy'],
  ['channel', 'config'],
  ['log'],
  ['metrics'],
  ['store'],
  ['messages'],
  ['access'],
  ['policy'],
  ['validation', 'web'],
  ['rpc'],
  ['moderation'],
  ['members', 'retention'],
  STATIONS,
  ['admin'],
  ['peers'],
  ['maintenance'],
  ['supervisor', 'service'],
  ['relay'],
  ['run'],
  ['cli'],
  ['wok'],
];

/** Worker programs that run short jobs for piscina, and the file with the code of the job. */
const TASKS: Readonly<Record<string, string>> = {
  check: 'src/maintenance/import/chunk.ts',
  compact: 'src/maintenance/compact.ts',
};

interface Source {
  /** Path relative to the package, like `src/io/io.ts`. */
  file: string;
  /** Text without comments. */
  code: string;
  /** Imported files of wok as paths like `file`, and packages by their specifier. */
  imports: string[];
}

/** Reads all TypeScript files of a folder and its subfolders. */
function read(folder: string): Source[] {
  const names = readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules/'))
    .map((name) => {
      const file = join(folder, name);
      const text = readFileSync(join(packageRoot, file), 'utf8');
      const code = text.replace(/\/\*.*?\*\/|^\s*\/\/[^\n]*/gms, '');
      const specifiers = /(?<!')(?:\bfrom|\bimport|\bimport\(|[rR]equire\w*\(|\)\()\s*'([^'\n]+)'/g;
      const imports = [...code.matchAll(specifiers)].map(([, specifier]) =>
        specifier!.startsWith('.') ? join(dirname(file), specifier!) : specifier!,
      );
      return { file, code, imports };
    });
}

/** Returns `io` for src/io/io.ts, `messages` for src/messages/map.ts, '' for a file outside src. */
function partOf(file: string): string {
  return /^src\/([\w-]+)/.exec(file)?.[1] ?? '';
}

const src = read('src');
const workers = read('workers');
const all = [...src, ...workers, ...read('bench'), ...read('siege')];

/** Returns the files that `allowed` does not match and for which `offends` is true. */
function offenders(sources: readonly Source[], allowed: RegExp, offends: (one: Source) => boolean) {
  return sources.filter((one) => !allowed.test(one.file) && offends(one)).map(({ file }) => file);
}

const NO_FILE = /^$/;
const BROWSER = /^src\/web\/browser\//;
const CONTRACT = /^src\/web\/api\//;

describe('imports', () => {
  it('are found at all', () => {
    expect(src.length).toBeGreaterThan(50);
    const { imports } = src.find(({ file }) => file === 'src/io/io.ts')!;
    expect(imports).toContain('src/messages/io-ingester.ts');
    expect(src.flatMap(({ imports }) => imports)).toContain('secp256k1/bindings.js');
  });

  it('go to lower layers only, and from no station to another', () => {
    const layerOf = (part: string) => LAYERS.findIndex((layer) => layer.includes(part));
    const wrong = src.flatMap(({ file, imports }) => {
      const part = partOf(file);
      expect(layerOf(part), `${file} is in no layer`).toBeGreaterThanOrEqual(0);
      return imports
        .filter((target) => partOf(target) !== '' && partOf(target) !== part)
        .filter((target) => layerOf(partOf(target)) >= layerOf(part))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('go in no circle, among the files of a folder either', () => {
    const importsOf = new Map([...src, ...workers].map(({ file, imports }) => [file, imports]));
    const done = new Set<string>();
    const circles: string[] = [];
    const follow = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (path.includes(file) || done.has(file)) return;
      for (const target of importsOf.get(file) ?? []) follow(target, [...path, file]);
      done.add(file);
    };
    for (const file of importsOf.keys()) follow(file, []);
    expect(circles).toEqual([]);
  });

  it('keep the write face and the read face of the store apart', () => {
    const face = (file: string) => /^src\/store\/(read|write)\//.exec(file)?.[1];
    const wrong = src.flatMap(({ file, imports }) =>
      imports
        .filter((target) => face(file) && face(target) && face(file) !== face(target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('imports of a folder', () => {
  it('give io neither a database nor cryptography', () => {
    const forbidden = /^(node:crypto|better-sqlite3|@noble|koffi|secp256k1)/;
    const io = src.filter(({ file }) => partOf(file) === 'io');
    expect(
      offenders(io, NO_FILE, ({ imports }) => imports.some((one) => forbidden.test(one))),
    ).toEqual([]);
  });

  it('let nobody but the writer open the database for writing', () => {
    const allowed =
      /^(src\/writer\/|workers\/writer\.ts|src\/store\/database\/open\.ts|src\/maintenance\/offline-writer\.ts)/;
    expect(offenders([...src, ...workers], allowed, ({ code }) => /openWriter/.test(code))).toEqual(
      [],
    );
    expect(
      offenders([...src, ...workers], /^src\/store\/database\//, ({ imports }) =>
        imports.includes('better-sqlite3'),
      ),
    ).toEqual([]);
  });

  it('give browsers nothing that is not served to them, but types', () => {
    const wrong = src
      .filter(({ file }) => BROWSER.test(file) && !file.startsWith('src/web/browser/vendor/'))
      .flatMap(({ file, code }) =>
        [...code.matchAll(/^import (type )?[^;]*?from '([^']+)'/gms)]
          .filter(([, isType, from]) => {
            const target = join(dirname(file), from!);
            return !BROWSER.test(target) && !(isType !== undefined && CONTRACT.test(target));
          })
          .map(([, , from]) => `${file} imports ${from}`),
      );
    expect(wrong).toEqual([]);
  });

  it('reach every file', () => {
    const imported = new Set(all.flatMap(({ imports }) => imports));
    // Entry files, including those that browsers load, and stand-ins for packages of browsers.
    const roots =
      /^src\/(wok\.ts|web\/browser\/(home|admin)\.ts|web\/browser\/vendor\/)|^workers\//;
    expect(offenders([...src, ...workers], roots, ({ file }) => !imported.has(file))).toEqual([]);
  });
});

describe('code', () => {
  it('has its SQL in src/store/database/sql.ts and schema.sql, that of other relays beside their readers', () => {
    const statement =
      /\b(SELECT\s+[\w*(]|INSERT\s+(OR|INTO)\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|CREATE\s+(TABLE|INDEX|VIEW)\b|ON CONFLICT)/;
    const allowed = /^src\/(store\/database|maintenance\/migrate\/[\w-]+)\/sql\.ts$/;
    expect(offenders([...src, ...workers], allowed, ({ code }) => statement.test(code))).toEqual(
      [],
    );
    expect(
      statement.test(readFileSync(join(packageRoot, 'src/store/database/sql.ts'), 'utf8')),
    ).toBe(true);
  });

  it('gives uWebSockets.js bytes, never text, which its builds send differently (src/io/uws.ts)', () => {
    const io = src.filter(({ file }) => partOf(file) === 'io');
    const writes = /\.(writeStatus|writeHeader|tryEnd|endWithoutBody)\(/;
    const answers = /^src\/io\/http-answer\.ts$/;
    expect(offenders(io, answers, ({ code }) => writes.test(code))).toEqual([]);
    expect(
      offenders(io, NO_FILE, ({ file, code }) => answers.test(file) && writes.test(code)),
    ).toEqual(['src/io/http-answer.ts']);
    const closes = /\bsocket\.end\(/;
    expect(offenders(io, /^src\/io\/connection\.ts$/, ({ code }) => closes.test(code))).toEqual([]);
    // The types of the package accept text as well; those of src/io/uws.ts do not.
    const takesText = /import[^;]*\b(HttpResponse|WebSocket)\b[^;]*from 'uWebSockets\.js'/;
    expect(offenders(io, NO_FILE, ({ code }) => takesText.test(code))).toEqual([]);
  });

  it('has no default exports and no console', () => {
    const sources = [...all, ...read('test')];
    const allowed = /^test\/(((clients|screenshots)\/)?vitest\.config|tidy\.test)\.ts$/;
    const pattern = /^export default\b|\bconsole\.\w+\(/m;
    expect(offenders(sources, allowed, ({ code }) => pattern.test(code))).toEqual([]);
  });

  it('has one place that makes temporary directories for tests, and one that says how long they wait', () => {
    const sources = read('test');
    const self = 'test/tidy.test.ts';
    const makers = [
      self,
      ...['support/support.test', 'support/temporary', 'support/global-setup'].map(
        (name) => `test/${name}.ts`,
      ),
    ];
    const directory = /mkdtemp|tmpdir\(/;
    expect(
      offenders(sources, NO_FILE, ({ file, code }) => {
        return directory.test(code) && !makers.includes(file);
      }),
    ).toEqual([]);
    // A fixed number of milliseconds for a test, a hook or a wait assumes a speed of the machine.
    const guess = /\btimeout: [\d_]{6,}|\n *\}, [\d_]{6,}\);|waitForTimeout|setTimeout\(resolve/;
    const waiting = [self, 'test/support/process.ts'];
    expect(
      offenders(sources, NO_FILE, ({ file, code }) => {
        return guess.test(code) && !waiting.includes(file);
      }),
    ).toEqual([]);
  });

  it('has a thread main for each station, for those beside the data path, and each task', () => {
    for (const { file, code, imports } of workers) {
      const station = basename(file, '.ts');
      const task = TASKS[station];
      if (task !== undefined) {
        expect(imports).toContain(task);
        continue;
      }
      expect([...STATIONS.slice(1), 'plugins', 'admin', 'peers']).toContain(station);
      const role =
        station === 'plugins'
          ? 'src/policy/plugins/host.ts'
          : station === 'writer'
            ? 'src/writer/lease.ts'
            : `src/${station}/${station}.ts`;
      expect(imports).toContain(role);
      expect(code).toMatch(/^export function run\(task: WorkerTask\)/m);
    }
  });
});

describe('dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const shipped = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const imported = all.flatMap(({ imports }) => imports);

  it.each(Object.keys(shipped))('%s is used', (name) => {
    expect(imported.some((one) => one === name || one.startsWith(`${name}/`))).toBe(true);
  });

  it('are all there for what is imported', () => {
    const packages = imported.filter(
      (one) => !/^(node:|src\/|workers\/|bench\/|siege\/)/.test(one),
    );
    const names = packages.map((one) => /^(@[^/]+\/)?[^/]+/.exec(one)![0]);
    expect(names.filter((name) => !(name in shipped))).toEqual([]);
  });

  it.each(Object.keys({ ...shipped, ...manifest.devDependencies }))(
    '%s has its reason in docs/architecture.md',
    (name) => {
      const text = readFileSync(join(packageRoot, 'docs/architecture.md'), 'utf8');
      const firstCells = text.split('\n').map((line) => /^\|([^|]+)\|/.exec(line)?.[1] ?? '');
      expect(firstCells.some((cell) => cell.includes(`\`${name}\``))).toBe(true);
    },
  );

  it('are all in the lock file, those of other machines as well: npm ci asks for them', () => {
    const { packages } = JSON.parse(
      readFileSync(join(packageRoot, 'package-lock.json'), 'utf8'),
    ) as { packages: Record<string, Record<string, Record<string, string> | undefined>> };
    const isThere = (name: string, from: string): boolean =>
      `${from}node_modules/${name}` in packages ||
      (from !== '' && isThere(name, from.slice(0, from.slice(0, -1).lastIndexOf('node_modules/'))));
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
        .filter((name) => !isThere(name, path === '' ? '' : `${path}/`))
        .map((name) => `${path} -> ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

const textOf = (file: string) => readFileSync(join(packageRoot, file), 'utf8');
const documents = ['', 'docs', 'siege', 'bench'].flatMap((folder) =>
  readdirSync(join(packageRoot, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** Returns the text of a document without its blocks of code. */
const proseOf = (text: string) => text.replace(/^```.*?^```/gms, '');

/** Returns the texts in backticks of a document. */
function namesIn(text: string): string[] {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, name]) => name!);
}

describe('documents', () => {
  it('have every metric as it is (npm run conf)', () => {
    const text = textOf('docs/metrics.md');
    expect(text).toBe(withMetricsTable(text));
  });

  /** The anchors of a document's headings, as GitHub makes them. */
  function anchorsOf(file: string): string[] {
    return [...proseOf(textOf(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  }

  it.each(documents)('%s links to files and headings that there are', (file) => {
    const links = [...proseOf(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    const broken = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(packageRoot, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

const SETTINGS: readonly string[] = [...optionKeys, ...constantKeys];
const SECTIONS = new Set(SETTINGS.map((key) => key.split('.')[0]));
const METRICS: ReadonlySet<string> = new Set(metricNames);

/** Returns the names of options and constants in backticks; `*` stands for a part of them. */
function settingsIn(text: string): string[] {
  return namesIn(text).flatMap((name) => {
    const [, key, section] = /^(([a-z0-9]+)\.[a-z0-9_*]+)(?: = .*)?$/.exec(name) ?? [];
    return key !== undefined && SECTIONS.has(section) && !/\.(?:ts|md)$/.test(key) ? [key] : [];
  });
}

/** The CHANGELOG also names what is gone. */
describe.each(documents.filter((file) => file !== 'CHANGELOG.md'))('names in %s', (file) => {
  const text = textOf(file);

  it('are those of files and folders that there are', () => {
    const files = text.match(/(?<![\w/.*-])(?:[\w-]+\/)+[\w.-]+\.ts\b/g) ?? [];
    const folders = namesIn(text).filter((name) =>
      /^(?:src|test|workers|bench|siege|docs|deploy)\/[\w./-]*$/.test(name),
    );
    const bases = ['', 'src', dirname(file)].map((base) => join(packageRoot, base));
    const isThere = (path: string) => bases.some((base) => existsSync(join(base, path)));
    expect([...files, ...folders].filter((path) => !isThere(path))).toEqual([]);
  });

  it('are those of options and constants that there are', () => {
    // Methods of the admin worker have names of the same form, such as `retention.task`.
    const rpcMethods = textOf('src/admin/rpc-methods.ts');
    const unknown = settingsIn(text).filter((key) => {
      const pattern = new RegExp(`^${key.replaceAll('*', '\\w+')}$`);
      return !SETTINGS.some((one) => pattern.test(one)) && !rpcMethods.includes(`'${key}'`);
    });
    expect(unknown).toEqual([]);
  });
});

describe('names', () => {
  const deployed = ['prometheus/prometheus.yml', 'prometheus/wok-alerts.yml', 'grafana/wok.json'];
  const places = [...documents, ...deployed.map((name) => `deploy/${name}`)];

  it.each(places)('of metrics in %s are those of metrics that there are', (file) => {
    const names = textOf(file).match(/\bwok_[a-z0-9_]+\b(?!\*)/g) ?? [];
    const unknown = names.filter(
      (name) => !METRICS.has(name) && !METRICS.has(name.replace(/_(?:bucket|sum|count)$/, '')),
    );
    expect(unknown).toEqual([]);
  });

  it('are found in what says what is defended', () => {
    const security = textOf('docs/security.md');
    const tests = namesIn(security).filter((name) => name.startsWith('test/'));
    expect(new Set(tests).size).toBeGreaterThan(30);
    expect(new Set(settingsIn(security)).size).toBeGreaterThan(50);
    const text = '`io.port`, `io.path = "/"`, `rates.*_x`, `io.ts`, `a.b`';
    expect(settingsIn(text)).toEqual(['io.port', 'io.path', 'rates.*_x']);
  });
});

describe('identifiers in the glossary', () => {
  const codeOf = new Map([...src, ...workers].map(({ file, code }) => [file, code]));
  const rows = textOf('docs/glossary.md').match(/^\|.*\|$/gm)!;
  const cells = rows.map((row) => row.split('|').at(-2)!);

  it('are in the code', () => {
    const code = [...codeOf.values(), textOf('schema.sql')];
    const words = new Set(code.flatMap((one) => one.match(/\w+/g)!));
    const identifiers = cells.flatMap(namesIn).filter((name) => /^\w+$/.test(name));
    expect(identifiers.length).toBeGreaterThan(100);
    expect(identifiers.filter((name) => !words.has(name))).toEqual([]);
  });

  it('are in the files that are named with them', () => {
    const inside = /((?:`\w+`, )*`\w+`) in `([\w./-]+\.ts)`/g;
    const places = [
      ...cells.flatMap((cell) => [...cell.matchAll(inside)]),
      ...rows.flatMap((row) => [...row.matchAll(/^\| (`\w+`) \|.*\| `([\w./-]+\.ts)` \|$/g)]),
    ];
    expect(places.length).toBeGreaterThan(100);
    const wrong = places.filter(([, names, path]) => {
      const code = codeOf.get(`src/${path}`) ?? codeOf.get(path!) ?? '';
      return namesIn(names!).some((name) => !new RegExp(`\\b${name}\\b`).test(code));
    });
    expect(wrong.map(([, names, path]) => `${names} in ${path}`)).toEqual([]);
  });
});

/** Lines that a function or closure of the tests has at most. */
const CLOSURE_LINES_MAX = 80;

interface Closure {
  /** Line on which it begins, with its parameters. */
  line: number;
  /** Number of its lines, with that one. */
  lines: number;
}

/**
 * Returns the functions and closures of a source that take several lines. It has to be formatted:
 * the line that opens one then ends with a brace, a bracket or an arrow, and the line that closes
 * it has the same indentation. What an arrow at the end of a line opens is indented below it.
 */
function closuresOf(source: string): Closure[] {
  const lines = source.split('\n');
  const opens = /(?:=>|=> (?:new )?[\w.]*[({[]+|\)(?:: .+)? \{)$/;
  const statement = /^ *(?:\} )?(?:else )?(?:if|for|while|switch|catch)\b/;
  const endsParameters = /^ *(?:\}?\)(?:: .+)?(?: =>| \{)|\}: )/;
  const indentOf = (line: string) => line.search(/\S|$/);
  return lines.flatMap((line, at) => {
    if (!opens.test(line) || statement.test(line)) return [];
    const indent = indentOf(line);
    const isOutside = (other: string) => other !== '' && indentOf(other) <= indent;
    const closes = new RegExp(`^ {${indent}}[)\\]}]`);
    const first = endsParameters.test(line) ? lines.slice(0, at).findLastIndex(isOutside) : at;
    const below = lines.slice(at + 1);
    const end = below.findIndex(
      line.endsWith('=>') ? isOutside : (other, n) => n === below.length - 1 || closes.test(other),
    );
    const last = line.endsWith('=>')
      ? below.slice(0, end < 0 ? undefined : end).findLastIndex((other) => other !== '')
      : end;
    return [{ line: first + 1, lines: at - first + last + 2 }];
  });
}

describe('functions and closures of the tests', () => {
  it.each<[string, string, Closure[]]>([
    ['of one line', 'const a = () => {};\nconst b = () => f({ c: 1 });\n', []],
    ['with a body', 'f(() => {\n  g();\n\n  h();\n});\n', [{ line: 1, lines: 5 }]],
    ['with a value', 'const a = () => ({\n  b: 1,\n});\n', [{ line: 1, lines: 3 }]],
    [
      'below an arrow',
      '  f(() =>\n    g({\n      a,\n    }));\n\n  h();\n',
      [{ line: 1, lines: 4 }],
    ],
    ['below the last arrow', 'const f = () =>\n  1;\n', [{ line: 1, lines: 2 }]],
    [
      'in one another',
      'f(() => {\n  g(() => {\n    1;\n  });\n});\n',
      [
        { line: 1, lines: 5 },
        { line: 2, lines: 3 },
      ],
    ],
    [
      'with a table in front',
      "it.each([\n  1,\n])('%i', (a) => {\n  a;\n});\n",
      [{ line: 3, lines: 3 }],
    ],
    ['declared', 'async function f(): Promise<{ a: 1 }> {\n  g();\n}\n', [{ line: 1, lines: 3 }]],
    [
      'with parameters below',
      'function f(\n  a: 1,\n): void {\n  g();\n}\n',
      [{ line: 1, lines: 5 }],
    ],
    ['with parts of a parameter', 'f(({\n  a,\n}) => {\n  a;\n});\n', [{ line: 1, lines: 5 }]],
    ['that are methods', 'class A {\n  b(): void {\n    c();\n  }\n}\n', [{ line: 2, lines: 3 }]],
    ['with statements', 'f(() => {\n  if (a) {\n    b();\n  }\n});\n', [{ line: 1, lines: 5 }]],
    ['with text', 'f(() => {\n  const a = `\nb\n  `;\n});\n', [{ line: 1, lines: 5 }]],
  ])('are found: those %s', (_, source, closures) => {
    expect(closuresOf(source)).toEqual(closures);
  });

  it(`have at most ${CLOSURE_LINES_MAX} lines`, () => {
    const files = read('test').filter(({ file }) => !file.startsWith('test/fixtures/'));
    const found = files.flatMap(({ file }) =>
      closuresOf(readFileSync(join(packageRoot, file), 'utf8')).map((one) => ({ file, ...one })),
    );
    expect(found.length).toBeGreaterThan(3_000);
    const long = found.filter(({ lines }) => lines > CLOSURE_LINES_MAX);
    expect(long.map(({ file, line, lines }) => `${file}:${line} has ${lines}`)).toEqual([]);
  });
});

/** Pronouns that stand in a comment or a text instead of a term of the field. */
const RIDDLES = /\b(?:nobody|somebody|everybody|anybody|whoever|whom|whomever)\b/i;
const COMMENT_COLUMNS_MAX = 100;

interface Literal {
  /** Text between the quotes, without the expressions of a template. */
  text: string;
  line: number;
}

/** Returns the string literals and templates of a source text, also those inside of templates. */
function literalsOf(source: string): Literal[] {
  const found: Literal[] = [];
  const lineAt = (at: number) => source.slice(0, at).split('\n').length;
  const comment = /\/\/[^\n]*|\/\*.*?\*\//sy;
  const quoted = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/sy;
  const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
  const isAt = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  /** Reads code up to the end, or up to the brace that closes an expression of a template. */
  const code = (start: number): number => {
    let depth = 0;
    let before = '';
    let at = start;
    while (at < source.length) {
      const char = source[at]!;
      const skipped =
        isAt(comment, at) ??
        (/^$|[(,=:[!&|?{};+>]$|\breturn$/.test(before) ? isAt(regex, at) : null);
      const text = isAt(quoted, at);
      if (skipped !== null) at += skipped[0].length;
      else if (text !== null) {
        found.push({ text: text[1] ?? text[2]!, line: lineAt(at) });
        at += text[0].length;
        before = "'";
      } else if (char === '`') {
        at = template(at + 1);
        before = '`';
      } else {
        if (char === '{') depth++;
        if (char === '}' && depth-- === 0) return at + 1;
        if (char.trim() !== '') before = `${before}${char}`.slice(-8);
        at++;
      }
    }
    return at;
  };
  const template = (start: number): number => {
    let text = '';
    let at = start;
    while (at < source.length && source[at] !== '`') {
      if (source.startsWith('${', at)) {
        text += ' ';
        at = code(at + 2);
      } else {
        const length = source[at] === '\\' ? 2 : 1;
        text += source.slice(at, at + length);
        at += length;
      }
    }
    found.push({ text, line: lineAt(start) });
    return at + 1;
  };
  code(0);
  return found;
}

describe('texts for people', () => {
  const literals = all.flatMap(({ file }) =>
    literalsOf(readFileSync(join(packageRoot, file), 'utf8')).map((one) => ({ file, ...one })),
  );

  it('are found, inside of templates as well, and nothing else is', () => {
    expect(literals.length).toBeGreaterThan(10_000);
    const source = "f(/'/, `a $<b ? 'c d' : `e $<g} h`} i`, \"it's\"); // 'k'\nconst l = 'm\\'n';";
    expect(literalsOf(source.replaceAll('<', '{'))).toEqual([
      { text: 'c d', line: 1 },
      { text: 'e   h', line: 1 },
      { text: 'a   i', line: 1 },
      { text: "it's", line: 1 },
      { text: "m\\'n", line: 2 },
    ]);
  });

  it('use none of the words that name no one', () => {
    const riddles = literals.filter(({ text }) => RIDDLES.test(text));
    expect(riddles.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
  });
});

describe('comments', () => {
  const files = [...all, ...read('test')].map(({ file }) => ({
    file,
    lines: readFileSync(join(packageRoot, file), 'utf8').split('\n'),
  }));
  const comments = files.flatMap(({ file, lines }) =>
    lines.flatMap((line, n) =>
      /^\s*(?:\/\*\*?|\*|\/\/)/.test(line) ? [{ place: `${file}:${n + 1}`, line }] : [],
    ),
  );

  it('are found at all', () => {
    expect(comments.length).toBeGreaterThan(3_000);
  });

  it('open every file and say what it is', () => {
    const without = files.filter(({ lines }) => {
      const [first = '', second = ''] = lines;
      return !/^\/[/*]/.test(first.startsWith('#!') ? second : first);
    });
    expect(without.map(({ file }) => file)).toEqual([]);
  });

  it('use none of the words that name no one', () => {
    expect(comments.filter(({ line }) => RIDDLES.test(line)).map(({ place }) => place)).toEqual([]);
  });

  it('begin with a noun or a verb', () => {
    const asked = /^\s*\/\*\*\s+(?:What|Whether|Who|How|Where)\b/;
    expect(comments.filter(({ line }) => asked.test(line)).map(({ place }) => place)).toEqual([]);
  });

  it('name files that there are', () => {
    const known = files.map(({ file }) => `/${file}`);
    const named = comments.flatMap(({ place, line }) =>
      [...line.matchAll(/[\w./-]+\.ts\b(?!x)/g)].map(([name]) => ({ place, name })),
    );
    expect(named.length).toBeGreaterThan(100);
    const wrong = named.filter(
      ({ name }) => !known.some((file) => file.endsWith(`/${name.replace(/^(\.\.?\/)+/, '')}`)),
    );
    expect(wrong.map(({ place, name }) => `${place}: ${name}`)).toEqual([]);
  });

  it('are no wider than code', () => {
    const wide = comments.filter(({ line }) => line.length > COMMENT_COLUMNS_MAX);
    expect(wide.map(({ place }) => place)).toEqual([]);
  });
});
