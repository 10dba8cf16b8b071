-- Everything the collector knows. Times are INTEGER milliseconds since 1970 UTC and end in `_ms`; ids are TEXT;
-- JSON is TEXT and ends in `_json`. Every table that grows carries the facility first in its key.

-- == facilities and hosts ==

CREATE TABLE facilities (
    facility_id        TEXT PRIMARY KEY,
    master_json        TEXT NOT NULL,             -- facilities::Master: name, kind, beds, people, vendors …
    manifest_recipient TEXT NOT NULL,             -- age public key; the private one is held by the hospital alone
    self_approval      INTEGER NOT NULL DEFAULT 0, -- 1: an author may approve, and the report says so
    created_ms         INTEGER NOT NULL,
    updated_ms         INTEGER NOT NULL
) STRICT;

CREATE TABLE hosts (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    host_id        TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,                 -- a label, never an identity
    os             TEXT NOT NULL,
    roles_json     TEXT NOT NULL DEFAULT '[]',    -- facilities::CareRole, what the host does for care
    watched_json   TEXT NOT NULL DEFAULT '{}',    -- target name -> CareRole, where one service has a role of its own
    enrolled_ms    INTEGER NOT NULL,
    revoked_ms     INTEGER,
    PRIMARY KEY (facility_id, host_id)
) STRICT;

CREATE TABLE host_certificates (
    facility_id    TEXT NOT NULL,
    host_id        TEXT NOT NULL,
    serial         TEXT NOT NULL UNIQUE,          -- lower-case hexadecimal
    key_sha256     TEXT NOT NULL,                 -- of the SubjectPublicKeyInfo
    issued_ms      INTEGER NOT NULL,
    expires_ms     INTEGER NOT NULL,
    revoked_ms     INTEGER,
    PRIMARY KEY (facility_id, host_id, serial)
) STRICT;

CREATE TABLE enrolment_tokens (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    token_sha256   TEXT NOT NULL UNIQUE,
    label          TEXT NOT NULL,
    created_ms     INTEGER NOT NULL,
    expires_ms     INTEGER NOT NULL,
    revoked_ms     INTEGER,
    used_ms        INTEGER,
    used_key_sha256 TEXT,                         -- the first key that used it; it may ask again for a lost answer
    host_id        TEXT,
    PRIMARY KEY (facility_id, token_sha256)
) STRICT;

CREATE TABLE heartbeats (                         -- the last one of each host
    facility_id    TEXT NOT NULL,
    host_id        TEXT NOT NULL,
    received_ms    INTEGER NOT NULL,
    body_json      TEXT NOT NULL,                 -- wire::Heartbeat
    PRIMARY KEY (facility_id, host_id)
) STRICT;

CREATE TABLE clock_offsets (                      -- the last one of each host and boot
    facility_id    TEXT NOT NULL,
    host_id        TEXT NOT NULL,
    boot_id        TEXT NOT NULL,
    offset_ms      INTEGER NOT NULL,              -- add to the host's boot-based time to get the collector's wall time
    wall_error_ms  INTEGER NOT NULL,              -- host wall minus collector wall when last heard
    uncertainty_ms INTEGER NOT NULL,              -- the true value lies within offset ± this
    measured_ms    INTEGER NOT NULL,
    PRIMARY KEY (facility_id, host_id, boot_id)
) STRICT;

-- == records ==

CREATE TABLE records (
    facility_id    TEXT NOT NULL,
    host_id        TEXT NOT NULL,
    stream_id      TEXT NOT NULL,
    sequence       INTEGER NOT NULL,
    hash           TEXT NOT NULL,                 -- of `raw`; the same key with another hash is a fork, both are kept
    raw            BLOB NOT NULL,                 -- the line as the agent sent it
    event_json     TEXT,                          -- event::Event as this version reads it; NULL if it cannot
    kind           TEXT NOT NULL,                 -- also of events this version cannot read
    severity       TEXT,
    burst_id       TEXT,
    drill_id       TEXT,
    detected_ms    INTEGER,                       -- host's wall clock
    corrected_ms   INTEGER NOT NULL,              -- on the collector's time line; what rules use
    uncertainty_ms INTEGER NOT NULL,
    received_ms    INTEGER NOT NULL,
    PRIMARY KEY (facility_id, host_id, stream_id, sequence, hash)
) STRICT;
CREATE INDEX records_by_time ON records (facility_id, corrected_ms);
CREATE INDEX records_by_arrival ON records (facility_id, received_ms); -- a host that was away brings old times late

CREATE TABLE forks (                              -- a copied agent, noticed
    facility_id    TEXT NOT NULL,
    host_id        TEXT NOT NULL,
    stream_id      TEXT NOT NULL,
    sequence       INTEGER NOT NULL,
    noticed_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, host_id, stream_id, sequence)
) STRICT;

CREATE TABLE manifests (
    facility_id    TEXT NOT NULL,
    host_id        TEXT NOT NULL,
    burst_id       TEXT NOT NULL,
    sha256         TEXT NOT NULL,                 -- of the ciphertext, kept in the data directory under this name
    bytes          INTEGER NOT NULL,
    files          INTEGER NOT NULL,
    received_ms    INTEGER NOT NULL,
    PRIMARY KEY (facility_id, host_id, burst_id, sha256)
) STRICT;

CREATE TABLE orders (
    facility_id    TEXT NOT NULL,
    host_id        TEXT NOT NULL,
    order_id       TEXT NOT NULL,
    drill_id       TEXT,
    order_json     TEXT NOT NULL,                 -- exactly the text that was signed
    signature      TEXT NOT NULL,
    issued_ms      INTEGER NOT NULL,
    expires_ms     INTEGER NOT NULL,
    sent_ms        INTEGER,                       -- first time it was put into an answer
    PRIMARY KEY (facility_id, host_id, order_id)
) STRICT;

-- When the collector itself was listening: silence counts only then.
CREATE TABLE listening (
    started_ms     INTEGER PRIMARY KEY,
    last_ms        INTEGER NOT NULL
) STRICT;

-- == incidents ==

CREATE TABLE incidents (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    incident_id    TEXT NOT NULL UNIQUE,
    number         INTEGER NOT NULL,              -- per facility, from 1: what people say on the telephone
    status         TEXT NOT NULL,                 -- open acknowledged closed false_alarm merged
    severity       TEXT NOT NULL,
    rule           TEXT NOT NULL,                 -- of the weightiest conclusion: names the incident
    drill_id       TEXT,
    first_ms       INTEGER NOT NULL,              -- first change, corrected
    opened_ms      INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    merged_into    TEXT,
    PRIMARY KEY (facility_id, incident_id),
    UNIQUE (facility_id, number)
) STRICT;

CREATE TABLE conclusions (
    facility_id    TEXT NOT NULL,
    natural_key    TEXT NOT NULL,
    incident_id    TEXT NOT NULL,
    body_json      TEXT NOT NULL,                 -- correlate::Conclusion
    updated_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, natural_key)
) STRICT;
CREATE INDEX conclusions_by_incident ON conclusions (facility_id, incident_id);

CREATE TABLE timeline (                           -- what people and the machine did to an incident
    facility_id    TEXT NOT NULL,
    incident_id    TEXT NOT NULL,
    entry          INTEGER NOT NULL,              -- from 1 within the incident
    at_ms          INTEGER NOT NULL,
    who            TEXT,                          -- user id, NULL for the machine
    body_json      TEXT NOT NULL,                 -- incidents::Entry
    PRIMARY KEY (facility_id, incident_id, entry)
) STRICT;

-- == reports ==

CREATE TABLE reports (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    report_id      TEXT NOT NULL UNIQUE,
    incident_id    TEXT NOT NULL,
    profile        TEXT NOT NULL,                 -- for example jp-mhlw-contact
    status         TEXT NOT NULL,                 -- draft submitted approved withdrawn
    revision       INTEGER NOT NULL,              -- grows with every change of an answer
    drill_id       TEXT,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id),
    UNIQUE (facility_id, incident_id, profile)
) STRICT;

CREATE TABLE answers (                            -- every version of every answer, the last one is in force
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    field          INTEGER NOT NULL,              -- number in the table of fields
    revision       INTEGER NOT NULL,
    answer_json    TEXT NOT NULL,                 -- reports::answer::Answer
    set_by         TEXT,                          -- user id, NULL for the machine
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id, field, revision)
) STRICT;

CREATE TABLE proposals (                          -- what the machine would say where a person has answered
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    field          INTEGER NOT NULL,
    answer_json    TEXT NOT NULL,                 -- reports::answer::Answer
    made_ms        INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id, field)
) STRICT;

CREATE TABLE submissions (                        -- frozen answers
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    frozen_json    TEXT NOT NULL,                 -- canonical JSON; answers_sha256 is over exactly this text
    answers_sha256 TEXT NOT NULL,
    submitted_by   TEXT NOT NULL,
    submitted_ms   INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id, revision)
) STRICT;

CREATE TABLE decisions (
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    decision       TEXT NOT NULL,                 -- approved rejected
    answers_sha256 TEXT NOT NULL,
    decided_by     TEXT NOT NULL,
    decided_ms     INTEGER NOT NULL,
    own_answers    INTEGER NOT NULL,              -- 1: the approver had set an answer, as the facility allows
    reason         TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (facility_id, report_id, revision)
) STRICT;

CREATE TABLE renderings (
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    format         TEXT NOT NULL,                 -- pdf
    sha256         TEXT NOT NULL,
    signature      TEXT NOT NULL,                 -- Ed25519 by the report key over the text described in approval.rs
    bytes          BLOB NOT NULL,
    made_ms        INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id, revision, format)
) STRICT;

-- == people ==

CREATE TABLE users (
    user_id        TEXT PRIMARY KEY,
    login          TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,                 -- as printed on a report
    password_hash  TEXT NOT NULL,                 -- argon2id, PHC string
    must_change    INTEGER NOT NULL,              -- 1: the password was given out once and must be replaced
    totp_secret    TEXT,                          -- base32; NULL until the second factor is set up
    totp_last_step INTEGER NOT NULL DEFAULT 0,    -- a code is good once
    created_ms     INTEGER NOT NULL,
    disabled_ms    INTEGER
) STRICT;

CREATE TABLE roles (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    user_id        TEXT NOT NULL REFERENCES users,
    role           TEXT NOT NULL,                 -- viewer author approver administrator
    PRIMARY KEY (facility_id, user_id, role)
) STRICT;

CREATE TABLE sessions (
    session_sha256 TEXT PRIMARY KEY,              -- of the cookie's value
    user_id        TEXT NOT NULL REFERENCES users,
    csrf           TEXT NOT NULL,
    stage          TEXT NOT NULL,                 -- password_change second_factor_setup second_factor full
    created_ms     INTEGER NOT NULL,
    seen_ms        INTEGER NOT NULL,
    expires_ms     INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    n              INTEGER PRIMARY KEY,           -- from 1, no gaps
    at_ms          INTEGER NOT NULL,
    facility_id    TEXT,
    who            TEXT NOT NULL,                 -- user id, or `machine`, or `command line`
    action         TEXT NOT NULL,
    object         TEXT NOT NULL,
    detail_json    TEXT NOT NULL,
    previous       TEXT NOT NULL,                 -- hash of entry n-1; 64 zeros for the first
    hash           TEXT NOT NULL
) STRICT;

-- == staff alerts ==

CREATE TABLE alert_channels (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    channel_id     TEXT NOT NULL,
    kind           TEXT NOT NULL,                 -- mail webhook
    target         TEXT NOT NULL,                 -- address or URL
    min_severity   TEXT NOT NULL,
    PRIMARY KEY (facility_id, channel_id)
) STRICT;

CREATE TABLE notifications (                      -- one per incident, escalation and channel
    facility_id    TEXT NOT NULL,
    incident_id    TEXT NOT NULL,
    escalation     TEXT NOT NULL,                 -- the severity reached
    channel_id     TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    created_ms     INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    next_ms        INTEGER NOT NULL,
    sent_ms        INTEGER,
    last_error     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (facility_id, incident_id, escalation, channel_id)
) STRICT;
