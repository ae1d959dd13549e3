// Check of the Node.js version. Imports nothing, so that it loads with any version.

/** Oldest supported version of Node.js; `engines` in package.json begins with it. */
export const NODE_VERSION_MIN = '20.19.0';

/**
 * Returns the problem with this version of Node.js, as a sentence for the operator, or null. Other
 * files of wok need a supported version to load at all, so this check runs before they are
 * imported.
 */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needMajor = 0, needMinor = 0] = NODE_VERSION_MIN.split('.').map(Number);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return null;
  return (
    `this is Node.js ${version}, and wok needs ${needMajor}.${needMinor} or newer of 20, or 22, 24 or 25 (these need glibc ` +
    '2.38). The packages of Debian 12 and Ubuntu 24.04 are older; install one system-wide from nodesource.com or nodejs.org, ' +
    'then install wok again with it'
  );
}
