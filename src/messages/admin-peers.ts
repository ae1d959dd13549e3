// Messages of the peers worker to the admin worker: the states of the relays of [[peers]]. It holds
// no state.

/** Message with the states of all peers, in the order of the configuration. */
export interface PeersMessage {
  readonly peers: readonly PeerStatus[];
}

/** State of the exchange with another relay. Times are seconds since 1970. */
export interface PeerStatus {
  readonly name: string;
  readonly url: string;
  readonly direction: 'both' | 'down' | 'up';
  /** `waiting`: it cannot be reached, and is tried again. */
  readonly state: 'connecting' | 'live' | 'waiting';
  /** Time since which it is in this state. */
  readonly since: number;
  /** Reason why the last connection failed or ended; '' if none has. */
  readonly failure: string;
  /** Seconds since all events were known to be exchanged; 0: they are. */
  readonly lagSeconds: number;
  /** Time of the last comparison, and what it found missing; null: there was none yet. */
  readonly comparedAt: number | null;
  readonly missingHere: number;
  readonly missingThere: number;
  readonly down: PeerCounts;
  readonly up: PeerCounts;
}

/** Events that were offered to one side since the start of the relay, by result. */
export interface PeerCounts {
  readonly stored: number;
  /** It had them already. */
  readonly known: number;
  readonly refused: number;
  readonly bytes: number;
  /** Reasons of refusals with their counts, the most frequent first. */
  readonly reasons: readonly (readonly [reason: string, count: number])[];
}
