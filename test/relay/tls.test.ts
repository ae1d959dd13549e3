// Tests of built-in TLS (wss without a proxy) against a process of `wok relay`.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';

const author = new Author();
const INSECURE = { rejectUnauthorized: false };

function makeCertificate(directory: string, name: string): { cert: string; key: string } {
  const [cert, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const rest = ['-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request, ...rest], { stdio: 'ignore' });
  return { cert, key };
}

async function nameOnCertificate(port: number): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', ...INSECURE });
  await new Promise((resolve, reject) =>
    socket.once('secureConnect', resolve).once('error', reject),
  );
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

/** Returns the bytes of a ClientHello. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        resolve(bytes);
        done();
      },
    });
    connect({ socket: wire, ...INSECURE }).on('error', () => {});
  });
}

/** Resolves to the seconds until the relay has closed a socket. */
function secondsOf(socket: Socket): Promise<number> {
  const start = performance.now();
  socket.on('error', () => {});
  socket.resume();
  return new Promise((resolve) =>
    socket.once('close', () => resolve((performance.now() - start) / 1000)),
  );
}

const noOpenssl = spawnSync('openssl', ['version']).error !== undefined;

describe.skipIf(noOpenssl)('built-in TLS', () => {
  it('serves wss, and new connections get a certificate that has changed', async () => {
    const directory = freshDirectory();
    const { cert, key } = makeCertificate(directory, 'first.example');
    const wok = await WokProcess.start({ 'tls.cert': cert, 'tls.key': key });
    expect(wok.url).toMatch(/^wss:/);
    const port = Number(new URL(wok.httpUrl).port);
    const client = await Client.connect(wok.url, INSECURE);
    const event = author.event();
    expect((await client.publish(event))[2]).toBe(true);
    expect(await nameOnCertificate(port)).toBe('first.example');

    const second = makeCertificate(directory, 'second.example');
    copyFileSync(second.cert, cert);
    copyFileSync(second.key, key);
    await until(
      // A handshake at the moment of the change may be reset.
      async () => (await nameOnCertificate(port).catch(() => '')) === 'second.example',
      'the new certificate',
    );
    // Connections from before the change are not affected.
    expect((await client.query({ ids: [event.id] })).events).toEqual([event]);
    const other = await Client.connect(wok.url, INSECURE);
    expect((await other.query({ ids: [event.id] })).events).toEqual([event]);
    expect(wok.out).toContain('the TLS certificate was reloaded: new connections get the new one');

    writeFileSync(cert, 'no certificate');
    await until(() => wok.out.includes('the old one stays'), 'the complaint');
    expect(await nameOnCertificate(port)).toBe('second.example');
    wok.signal('SIGTERM');
    expect((await wok.exited).code).toBe(0);
    expect((await client.ended()).code).toBe(1001);
  });

  it('does not start with a key that is not the one, and says so', async () => {
    const directory = freshDirectory();
    const { cert } = makeCertificate(directory, 'one.example');
    const { key } = makeCertificate(directory, 'other.example');
    const wrong = WokProcess.spawn({ 'tls.cert': cert, 'tls.key': key });
    expect((await wrong.exited).code).toBe(exitCodes.config);
    expect(wrong.err).toContain('cannot be used together');
    const missing = WokProcess.spawn({ 'tls.cert': '/no/where', 'tls.key': key });
    expect((await missing.exited).code).toBe(exitCodes.config);
    expect(missing.err).toContain('cannot be read');
    const half = WokProcess.spawn({ 'tls.cert': cert });
    expect((await half.exited).code).toBe(exitCodes.config);
    expect(half.err).toContain('must be set together, or neither');
  });
});

describe.skipIf(noOpenssl)('the timeouts of built-in TLS', () => {
  it('closes who is silent before, in the middle of, and after the TLS handshake, and nobody else', async () => {
    const { cert, key } = makeCertificate(freshDirectory(), 'one.example');
    const wok = await WokProcess.start({
      'tls.cert': cert,
      'tls.key': key,
      'io.handshake_seconds': 2,
    });
    const port = Number(new URL(wok.httpUrl).port);
    const good = await Promise.all(
      Array.from({ length: 20 }, () => Client.connect(wok.url, INSECURE)),
    );
    const plain = () => connectTcp({ port, host: '127.0.0.1' });
    const secure = (version: 'TLSv1.2' | 'TLSv1.3') =>
      connect({ port, host: '127.0.0.1', minVersion: version, maxVersion: version, ...INSECURE });
    const hello = await clientHello();

    const [silent, cut, half, dripping] = [plain(), plain(), plain(), plain()];
    cut.write(hello.subarray(0, hello.length - 1));
    half.write(hello);
    dripping.write(hello);
    const begun = 'GET / HTTP/1.1\r\nHost: relay.example\r\nA: ';
    const [after, afterOld, asking] = [secure('TLSv1.3'), secure('TLSv1.2'), secure('TLSv1.3')];
    asking.once('secureConnect', () => asking.write(begun));
    // Header of a long TLS record, then its content.
    const record = [0x17, 3, 3, 0x40, 0];
    const drip = setInterval(() => {
      if (dripping.writable) dripping.write(Buffer.from([record.shift() ?? 0]));
      if (asking.writable) asking.write('a');
    }, 500);
    const [before, later] = await Promise.all([
      Promise.all([silent, cut].map(secondsOf)),
      Promise.all([half, dripping, after, afterOld, asking].map(secondsOf)),
    ]);
    clearInterval(drip);
    for (const seconds of before) expect(seconds).toBeGreaterThan(1.8);
    // Timeout of uWebSockets.js, which counts in steps of 4 s.
    for (const seconds of later) expect(seconds).toBeGreaterThan(6);
    expect(Math.max(...before)).toBeLessThan(Math.min(...later));
    await Promise.all(good.map((client) => client.sync()));
    for (const { socket } of good) socket.terminate();
  });
});
