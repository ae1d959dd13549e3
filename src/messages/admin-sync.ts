// Messages between admin worker and sync: the filters whose events are kept in trees. It holds no
// state.

/** Messages of the admin worker to sync. */
export type ToSync =
  /** All filters that were added at run time, as JSON, without those of the configuration. */
  | { readonly t: 'filters'; readonly filters: readonly string[] }
  /** Filter whose tree is to be loaded anew. */
  | { readonly t: 'rebuild'; readonly filter: string };

/** Tree of a filter. */
export interface TreeSize {
  /** Filter as it was given; '' for the tree of all events. */
  readonly filter: string;
  readonly events: number;
  /** True if all of its events are in it. */
  readonly isComplete: boolean;
}

/** sync → admin: all trees, after each change of them, at most one message a second otherwise. */
export interface TreesMessage {
  readonly trees: readonly TreeSize[];
}
