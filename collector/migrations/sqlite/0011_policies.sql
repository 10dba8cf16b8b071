-- Fleet policy: every saved text. Of those of one scope the one with the highest revision is in force; nothing is ever changed or deleted.
-- A facility and its hosts share one row of numbers, so that what is said later is always higher, whoever it is said of.
CREATE TABLE policies (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    revision       INTEGER NOT NULL,              -- from 1, with gaps: above whatever a host of the facility ever reported
    host_id        TEXT,                          -- NULL: for every host of the facility
    body           TEXT NOT NULL,                 -- TOML, shared::policy::Policy, as a person wrote it; empty: nothing any more
    reason         TEXT NOT NULL,
    set_by         TEXT NOT NULL,                 -- user id, or `command line`
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, revision),
    FOREIGN KEY (facility_id, host_id) REFERENCES hosts (facility_id, host_id)
) STRICT;

CREATE INDEX policies_of_host ON policies (facility_id, host_id, revision);
