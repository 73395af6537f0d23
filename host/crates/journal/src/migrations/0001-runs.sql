-- Format 1: runs, their nodes, the documents they ran.

CREATE TABLE documents (
    key    INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    text   TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    key                 INTEGER PRIMARY KEY,
    id                  TEXT NOT NULL UNIQUE,
    workflow            TEXT NOT NULL,
    name                TEXT NOT NULL,
    document            INTEGER NOT NULL REFERENCES documents (key),
    tenant              TEXT NOT NULL,
    trigger_kind        TEXT NOT NULL,
    trigger_value       TEXT,
    variables_before    TEXT,
    variables_after     TEXT,
    status              TEXT NOT NULL
        CHECK (status IN ('running', 'success', 'error', 'cancelled', 'timeout', 'interrupted')),
    error_code          TEXT,
    error_message       TEXT,
    error_node          TEXT,
    started_at          INTEGER NOT NULL,
    micros              INTEGER,
    parent              TEXT,
    replay_of           TEXT,
    replay_from         TEXT,
    replay_versions     TEXT,
    node_count          INTEGER NOT NULL DEFAULT 0,
    nodes_executed      INTEGER NOT NULL DEFAULT 0,
    success_nodes       INTEGER NOT NULL DEFAULT 0,
    failed_nodes        INTEGER NOT NULL DEFAULT 0,
    retried_nodes       INTEGER NOT NULL DEFAULT 0,
    total_retries       INTEGER NOT NULL DEFAULT 0,
    validation_failures INTEGER NOT NULL DEFAULT 0,
    recovery_attempts   INTEGER NOT NULL DEFAULT 0,
    recovery_successes  INTEGER NOT NULL DEFAULT 0,
    execution_order     TEXT
) STRICT;

CREATE INDEX runs_by_start ON runs (started_at, id);
CREATE INDEX runs_by_workflow ON runs (workflow, started_at, id);
CREATE INDEX runs_by_tenant ON runs (tenant, started_at, id);
-- Most runs succeed: they are found by their start.
CREATE INDEX runs_by_status ON runs (status, started_at, id) WHERE status <> 'success';
CREATE INDEX runs_by_parent ON runs (parent, started_at, id) WHERE parent IS NOT NULL;
CREATE INDEX runs_by_document ON runs (document);

CREATE TABLE nodes (
    run                INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    position           INTEGER NOT NULL,
    node               TEXT NOT NULL,
    node_type          TEXT NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('success', 'error', 'skipped', 'pending')),
    plugin             TEXT,
    version            TEXT,
    revision           INTEGER,
    attempts           INTEGER NOT NULL,
    retries            INTEGER NOT NULL,
    started_micros     INTEGER NOT NULL,
    micros             INTEGER NOT NULL,
    input              TEXT,
    output             TEXT,
    error_code         TEXT,
    node_error_code    TEXT,
    error_message      TEXT,
    status_code        INTEGER,
    recovery_applied   TEXT,
    fallback_node_type TEXT,
    validation_errors  TEXT,
    UNIQUE (run, position)
) STRICT;

-- One row, `syncs`: counted up when a caller was promised that everything is on the disk.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For people with `sqlite3`.

CREATE VIEW runs_view AS
SELECT runs.id,
       runs.workflow,
       runs.name,
       runs.tenant,
       runs.status,
       strftime('%Y-%m-%d %H:%M:%f', runs.started_at / 1000.0, 'unixepoch') AS started,
       runs.micros / 1000.0 AS millis,
       runs.trigger_kind AS trigger,
       runs.node_count AS nodes,
       runs.failed_nodes AS failed,
       runs.total_retries AS retries,
       runs.error_code,
       runs.error_node,
       runs.error_message,
       runs.parent,
       runs.replay_of,
       documents.digest
FROM runs
JOIN documents ON documents.key = runs.document;

CREATE VIEW recent_runs AS
SELECT id,
       workflow,
       tenant,
       status,
       strftime('%Y-%m-%d %H:%M:%f', started_at / 1000.0, 'unixepoch') AS started,
       micros / 1000.0 AS millis,
       node_count AS nodes,
       failed_nodes AS failed,
       error_code,
       error_node,
       error_message
FROM runs
ORDER BY started_at DESC, runs.id DESC
LIMIT 100;

CREATE VIEW nodes_view AS
SELECT runs.id AS run,
       nodes.position,
       nodes.node,
       nodes.node_type,
       nodes.status,
       nodes.plugin || '@' || nodes.version AS plugin,
       nodes.attempts,
       strftime('%Y-%m-%d %H:%M:%f', runs.started_at / 1000.0 + nodes.started_micros / 1000000.0, 'unixepoch') AS started,
       nodes.micros / 1000.0 AS millis,
       nodes.error_code,
       nodes.node_error_code,
       nodes.error_message,
       nodes.input,
       nodes.output
FROM nodes
JOIN runs ON runs.key = nodes.run;
