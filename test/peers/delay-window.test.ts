// Window of a sender in the background: unit tests.

import { expect, it } from 'vitest';
import { DelayWindow } from '../../src/peers/delay-window.ts';

/** Returns the events of a window after so many rounds with this time to an answer. */
function after(window: DelayWindow, rounds: number, milliseconds: (events: number) => number) {
  for (let round = 0; round < rounds; round++) {
    const { events } = window;
    for (let n = 0; n < events; n++) window.took(milliseconds(events));
  }
  return window.events;
}

it('is as large as what a receiver answers in time', () => {
  const window = new DelayWindow(1_000);
  // A receiver that needs 0.25 ms an event: 48 in 12 ms.
  const settled = after(window, 50, (events) => events * 0.25);
  expect(settled).toBeGreaterThan(30);
  expect(settled).toBeLessThan(65);
  // A slower one, then a fast one, and the bounds.
  expect(after(window, 50, (events) => events * 1)).toBeLessThan(20);
  expect(after(window, 50, () => 500)).toBe(8);
  expect(after(window, 200, () => 1)).toBe(1_000);
});
