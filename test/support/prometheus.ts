// Strict parser of the Prometheus text format 0.0.4: it throws at any text that Prometheus rejects.

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?!$)|$)/;

/** Parses an exposition into its families by name. @throws Error with the offending line. */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let family: Family | null = null;
  let help: [string, string] | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line);
    if (comment?.[1] === 'HELP') {
      if (/\\(?![\\n])/.test(comment[3]!)) throw new Error(`wrong escape: ${line}`);
      help = [comment[2]!, comment[3]!];
    } else if (comment) {
      const [, , name, type] = comment;
      if (families.has(name!)) throw new Error(`a second family ${name}`);
      if (help?.[0] !== name) throw new Error(`${name} has no help`);
      if (!/^(counter|gauge|histogram)$/.test(type!)) throw new Error(`unknown type: ${line}`);
      family = { name: name!, type: type as Family['type'], help: help![1], samples: [] };
      families.set(name!, family);
    } else {
      const sample = parseSample(line);
      if (family === null || !belongs(sample.name, family)) {
        throw new Error(`${sample.name} stands outside of its family`);
      }
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`a second sample: ${line}`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const one of families.values()) checkFamily(one);
  return families;
}

function parseSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  if (!match) throw new Error(`no sample: ${line}`);
  const [, name, labelText = '', valueText] = match;
  const labels: Record<string, string> = {};
  for (let rest = labelText; rest !== ''; ) {
    const label = LABEL.exec(rest);
    if (!label) throw new Error(`wrong labels: ${line}`);
    if (label[1]! in labels) throw new Error(`a label twice: ${line}`);
    labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    rest = rest.slice(label[0].length);
  }
  if (valueText!.includes('Infinity')) throw new Error(`not how Prometheus writes it: ${line}`);
  const value = Number(valueText!.replace(/^([+-]?)Inf$/, '$1Infinity'));
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return { name: name!, labels, value };
}

function belongs(name: string, { name: family, type }: Family): boolean {
  return type === 'histogram'
    ? new RegExp(`^${family}_(bucket|sum|count)$`).test(name)
    : name === family;
}

function checkFamily({ name, type, samples }: Family): void {
  if (samples.length === 0) throw new Error(`${name} has no samples`);
  if (type === 'counter' && !/_total$/.test(name)) throw new Error(`${name} lacks _total`);
  if (type !== 'histogram') {
    if (type === 'counter' && samples.some(({ value }) => value < 0)) throw new Error(name);
    return;
  }
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...others } = sample.labels;
    const key = JSON.stringify(Object.entries(others).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((one) => one.name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => Number(labels.le!.replace('Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    const count = group.find((one) => one.name.endsWith('_count'))?.value;
    const ascending = (list: number[]) => list.every((n, i) => i === 0 || n >= list[i - 1]!);
    const complete = bounds.at(-1) === Number.POSITIVE_INFINITY && counts.at(-1) === count;
    const sums = group.filter((one) => one.name.endsWith('_sum')).length;
    if (!complete || sums !== 1 || !ascending(bounds) || !ascending(counts)) {
      throw new Error(`${name}${key} is no histogram`);
    }
  }
}

/**
 * Returns the value of the sample with these labels (and maybe others). @throws unless it is one.
 */
export function sampleOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const found = family?.samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found?.length !== 1) {
    throw new Error(`${found?.length ?? 0} samples of ${name} ${JSON.stringify(labels)}`);
  }
  return found[0]!.value;
}
