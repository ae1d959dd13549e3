// Write rules that match content and tag values against regular expressions (RE2).

import type { Config } from '../../config/options.ts';
import { compileRe2 } from '../../lib/re2.ts';
import type { WriteRule } from '../rule.ts';

/**
 * Returns the rule for denied content, as regular expressions with the syntax and the guarantee of
 * RE2: time linear in the text, whatever the expression and the text.
 */
export function contentPatternsRule({ policy }: Config): WriteRule | null {
  if (policy.content_patterns_denied.length === 0) return null;
  const patterns = policy.content_patterns_denied.map((text) => compileRe2(text));
  return {
    name: 'content-patterns',
    stage: 'claimed',
    check({ event: { content } }) {
      if (content === '') return null;
      for (let i = 0; i < patterns.length; i++) {
        if (patterns[i]!.test(content))
          return 'blocked: the content matches a pattern that this relay does not accept';
      }
      return null;
    },
  };
}

/** Returns the rule for denied tag values: `t=(?i)^nsfw$` matches the first value of a `t` tag. */
export function tagPatternsRule({ policy }: Config): WriteRule | null {
  if (policy.tag_patterns_denied.length === 0) return null;
  const patterns = policy.tag_patterns_denied.map((text) => {
    const at = text.indexOf('=');
    return { name: text.slice(0, at), pattern: compileRe2(text.slice(at + 1)) };
  });
  return {
    name: 'tag-patterns',
    stage: 'claimed',
    check({ event: { tags } }) {
      for (const { name, pattern } of patterns) {
        for (const tag of tags) {
          if (tag[0] === name && tag[1] !== undefined && pattern.test(tag[1])) {
            return `blocked: the tag ${JSON.stringify(name)} matches a pattern that this relay does not accept`;
          }
        }
      }
      return null;
    },
  };
}
