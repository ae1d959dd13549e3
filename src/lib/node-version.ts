/** The oldest Node.js that wok runs with; `engines` in package.json begins with it. */
export const NODE_VERSION_MIN = '20.19.0';

/**
 * What is wrong with this Node.js, in a sentence for the operator; null when nothing is. Files beside
 * this one that need a newer one cannot even be loaded, so this is asked before they are.
 */
export function nodeProblem(version: string): string | null {
  const [have, need] = [version, NODE_VERSION_MIN].map((one) => one.split('.').map(Number));
  const [major = 0, minor = 0] = have!;
  const [needMajor = 0, needMinor = 0] = need!;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return null;
  return (
    `this is Node.js ${version}, and wok needs ${needMajor}.${needMinor} or newer of 20, or 22, 24 or 25 (these want glibc ` +
    '2.38). The packages of Debian 12 and Ubuntu 24.04 are older; install one from nodesource.com or nodejs.org for everybody, ' +
    'then install wok again with it'
  );
}
