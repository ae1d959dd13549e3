// Messages between the threads of the relay: their types, the binary encoding of each, and the
// order rules that senders and receivers keep. It holds no state.

/**
 * Map of all messages that cross a thread, in the order of the data path.
 *
 * ```text
 *  sockets ─▶ io ─Frame▶ ingester ─CheckedEvent▶ writer ─AcceptedEvent▶ monitor ─Delivery▶ io
 *                            │                      ├─AcceptedTerms▶ query
 *                            │                      └─Answer▶ io
 *                            │                      └─Vanished▶ io ─Barrier▶ query, monitor
 *                            ├─Answer▶ io
 *                            ├─PluginAsk▶ plugins ─PluginVerdict▶ ingester
 *                            └─QueryRequest▶ query ─Stored▶ io ─Room▶ query
 *                                              └─Handover▶ monitor ─Behind, ReadersApplied▶ query
 * ```
 *
 * The stations keep these order rules. Each has a test in `test/stress/order.test.ts`, the last one
 * in `test/stress/vanish-order.test.ts`:
 *
 * 1. OK true is sent after the commit that holds the event, never before.
 * 2. All messages about one connection go through the same ingester worker, and all messages about
 *    one subscription through the same query worker (both `connId % lanes`), CLOSE and disconnect
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
 * turn; links that carry a structured message now and then use msgpackr.
 */

/** Value in place of a connection id, which begins with 1: the record is of another type. */
export const NO_CONNECTION = 0;
