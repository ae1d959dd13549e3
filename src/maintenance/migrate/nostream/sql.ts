// SQL for the PostgreSQL database of nostream.

const EVENT = `json_build_object(
  'id', encode(event_id, 'hex'), 'pubkey', encode(event_pubkey, 'hex'),
  'created_at', event_created_at, 'kind', event_kind,
  'tags', coalesce(event_tags, '[]'::jsonb), 'content', event_content,
  'sig', encode(event_signature, 'hex'))`;

/**
 * Form of the output: one JSON text a line, exactly as it is. JSON has none of these control
 * characters, so nothing is quoted.
 */
const LINES = "TO STDOUT WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02', ESCAPE E'\\x02')";

/** Events that are served, a vertical bar, and those that were deleted. */
export const COUNT_EVENTS =
  "SELECT count(*) FILTER (WHERE deleted_at IS NULL) || '|' || count(*) FILTER (WHERE deleted_at IS NOT NULL) FROM events";
/** Time of the database, in seconds. */
export const SELECT_NOW = 'SELECT floor(extract(epoch FROM now()))';
/** Keys that have paid, in hex. */
export const SELECT_ADMITTED = "SELECT encode(pubkey, 'hex') FROM users WHERE is_admitted";

/**
 * Returns the statement that writes the events, one a line.
 *
 * @param since time in seconds: events that arrived then or later, or are dated so, because a
 *   replaced event keeps the time at which the first one arrived.
 */
export function copyEvents(since: number | undefined): string {
  const recent =
    since === undefined
      ? ''
      : ` AND (first_seen >= to_timestamp(${since}) AT TIME ZONE current_setting('TIMEZONE') OR event_created_at >= ${since})`;
  return `COPY (SELECT ${EVENT} FROM events WHERE deleted_at IS NULL${recent}) ${LINES}`;
}
