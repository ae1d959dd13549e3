// Nostr event type.

/**
 * Signed Nostr event (NIP-01) after its shape was checked.
 *
 * `id` and `pubkey` are 64, `sig` is 128 lower-case hex characters; `created_at` is in seconds
 * since 1970; `kind` is 0 … 65,535.
 */
export interface NostrEvent {
  id: string;
  pubkey: string;
  created_at: number;
  kind: number;
  tags: string[][];
  content: string;
  sig: string;
}
