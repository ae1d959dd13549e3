// Rates of a peer: unit tests with a clock of their own.

import { describe, expect, it } from 'vitest';
import { Throttle } from '../../src/peers/throttle.ts';

describe('a throttle', () => {
  it('lets a burst go, then as many a second as its rate', () => {
    let time = 0;
    const throttle = new Throttle({ perSecond: 10, burst: 3 }, null, () => time);
    for (let n = 0; n < 3; n++) {
      expect(throttle.waitMilliseconds).toBe(0);
      throttle.take(1_000);
    }
    expect(throttle.waitMilliseconds).toBe(0);
    throttle.take(1_000);
    expect(throttle.waitMilliseconds).toBeCloseTo(100);
    time += 60;
    expect(throttle.waitMilliseconds).toBeCloseTo(40);
    time += 10_000;
    for (let n = 0; n < 4; n++) throttle.take(1_000);
    expect(throttle.waitMilliseconds).toBeCloseTo(100);
  });

  it('counts bytes too, and waits for the slower of both', () => {
    let time = 0;
    const throttle = new Throttle(
      { perSecond: 10, burst: 1 },
      { perSecond: 1_000, burst: 1_000 },
      () => time,
    );
    throttle.take(500);
    throttle.take(2_500);
    expect(throttle.waitMilliseconds).toBeCloseTo(2_000);
    time += 2_000;
    expect(throttle.waitMilliseconds).toBeCloseTo(0);
  });

  it('tells when a budget is of use again', () => {
    let time = 0;
    const budget = { perSecond: 1, burst: 2_400 };
    const throttle = new Throttle(null, budget, () => time);
    expect(throttle.usefulMilliseconds).toBe(0);
    throttle.take(3_400);
    expect(throttle.waitMilliseconds).toBeCloseTo(1_000_000);
    expect(throttle.usefulMilliseconds).toBeCloseTo(1_100_000);
    time += 1_100_000;
    expect(throttle.usefulMilliseconds).toBeCloseTo(0);
  });

  it('without rates never waits', () => {
    const throttle = new Throttle(null, null);
    throttle.take(1e12);
    expect(throttle.waitMilliseconds).toBe(0);
  });
});
