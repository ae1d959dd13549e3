// Kinds that may be written: policy.kinds_allowed and policy.kinds_denied at their edges, against
// an in-process relay over real sockets.

import { describe, expect, it } from 'vitest';
import { accepted, refused } from '../support/answers.ts';
import { Author } from '../support/author.ts';
import { useRelay } from '../support/use-relay.ts';

describe('kinds_allowed and kinds_denied', () => {
  const use = useRelay({
    'policy.kinds_allowed': ['1', '30000-39999'],
    'policy.kinds_denied': ['30023', '31000-31999'],
  });

  it.each([1, 30_000, 30_022, 30_024, 30_999, 32_000, 39_999])('take kind %i', async (kind) => {
    const event = new Author().event({ kind });
    expect(await use.client.publish(event)).toEqual(accepted(event));
  });

  it.each([0, 2, 29_999, 30_023, 31_000, 31_999, 40_000, 65_535])(
    'refuse kind %i',
    async (kind) => {
      const event = new Author().event({ kind });
      const answer = await use.client.publish(event);
      expect(answer).toEqual(refused(event, 'blocked'));
      expect(answer[3]).toContain(`kind ${kind}`);
    },
  );
});

describe('kinds_denied alone', () => {
  const use = useRelay({ 'policy.kinds_denied': ['4'] });

  it('refuses those and takes all others', async () => {
    const author = new Author();
    const [denied, fine] = [author.event({ kind: 4 }), author.event({ kind: 65_535 })];
    expect(await use.client.publish(denied)).toEqual(refused(denied, 'blocked'));
    expect(await use.client.publish(fine)).toEqual(accepted(fine));
  });
});
