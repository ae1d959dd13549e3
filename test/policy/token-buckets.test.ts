// Unit tests of the token buckets that all threads share (TokenBuckets), with a property test
// against unbounded buckets, and of the parsers of rates and networks.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRate } from '../../src/config/rate.ts';
import { NetworkSet } from '../../src/lib/network-set.ts';
import { quotaNames } from '../../src/policy/rates/networks.ts';
import { type QuotaKey, TokenBuckets } from '../../src/policy/rates/token-buckets.ts';

const RATE = { perSecond: 2, burst: 5 };

/**
 * Charges `cost` if the bucket allows it. Returns the time to wait, in milliseconds; 0 if charged.
 */
function take(buckets: TokenBuckets, quota: QuotaKey, now: number, cost = 1): number {
  const wait = buckets.wait(quota, 0, RATE, now);
  if (wait === 0) buckets.charge(quota, 0, RATE, cost, now);
  return wait;
}

describe('token buckets', () => {
  const quota = (tag: number): QuotaKey => ({ tag, row: 0 });

  it('give the burst at once, then the rate, and the time to wait', () => {
    const buckets = new TokenBuckets(TokenBuckets.share(64, 1), 1);
    const one = quota(77);
    for (let i = 0; i < 5; i++) expect(take(buckets, one, 1000)).toBe(0);
    const wait = take(buckets, one, 1000);
    expect(wait).toBeCloseTo(500);
    expect(take(buckets, one, 1000 + wait - 1)).toBeGreaterThan(0);
    expect(take(buckets, one, 1000 + wait)).toBe(0);
    expect(take(buckets, one, 1000 + wait)).toBeGreaterThan(0);
    for (let i = 0; i < 5; i++) expect(take(buckets, one, 60_000)).toBe(0);
    expect(take(buckets, one, 60_000)).toBeGreaterThan(0);
  });

  it('may be overdrawn once, and fill up from there', () => {
    const buckets = new TokenBuckets(TokenBuckets.share(64, 1), 1);
    expect(take(buckets, quota(5), 0, 50)).toBe(0);
    expect(take(buckets, quota(5), 22_999)).toBeGreaterThan(0);
    expect(take(buckets, quota(5), 23_000)).toBe(0);
  });

  it('are shared by all threads with the same memory', () => {
    const shared = TokenBuckets.share(64, 1);
    const [a, b] = [new TokenBuckets(shared, 1), new TokenBuckets(shared, 1)];
    for (let i = 0; i < 5; i++) expect(take(i % 2 === 0 ? a : b, quota(9), 10)).toBe(0);
    expect(take(a, quota(9), 10)).toBeGreaterThan(0);
    expect(take(b, quota(9), 10)).toBeGreaterThan(0);
  });

  it('never refuse what unbounded buckets would accept, and seldom forget', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 2, max: 90 }), fc.nat(300)), { maxLength: 600 }),
        (steps) => {
          const buckets = new TokenBuckets(TokenBuckets.share(32, 1), 1);
          const exact = new Map<number, number>();
          const quotas = new Map<number, QuotaKey>();
          let now = 0;
          for (const [holder, pause] of steps) {
            now += pause;
            if (!quotas.has(holder)) quotas.set(holder, quota(holder * 7919));
            const full = Math.max(exact.get(holder) ?? 0, now);
            const mayPass = full - now <= 2000 + 1e-6;
            const passed = take(buckets, quotas.get(holder)!, now) === 0;
            if (mayPass) expect(passed).toBe(true);
            if (passed) exact.set(holder, full + 500);
          }
        },
      ),
    );
  });

  it('forget the account that is nearest to a full bucket when there is no space', () => {
    const buckets = new TokenBuckets(TokenBuckets.share(8, 1), 1);
    for (let tag = 1; tag <= 8; tag++) buckets.block(quota(tag), 0, tag * 1000, 0);
    buckets.block(quota(9), 0, 9000, 0);
    expect(buckets.debt(quota(1), 0, 0)).toBe(0);
    for (let tag = 2; tag <= 9; tag++) expect(buckets.debt(quota(tag), 0, 0)).toBe(tag * 1000);
  });
});

describe('parseRate', () => {
  it.each([
    ['20/s', 20, 20],
    ['20/s burst 500', 20, 500],
    ['6/min', 0.1, 6],
    ['36/h burst 1', 0.01, 1],
    ['86400/day', 1, 86_400],
    ['1MiB/s burst 64MiB', 1 << 20, 64 << 20],
    ['256KiB/s', 256 << 10, 256 << 10],
    ['1M/s burst 30M', 1e6, 3e7],
    ['2k / min', 2000 / 60, 2000],
  ])('%s', (text, perSecond, burst) => {
    const rate = parseRate(text)!;
    expect(rate.perSecond).toBeCloseTo(perSecond);
    expect(rate.burst).toBe(burst);
  });

  it.each(['', '20', '20/', '20/sec', '0/s', '5/s burst 0', '-1/s', '1.5/s', 'burst 5', '5/s 9'])(
    'not %j',
    (text) => expect(parseRate(text)).toBeUndefined(),
  );
});

describe('networks', () => {
  const bits = { ipv4Network: 24, ipv6Address: 64, ipv6Network: 48 };

  it.each([
    ['192.0.2.77', '192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ])('%s', (ip, address, network) => {
    expect(quotaNames(ip, bits)).toEqual({ address, network });
  });

  it('cuts at any bit', () => {
    const { network } = quotaNames('10.255.255.255', { ...bits, ipv4Network: 13 });
    expect(network).toBe('10.248.0.0/13');
  });

  it('hold addresses of their family, and nothing that is none', () => {
    const some = new NetworkSet(['10.0.0.0/8', '::1', 'fd00::/8', '192.0.2.1']);
    for (const ip of ['10.9.8.7', '::1', 'fd12::1', '192.0.2.1', '::ffff:10.0.0.1']) {
      expect(some.has(ip)).toBe(true);
    }
    for (const ip of ['11.0.0.1', '::2', 'fe00::1', '192.0.2.2', '', 'unix']) {
      expect(some.has(ip)).toBe(false);
    }
    expect(new NetworkSet(['::ffff:198.51.100.0/120']).has('198.51.100.7')).toBe(true);
  });
});
