// Failures of another relay.

/** Failure of a connection to another relay; the message is a sentence without a full stop. */
export class PeerError extends Error {
  override name = 'PeerError';
}
