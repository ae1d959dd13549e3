// Flood of malformed messages and broken WebSocket frames.

import { BINARY, CONTINUATION, PING, TEXT } from '../../bench/client/frames.ts';
import type { Random } from '../../bench/dataset/random.ts';
import { FIN, rawFrame } from '../attack/raw-frame.ts';
import type { Scenario } from './scenario.ts';

/** Default of `limits.message_bytes_max`. */
const MESSAGE_BYTES_MAX = 262_144;
const MUTATIONS = 400;
const MESSAGES_EACH = 200;

const text = (what: string) => rawFrame(FIN | TEXT, Buffer.from(what));
const hex = 'a'.repeat(64);
const event = (fields: string) =>
  `["EVENT",{"id":"${hex}","pubkey":"${hex}","created_at":1700000000,"kind":1,"tags":[],` +
  `"content":"","sig":"${hex}${hex}"${fields}}]`;

/** Returns malformed messages, each in its own way; the connection may go on after them. */
function wrongMessages(): Buffer[] {
  return [
    '['.repeat(MESSAGE_BYTES_MAX),
    `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
    `["REQ","x",${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}]`,
    `["REQ","x",{"limit":1e400}]`,
    `["REQ","x",{"since":-1e308,"until":${'9'.repeat(100_000)}}]`,
    `["REQ","x",{"kinds":[1.5,-1,65536,1e99,${'7,'.repeat(10_000)}7]}]`,
    `["REQ","x",{"ids":["${'f'.repeat(MESSAGE_BYTES_MAX - 100)}"]}]`,
    `["REQ","x"${',{}'.repeat(50_000)}]`,
    `["REQ","${'\\u0000'.repeat(1000)}",{}]`,
    `["REQ",${'"\\ud800",'.repeat(1000)}{}]`,
    `["COUNT","x",{"#t":[${'"",'.repeat(20_000)}""]}]`,
    `["CLOSE",${JSON.stringify('\u0007'.repeat(10_000))}]`,
    event(''),
    event(`,"content":"${'\\n'.repeat(100_000)}"`),
    event(`,"tags":[${'["t"],'.repeat(20_000)}["t"]]`),
    event(`,"created_at":${'1'.repeat(400)}`),
    event(`,"__proto__":{"kind":5},"constructor":1`),
    `${' '.repeat(MESSAGE_BYTES_MAX - 10)}[]`,
    `"${'\\'.repeat(MESSAGE_BYTES_MAX - 10)}"`,
  ].map(text);
}

/** Returns last frames of a connection: most have to end it, one may not. */
function lastFrames(random: Random): Buffer[] {
  const noise = Buffer.from(random.hex(2000), 'hex');
  const long = Buffer.alloc(MESSAGE_BYTES_MAX + 1, 0x20);
  return [
    rawFrame(FIN | TEXT, Buffer.from([0x5b, 0x22, 0xc3, 0x28, 0x22, 0x5d])),
    rawFrame(FIN | TEXT, Buffer.from([0xed, 0xa0, 0x80])),
    rawFrame(FIN | TEXT, long),
    rawFrame(FIN | TEXT, Buffer.alloc(0), { length: 2 ** 40 }),
    rawFrame(FIN | BINARY, noise),
    rawFrame(FIN | 0x40 | TEXT, Buffer.from('[]')),
    rawFrame(FIN | 0x3, noise),
    rawFrame(FIN | TEXT, Buffer.from('[]'), { masked: false }),
    rawFrame(PING, Buffer.from('a ping in two parts')),
    rawFrame(FIN | CONTINUATION, Buffer.from('of nothing')),
    noise,
    fragments(long.subarray(0, 20_000), 1),
    fragments(long, 1000),
  ];
}

/** Returns a message in fragments of `size` bytes, without the final one. */
function fragments(bytes: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    parts.push(rawFrame(at === 0 ? TEXT : CONTINUATION, bytes.subarray(at, at + size)));
  }
  return Buffer.concat(parts);
}

/** Returns a valid message with some bytes changed, doubled or left out. */
function mutation(random: Random): Buffer {
  const right = [
    event(''),
    `["REQ","x",{"authors":["${hex}"],"kinds":[1,2],"#p":["${hex}"],"since":1,"limit":5}]`,
    `["AUTH",{"kind":22242}]`,
  ];
  const bytes = [...Buffer.from(random.pick(right))];
  for (let n = random.between(1, 8); n > 0; n--) {
    const at = random.below(bytes.length);
    const what = random.below(3);
    if (what === 0) bytes[at] = random.between(0x20, 0x7e);
    else if (what === 1) bytes.splice(at, random.between(1, 20));
    else bytes.splice(at, 0, ...bytes.slice(at, at + random.between(1, 50)));
  }
  return rawFrame(FIN | TEXT, Buffer.from(bytes));
}

/** Flood of data that is no Nostr message, or no WebSocket frame. */
export const garbage: Scenario = {
  name: 'garbage',
  about:
    'nesting, huge numbers, invalid UTF-8, fragments, broken frames, mutated and too long messages',
  from: ['one', 'many', 'loopback'],
  proof: 'messages',
  async flood(attack) {
    const { random } = attack;
    const mutations = Array.from({ length: MUTATIONS }, () => mutation(random));
    const messages = [...wrongMessages(), ...mutations];
    const last = lastFrames(random);
    await attack.wires([10, 2], async (wire, number) => {
      for (let n = 0; n < MESSAGES_EACH && !attack.isOver; n++) {
        if (!(await wire.write(random.pick(messages)))) return;
        attack.count('messages');
      }
      if (!(await wire.write(last[number % last.length]!))) return;
      await Promise.race([wire.ended, attack.sleep(500)]);
    });
  },
};
