-- Format 2: revisions of which nobody has decided yet whether they go live by themselves.

CREATE TABLE arrivals (
    plugin TEXT NOT NULL,
    number INTEGER NOT NULL,
    UNIQUE (plugin, number)
) STRICT;
