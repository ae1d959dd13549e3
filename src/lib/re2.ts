// Regular expressions of RE2 (re2js). The library is loaded with the first of them: most relays
// have none, and three threads would load it at every start.

import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

export type { RE2JS };

const require = createRequire(import.meta.url);
let library: typeof import('re2js') | undefined;

/** Compiles a regular expression with the syntax of RE2. @throws Error if it is wrong. */
export function compileRe2(text: string): RE2JS {
  library ??= require('re2js') as typeof import('re2js');
  return library.RE2JS.compile(text);
}
