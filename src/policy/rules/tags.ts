// Write rules on tags: maximum hashtags and mentions, and required tags.

import type { Config } from '../../config/options.ts';
import { holds } from '../../protocol/kind-numbers.ts';
import { kindValue } from '../../protocol/kind-values.ts';
import type { WriteRule } from '../rule.ts';

/** Returns the rule for too many hashtags (`t`). */
export function hashtagsRule({ policy: { hashtags_max: max } }: Config): WriteRule | null {
  if (max === 0) return null;
  return {
    name: 'hashtags',
    stage: 'claimed',
    check({ event: { tags } }) {
      const count = countOf(tags, 't');
      return count > max ? `blocked: too many hashtags: ${count}, the limit is ${max}` : null;
    },
  };
}

/** Returns the rule for mentions (`p`) in regular events; lists of people are replaceable. */
export function mentionsRule({ policy: { mentions_max: max } }: Config): WriteRule | null {
  if (max === 0) return null;
  return {
    name: 'mentions',
    stage: 'claimed',
    check({ event: { kind, tags } }) {
      if (tags.length <= max || !holds('regular', kind)) return null;
      const count = countOf(tags, 'p');
      return count > max
        ? `blocked: too many mentions (p tags): ${count}, the limit is ${max}`
        : null;
    },
  };
}

/** Returns the rule for tags that events of some kinds must have. */
export function requiredTagsRule({ policy }: Config): WriteRule | null {
  if (policy.tags_required.length === 0) return null;
  const required = policy.tags_required.map((text) => kindValue(text)!);
  return {
    name: 'required-tags',
    stage: 'claimed',
    check({ event: { kind, tags } }) {
      for (const { kinds, value } of required) {
        if (holds(kinds, kind) && !tags.some(([name]) => name === value)) {
          return `blocked: events of kind ${kind} must have a tag ${JSON.stringify(value)} on this relay`;
        }
      }
      return null;
    },
  };
}

function countOf(tags: readonly (readonly string[])[], name: string): number {
  let count = 0;
  for (let i = 0; i < tags.length; i++) if (tags[i]![0] === name) count++;
  return count;
}
