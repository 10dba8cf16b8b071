-- What a municipality keeps: the register of institutions under its jurisdiction, its cases (事案), and their records.
-- Nothing here is ever changed or deleted; the newest version counts.

CREATE TABLE institutions (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    institution_id TEXT NOT NULL,
    revision       INTEGER NOT NULL,              -- from 1, no gaps
    details_json   TEXT NOT NULL,                 -- institutions::Details
    act            TEXT NOT NULL,                 -- added changed closed reopened
    reason         TEXT NOT NULL DEFAULT '',      -- why it was closed or reopened
    set_by         TEXT NOT NULL,                 -- user id, or `machine`, or `command line`
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, institution_id, revision)
) STRICT;

CREATE TABLE institution_notes (
    facility_id    TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    n              INTEGER NOT NULL,              -- from 1, no gaps
    on_day         TEXT NOT NULL,                 -- the day it is about, YYYY-MM-DD in Japan
    body           TEXT NOT NULL,
    by_user        TEXT NOT NULL,
    by_name        TEXT NOT NULL,
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, institution_id, n)
) STRICT;

CREATE TABLE cases (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    case_id        TEXT NOT NULL UNIQUE,
    number         INTEGER NOT NULL,              -- within the facility, from 1
    institution_id TEXT NOT NULL,
    subject        TEXT NOT NULL,
    drill          INTEGER NOT NULL,
    heard_json     TEXT NOT NULL,                 -- cases::Heard: who told, when, what, taken by whom
    by_user        TEXT NOT NULL,
    by_name        TEXT NOT NULL,
    opened_ms      INTEGER NOT NULL,
    PRIMARY KEY (facility_id, case_id),
    UNIQUE (facility_id, number)
) STRICT;

CREATE TABLE case_entries (                       -- corrected by newer ones, never changed
    facility_id    TEXT NOT NULL,
    case_id        TEXT NOT NULL,
    n              INTEGER NOT NULL,              -- within the case, from 1, no gaps
    heading        TEXT NOT NULL,                 -- damage response recovery prevention general
    kind           TEXT NOT NULL,                 -- cases::EntryKind
    body           TEXT NOT NULL,
    source_json    TEXT NOT NULL,                 -- cases::Source
    legal_basis    TEXT NOT NULL,
    on_day         TEXT NOT NULL,                 -- the day it was told, seen or done
    follow_up      TEXT,                          -- the day to look again
    corrects       INTEGER,                       -- number of the entry it stands in for
    settles        TEXT,                          -- number of the entry, or id of the package, it answers or ends
    by_user        TEXT NOT NULL,
    by_name        TEXT NOT NULL,
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, case_id, n),
    FOREIGN KEY (facility_id, case_id) REFERENCES cases
) STRICT;

CREATE TABLE case_threads (                       -- which case a thread of the exchange belongs to; the newest row counts
    facility_id    TEXT NOT NULL,
    thread         TEXT NOT NULL,                 -- package that began it
    n              INTEGER NOT NULL,              -- from 1, no gaps
    case_id        TEXT,                          -- NULL: taken out again
    by_user        TEXT NOT NULL,
    by_name        TEXT NOT NULL,
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, thread, n),
    FOREIGN KEY (facility_id, case_id) REFERENCES cases
) STRICT;
