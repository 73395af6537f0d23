-- Format 2: who used which plugin, and the nodes that a plugin answered.

-- One row for each plugin and tenant: when a run that used the plugin last began.
CREATE TABLE uses (
    plugin  TEXT NOT NULL,
    tenant  TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (plugin, tenant)
) STRICT, WITHOUT ROWID;

INSERT INTO uses (plugin, tenant, last_at)
SELECT nodes.plugin, runs.tenant, max(runs.started_at)
FROM nodes
JOIN runs ON runs.key = nodes.run
WHERE nodes.plugin IS NOT NULL
GROUP BY nodes.plugin, runs.tenant;

CREATE INDEX nodes_by_plugin ON nodes (plugin, run, position) WHERE plugin IS NOT NULL;
