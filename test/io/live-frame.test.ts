// Unit tests of LiveEvent and LiveFrame, the frames of live events that subscriptions share.

import { describe, expect, it } from 'vitest';
import { LiveEvent, LiveFrame } from '../../src/io/live-frame.ts';
import { eventPrefix } from '../../src/protocol/answers.ts';

function frameOf(subId: string, content: string, shared: boolean): LiveFrame {
  const json = JSON.stringify({ content });
  return new LiveFrame(Buffer.from(eventPrefix(subId)), Buffer.from(json), shared);
}

describe('a live event', () => {
  it('has one frame for all who share a subscription id, and another for the next', () => {
    const memory = Buffer.from('{"content":"live"}');
    const event = new LiveEvent(memory);
    memory.fill('x');
    const [two, one] = [
      { prefix: Buffer.from(''), size: 2 },
      { prefix: Buffer.from(''), size: 1 },
    ];
    const shared = event.frameFor(two, Buffer.from('["EVENT","a",'));
    expect(event.frameFor(two, Buffer.from('["EVENT","a",'))).toBe(shared);
    const other = event.frameFor(one, Buffer.from('["EVENT","b",'));
    expect(String(other.bytes)).toBe('["EVENT","b",{"content":"live"}]');
    expect(String(shared.bytes)).toBe('["EVENT","a",{"content":"live"}]');
  });
});

describe('a live frame', () => {
  it('is an EVENT message, and knows its length before it is put together', () => {
    for (const content of ['', 'ä€😀', 'x'.repeat(70_000)]) {
      for (const shared of [false, true]) {
        const frame = frameOf('a "quoted" id', content, shared);
        const { length } = frame;
        const bytes = frame.bytes;
        expect(JSON.parse(String(bytes))).toEqual(['EVENT', 'a "quoted" id', { content }]);
        expect(bytes.length).toBe(length);
      }
    }
  });

  it('is put together once for all who share it, and keeps what it is', () => {
    const frame = frameOf('s', 'first', true);
    const { bytes } = frame;
    expect(frameOf('s', 'other', false).bytes).toBeDefined();
    expect(frame.bytes).toBe(bytes);
    expect(String(bytes)).toBe('["EVENT","s",{"content":"first"}]');
  });

  it('comes out right each time though all that are not shared use the same memory', () => {
    const [first, second] = [frameOf('1', 'first', false), frameOf('2', 'second', false)];
    expect(String(first.bytes)).toBe('["EVENT","1",{"content":"first"}]');
    expect(String(second.bytes)).toBe('["EVENT","2",{"content":"second"}]');
    expect(String(first.bytes)).toBe('["EVENT","1",{"content":"first"}]');
  });
});
