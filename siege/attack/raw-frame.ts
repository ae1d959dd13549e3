// Encoder of single WebSocket frames, valid or not.

/** FIN bit in the first byte of a frame: the last frame of a message. */
export const FIN = 0x80;
const MASKED = 0x80;
const KEY = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/**
 * Returns a WebSocket frame as requested, also one that RFC 6455 forbids.
 *
 * @param first FIN, reserved bits and opcode.
 * @param length length in the header, when it is not that of the payload.
 */
export function rawFrame(
  first: number,
  payload: Uint8Array,
  { masked = true, length = payload.length } = {},
): Buffer {
  const header = Buffer.alloc(10);
  header[0] = first;
  const flag = masked ? MASKED : 0;
  let size = 2;
  if (length < 126) {
    header[1] = flag | length;
  } else if (length < 65_536) {
    header[1] = flag | 126;
    size = header.writeUInt16BE(length, 2);
  } else {
    header[1] = flag | 127;
    size = header.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([header.subarray(0, size), payload]);
  const body = Buffer.from(payload);
  for (let at = 0; at < body.length; at++) body[at]! ^= KEY[at & 3]!;
  return Buffer.concat([header.subarray(0, size), KEY, body]);
}
