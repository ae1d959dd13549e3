// Messages between the threads of the relay: their types, the binary encoding of each, and the
// order rules that senders and receivers keep. It holds no state.

/**
 * Map of all messages that cross a thread, in the order of the data path.
 *
 * ```text
 *  sockets ─▶ io ─Frame▶ ingester ─CheckedEvent▶ writer ─AcceptedEvent▶ monitor ─Delivery▶ io
 *                            │                      ├─TailEntry▶ query
 *                            │                      ├─LogChange▶ sync
 *                            │                      └─Answer, Vanished▶ io ─Barrier▶ query, monitor
 *                            ├─Answer▶ io
 *                            ├─PluginAsk▶ plugins ─PluginResponse▶ ingester
 *                            ├─SyncRequest▶ sync ─Answer▶ io
 *                            └─QueryRequest▶ query ─QueryRecord▶ io ─WindowUpdate▶ query
 *                                              └─Handover▶ monitor ─ReadersApplied▶ query
 *                                                                  └─CatchUpRequest▶ query
 * ```
 *
 * Beside it: admin ─Change▶ writer, admin ─ListUpdate▶ ingester, admin ─ForIo▶ io, and
 * peers ─PeersMessage▶ admin.
 *
 * The stations keep these order rules. Each has a test in `test/stress/order.test.ts`, the last one
 * in `test/stress/vanish-order.test.ts`:
 *
 * 1. OK true is sent after the commit that holds the event, never before.
 * 2. All messages about one connection go through the same ingester worker, and all messages about
 *    one subscription through the same query worker (both `connId % workers`), CLOSE and disconnect
 *    included, so nothing overtakes its own hand-over.
 * 3. Stored hands over to live by sequence number: query answers from a snapshot at seq S and gives
 *    the subscription to monitor with S; monitor first replays the events after S, or, if it keeps
 *    too few, has query send them out of the log while the subscription is live already. Each
 *    matching event arrives exactly once, whatever commits meanwhile.
 * 4. Every queue has a bound and a written answer to "full" (the table in docs/architecture.md).
 * 5. OK true to a request to vanish (NIP-62) is the last frame about its key: it waits until all
 *    events that the request covers are removed, and then until io has read what every query worker
 *    and monitor sent before they knew of the removal (`Barrier`).
 *
 * Links that carry bodies or many small records are binary (`channel/records.ts`), one batch a
 * turn, each record with its type in the first byte (`RECORDS`); links that carry a structured
 * message now and then use msgpackr, with its type in `t` where there are several.
 */

/**
 * Record types: the first byte of every binary record, by link. The codec of the link says what
 * follows. Records of writer → query have no types: a batch is one head and entries of one form.
 */
export const RECORDS = {
  /** io → ingester (`io-ingester.ts`). */
  ioIngester: { frame: 1, disconnected: 2, connected: 3, arrived: 4, refusedReq: 5 },
  /** ingester → io, writer → io and sync → io (`answers.ts`). */
  answers: { answer: 1, close: 2, left: 3, vanished: 4 },
  /** writer → monitor (`writer-monitor.ts`). */
  writerMonitor: { accepted: 1, removed: 2 },
  /** writer → sync (`writer-sync.ts`). */
  writerSync: { begin: 1, end: 2, added: 3, removed: 4 },
  /** query → io (`query-io.ts`). */
  queryIo: {
    open: 1,
    events: 2,
    eose: 3,
    closed: 4,
    gone: 5,
    answer: 6,
    closeConnection: 7,
    hold: 8,
    resume: 9,
    mark: 10,
  },
  /** io → query and io → monitor (`io-query.ts`). */
  fromIo: { windowUpdate: 1, barrier: 2 },
  /** monitor → io (`monitor-io.ts`). */
  monitorIo: { delivery: 1, hold: 2, mark: 3 },
} as const;
