// Unit test of residentBytes, while Node.js cannot tell.

import { expect, it, vi } from 'vitest';
import { residentBytes } from '../../src/lib/resident-memory.ts';

it('without a free file descriptor returns what it returned last', () => {
  const known = residentBytes();
  expect(known).toBeGreaterThan(10_000_000);
  const rss = vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => {
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  });
  expect(residentBytes()).toBe(known);
  rss.mockRestore();
});
