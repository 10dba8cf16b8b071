-- The address book: every version of every contact. The one with the highest revision is in force; nothing is ever deleted.
CREATE TABLE contacts (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    contact_id     TEXT NOT NULL,
    revision       INTEGER NOT NULL,              -- from 1, no gaps
    kind           TEXT NOT NULL,                 -- contacts::ContactKind: staff vendor mhlw prefecture police …
    details_json   TEXT NOT NULL,                 -- contacts::Details
    verified_on    TEXT,                          -- day in Japan, YYYY-MM-DD; NULL while nobody made sure
    verified_by    TEXT,                          -- a person's name, who need not be a user here
    act            TEXT NOT NULL,                 -- added changed verified retired
    set_by         TEXT NOT NULL,                 -- user id, or `machine`, or `command line`
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, contact_id, revision)
) STRICT;

-- The last head of the audit log that left the machine, by what carried it away.
CREATE TABLE audit_departures (
    carrier        TEXT PRIMARY KEY,              -- audit::Carrier: report mail
    n              INTEGER NOT NULL,              -- number of the entry
    hash           TEXT NOT NULL,
    left_ms        INTEGER NOT NULL
) STRICT;
