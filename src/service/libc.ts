// Calls of the C library for which Node.js has no API, through koffi (Linux with glibc only), and
// the socket operations built on them.

import { openDescriptors } from '../lib/descriptors.ts';
import { requireOptional } from '../lib/optional-package.ts';

/**
 * Part of koffi's interface that is used (its own types are unavailable where the package is
 * absent).
 */
interface Koffi {
  load(path: string): { func(definition: string): unknown };
  struct(name: string, members: Readonly<Record<string, string>>): unknown;
}

/**
 * C library calls for which Node.js has no API. They take numbers and buffers of the caller, and
 * keep no reference to them. Each returns -1 when it fails.
 */
export interface Libc {
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
  getsockname(fd: number, address: Buffer, length: Buffer): number;
  shutdown(fd: number, how: number): number;
  socket(domain: number, type: number, protocol: number): number;
  sendto(
    fd: number,
    bytes: Buffer,
    length: number,
    flags: number,
    address: Buffer,
    addressLength: number,
  ): number;
  close(fd: number): number;
  /** Present in glibc only. */
  malloc_trim(pad: number): number;
  /** Calls setsockopt for a socket filter, the one option with a pointer in its value. */
  setFilter(
    fd: number,
    level: number,
    name: number,
    program: { len: number; filter: Buffer },
    length: number,
  ): number;
}

const DEFINITIONS: Readonly<Record<Exclude<keyof Libc, 'setFilter'>, string>> = {
  getsockopt: 'int getsockopt(int fd, int level, int name, uint8_t *value, uint8_t *length)',
  setsockopt:
    'int setsockopt(int fd, int level, int name, const uint8_t *value, unsigned int length)',
  getsockname: 'int getsockname(int fd, uint8_t *address, uint8_t *length)',
  shutdown: 'int shutdown(int fd, int how)',
  socket: 'int socket(int domain, int type, int protocol)',
  sendto:
    'long sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, unsigned int address_length)',
  close: 'int close(int fd)',
  malloc_trim: 'int malloc_trim(size_t pad)',
};

let loaded: Libc | null | undefined;

/** Returns the C library through koffi; null where there is no koffi, or no Linux with glibc. */
export function libc(): Libc | null {
  if (loaded === undefined) loaded = load();
  return loaded;
}

function load(): Libc | null {
  if (process.platform !== 'linux') return null;
  try {
    const koffi = requireOptional('koffi') as Koffi;
    const library = koffi.load('libc.so.6');
    const calls = Object.entries(DEFINITIONS).map(([name, text]) => [name, library.func(text)]);
    koffi.struct('wok_sock_fprog', { len: 'uint16_t', filter: 'const uint8_t *' });
    const setFilter = library.func(
      'int setsockopt(int fd, int level, int name, const wok_sock_fprog *value, unsigned int length)',
    );
    return { ...Object.fromEntries(calls), setFilter } as Libc;
  } catch {
    return null;
  }
}

const SOCKADDR_BYTES = 128;
const AF_INET = 2;
const AF_INET6 = 10;

/** Returns the TCP port that a socket of this process is bound to; 0 for anything else. */
export function localPort(c: Libc, fd: number): number {
  const address = Buffer.alloc(SOCKADDR_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(SOCKADDR_BYTES);
  if (c.getsockname(fd, address, length) !== 0) return 0;
  const family = address.readUInt16LE(0);
  return family === AF_INET || family === AF_INET6 ? address.readUInt16BE(2) : 0;
}

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_INFO_BYTES = 256;
/** Offset of `tcpi_bytes_received`. */
const BYTES_RECEIVED_AT = 128;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_ACCEPTCONN = 30;
const SO_MEMINFO = 55;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const BPF_RET_K = 0x06;
const SOCK_FPROG_BYTES = 16;

/** Returns the descriptor of the socket of this process that listens on a TCP port. */
export function listeningSocket(c: Libc, port: number): number | undefined {
  return openDescriptors().find((fd) => localPort(c, fd) === port && isListening(c, fd));
}

/** Returns true for a socket that accepts connections. */
export function isListening(c: Libc, fd: number): boolean {
  const value = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(4);
  return (
    c.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, length) === 0 && value.readUInt32LE() === 1
  );
}

/** Offsets in the answer to SO_MEMINFO (linux/sock_diag.h). */
const USED_AT = 0;
const SIZE_AT = 4;
const MEMINFO_BYTES = 64;
const MEMINFO_BYTES_MIN = SIZE_AT + 4;
const memoryInfo = Buffer.alloc(MEMINFO_BYTES);
const memoryInfoLength = Buffer.alloc(4);

/**
 * Returns the size of a socket's receive buffer, as set by `setReceiveBuffer`, and how much of it
 * is in use, in bytes with the kernel's own records halved; null for anything but a socket.
 */
export function receiveBuffer(c: Libc, fd: number): { bytes: number; used: number } | null {
  memoryInfoLength.writeUInt32LE(MEMINFO_BYTES);
  if (c.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memoryInfo, memoryInfoLength) !== 0) return null;
  if (memoryInfoLength.readUInt32LE() < MEMINFO_BYTES_MIN) return null;
  return {
    bytes: memoryInfo.readUInt32LE(SIZE_AT) / 2,
    used: memoryInfo.readUInt32LE(USED_AT) / 2,
  };
}

/** Returns the number of bytes that a TCP socket has received; 0 for anything else. */
export function receivedBytes(c: Libc, fd: number): number {
  const info = tcpInfo(c, fd, BYTES_RECEIVED_AT + 8);
  return info === null ? 0 : Number(info.readBigUInt64LE(BYTES_RECEIVED_AT));
}

const information = Buffer.alloc(TCP_INFO_BYTES);
const informationLength = Buffer.alloc(4);

/**
 * Returns the kernel's `struct tcp_info` of a socket (linux/tcp.h), in memory that the next call
 * reuses; null for anything but a TCP socket, and if the kernel knows fewer than `bytesMin` bytes.
 */
export function tcpInfo(c: Libc, fd: number, bytesMin: number): Buffer | null {
  informationLength.writeUInt32LE(TCP_INFO_BYTES);
  if (c.getsockopt(fd, IPPROTO_TCP, TCP_INFO, information, informationLength) !== 0) return null;
  return informationLength.readUInt32LE() < bytesMin ? null : information;
}

/**
 * Sets the size of a socket's receive buffer in bytes; Linux takes twice as much, for its own
 * records. Connections inherit it from the socket that accepts them. What was received already
 * stays. Returns false if the kernel refuses.
 */
export function setReceiveBuffer(c: Libc, fd: number, bytes: number): boolean {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(bytes);
  return c.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, 4) === 0;
}

/**
 * Makes the kernel give new connections to one of the sockets that listen on a port together, by
 * its number; when there is none of this number, to any of them. Returns false if the kernel
 * refuses.
 */
export function steerTo(c: Libc, fd: number, number: number): boolean {
  // The filter has one instruction: return the number.
  const filter = Buffer.alloc(8);
  filter.writeUInt16LE(BPF_RET_K, 0);
  filter.writeUInt32LE(number, 4);
  const program = { len: 1, filter };
  return c.setFilter(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, SOCK_FPROG_BYTES) === 0;
}
