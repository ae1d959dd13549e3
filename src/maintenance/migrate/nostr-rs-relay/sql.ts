// SQL for the databases of nostr-rs-relay: SQLite, which is read, and PostgreSQL, for advice.

/** Columns of the table `event`; none if there is no such table. */
export const EVENT_COLUMNS = "SELECT name FROM pragma_table_info('event')";
/** Events that are served, and those that were deleted or replaced. */
export const COUNT_EVENTS =
  'SELECT coalesce(sum(hidden IS NOT 1), 0) AS events, coalesce(sum(hidden IS 1), 0) AS hidden FROM event';
export const SELECT_LAST_ID = 'SELECT coalesce(max(id), 0) FROM event';
/** Page of the events after a row id that came at a time or later. */
export const SELECT_EVENTS = `
  SELECT id, content FROM event
  WHERE id > ? AND hidden IS NOT 1 AND first_seen >= ? ORDER BY id LIMIT ?`;
/** Keys that have paid; only where there is the table `account`. */
export const SELECT_ADMITTED = 'SELECT pubkey FROM account WHERE is_admitted = 1';
/** Statement for the operator of a nostr-rs-relay on PostgreSQL, to run with psql. */
export const SELECT_FROM_POSTGRES =
  "SELECT convert_from(content, 'UTF8') FROM event WHERE hidden IS DISTINCT FROM B'1'";
