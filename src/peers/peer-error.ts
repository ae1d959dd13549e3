// Failures of another relay.

/** Failure of a connection to another relay; the message is a sentence without a full stop. */
export class PeerError extends Error {
  override name = 'PeerError';
}

/** End of the exchange with a relay whose rate is used up for a long time. */
export class RateError extends PeerError {
  constructor(milliseconds: number) {
    super(`its rate is used up for ${Math.ceil(milliseconds / 1000)} s`);
  }
}
