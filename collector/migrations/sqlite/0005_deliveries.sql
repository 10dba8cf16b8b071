-- One released report to one addressee, and every attempt at it.

CREATE TABLE deliveries (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    delivery_id    TEXT NOT NULL UNIQUE,
    report_id      TEXT NOT NULL,
    incident_id    TEXT NOT NULL,
    profile        TEXT NOT NULL,                 -- of the report, for example jp-mhlw-contact
    revision       INTEGER NOT NULL,              -- the one that was released
    answers_sha256 TEXT NOT NULL,
    drill          INTEGER NOT NULL,              -- 1: the report is an exercise's
    way            TEXT NOT NULL,                 -- mail folder phone fax web medium
    purpose        TEXT NOT NULL,                 -- report: meets deadlines; copy: does not
    organisation   TEXT NOT NULL,                 -- the addressee as chosen; what the address book says later changes nothing
    person         TEXT NOT NULL,
    address        TEXT NOT NULL,
    contact_id     TEXT,                          -- entry of the address book it was taken from
    verified_on    TEXT,                          -- when the address was last verified, as the book said then
    drill_partner  INTEGER NOT NULL,              -- 1: takes part in exercises
    form_id        TEXT,                          -- official form whose filled copy goes along
    message_id     TEXT NOT NULL UNIQUE,          -- the same for every attempt
    state          TEXT NOT NULL,                 -- waiting delivered unknown refused failed stopped
    attempts       INTEGER NOT NULL DEFAULT 0,
    failures       INTEGER NOT NULL DEFAULT 0,    -- attempts in a row without an end, since a person last decided
    next_ms        INTEGER,                       -- when the machine tries (again); NULL when it does not
    delivered_ms   INTEGER,
    delivered_by   TEXT,                          -- who says so; NULL for the machine
    receipt        TEXT NOT NULL DEFAULT '',      -- the addressee's 受付番号
    note           TEXT NOT NULL DEFAULT '',      -- why it stands as it does, or what was agreed
    created_ms     INTEGER NOT NULL,
    created_by     TEXT NOT NULL,
    updated_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, delivery_id),
    CHECK (drill = 0 OR drill_partner = 1)
) STRICT;
CREATE INDEX deliveries_by_report ON deliveries (facility_id, report_id);
CREATE INDEX deliveries_by_incident ON deliveries (facility_id, incident_id);

CREATE TABLE delivery_attempts (
    facility_id      TEXT NOT NULL,
    delivery_id      TEXT NOT NULL,
    attempt          INTEGER NOT NULL,            -- from 1
    begun_ms         INTEGER NOT NULL,
    handing_over_ms  INTEGER,                     -- committed before the text leaves: from here on an end that nobody saw is unknown
    ended_ms         INTEGER,                     -- NULL while it runs, or was broken off
    outcome          TEXT,                        -- delivered not_yet refused unknown
    answer           TEXT NOT NULL DEFAULT '',    -- the other side's words
    who              TEXT,                        -- user id, NULL for the machine
    PRIMARY KEY (facility_id, delivery_id, attempt)
) STRICT;
