// Listening socket and HTTP routes of the relay, in the main thread.

import type {
  HttpRequest,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
} from 'uWebSockets.js';
import type { Config } from '../config/options.ts';
import type { ProxyFault } from '../config/proxy-advice.ts';
import { element, present } from '../lib/assert.ts';
import { loadUws } from '../lib/uws.ts';
import type { AdminCall, InfoChanges } from '../messages/admin-io.ts';
import { localSource } from '../messages/io-ingester.ts';
import { EXPOSITION_TYPE } from '../metrics/render.ts';
import { localSocketFile } from '../paths.ts';
import { Certificate } from './certificate.ts';
import { ClientAddress } from './client-address.ts';
import type { Connection, SocketData } from './connection.ts';
import { answer, CORS, type Header } from './http-answer.ts';
import type { AdmissionReason, HttpResource } from './io-meter.ts';
import { LocalSocket } from './local-socket.ts';
import { type CallClient, Management, refuseMethod } from './management.ts';
import type { Pages } from './pages.ts';
import type { Reach } from './proxy-watch.ts';
import { acceptsNostrJson, relayInformation } from './relay-information.ts';
import { type HttpResponse, type ServerSocket, utf8 } from './uws.ts';

const TEXT_HEADERS: readonly Header[] = [...CORS, ['Content-Type', 'text/plain; charset=utf-8']];
const INFORMATION_HEADERS: readonly Header[] = [
  ...CORS,
  ['Vary', 'Accept'],
  ['Content-Type', 'application/nostr+json'],
];

/** LIBUS_LISTEN_EXCLUSIVE_PORT and its opposite; the typings declare an enum that is not there. */
const EXCLUSIVE_PORT = 1;
const SHARED_PORT = 0;

type ListenWithOptions = (
  host: string,
  port: number,
  options: number,
  done: (socket: us_listen_socket | false) => void,
) => TemplatedApp;

/** Interval of the checks for a changed certificate. */
const CERTIFICATE_MILLISECONDS = 15_000;

/** Method that the typings lack: called back with 1 for a new socket, with -1 after its close. */
type FilterConnections = (filter: (res: HttpResponse, change: 1 | -1) => void) => void;

type Upgrade = (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void;

/** Origin of a local connection that names none, and the longest name. */
const LOCAL = 'local';
const ORIGIN_CHARACTERS_MAX = 512;
const NO_LOCAL_PATH = 'not found; the paths of this socket are /import, /stream and /sync\n';

/** Health of the relay, with the reason if it is bad. */
export interface Health {
  /** True if every station answers and new events are stored. */
  healthy: boolean;
  /** True if every station answers. A full disk is no reason to restart the relay. */
  alive: boolean;
  reason: string;
}

/** Error for an address that cannot be listened on; the message names it. */
export class ListenError extends Error {
  override name = 'ListenError';
}

/** Rejection of a WebSocket, for the metrics and as an HTTP response. */
export interface NotAdmitted {
  reason: AdmissionReason;
  status: string;
  text: string;
  /** Seconds for `Retry-After`. */
  retrySeconds?: number;
}

/** Callbacks of the listener for events on sockets. */
export interface SocketHandlers {
  /** Returns true if there are too many sockets, given the number that are no WebSockets. */
  crowded(pending: number): boolean;
  /** Returns a rejection before the handshake (`503 …` and a sentence), or null. */
  admit(ip: string): NotAdmitted | null;
  /** Returns a rejection of a local connection before the handshake, or null. */
  admitLocal(): NotAdmitted | null;
  open(socket: ServerSocket, data: SocketData): Connection;
  message(connection: Connection, message: ArrayBuffer, isBinary: boolean): void;
  /** Called for a ping, which was answered, or a pong; `bytes` is the length of its payload. */
  control(connection: Connection, bytes: number, isPing: boolean): void;
  drain(connection: Connection): void;
  /** Called after a close; `status` and `sentence` are the client's, or uWebSockets.js's (1006). */
  close(connection: Connection, status: number, sentence: string): void;
  /** Called for a request of the management API (NIP-86). */
  manage(res: HttpResponse, req: HttpRequest, ip: string): void;
  /** Called for a request of the admin page. */
  call(res: HttpResponse, req: HttpRequest, call: AdminCall['call'], client: CallClient): void;
  /** Called for a request without a known client address; `proxy` may be one that hides it. */
  unnamed(req: HttpRequest, proxy: string, fault: ProxyFault, reach: Reach): void;
  /** Called after the rejection of a WebSocket. */
  refused(reason: AdmissionReason): void;
  /** Returns the metrics in the Prometheus text format. */
  metrics(): string;
  /** Called after the certificate was renewed, or with the reason why it could not be. */
  certificate(problem: Error | null): void;
  /** Called after the response to an HTTP request. */
  served(resource: HttpResource): void;
  /** Pages for browsers. */
  readonly pages: Pages;
  health(): Health;
}

/**
 * Listener: the listening socket and the HTTP side of the relay. Every response closes its
 * connection. A socket that has not completed a request is closed by `service/handshakes.ts`, or by
 * uWebSockets.js 8 to 12 seconds after it connected (always, once a TLS handshake has begun):
 * uWebSockets.js exposes no identity of a socket before the upgrade.
 */
export class Listener {
  /** Port that is listened on; chosen by the system if the configured one is 0. */
  port = 0;
  /** Pending sockets: accepted, not yet upgraded or closed; bound: `io.connections_max`. */
  pending = 0;
  readonly #uws = loadUws();
  #config: Config;
  readonly #handlers: SocketHandlers;
  /** Apps of uWebSockets.js; the last accepts connections, the others keep their older ones. */
  readonly #apps: TemplatedApp[] = [];
  readonly #certificate: Certificate | null;
  #certificateTimer: NodeJS.Timeout | null = null;
  #clientAddress: ClientAddress;
  /** Relay information document. */
  #information: Buffer;
  #configured: Config['info'];
  #changes: InfoChanges = {};
  #listenSocket: us_listen_socket | null = null;
  #localSocket: LocalSocket | null = null;

  constructor(config: Config, handlers: SocketHandlers) {
    this.#config = config;
    this.#handlers = handlers;
    this.#clientAddress = new ClientAddress(config.io.trusted_proxies);
    this.#information = utf8(relayInformation(config));
    this.#configured = config.info;
    this.#certificate = Certificate.of(config);
  }

  /** Applies a configuration to later requests and connections. */
  reconfigure(config: Config): void {
    this.#configured = config.info;
    const { self = '', ...changes } = this.#changes;
    config = { ...config, info: { ...config.info, ...changes } };
    this.#config = config;
    this.#clientAddress = new ClientAddress(config.io.trusted_proxies);
    this.#information = utf8(relayInformation(config, self));
    this.#handlers.pages.reconfigure(config);
  }

  /** Applies changes of the relay's description at run time. */
  describe(changes: InfoChanges): void {
    this.#changes = changes;
    this.reconfigure({ ...this.#config, info: this.#configured });
  }

  /**
   * Listens; resolves once connections are accepted. `port` is one that another process of this
   * relay listens on and hands over; the kernel gives each of the two some of the clients.
   *
   * @throws ListenError, CertificateError
   */
  async listen(port = 0): Promise<void> {
    this.#newApp();
    if (port === 0) {
      // An exclusive bind proves that no other program has the port; then it is shared, for a
      // successor.
      await this.#listen(this.#config.io.port, EXCLUSIVE_PORT);
      this.stopListening();
    }
    await this.#listen(port || this.port, SHARED_PORT);
    if (this.#certificate) this.#watchCertificate();
  }

  /**
   * Listens on the socket for local programs, by which commands bring events into the running
   * relay. Without it the relay still serves the network. @returns the problem if there is none.
   */
  async listenLocally(): Promise<Error | null> {
    const app = this.#uws.App();
    this.#webSocket(app, '/*', (res, req, context) => this.#upgradeLocal(res, req, context));
    app.any('/*', (res) => answerText(res, '404 Not Found', NO_LOCAL_PATH));
    this.#apps.push(app);
    try {
      this.#localSocket = await LocalSocket.listen(
        app,
        localSocketFile(this.#config.storage.directory),
      );
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  /** True if clients connect by wss and https. */
  get encrypted(): boolean {
    return this.#certificate !== null;
  }

  /**
   * Uses the current certificate files for new connections; open ones keep theirs. Returns false if
   * the files have not changed. @throws CertificateError if they cannot be used; the old one stays.
   */
  async renewCertificate(): Promise<boolean> {
    if (!this.#certificate?.changed()) return false;
    this.#newApp();
    const before = this.#listenSocket;
    await this.#listen(this.port, SHARED_PORT);
    if (before) this.#uws.us_listen_socket_close(before);
    return true;
  }

  #watchCertificate(): void {
    const look = () => {
      this.renewCertificate().then(
        (renewed) => renewed && this.#handlers.certificate(null),
        (error: Error) => this.#handlers.certificate(error),
      );
    };
    this.#certificateTimer = setInterval(look, CERTIFICATE_MILLISECONDS);
    this.#certificateTimer.unref();
  }

  #newApp(): void {
    const app = this.#certificate ? this.#uws.SSLApp(this.#certificate.take()) : this.#uws.App();
    this.#watchPendingSockets(app as unknown as { filter: FilterConnections });
    this.#routes(app);
    this.#apps.push(app);
  }

  #listen(port: number, sharing: number): Promise<void> {
    const { host } = this.#config.io;
    // The binary also takes a host; the typings do not.
    const app = element(this.#apps.at(-1));
    const listen = app.listen.bind(app) as unknown as ListenWithOptions;
    return new Promise((resolve, reject) => {
      listen(host, port, sharing, (socket) => {
        if (!socket) {
          reject(
            new ListenError(
              `cannot listen on ${host} port ${port}: it is in use, or this user may not bind it`,
            ),
          );
          return;
        }
        this.#listenSocket = socket;
        this.port = this.#uws.us_socket_local_port(socket as never);
        resolve();
      });
    });
  }

  /** Stops accepting connections; open ones stay. */
  stopListening(): void {
    if (this.#listenSocket) this.#uws.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
  }

  /** Listens on the same port again; does nothing while it listens. @throws ListenError */
  async listenAgain(): Promise<void> {
    if (this.#listenSocket === null) await this.#listen(this.port, SHARED_PORT);
  }

  /** Closes all sockets at once. */
  close(): void {
    this.stopListening();
    this.#localSocket?.close();
    this.#localSocket = null;
    if (this.#certificateTimer) clearInterval(this.#certificateTimer);
    for (const app of this.#apps) app.close();
  }

  /** Counts pending sockets and closes new ones beyond the bounds. */
  #watchPendingSockets(app: { filter: FilterConnections }): void {
    const count = (res: HttpResponse, change: 1 | -1): void => {
      this.pending += change;
      if (change < 0) return;
      const { connections_max: max } = this.#config.io;
      if (this.pending > max || this.#handlers.crowded(this.pending)) res.close();
    };
    app.filter(count);
  }

  #routes(app: TemplatedApp): void {
    const { path } = this.#config.io;
    this.#webSocket(app, path, (res, req, context) => this.#upgrade(res, req, context));
    app.get(path, (res, req) => this.#root(res, req));
    app.post(path, (res, req) => this.#post(res, req));
    app.head(path, (res, req) => {
      if (this.#isPage(req)) this.#handlers.pages.home(res, req, true);
      else answerText(res, '200 OK', '');
    });
    app.options(path, (res) => answer(res, '204 No Content', CORS, ''));
    app.get('/health', (res) => this.#health(res, 'healthy'));
    app.get('/health/live', (res) => this.#health(res, 'alive'));
    app.get('/metrics', (res) => {
      if (this.#config.metrics.public) this.#metrics(res);
      else this.#nothing(res);
    });
    for (const call of ['login', 'logout', 'api'] as const) {
      app.post(`/admin/${call}`, (res, req) => this.#call(res, req, call));
      app.head(`/admin/${call}`, (res) => this.#notPost(res, true));
      app.get(`/admin/${call}`, (res) => this.#notPost(res, false));
      app.any(`/admin/${call}`, (res) => this.#notPost(res, false));
    }
    app.get('/*', (res, req) => this.#other(res, req, false));
    app.head('/*', (res, req) => this.#other(res, req, true));
    app.any('/*', (res) => this.#nothing(res));
  }

  #call(res: HttpResponse, req: HttpRequest, call: AdminCall['call']): void {
    if (!this.#config.pages.admin) {
      this.#nothing(res);
      return;
    }
    this.#handlers.served('admin');
    const peer = peerOf(res);
    const [scheme = ''] = req.getHeader('x-forwarded-proto').split(',');
    const byProxy = this.#clientAddress.trusts(peer) && scheme.trim().toLowerCase() === 'https';
    const ip = this.#clientOf(peer, req);
    this.#handlers.call(res, req, call, { ip, encrypted: this.encrypted || byProxy });
  }

  /** Answers methods other than POST without CORS headers, so that cross-origin preflights fail. */
  #notPost(res: HttpResponse, isHead: boolean): void {
    if (!this.#config.pages.admin) {
      this.#nothing(res);
      return;
    }
    this.#handlers.served('admin');
    refuseMethod(res, isHead);
  }

  /** Serves pages at / and below, whatever the path of the relay is. */
  #other(res: HttpResponse, req: HttpRequest, isHead: boolean): void {
    const { pages } = this.#handlers;
    if (this.#isPage(req)) pages.home(res, req, isHead);
    else if (!pages.other(res, req, isHead)) this.#nothing(res);
  }

  #isPage(req: HttpRequest): boolean {
    return req.getUrl() === '/' && this.#handlers.pages.wants(req);
  }

  #health(res: HttpResponse, asked: 'healthy' | 'alive'): void {
    this.#handlers.served('health');
    const health = this.#handlers.health();
    answerText(res, health[asked] ? '200 OK' : '503 Service Unavailable', `${health.reason}\n`);
  }

  #metrics(res: HttpResponse): void {
    this.#handlers.served('metrics');
    answer(res, '200 OK', [['Content-Type', EXPOSITION_TYPE]], this.#handlers.metrics());
  }

  #nothing(res: HttpResponse): void {
    this.#handlers.served('other');
    const { path } = this.#config.io;
    answerText(res, '404 Not Found', `not found; the relay is at ${path}\n`);
  }

  #webSocket(app: TemplatedApp, path: string, upgrade: Upgrade): void {
    const { io, limits } = this.#config;
    const { message, control, drain, close, open } = this.#handlers;
    app.ws<SocketData>(path, {
      compression: this.#compression(),
      // Twice the limit, so that a message beyond it can be answered with close code 1009.
      maxPayloadLength: limits.message_bytes_max * 2,
      // No bound here: `Outbound` has it, and cuts a client off instead of dropping messages.
      maxBackpressure: 0,
      idleTimeout: io.idle_timeout_seconds,
      sendPingsAutomatically: io.ping,
      maxLifetime: 0,
      upgrade,
      open: (socket) => {
        const data = socket.getUserData();
        if (data.source === 'client') this.pending--;
        data.connection = open(socket, data);
      },
      message: (socket, bytes, isBinary) => message(connectionOf(socket), bytes, isBinary),
      ping: (socket, payload) => control(connectionOf(socket), payload.byteLength, true),
      pong: (socket, payload) => control(connectionOf(socket), payload.byteLength, false),
      drain: (socket) => drain(connectionOf(socket)),
      close: (socket, status, sentence) =>
        close(connectionOf(socket), status, Buffer.from(sentence).toString()),
    });
  }

  #upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const ip = this.#clientOf(peerOf(res), req);
    const { allowed_origins: origins } = this.#config.io;
    const origin = req.getHeader('origin');
    if (origins.length > 0 && origin !== '' && !origins.includes(origin)) {
      this.#handlers.refused('origin');
      answerText(res, '403 Forbidden', 'this origin is not allowed to connect to this relay\n');
      return;
    }
    const refusal = this.#handlers.admit(ip);
    if (refusal) {
      this.#handlers.refused(refusal.reason);
      answerText(res, refusal.status, refusal.text, refusal.retrySeconds);
      return;
    }
    upgrade(res, req, context, {
      source: 'client',
      ip,
      host: req.getHeader('host'),
      connection: null,
    });
  }

  /** Upgrades a local connection, which is subject to no limits of admission. */
  #upgradeLocal(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const source = localSource(req.getUrl());
    const refusal = this.#handlers.admitLocal();
    if (source === null) answerText(res, '404 Not Found', NO_LOCAL_PATH);
    else if (refusal) answerText(res, refusal.status, refusal.text);
    else {
      const origin = (req.getQuery('origin') ?? '').slice(0, ORIGIN_CHARACTERS_MAX);
      const ip = /^[\x21-\x7e]+$/.test(origin) ? origin : LOCAL;
      upgrade(res, req, context, { source, ip, host: '', connection: null });
    }
  }

  #root(res: HttpResponse, req: HttpRequest): void {
    if (acceptsNostrJson(req.getHeader('accept'))) {
      this.#handlers.served('information');
      answer(res, '200 OK', INFORMATION_HEADERS, this.#information);
      return;
    }
    if (this.#isPage(req)) {
      this.#handlers.pages.home(res, req);
      return;
    }
    this.#handlers.served('page');
    const { name, description } = this.#config.info;
    const about = description === '' ? '' : `${description}\n\n`;
    answerText(
      res,
      '200 OK',
      `${name}\n\n${about}This is a Nostr relay; connect to it with a Nostr client.\n`,
    );
  }

  #post(res: HttpResponse, req: HttpRequest): void {
    if (!Management.concerns(req)) {
      this.#handlers.served('other');
      answerText(res, '404 Not Found', 'not found; this path does not accept POST\n');
      return;
    }
    this.#handlers.served('admin');
    this.#handlers.manage(res, req, this.#clientOf(peerOf(res), req));
  }

  /**
   * Returns the client's address. A proxy that does not pass it on is reported only for requests
   * with a client that counts for limits: health checks of proxies use GET and have no client.
   */
  #clientOf(peer: string, req: HttpRequest): string {
    const { ip, fault } = this.#clientAddress.of(peer, this.#clientAddressesIn(req));
    if (fault !== null) this.#handlers.unnamed(req, ip, fault, this);
    return ip;
  }

  /**
   * Returns all values of the client address header: some proxies append theirs as a separate
   * header, after a forged one of the client.
   */
  #clientAddressesIn(req: HttpRequest): string {
    const header = this.#config.io.client_address_header;
    const values: string[] = [];
    req.forEach((name, value) => {
      if (name === header) values.push(value);
    });
    return values.join(',');
  }

  #compression(): number {
    const { compression } = this.#config.io;
    const uws = this.#uws;
    if (compression === 'off') return uws.DISABLED;
    return compression === 'shared'
      ? uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR
      : uws.DEDICATED_COMPRESSOR_8KB | uws.DEDICATED_DECOMPRESSOR_8KB;
  }
}

function upgrade(
  res: HttpResponse,
  req: HttpRequest,
  context: us_socket_context_t,
  data: SocketData,
): void {
  res.upgrade<SocketData>(
    data,
    asReceived(req.getHeader('sec-websocket-key')),
    asReceived(req.getHeader('sec-websocket-protocol')),
    asReceived(req.getHeader('sec-websocket-extensions')),
    context,
  );
}

/** Returns the connection of a socket; `open` sets it before any other callback. */
function connectionOf(socket: { getUserData(): SocketData }): Connection {
  return present(socket.getUserData().connection, 'connection of an open socket');
}

function peerOf(res: HttpResponse): string {
  return Buffer.from(res.getRemoteAddressAsText()).toString();
}

function answerText(res: HttpResponse, status: string, text: string, retrySeconds?: number): void {
  const retry: Header[] = retrySeconds === undefined ? [] : [['Retry-After', String(retrySeconds)]];
  answer(res, status, [...TEXT_HEADERS, ...retry], text);
}

/** Returns the received bytes of a header: uWebSockets.js makes a character of each byte. */
function asReceived(header: string): Buffer {
  return Buffer.from(header, 'latin1');
}
