// SQL of wok, except the schema, pragmas, transactions and ATTACH. Classes that run a statement
// often prepare it once.

/**
 * Expressions for the id and the pubkey of the body in a column, in hex: from JSON, or from the
 * packed form, which is a BLOB (`store/body/format.ts`).
 */
const idIn = (json: string) =>
  `iif(typeof(${json}) = 'blob', lower(hex(substr(${json}, 5, 32))), substr(${json}, 8, 64))`;
const pubkeyIn = (json: string) =>
  `iif(typeof(${json}) = 'blob', lower(hex(substr(${json}, 37, 32))), substr(${json}, 84, 64))`;

/** Number of entries in the schema of any database: 0 for a new one. */
export const COUNT_TABLES = 'SELECT count(*) FROM sqlite_schema';

export const SELECT_META = 'SELECT value FROM meta WHERE name = ?';
export const UPSERT_META =
  'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value';

/** End of the log and of the index, which follows it, in the reader's snapshot. */
export const SELECT_HEADS = `
  SELECT
    max((SELECT coalesce(max(seq), 0) FROM event),
        coalesce((SELECT value FROM meta WHERE name = 'seq_floor'), 0)) AS head,
    (SELECT value FROM meta WHERE name = 'indexed_seq') AS indexed`;

export const INSERT_PACKED_EVENT =
  'INSERT INTO event (seq, created_at, kind, expires_at, json, received_at) VALUES (?, ?, ?, ?, ?, ?)';
/** Takes JSON as bytes. */
export const INSERT_JSON_EVENT =
  'INSERT INTO event (seq, created_at, kind, expires_at, json, received_at) VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?)';
export const SELECT_BODY = 'SELECT json FROM event WHERE seq = ?';
export const SELECT_EXPIRY = 'SELECT expires_at FROM event WHERE seq = ?';
export const SELECT_LOG =
  'SELECT seq, created_at, kind, expires_at, json FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?';
export const COUNT_EVENTS = 'SELECT count(*) FROM event';
export const SELECT_LOG_ENTRIES =
  'SELECT seq, created_at, kind, expires_at FROM event WHERE seq > ? AND seq <= ?';
export const DELETE_EVENT = 'DELETE FROM event WHERE seq = ?';
export const SELECT_EXPIRED = `
  SELECT seq FROM event WHERE expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?`;

/** Page of a term's list, newest first, strictly before (created_at, seq) in time. */
export const SELECT_POSTINGS = `
  SELECT created_at, seq, kind FROM posting
  WHERE term = ? AND (created_at, seq) < (?, ?) AND created_at >= ?
  ORDER BY created_at DESC, seq DESC LIMIT ?`;
/** Page of a term's list, oldest first, strictly after (created_at, seq) in time, for commands. */
export const SELECT_POSTINGS_UPWARDS = `
  SELECT created_at, seq, kind FROM posting
  WHERE term = ? AND (created_at, seq) > (?, ?) AND created_at <= ?
  ORDER BY created_at, seq LIMIT ?`;
/** Number of entries of a list in a span of time, counted up to a bound. */
export const COUNT_POSTINGS = `
  SELECT count(*) FROM (
    SELECT 1 FROM posting WHERE term = ? AND created_at >= ? AND created_at <= ? LIMIT ?)`;
/**
 * Slices of a list, for counting it: the entry a number of places after another, among events up to
 * a seq.
 */
export const SELECT_POSTING_BEHIND = `
  SELECT created_at, seq FROM posting
  WHERE term = ? AND (created_at, seq) > (?, ?) AND seq <= ?
  ORDER BY created_at, seq LIMIT 1 OFFSET ?`;
export const COUNT_POSTINGS_BEHIND =
  'SELECT count(*) FROM posting WHERE term = ? AND (created_at, seq) > (?, ?) AND seq <= ?';
/**
 * Size of the tail that the index does not hold yet, and of what it still holds of removed events.
 */
export const COUNT_LOG_BEHIND = 'SELECT count(*) FROM event WHERE seq > ?';
export const COUNT_SWEEPS = 'SELECT count(*) FROM sweep';
/**
 * Time of the oldest and of the newest stored event: in the list of a term, past entries whose
 * event is gone, and in the log behind a seq.
 */
const edge = (pick: 'min' | 'max', order: '' | ' DESC') => `
  SELECT ${pick}(created_at) FROM (
    SELECT created_at FROM (
      SELECT p.created_at FROM posting p CROSS JOIN event e ON e.seq = p.seq
      WHERE p.term = ? ORDER BY p.created_at${order}, p.seq${order} LIMIT 1)
    UNION ALL SELECT ${pick}(created_at) FROM event WHERE seq > ?)`;
export const SELECT_OLDEST_TIME = edge('min', '');
export const SELECT_NEWEST_TIME = edge('max', ' DESC');
/** Terms in a range, one row a posting; of all ids when the writer starts. */
export const SELECT_TERMS = 'SELECT term FROM posting WHERE term >= ? AND term < ?';
/** Events of the log with their ids as bytes, for sets of ids. */
export const SELECT_SET_EVENTS = `
  SELECT seq, created_at, kind, expires_at,
    iif(typeof(json) = 'blob', substr(json, 5, 32), unhex(substr(json, 8, 64)))
  FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`;
/** Newest events with their authors, for the recent columns. */
export const SELECT_NEWEST = `
  SELECT p.created_at, p.seq, p.kind, ${pubkeyIn('e.json')}
  FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? ORDER BY p.created_at DESC, p.seq DESC LIMIT ?`;
/** Bodies of the newest events with a term. */
export const SELECT_NEWEST_BODIES = `
  SELECT e.json FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? ORDER BY p.created_at DESC, p.seq DESC LIMIT ?`;
export const SELECT_POSTING_KIND =
  'SELECT kind FROM posting WHERE term = ? AND created_at = ? AND seq = ?';
export const SELECT_HAS_POSTING = 'SELECT 1 FROM posting WHERE term = ? LIMIT 1';
export const SELECT_POSTING_SEQS = 'SELECT seq FROM posting WHERE term = ?';

/** Rows of one multi-row INSERT of postings (measured: 32 rows halve the cost of 1). */
export const POSTING_ROWS = 32;
export function insertPostings(rows: number): string {
  const values = Array(rows).fill('(?, ?, ?, ?)').join(', ');
  return `INSERT OR IGNORE INTO posting (term, created_at, seq, kind) VALUES ${values}`;
}
export const DELETE_POSTINGS = 'DELETE FROM posting';
export const DELETE_POSTING = 'DELETE FROM posting WHERE term = ? AND created_at = ? AND seq = ?';

export const INSERT_SWEEP = 'INSERT INTO sweep (seq, created_at, terms) VALUES (?, ?, ?)';
export const SELECT_SWEEP = 'SELECT seq, created_at, terms FROM sweep ORDER BY seq LIMIT ?';
export const DELETE_SWEEPS = 'DELETE FROM sweep';
export const DELETE_SWEEP = 'DELETE FROM sweep WHERE seq = ?';

export const INSERT_AUDIT =
  'INSERT INTO audit (at, by, action, subject, reason) VALUES (?, ?, ?, ?, ?)';

export const INSERT_DELETED_ID = 'INSERT OR IGNORE INTO deleted_id (id, pubkey) VALUES (?, ?)';
export const SELECT_DELETED_ID = 'SELECT 1 FROM deleted_id WHERE id = ? AND pubkey = ?';
export const UPSERT_DELETED_ADDRESS = `
  INSERT INTO deleted_address (address, until) VALUES (?, ?)
  ON CONFLICT (address) DO UPDATE SET until = max(until, excluded.until)`;
export const SELECT_DELETED_ADDRESS = 'SELECT until FROM deleted_address WHERE address = ?';

const LISTED = 'list, subject, stance, reason, by, at, expires_at, until';
export const SELECT_LISTED = `SELECT ${LISTED} FROM listed`;
export const SELECT_LIST = `
  SELECT ${LISTED} FROM listed WHERE list = ? AND stance = ? AND subject > ?
  ORDER BY subject LIMIT ?`;
export const SELECT_LIST_ROW = `SELECT ${LISTED} FROM listed WHERE list = ? AND subject = ?`;
export const COUNT_LISTED = 'SELECT count(*) FROM listed WHERE list = ? AND stance = ?';
export const UPSERT_LISTED = `INSERT OR REPLACE INTO listed (${LISTED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
export const DELETE_LISTED = 'DELETE FROM listed WHERE list = ? AND subject = ? AND stance = ?';

/** Number of the last row of the audit log. Numbers are never reused while it has rows. */
export const SELECT_MAX_AUDIT = 'SELECT coalesce(max(n), 0) FROM audit';

export const SELECT_AUDIT = `
  SELECT n, at, by, action, subject, reason FROM audit
  WHERE n < ? AND (? = '' OR subject = ?) AND (? = '' OR by = ?) AND (? OR action NOT LIKE '% ip')
  ORDER BY n DESC LIMIT ?`;

/** Seq of an event by the term of its id and by the id: in the index, and in the tail. */
export const SELECT_SEQ_OF_ID = `
  SELECT e.seq FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? AND ${idIn('e.json')} = ?`;
export const SELECT_TAIL_SEQ_OF_ID = `
  SELECT seq FROM event
  WHERE seq > (SELECT value FROM meta WHERE name = 'indexed_seq') AND ${idIn('json')} = ?`;
export const SELECT_AUTHOR_IN_LOG = `
  SELECT seq, created_at FROM event WHERE seq > ? AND seq <= ? AND ${pubkeyIn('json')} = ?`;
export const SELECT_AUTHOR_IN_INDEX = `
  SELECT e.seq, e.created_at FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? AND (p.created_at, p.seq) < (?, ?) AND ${pubkeyIn('e.json')} = ?
  ORDER BY p.created_at DESC, p.seq DESC LIMIT ?`;

/** Oldest events of an author in the index, up to a bound. */
export const SELECT_AUTHOR_OLDEST = `
  SELECT e.created_at, e.received_at FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? AND ${pubkeyIn('e.json')} = ?
  ORDER BY p.created_at, p.seq LIMIT ?`;
/** Events of authors (a JSON array of keys) in the tail, which the index does not hold yet. */
export const SELECT_AUTHORS_IN_TAIL = `
  SELECT ${pubkeyIn('json')} AS pubkey, created_at, received_at FROM event
  WHERE seq > (SELECT value FROM meta WHERE name = 'indexed_seq')
    AND ${pubkeyIn('json')} IN (SELECT value FROM json_each(?))`;
export const COUNT_REPORTS_OF = 'SELECT count(*) FROM report WHERE target = ?';

export const INSERT_REJECTION = `
  INSERT INTO decision (id, pubkey, at, action, rule, by, text) VALUES (?, ?, ?, ?, ?, ?, ?)`;
export const DELETE_OLD_REJECTIONS =
  'DELETE FROM decision WHERE n <= (SELECT max(n) FROM decision) - ?';
export const SELECT_REJECTIONS =
  'SELECT id, pubkey, at, action, rule, by, text FROM decision WHERE id = ? ORDER BY n';
export const SELECT_STORED = `
  SELECT seq, ${pubkeyIn('json')} AS pubkey, kind, created_at, received_at, expires_at
  FROM event WHERE seq = ?`;
/**
 * Keys that have deleted an id. Looks the id up for each key with deletions, because the table is
 * ordered by key.
 */
export const SELECT_DELETED_BY = `
  WITH RECURSIVE deleter(pubkey) AS (
    SELECT min(pubkey) FROM deleted_id
    UNION ALL
    SELECT (SELECT min(d.pubkey) FROM deleted_id d WHERE d.pubkey > deleter.pubkey)
    FROM deleter WHERE deleter.pubkey IS NOT NULL
  )
  SELECT lower(hex(d.pubkey)) FROM deleter JOIN deleted_id d ON d.pubkey = deleter.pubkey AND d.id = ?`;

/** Page of several lists, one after the other, and what retention needs of an event. */
export const SELECT_POSTINGS_IN_ORDER = `
  SELECT term, created_at, seq, kind FROM posting
  WHERE (term, created_at, seq) > (?, ?, ?) AND term < ?
  ORDER BY term, created_at, seq LIMIT ?`;
export const SELECT_BODY_FACTS = `
  SELECT ${pubkeyIn('json')} AS pubkey, octet_length(json) AS bytes FROM event WHERE seq = ?`;
export const SELECT_ANY_SWEEP = 'SELECT 1 FROM sweep LIMIT 1';
export const DELETE_AUDIT = 'DELETE FROM audit WHERE at < ?';

export const UPSERT_SETTING = 'INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)';
export const DELETE_SETTING = 'DELETE FROM setting WHERE name = ?';
export const SELECT_SETTINGS = 'SELECT name, value FROM setting';

export const UPSERT_ROLE =
  'INSERT OR REPLACE INTO role (id, label, description, color, "order") VALUES (?, ?, ?, ?, ?)';
export const SELECT_ROLES =
  'SELECT id, label, description, color, "order" FROM role ORDER BY "order", id';
export const DELETE_ROLE = 'DELETE FROM role WHERE id = ?';
export const INSERT_ROLE_OF =
  'INSERT OR IGNORE INTO role_of (pubkey, role, by, at) SELECT ?, id, ?, ? FROM role WHERE id = ?';
export const DELETE_ROLE_OF = 'DELETE FROM role_of WHERE pubkey = ? AND role = ?';
export const DELETE_ROLE_OF_ALL = 'DELETE FROM role_of WHERE role = ?';
export const SELECT_ROLES_OF_KEY = 'SELECT role FROM role_of WHERE pubkey = ? ORDER BY role';
export const SELECT_ROLES_OF = 'SELECT pubkey, role FROM role_of ORDER BY pubkey, role';

export const UPSERT_REPORT = `
  INSERT OR REPLACE INTO report (target, reporter, is_event, type, seq, at, trusted)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
export const COUNT_REPORTS = 'SELECT count(*) FROM report';
export const DELETE_OLDEST_REPORTS = `
  DELETE FROM report WHERE (target, reporter) IN
    (SELECT target, reporter FROM report ORDER BY trusted, at LIMIT ?)`;
export const DELETE_REPORTS_OF = 'DELETE FROM report WHERE target = ?';
/**
 * Subjects by their reports. Reports whose event is gone, for example deleted by its author, do not
 * count.
 */
export const SELECT_REPORTED = `
  SELECT target, is_event AS isEvent, count(*) AS reports, sum(trusted) AS trusted,
    group_concat(DISTINCT type) AS types, min(at) AS firstAt, max(at) AS lastAt
  FROM report WHERE EXISTS (SELECT 1 FROM event WHERE event.seq = report.seq)
  GROUP BY target ORDER BY trusted DESC, reports DESC, lastAt DESC, target LIMIT ? OFFSET ?`;
export const COUNT_REPORTED = 'SELECT count(DISTINCT target) FROM report';
export const SELECT_REPORTS_OF = `
  SELECT r.reporter, r.type, r.at, r.trusted, e.json
  FROM report r JOIN event e ON e.seq = r.seq
  WHERE r.target = ? ORDER BY r.trusted DESC, r.at LIMIT ?`;

// ── Queries of wok doctor ────────────────────────────────────────────────────────────────────────

export const SELECT_ROW = 'SELECT seq, created_at, kind, expires_at, json FROM event WHERE seq = ?';
export const COUNT_ALL_POSTINGS = 'SELECT count(*) FROM posting';
/** Postings without an event: all of them, and those that are to be swept anyway. */
export const COUNT_DANGLING = `
  SELECT count(*) AS dangling, count(s.seq) AS swept
  FROM posting p LEFT JOIN sweep s ON s.seq = p.seq
  WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = p.seq)`;
export const COUNT_SWEEP = `
  SELECT count(*) AS rows, count(e.seq) AS living FROM sweep s LEFT JOIN event e ON e.seq = s.seq`;
export const COUNT_EXPIRED =
  'SELECT count(*) FROM event WHERE expires_at IS NOT NULL AND expires_at <= ?';
export const COUNT_STRANGE_TOMBSTONES = `
  SELECT (SELECT count(*) FROM deleted_id WHERE length(id) <> 32 OR length(pubkey) <> 32)
       + (SELECT count(*) FROM deleted_address WHERE address NOT GLOB '[0-9]*:*:*')`;
export const COUNT_TOMBSTONES =
  'SELECT (SELECT count(*) FROM deleted_id) + (SELECT count(*) FROM deleted_address) + (SELECT count(*) FROM vanished)';
/** Tables beside log and index, and statements to copy their rows to another database. */
export const SELECT_OTHER_TABLES = `
  SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
  AND name NOT IN ('meta', 'event', 'posting', 'sweep')`;
export function selectAll(table: string): string {
  return `SELECT * FROM "${table}"`;
}
/** Selects all rows from the end of the key. */
export function selectAllBackwards(table: string, key: readonly string[]): string {
  return `${selectAll(table)} ORDER BY ${key.map((name) => `"${name}" DESC`).join(', ')}`;
}
export function insertRow(table: string, columns: readonly string[]): string {
  const names = columns.map((name) => `"${name}"`).join(', ');
  return `INSERT OR IGNORE INTO "${table}" (${names}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** Copies a database to a file without its free pages. */
export const VACUUM_INTO = 'VACUUM INTO ?';
/** Rewrites a database without its free pages, in one transaction. */
export const VACUUM = 'VACUUM';

// ── Numbers of events by group (wok stats) ───────────────────────────────────────────────────────

/** Groups of the events of a part of the log, with the bytes of their bodies as stored. */
const groupsBy = (key: string) => `
  SELECT ${key} AS key, count(*) AS events, sum(octet_length(json)) AS bytes
  FROM event WHERE seq > ? AND seq <= ? GROUP BY 1`;
export const SELECT_GROUPS_BY_KIND = groupsBy('kind');
export const SELECT_GROUPS_BY_AUTHOR = groupsBy(pubkeyIn('json'));
export const SELECT_GROUPS_BY_DAY = groupsBy('created_at / 86400');

/** Table of groups in a temporary database (`store/database/group-table.ts`). */
export const CREATE_GROUPS = `
  CREATE TABLE groups (
    key ANY PRIMARY KEY, events INTEGER NOT NULL, bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`;
export const ADD_TO_GROUP = `
  INSERT INTO groups (key, events, bytes) VALUES (?, ?, ?) ON CONFLICT (key)
  DO UPDATE SET events = events + excluded.events, bytes = bytes + excluded.bytes`;
export const SUM_OF_GROUPS = `
  SELECT count(*) AS groups, coalesce(sum(events), 0) AS events, coalesce(sum(bytes), 0) AS bytes
  FROM groups`;
export const SELECT_GROUPS_BY_EVENTS =
  'SELECT key, events, bytes FROM groups ORDER BY events DESC, key LIMIT ?';
export const SELECT_GROUPS_BY_KEY =
  'SELECT key, events, bytes FROM groups ORDER BY key DESC LIMIT ?';

export const COUNT_TRUSTED_REPORTS = 'SELECT count(*) FROM report WHERE target = ? AND trusted = 1';

// ── Quarantine

export const INSERT_QUARANTINED =
  'INSERT OR IGNORE INTO quarantined (id, pubkey, at, why, json) VALUES (?, ?, ?, ?, ?)';
export const DELETE_QUARANTINED = 'DELETE FROM quarantined WHERE id = ?';
export const DELETE_QUARANTINED_OF = 'DELETE FROM quarantined WHERE pubkey = ?';
export const SELECT_QUARANTINED_IDS = 'SELECT id FROM quarantined ORDER BY at';
export const SELECT_QUARANTINED_BEFORE = 'SELECT id FROM quarantined WHERE at < ? LIMIT ?';
export const SELECT_QUARANTINED_JSON = 'SELECT json FROM quarantined WHERE id = ?';
export const SELECT_QUARANTINED =
  'SELECT id, pubkey, at, why, json FROM quarantined ORDER BY at LIMIT ?';
/** Page of the quarantine, after (at, id). */
export const SELECT_QUARANTINED_AFTER = `
  SELECT id, pubkey, at, why, json FROM quarantined
  WHERE at >= ? AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?`;
export const COUNT_QUARANTINED = 'SELECT count(*) FROM quarantined';
export const COUNT_QUARANTINED_OF = 'SELECT count(*) FROM quarantined WHERE pubkey = ?';
export const SELECT_QUARANTINED_OF = 'SELECT id FROM quarantined WHERE id = ? OR pubkey = ?';

// ── Requests to vanish, and what else stations look up ───────────────────────────────────────────

export const SELECT_VANISHED = 'SELECT until FROM vanished WHERE pubkey = ?';
export const SELECT_ALL_VANISHED = 'SELECT pubkey FROM vanished';
export const UPSERT_VANISHED = `
  INSERT INTO vanished (pubkey, until) VALUES (?, ?)
  ON CONFLICT (pubkey) DO UPDATE SET until = max(until, excluded.until)`;
export const INSERT_VANISH_REQUEST = `
  INSERT INTO vanish_request (id, pubkey, until, relays, at, removed) VALUES (?, ?, ?, ?, ?, 0)`;
/** Oldest requests that are not carried out to the end. */
export const SELECT_VANISH_REQUESTS = `
  SELECT id, pubkey, until FROM vanish_request WHERE done_at IS NULL ORDER BY at, id LIMIT ?`;
/** First of those requests that removes all events of a key up to a time. */
export const SELECT_UNDONE_VANISH_REQUEST = `
  SELECT id FROM vanish_request WHERE done_at IS NULL AND pubkey = ? AND until >= ?
  ORDER BY at, id LIMIT 1`;
export const SELECT_VANISH_REQUEST =
  'SELECT pubkey, until, done_at FROM vanish_request WHERE id = ?';
export const SELECT_IS_VANISH_REQUEST = 'SELECT 1 FROM vanish_request WHERE id = ?';
export const COUNT_VANISH_REMOVED = 'UPDATE vanish_request SET removed = removed + ? WHERE id = ?';
export const FINISH_VANISH_REQUEST =
  'UPDATE vanish_request SET done_at = ? WHERE id = ? RETURNING removed';
export const SET_VANISH_RECEIPT = 'UPDATE vanish_request SET receipt = ? WHERE id = ?';
/** Page of an author's events to remove; recorded requests to vanish are kept. */
export const SELECT_VANISHING_AUTHOR = `
  SELECT p.created_at, p.seq FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? AND (p.created_at, p.seq) < (?, ?) AND ${pubkeyIn('e.json')} = ?
    AND NOT EXISTS (SELECT 1 FROM vanish_request v WHERE v.id = ${idIn('e.json')})
  ORDER BY p.created_at DESC, p.seq DESC LIMIT ?`;
/**
 * Page of the gift wraps for a recipient. `json_of` is a function of the writer's connection
 * (`open.ts`).
 */
export const SELECT_VANISHING_WRAPS = `
  SELECT p.created_at, p.seq FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? AND (p.created_at, p.seq) < (?, ?) AND (p.kind & 65535) = ?
    AND instr(json_of(e.json), ?) > 0
  ORDER BY p.created_at DESC, p.seq DESC LIMIT ?`;

/** Counts a use of an invite; no row changes when it has none left. */
export const USE_INVITE = `
  INSERT INTO invite_use (nonce, uses, expires_at) VALUES (?, 1, ?)
  ON CONFLICT (nonce) DO UPDATE SET uses = uses + 1 WHERE uses < ?`;
export const SELECT_VANISHED_WITHOUT_RECEIPT = `
  SELECT id, until, removed, done_at FROM vanish_request
  WHERE done_at IS NOT NULL AND receipt IS NULL LIMIT ?`;
/** Events of a term in the index, and events of a kind and an author in the tail. */
export const SELECT_JSON_OF_TERM = `
  SELECT e.json FROM posting p CROSS JOIN event e ON e.seq = p.seq WHERE p.term = ?`;
export const SELECT_TAIL_JSON_OF = `
  SELECT json FROM event
  WHERE seq > (SELECT value FROM meta WHERE name = 'indexed_seq') AND kind = ?
    AND ${pubkeyIn('json')} = ?`;

export const COUNT_OF_KIND = `
  SELECT count(*) FROM posting p CROSS JOIN event e ON e.seq = p.seq
  WHERE p.term = ? AND (p.kind & 65535) = ?`;

/** Deletes the rejection records of a vanished key. */
export const DELETE_REJECTIONS_OF = 'DELETE FROM decision WHERE pubkey = ?';
