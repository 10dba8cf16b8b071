-- What is kept beside an entry of a municipality's record: one file an entry, never changed.

CREATE TABLE case_files (
    facility_id    TEXT NOT NULL,
    case_id        TEXT NOT NULL,
    n              INTEGER NOT NULL,              -- the entry
    name           TEXT NOT NULL,
    sha256         TEXT NOT NULL,
    bytes          BLOB NOT NULL,
    PRIMARY KEY (facility_id, case_id, n),
    FOREIGN KEY (facility_id, case_id, n) REFERENCES case_entries
) STRICT;
