-- The exchange with other organisations: own cards, partners with theirs, messages, packages and what became of them.

CREATE TABLE own_cards (                          -- what a facility called itself; packages to an older one still arrive
    facility_id    TEXT NOT NULL REFERENCES facilities,
    card_id        TEXT NOT NULL UNIQUE,          -- fingerprint: SHA-256 of the canonical card
    card_json      TEXT NOT NULL,                 -- exchange::card::Card
    made_ms        INTEGER NOT NULL,
    PRIMARY KEY (facility_id, card_id)
) STRICT;

CREATE TABLE partners (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    partner_id     TEXT NOT NULL,                 -- short name, chosen here
    calls_us       TEXT,                          -- the own card they last addressed
    added_ms       INTEGER NOT NULL,
    revoked_ms     INTEGER,
    revoked_reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (facility_id, partner_id)
) STRICT;

CREATE TABLE partner_cards (                      -- every card of a partner that two people compared; nothing is ever deleted
    facility_id    TEXT NOT NULL,
    partner_id     TEXT NOT NULL,
    card_id        TEXT NOT NULL,
    card_json      TEXT NOT NULL,
    from_ms        INTEGER NOT NULL,
    until_ms       INTEGER,                       -- NULL for the one in force
    compared_by    TEXT NOT NULL,                 -- a person's name, who need not be a user here
    PRIMARY KEY (facility_id, partner_id, card_id),
    FOREIGN KEY (facility_id, partner_id) REFERENCES partners
) STRICT;

CREATE TABLE messages (                           -- written by one person, released by another
    facility_id    TEXT NOT NULL REFERENCES facilities,
    message_id     TEXT NOT NULL UNIQUE,
    partner_id     TEXT NOT NULL,
    kind           TEXT NOT NULL,                 -- question answer guidance notice
    tlp            TEXT NOT NULL,
    drill          INTEGER NOT NULL,
    reply_to       TEXT,                          -- package id
    subject        TEXT NOT NULL,
    body           TEXT NOT NULL,
    written_by     TEXT NOT NULL,
    written_name   TEXT NOT NULL,
    written_ms     INTEGER NOT NULL,
    state          TEXT NOT NULL,                 -- waiting released returned
    package_id     TEXT,                          -- what it became
    reason         TEXT NOT NULL DEFAULT '',      -- why it was sent back
    ended_ms       INTEGER,
    PRIMARY KEY (facility_id, message_id),
    FOREIGN KEY (facility_id, partner_id) REFERENCES partners
) STRICT;

CREATE TABLE message_files (
    facility_id    TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    name           TEXT NOT NULL,
    bytes          BLOB NOT NULL,
    PRIMARY KEY (facility_id, message_id, name)
) STRICT;

CREATE TABLE packages (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    package_id     TEXT NOT NULL,                 -- SHA-256 of manifest_json
    partner_id     TEXT NOT NULL,
    direction      TEXT NOT NULL,                 -- in out
    kind           TEXT NOT NULL,
    thread         TEXT NOT NULL,                 -- package that began it: its own id for that one
    place          INTEGER NOT NULL,              -- among the sender's packages of the thread, from 1; 0 for acknowledgements
    manifest_json  TEXT NOT NULL,                 -- canonical, as signed
    signature      TEXT NOT NULL,                 -- Ed25519, base64
    signer         TEXT NOT NULL,                 -- public key it was checked against, base64
    made_ms        INTEGER NOT NULL,              -- by the sender's clock
    stored_ms      INTEGER NOT NULL,              -- by ours
    carrier        TEXT NOT NULL,                 -- network file; for what goes out, how it was last tried
    delivery_id    TEXT,                          -- the delivery a report goes out for
    attempts       INTEGER NOT NULL DEFAULT 0,
    next_ms        INTEGER,                       -- when the machine tries (again); NULL when it does not
    done_ms        INTEGER,                       -- out: the partner has it
    last_error     TEXT NOT NULL DEFAULT '',
    exported_ms    INTEGER,                       -- out: last written as a file
    PRIMARY KEY (facility_id, package_id),
    FOREIGN KEY (facility_id, partner_id) REFERENCES partners
) STRICT;
-- One place of a thread is held by one package: another one there is a fork, and refused.
CREATE UNIQUE INDEX packages_by_place ON packages (facility_id, partner_id, direction, thread, place)
    WHERE kind <> 'acknowledgement';
CREATE INDEX packages_by_thread ON packages (facility_id, thread);

CREATE TABLE package_files (
    facility_id    TEXT NOT NULL,
    package_id     TEXT NOT NULL,
    name           TEXT NOT NULL,
    bytes          BLOB NOT NULL,
    PRIMARY KEY (facility_id, package_id, name)
) STRICT;

CREATE TABLE package_acks (                       -- what a partner acknowledged of ours, and we of theirs
    facility_id    TEXT NOT NULL,
    package_id     TEXT NOT NULL,
    what           TEXT NOT NULL,                 -- stored read
    by_name        TEXT NOT NULL,                 -- who read it; empty for a machine
    at_ms          INTEGER NOT NULL,              -- by the clock of whoever acknowledged
    ack_id         TEXT NOT NULL,                 -- the acknowledging package
    PRIMARY KEY (facility_id, package_id, what, by_name)
) STRICT;
