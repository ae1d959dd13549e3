// Environment variables that plugin processes receive.

/**
 * Variables that programs need to find their interpreter and files, and to format text and time.
 */
const PASSED: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
]);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the environment of a plugin: a few variables of the relay's own, the locale (`LC_…`),
 * and those that its entry names with `env=`. All others are withheld, because the environment
 * holds secrets of the relay and of its service manager.
 */
export function pluginEnvironment(
  named: readonly string[],
  env: Environment = process.env,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const isPassed = PASSED.has(name) || name.startsWith('LC_') || named.includes(name);
    if (isPassed && value !== undefined) passed[name] = value;
  }
  return passed;
}
