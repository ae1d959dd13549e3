-- The database of wok, a Nostr relay. This file is the one place of its schema. `PRAGMA user_version`
-- is the version of it that a file has; src/store/database/migrations.ts brings files of older versions to
-- this one. Looking around with the sqlite3 shell is safe while the relay runs; start with
--
--   SELECT * FROM nostr_event ORDER BY seq DESC LIMIT 10;
--
-- Only the relay's writer thread writes. Do not change rows by hand: the index would not follow.

PRAGMA user_version = 1;

-- A few facts about this file.
--   term_key     8 secret bytes that key the hash of every term (src/store/index/terms.ts)
--   indexed_seq  postings hold every event up to this seq; later ones are found in memory
--   write_probe  when it was last tried whether a full disk takes something again, in seconds
--   seq_floor    the highest seq given out when a row at the end of the log was removed
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- The log: every stored event in the order in which it was accepted. `seq` is given without gaps and
-- never twice; removed events leave their number unused. `json` is canonical: fields in the order
-- id, pubkey, created_at, kind, tags, content, sig, without white space. A BLOB is the same packed, as
-- src/store/body/format.ts says; `nostr_event` below shows the JSON of both (its column `json`), and
-- so do `wok scan` and `wok export`.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  created_at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  expires_at INTEGER,          -- NIP-40, seconds since 1970; NULL: never
  json ANY NOT NULL,           -- TEXT: the JSON; BLOB: the same, packed
  received_at INTEGER          -- when it was accepted, seconds since 1970; NULL: unknown
) STRICT;

CREATE INDEX event_by_expiry ON event (expires_at) WHERE expires_at IS NOT NULL;

-- The index behind the log: for every term (an id, an author, a kind, an author and a kind, an
-- address, a tag value; 0 is "everything") the events that have it, by time. A posting whose event is
-- gone is swept a little later.
CREATE TABLE posting (
  term INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,       -- plus 65536 if the event expires, so that others need not be asked
  PRIMARY KEY (term, created_at, seq)
) STRICT, WITHOUT ROWID;

-- Removed events whose postings are still to be swept. `terms` are 8-byte little-endian floats.
CREATE TABLE sweep (
  seq INTEGER PRIMARY KEY,
  created_at INTEGER NOT NULL,
  terms BLOB NOT NULL
) STRICT;

-- NIP-09: events that `pubkey` asked to delete by id, whether they were here or not. Those of one key
-- lie together, so that a deletion of many events changes few pages.
CREATE TABLE deleted_id (
  pubkey BLOB NOT NULL,        -- 32 bytes, who asked
  id BLOB NOT NULL,            -- 32 bytes
  PRIMARY KEY (pubkey, id)
) STRICT, WITHOUT ROWID;

-- NIP-09: replaceable and addressable events deleted by address: every version up to `until`.
CREATE TABLE deleted_address (
  address TEXT PRIMARY KEY,    -- kind:pubkey:d
  until INTEGER NOT NULL       -- seconds since 1970, inclusive
) STRICT, WITHOUT ROWID;

-- Audit log: what admins and moderators did. Rows are never changed; the oldest are removed after a time.
CREATE TABLE audit (
  n INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,         -- seconds since 1970
  by TEXT NOT NULL,            -- a public key, or `shell`, or `relay` for what it does by itself
  action TEXT NOT NULL,        -- like `ban pubkey`
  subject TEXT NOT NULL,       -- key, event, kind or address
  reason TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is never changed'); END;

-- What people banned and allowed while the relay runs (`wok mod`, NIP-86).
CREATE TABLE listed (
  list TEXT NOT NULL,          -- pubkey, event, kind, ip; author: events of a key were removed
  subject TEXT NOT NULL,       -- hex, a number, an address or a network
  stance TEXT NOT NULL,        -- ban or allow
  reason TEXT NOT NULL,
  by TEXT NOT NULL,            -- as in `audit`
  at INTEGER NOT NULL,         -- seconds since 1970
  expires_at INTEGER,          -- seconds since 1970; NULL: never
  until INTEGER,               -- author: of events dated up to here, in seconds since 1970
  PRIMARY KEY (list, subject)
) STRICT, WITHOUT ROWID;

-- What was changed of the relay's description while it ran (NIP-86): info.name, info.description, info.icon.
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Roles that members may have (NIP-43, NIP-86), and who has which.
CREATE TABLE role (
  id TEXT PRIMARY KEY,
  label TEXT NOT NULL,
  description TEXT NOT NULL,
  color INTEGER,               -- a hue from 0 to 360
  "order" INTEGER              -- for display
) STRICT, WITHOUT ROWID;

CREATE TABLE role_of (
  pubkey TEXT NOT NULL,
  role TEXT NOT NULL,
  by TEXT NOT NULL,            -- as in `audit`
  at INTEGER NOT NULL,         -- seconds since 1970
  PRIMARY KEY (pubkey, role)
) STRICT, WITHOUT ROWID;

-- The queue of reports (kind 1984, NIP-56) that no moderator has handled yet.
CREATE TABLE report (
  target TEXT NOT NULL,        -- an event or a public key, in hex
  reporter TEXT NOT NULL,      -- public key
  is_event INTEGER NOT NULL,   -- 1: target is an event, 0: a public key
  type TEXT NOT NULL,          -- nudity, malware, profanity, illegal, spam, impersonation, other
  seq INTEGER NOT NULL,        -- of the report
  at INTEGER NOT NULL,         -- when it came, in seconds since 1970
  trusted INTEGER NOT NULL,    -- 1: the reporter was trusted then
  PRIMARY KEY (target, reporter)
) STRICT, WITHOUT ROWID;

CREATE INDEX report_by_age ON report (trusted, at);

-- What was decided about events that are not here (`wok why`); the oldest are forgotten.
CREATE TABLE decision (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,            -- of the event
  pubkey TEXT NOT NULL,        -- who wrote it, as it said; or ''
  at INTEGER NOT NULL,         -- seconds since 1970
  action TEXT NOT NULL,        -- refused, shadowed, quarantined, removed
  rule TEXT NOT NULL,          -- the rule that decided, or why it was removed
  by TEXT NOT NULL,            -- which plugin, or who; or ''
  text TEXT NOT NULL           -- what the client was told, or the reason
) STRICT;

CREATE INDEX decision_by_id ON decision (id);

-- NIP-62: keys that have vanished. Nothing of theirs dated up to `until` comes in any more.
CREATE TABLE vanished (
  pubkey TEXT PRIMARY KEY,
  until INTEGER NOT NULL       -- seconds since 1970, inclusive
) STRICT, WITHOUT ROWID;

-- NIP-62: the requests that were carried out, or are being.
CREATE TABLE vanish_request (
  id TEXT PRIMARY KEY,         -- of the request, an event of kind 62
  pubkey TEXT NOT NULL,        -- who has vanished
  until INTEGER NOT NULL,      -- of events dated up to here, in seconds since 1970
  relays TEXT NOT NULL,        -- what the request names
  at INTEGER NOT NULL,         -- when it came, in seconds since 1970
  removed INTEGER NOT NULL,    -- events removed so far
  done_at INTEGER,             -- NULL: there are more to remove
  receipt TEXT                 -- the id of the event by which this relay has confirmed it
) STRICT, WITHOUT ROWID;

CREATE INDEX vanish_request_undone ON vanish_request (at) WHERE done_at IS NULL;

-- NIP-43: how often invites were used. The codes themselves are kept nowhere.
CREATE TABLE invite_use (
  nonce TEXT PRIMARY KEY,      -- what a code is told by
  uses INTEGER NOT NULL,
  expires_at INTEGER NOT NULL  -- seconds since 1970; 0: never
) STRICT, WITHOUT ROWID;

-- Quarantine: events that look like spam, until a moderator releases or discards them; no client gets them.
CREATE TABLE quarantined (
  id TEXT PRIMARY KEY,         -- of the event, in hex
  pubkey TEXT NOT NULL,        -- its author, in hex
  at INTEGER NOT NULL,         -- when it came, in seconds since 1970
  why TEXT NOT NULL,           -- the points and what they are for
  json TEXT NOT NULL           -- canonical
) STRICT, WITHOUT ROWID;

CREATE INDEX quarantined_by_age ON quarantined (at);

-- For people: the log with its fields as columns.
CREATE VIEW nostr_event AS
SELECT
  seq,
  id,
  pubkey,
  datetime(created_at, 'unixepoch') AS created,
  kind,
  json_extract(json, '$.tags') AS tags,
  json_extract(json, '$.content') AS content,
  json
FROM (
  SELECT seq, created_at, kind,
    iif(typeof(json) = 'text', substr(json, 8, 64), lower(hex(substr(json, 5, 32)))) AS id,
    iif(typeof(json) = 'text', substr(json, 84, 64), lower(hex(substr(json, 37, 32)))) AS pubkey,
    iif(typeof(json) = 'text', json,
    '{"id":"' || lower(hex(substr(json, 5, 32))) || '","pubkey":"' || lower(hex(substr(json, 37, 32)))
    || '","created_at":' || created_at || ',"kind":' || kind || ',"tags":' || (
    WITH RECURSIVE piece (code, text, bytes) AS (VALUES
      (x'01', '', 32), (x'03', '"],["p","', 32), (x'04', '"],["e","', 32), (x'05', '[["p","', 32),
      (x'06', '[["e","', 32), (x'07', '\"id\":\"', 32), (x'08', '\"pubkey\":\"', 32),
      (x'09', '\"],[\"p\",\"', 32), (x'0a', '\"],[\"e\",\"', 32), (x'0b', '"],["', 0),
      (x'0c', '","', 0), (x'0d', '","","', 0), (x'0e', '","wss://', 0), (x'0f', '","root', 0),
      (x'10', '","reply', 0), (x'11', '"]],"content":"', 0), (x'12', '[],"content":"', 0),
      (x'13', '\"', 0), (x'14', '\",\"', 0), (x'15', '\":\"', 0), (x'16', '\"],[\"', 0),
      (x'17', '\n\n', 0), (x'18', '\n', 0), (x'19', '"],["t","', 0), (x'1a', '\"content\":\"', 0),
      (x'1b', '\"created_at\":', 0), (x'1c', '\"tags\":[', 0), (x'1d', '\"sig\":\"', 0),
      (x'1e', '\"kind\":', 0), (x'1f', '"],["r","', 0)
    ),
    -- Where the next byte is, whether it is behind created_at, and what the one before stood for.
    step (at, inside, text) AS (
      SELECT 135, 0, ''
      UNION ALL
      SELECT
        at + 1 + iif(inside AND substr(json, at, 1) = x'02',
          instr('0123456789ABCDEF', substr(hex(substr(json, at + 1, 1)), 1, 1)) * 16 - 16
          + instr('0123456789ABCDEF', substr(hex(substr(json, at + 1, 1)), 2, 1)),
          coalesce(bytes, 0)),
        inside OR substr(json, at, 1) < x'80',
        CASE
          WHEN NOT inside THEN ''
          WHEN substr(json, at, 1) >= x'20' THEN CAST(substr(json, at, 1) AS TEXT)
          WHEN substr(json, at, 1) = x'02' THEN lower(hex(substr(json, at + 2,
            instr('0123456789ABCDEF', substr(hex(substr(json, at + 1, 1)), 1, 1)) * 16 - 16
            + instr('0123456789ABCDEF', substr(hex(substr(json, at + 1, 1)), 2, 1)) - 1)))
          ELSE piece.text || lower(hex(substr(json, at + 1, bytes)))
        END
      FROM step LEFT JOIN piece ON inside AND code = substr(json, at, 1)
      WHERE at <= length(json)
    )
    SELECT group_concat(text, '') FROM step
    ) || ',"sig":"' || lower(hex(substr(json, 69, 64))) || '"}') AS json
  FROM event
);
