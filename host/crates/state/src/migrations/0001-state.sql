-- Format 1: what was admitted, what is live, who changed it.

CREATE TABLE counters (
    name  TEXT NOT NULL UNIQUE,
    value INTEGER NOT NULL
) STRICT;

CREATE TABLE artifacts (
    digest TEXT NOT NULL UNIQUE,
    bytes  INTEGER NOT NULL
) STRICT;

-- Files whose content was hashed, so that a start need not read them again while they are as they were. Nothing else depends
-- on it.
CREATE TABLE files (
    key    INTEGER PRIMARY KEY,
    path   TEXT NOT NULL UNIQUE,
    stamp  TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;

CREATE INDEX files_by_digest ON files (digest);

CREATE TABLE plugins (
    name       TEXT NOT NULL UNIQUE,
    live       INTEGER,
    live_order TEXT NOT NULL DEFAULT '[]',
    highest    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE revisions (
    plugin       TEXT NOT NULL,
    number       INTEGER NOT NULL,
    version      TEXT NOT NULL,
    digest       TEXT NOT NULL,
    nodes        TEXT NOT NULL,
    dependencies TEXT NOT NULL,
    origin       TEXT NOT NULL,
    admitted_at  INTEGER NOT NULL,
    quarantined  INTEGER NOT NULL CHECK (quarantined IN (0, 1)),
    UNIQUE (plugin, number)
) STRICT;

CREATE INDEX revisions_by_digest ON revisions (digest);

CREATE TABLE history (
    key           INTEGER PRIMARY KEY,
    plugin        TEXT NOT NULL,
    at            INTEGER NOT NULL,
    generation    INTEGER NOT NULL,
    action        TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    version       TEXT NOT NULL,
    from_revision INTEGER,
    actor         TEXT NOT NULL,
    reason        TEXT NOT NULL
) STRICT;

CREATE INDEX history_by_plugin ON history (plugin, key);

CREATE TABLE policies (
    plugin TEXT NOT NULL UNIQUE,
    policy TEXT NOT NULL
) STRICT;

-- A tenant or workflow that is not named is the empty text, so that a pin has one name.
CREATE TABLE pins (
    plugin   TEXT NOT NULL,
    tenant   TEXT NOT NULL,
    workflow TEXT NOT NULL,
    revision INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    UNIQUE (plugin, tenant, workflow)
) STRICT;

CREATE TABLE rollouts (
    key           INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    plugin        TEXT NOT NULL,
    from_revision INTEGER,
    to_revision   INTEGER NOT NULL,
    policy        TEXT NOT NULL,
    state         TEXT NOT NULL,
    phase         TEXT NOT NULL,
    finished      INTEGER NOT NULL CHECK (finished IN (0, 1)),
    started_at    INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    actor         TEXT NOT NULL,
    reason        TEXT NOT NULL
) STRICT;

CREATE INDEX rollouts_by_plugin ON rollouts (plugin, key);
CREATE INDEX rollouts_unfinished ON rollouts (key) WHERE finished = 0;

CREATE TABLE evidence (
    rollout TEXT NOT NULL,
    number  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    UNIQUE (rollout, number)
) STRICT;

-- Never changed and never deleted from: `hash` covers the row and the hash of the row before.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    plugin   TEXT,
    revision INTEGER,
    tenant   TEXT,
    workflow TEXT,
    reason   TEXT NOT NULL,
    key      TEXT,
    detail   TEXT NOT NULL,
    hash     TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_key ON audit (key) WHERE key IS NOT NULL;
CREATE INDEX audit_by_plugin ON audit (plugin, seq) WHERE plugin IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor, seq);

-- One row: how far the chain goes.
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;

-- Before the first record comes BLAKE3("patchbay audit chain 1").
INSERT INTO audit_head (one, seq, hash)
VALUES (1, 0, 'cb1591b800956b932dda1a07f7cb3ba81bde7c60c2e9548ae96aff29021e4dba');

CREATE TABLE boots (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL,
    version    TEXT NOT NULL,
    stable_at  INTEGER,
    ended_at   INTEGER
) STRICT;

-- What was live when a host was last known to be well.
CREATE TABLE good (
    plugin   TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE good_at (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at  INTEGER NOT NULL
) STRICT;

-- For people with `sqlite3`.

CREATE VIEW live_view AS
SELECT plugins.name AS plugin,
       plugins.live AS revision,
       revisions.version,
       revisions.quarantined,
       strftime('%Y-%m-%d %H:%M:%f', revisions.admitted_at / 1000.0, 'unixepoch') AS admitted,
       revisions.digest
FROM plugins
LEFT JOIN revisions ON revisions.plugin = plugins.name AND revisions.number = plugins.live;

CREATE VIEW revisions_view AS
SELECT revisions.plugin,
       revisions.number,
       revisions.version,
       CASE
           WHEN revisions.quarantined = 1 THEN 'quarantined'
           WHEN plugins.live = revisions.number THEN 'live'
           ELSE 'kept'
       END AS standing,
       strftime('%Y-%m-%d %H:%M:%f', revisions.admitted_at / 1000.0, 'unixepoch') AS admitted,
       artifacts.bytes,
       revisions.digest,
       revisions.nodes,
       revisions.dependencies,
       revisions.origin
FROM revisions
LEFT JOIN plugins ON plugins.name = revisions.plugin
LEFT JOIN artifacts ON artifacts.digest = revisions.digest;

CREATE VIEW history_view AS
SELECT strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') AS time,
       generation,
       plugin,
       action,
       revision,
       version,
       from_revision,
       actor,
       reason
FROM history
ORDER BY key DESC;

CREATE VIEW rollouts_view AS
SELECT id,
       plugin,
       from_revision,
       to_revision,
       phase,
       finished,
       strftime('%Y-%m-%d %H:%M:%f', started_at / 1000.0, 'unixepoch') AS started,
       strftime('%Y-%m-%d %H:%M:%f', changed_at / 1000.0, 'unixepoch') AS changed,
       actor,
       reason
FROM rollouts
ORDER BY key DESC;

CREATE VIEW audit_view AS
SELECT seq,
       strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') AS time,
       actor,
       action,
       plugin,
       revision,
       tenant,
       workflow,
       reason,
       detail
FROM audit
ORDER BY seq DESC;

CREATE VIEW boots_view AS
SELECT id,
       strftime('%Y-%m-%d %H:%M:%f', started_at / 1000.0, 'unixepoch') AS started,
       version,
       strftime('%Y-%m-%d %H:%M:%f', stable_at / 1000.0, 'unixepoch') AS stable,
       strftime('%Y-%m-%d %H:%M:%f', ended_at / 1000.0, 'unixepoch') AS ended
FROM boots
ORDER BY id DESC;
