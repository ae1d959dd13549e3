// The admin worker: one thread beside the data path for the control socket, the management API, the
// admin page, retention and metrics. The thread owns all state below.

import { loadLists } from '../access/list-rows.ts';
import type { AccessLists, ListUpdate } from '../access/lists.ts';
import { AccessListUpdater } from '../access/updater.ts';
import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import { Membership } from '../members/membership.ts';
import type {
  AdminCall,
  ForIo,
  FromIo,
  ManagementRequest,
  PageRequest,
} from '../messages/admin-io.ts';
import type { PeerStatus, PeersMessage } from '../messages/admin-peers.ts';
import type {
  Change,
  MemberAnswer,
  MemberRequest,
  SeenAddresses,
} from '../messages/admin-writer.ts';
import type { Order, StationName } from '../messages/control.ts';
import type { KeyShare, Nip05Message, VerifyRequest } from '../messages/key-lists.ts';
import type { RejectionBatch } from '../messages/rejections.ts';
import type { MetricsMemory } from '../metrics/memory.ts';
import type { Meter } from '../metrics/meter.ts';
import { renderMetrics } from '../metrics/render.ts';
import { expireLists } from '../moderation/lists.ts';
import { RejectionLog } from '../moderation/rejections.ts';
import { resumeRemovals } from '../moderation/removal.ts';
import { controlSocketFile } from '../paths.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';
import { Retention } from '../retention/retention.ts';
import { RetentionTasks } from '../retention/task.ts';
import { RpcError } from '../rpc/method.ts';
import type { Db } from '../store/database/open.ts';
import type { TermHasher } from '../store/index/terms.ts';
import type { AdminContext } from './context.ts';
import { type ControlAnswer, type ControlRequest, ControlSocket } from './control-socket.ts';
import { DashboardCache } from './dashboard/dashboards.ts';
import { HttpAuth } from './http-auth.ts';
import { infoChanges } from './info.ts';
import { answerManagement } from './management.ts';
import { EventCount } from './metrics/event-count.ts';
import { History, SAMPLE_SECONDS } from './metrics/history.ts';
import { MetricsServer } from './metrics/metrics-server.ts';
import { type Queues, Sampler } from './metrics/sampler.ts';
import { Calls } from './pages/calls.ts';
import { Proxies } from './proxies.ts';
import { makePublicPage } from './public-page.ts';
import { ReachedBy } from './reached-by.ts';
import { runRpcMethod } from './rpc-methods.ts';
import { Search } from './search/search.ts';
import { SyncTrees } from './sync-trees.ts';
import { WriterLink } from './writer-link.ts';

/** Delay before the next attempt to listen on the metrics address. */
const LISTEN_MILLISECONDS = 1_000;
/** Interval of the search for expired list entries. */
const EXPIRY_MILLISECONDS = 5_000;
const CHANGES_ROLES: ReadonlySet<Change['t']> = new Set(['role', 'unrole', 'assign', 'unassign']);
/** Maximum number of entries that leave the lists in one transaction. */
const EXPIRED_MAX = 500;

/** Parts that the worker thread hands to `Admin`. */
interface AdminParts {
  config: Config;
  db: Db;
  hasher: TermHasher;
  signature: SignatureBackend;
  clock: Clock;
  log: Log;
  /** Sends a list of keys to all ingester workers. */
  share: (share: KeyShare) => void;
  metrics: MetricsMemory;
  meter: Meter;
  queues: Queues;
  /** Sends an order to the whole process. @throws Error with a sentence. */
  order: (order: Order) => Promise<unknown>;
}

/**
 * Admin worker: everything that is neither hot nor part of serving a connection. No event of a
 * client passes through it.
 *
 * In: requests from the local control socket, and from the management API and the admin page
 * through io; membership requests, rejection records and seen addresses from the other threads.
 * Out: changes for the writer, the only thread that writes to the database; bans and allowances for
 * the ingesters and io. It owns a read-only database connection.
 *
 * Bounds: clients, length of a line and requests in flight (`control-socket.ts`), requests to the
 * writer (`writer-link.ts`), list entries (`moderation.list_entries_max`). A crashed admin worker
 * is restarted without effect on the data path; after repeated crashes it stays down, and /health
 * reports it.
 */
export class Admin implements AdminContext {
  config: Config;
  readonly db: Db;
  readonly hasher: TermHasher;
  readonly clock: Clock;
  readonly log: Log;
  readonly openedAt: number;
  readonly metrics: MetricsMemory;
  readonly sampleMetrics: () => void;
  readonly history: History;
  readonly eventCount: EventCount;
  readonly dashboards: DashboardCache;
  readonly lists: AccessLists;
  readonly rejections = new RejectionLog(this);
  readonly retention: Retention;
  readonly search = new Search(this);
  readonly retentionTasks = new RetentionTasks(this);
  readonly membership = new Membership(this);
  readonly reachedBy = new ReachedBy(this);
  readonly proxies = new Proxies(this);
  peers: readonly PeerStatus[] = [];
  readonly trees = new SyncTrees(this);
  readonly #writer = new WriterLink((batch) => this.rejections.take(batch));
  readonly #auth: HttpAuth;
  readonly #calls: Calls;
  readonly #socket: ControlSocket;
  readonly #order: AdminParts['order'];
  readonly #ingesters = new Map<number, MessageOutbox<ListUpdate | Nip05Message | MemberAnswer>>();
  readonly #accessListUpdater: AccessListUpdater;
  #io: MessageOutbox<ForIo> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sampleTimer: NodeJS.Timeout | null = null;
  #metricsServer: MetricsServer | null = null;
  #metricsTimer: NodeJS.Timeout | null = null;

  constructor(parts: AdminParts) {
    const { config, db, hasher, signature, clock, log, metrics, meter, queues, order } = parts;
    this.#order = order;
    this.config = config;
    this.db = db;
    this.hasher = hasher;
    this.clock = clock;
    this.log = log;
    this.openedAt = clock.seconds();
    this.lists = loadLists(db);
    this.metrics = metrics;
    const sampler = new Sampler({ memory: metrics, meter, queues, db, config });
    this.sampleMetrics = () => sampler.sample();
    this.history = new History(metrics);
    this.eventCount = new EventCount(db, metrics);
    this.dashboards = new DashboardCache(this);
    this.#accessListUpdater = new AccessListUpdater(this, parts.share, (message) => {
      for (const outbox of this.#ingesters.values()) outbox.send(message);
    });
    this.#auth = new HttpAuth({
      signature,
      windowSeconds: () => this.config.admin.window_seconds,
      notBefore: this.openedAt,
    });
    this.#calls = new Calls(this, this.#auth);
    this.retention = new Retention(this);
    this.#socket = new ControlSocket(controlSocketFile(config.storage.directory), (request) =>
      this.#control(request),
    );
  }

  /** Accepts requests from now on. A control socket that fails is only logged. */
  async open(): Promise<void> {
    await this.membership.open();
    try {
      await this.#socket.listen();
    } catch (error) {
      this.log.warn('the control socket cannot be opened; wok commands cannot reach this relay', {
        error: String(error),
      });
    }
    await this.#beginMetrics();
  }

  #beginMetrics(): Promise<void> {
    const look = () => {
      this.sampleMetrics();
      this.history.take(Date.now());
      this.dashboards.look();
    };
    look();
    this.#sampleTimer = setInterval(look, SAMPLE_SECONDS * 1000);
    return this.config.metrics.enabled ? this.#serveMetrics(true) : Promise.resolve();
  }

  /** Serves the metrics; retries while a predecessor that is ending holds the address. */
  async #serveMetrics(first: boolean): Promise<void> {
    const { host, port } = this.config.metrics;
    const server = new MetricsServer(() => {
      this.sampleMetrics();
      return renderMetrics(this.metrics);
    });
    try {
      const url = await server.listen(host, port);
      this.#metricsServer = server;
      this.log.info('metrics server listening', { url });
    } catch (error) {
      if (first) {
        this.log.warn(
          'the metrics server cannot listen yet, trying again; check metrics.host and metrics.port',
          {
            error: String(error),
          },
        );
      }
      this.#metricsTimer = setTimeout(() => void this.#serveMetrics(false), LISTEN_MILLISECONDS);
    }
  }

  /** Starts the periodic work, once the writer is reachable. */
  #begin(): void {
    this.#timer = setInterval(() => this.#expire(), EXPIRY_MILLISECONDS);
    this.#accessListUpdater.begin();
    this.membership.begin();
    resumeRemovals(this).catch((error) => {
      this.log.warn(
        'removal of the events of an author is incomplete; it continues at the next start',
        { error: String(error) },
      );
    });
  }

  attach(station: StationName, worker: number, channel: Channel): void {
    if (station === 'writer') {
      this.#writer.attach(channel);
      this.#begin();
    } else if (station === 'ingester') {
      const outbox = new MessageOutbox<ListUpdate | Nip05Message | MemberAnswer>(channel);
      this.#ingesters.set(worker, outbox);
      // The worker may have read the lists from the database before the latest changes.
      if (this.lists.size > 0) outbox.send({ t: 'all', entries: this.lists.entries() });
      const inbox = new MessageInbox<
        VerifyRequest | RejectionBatch | MemberRequest | SeenAddresses
      >();
      channel.receive((batch) => {
        for (const message of inbox.read(batch)) {
          if (message.t === 'rejections') this.rejections.take(message);
          else if (message.t === 'addresses') this.reachedBy.take(message);
          else if (message.t === 'member') {
            void this.membership.answer(message).then((answer) => {
              outbox.send(answer);
              outbox.flush();
            });
          } else this.#accessListUpdater.verify(message);
        }
      });
    } else if (station === 'io') {
      this.#attachIo(channel);
    } else if (station === 'sync') {
      this.trees.attach(channel);
    } else if (station === 'peers') {
      const inbox = new MessageInbox<PeersMessage>();
      channel.receive((batch) => {
        for (const { peers } of inbox.read(batch)) this.peers = peers;
      });
    }
  }

  #attachIo(channel: Channel): void {
    const outbox = new MessageOutbox<ForIo>(channel);
    this.#io = outbox;
    this.#tellBanned();
    this.describe();
    const inbox = new MessageInbox<FromIo>();
    channel.receive((batch) => {
      for (const request of inbox.read(batch)) {
        if (request.t === 'rejections') this.rejections.take(request);
        else if (request.t === 'proxies') this.proxies.take(request);
        else if (request.t === 'page') {
          outbox.send(this.#page(request));
          outbox.flush();
        } else void this.#answerHttp(request, outbox);
      }
    });
  }

  async #answerHttp(
    request: ManagementRequest | AdminCall,
    outbox: MessageOutbox<ForIo>,
  ): Promise<void> {
    const answer =
      request.t === 'call'
        ? await this.#calls.answer(request)
        : await answerManagement(request, this, this.#auth);
    outbox.send({ t: 'answer', n: request.n, ...answer });
    outbox.flush();
  }

  #page(request: PageRequest): ForIo {
    try {
      return { t: 'page', made: makePublicPage(this, request) };
    } catch (error) {
      this.log.error('the public page cannot be rendered', { error: String(error) });
      return { t: 'page', made: null };
    }
  }

  reconfigure(config: Config): void {
    this.proxies.reconfigure(config);
    this.config = config;
    this.retention.reconfigure();
    this.#accessListUpdater.reconfigure(config);
    void this.membership.reconfigure();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    if (this.#sampleTimer) clearInterval(this.#sampleTimer);
    if (this.#metricsTimer) clearTimeout(this.#metricsTimer);
    this.#metricsServer?.close();
    this.#accessListUpdater.stop();
    this.membership.stop();
    this.#socket.close();
    this.retention.stop();
    this.rejections.stop();
    this.#writer.flush();
    this.eventCount.stop();
    this.db.close();
  }

  isAdmin(pubkey: string): boolean {
    const { admin, info } = this.config;
    return pubkey === info.pubkey || admin.pubkeys.includes(pubkey);
  }

  isModerator(pubkey: string): boolean {
    return this.config.admin.moderators.includes(pubkey);
  }

  describe(): void {
    const { self } = this.membership;
    this.#io?.send({
      t: 'info',
      changes: { ...infoChanges(this.db), ...(self !== '' && { self }) },
    });
    this.#io?.flush();
  }

  publish(update: ListUpdate): void {
    this.lists.update(update);
    this.membership.listChanged(update);
    for (const outbox of this.#ingesters.values()) {
      outbox.send(update);
      outbox.flush();
    }
    const ofIps = update.t === 'drop' ? update.list === 'ip' : update.entries.some(isIp);
    if (ofIps) this.#tellBanned();
  }

  async order(order: Order): Promise<unknown> {
    try {
      return await this.#order(order);
    } catch (error) {
      throw new RpcError('refused', (error as Error).message);
    }
  }

  change(changes: readonly Change[]): Promise<readonly number[]> {
    const changed = this.#writer.change(changes);
    if (changes.some(({ t }) => CHANGES_ROLES.has(t))) {
      void changed.then(() => this.membership.changed()).catch(() => {});
    }
    return changed;
  }

  #tellBanned(): void {
    const banned = this.lists.entries('ip').filter(({ stance }) => stance === 'ban');
    const networks = banned.map(({ subject, expiresAt }) => ({
      network: subject,
      until: expiresAt,
    }));
    this.#io?.send({ t: 'banned', networks });
    this.#io?.flush();
  }

  #expire(): void {
    this.membership.giveReceipts().catch((error) => {
      this.log.warn('the receipt of a request to vanish could not be published', {
        error: String(error),
      });
    });
    expireLists(this, EXPIRED_MAX).catch((error) => {
      this.log.warn('expired list entries could not be removed, trying again later', {
        error: String(error),
      });
    });
  }

  async #control({ id, method, params }: ControlRequest): Promise<ControlAnswer> {
    try {
      return {
        id,
        result: (await runRpcMethod(method, params, this, { by: 'shell', role: 'admin' })) ?? null,
      };
    } catch (error) {
      const { message, stack = message } = error as Error;
      if (error instanceof RpcError) return { id, error: { code: error.code, message } };
      this.log.error('an RPC method failed', { method, error: stack });
      return { id, error: { code: 'crash', message } };
    }
  }
}

function isIp({ list }: { list: string }): boolean {
  return list === 'ip';
}
