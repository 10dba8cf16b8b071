-- Who has to approve, what each of several people decided, who is away, and what one person released alone.

-- Every person's decision on a revision: approvals by several people, a rejection, a withdrawal.
CREATE TABLE decisions_of_people (
    facility_id      TEXT NOT NULL,
    report_id        TEXT NOT NULL,
    revision         INTEGER NOT NULL,
    decision         TEXT NOT NULL,               -- approved rejected withdrawn
    decided_by       TEXT NOT NULL,
    decided_name     TEXT NOT NULL,               -- as it was then; empty in rows from before names were kept
    decided_ms       INTEGER NOT NULL,
    answers_sha256   TEXT NOT NULL,
    own_answers      INTEGER NOT NULL,            -- 1: the approver had set an answer, as the facility allows
    deputy_for       TEXT,                        -- user id: a deputy approved in that person's place
    deputy_for_name  TEXT,
    emergency        INTEGER NOT NULL,            -- 1: released by one person alone
    approvers_needed INTEGER NOT NULL,            -- how many had to approve by the rule of that moment
    reason           TEXT NOT NULL,
    PRIMARY KEY (facility_id, report_id, revision, decision, decided_by)
) STRICT;

INSERT INTO decisions_of_people
SELECT facility_id, report_id, revision, decision, decided_by, '', decided_ms, answers_sha256, own_answers, NULL, NULL,
       0, 1, reason
FROM decisions;
DROP TABLE decisions;
ALTER TABLE decisions_of_people RENAME TO decisions;

CREATE TABLE approval_rules (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    profile        TEXT NOT NULL,                 -- empty: the facility's own, for every profile that says nothing
    layer_json     TEXT NOT NULL,                 -- approval::RuleLayer
    updated_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, profile)
) STRICT;

CREATE TABLE absences (                           -- times in which deputies may approve
    facility_id    TEXT NOT NULL REFERENCES facilities,
    absence_id     TEXT NOT NULL UNIQUE,
    user_id        TEXT NOT NULL REFERENCES users,
    from_ms        INTEGER NOT NULL,
    until_ms       INTEGER NOT NULL,
    ended_ms       INTEGER,                       -- ended before its time
    PRIMARY KEY (facility_id, absence_id)
) STRICT;

-- The look another person took at what one released alone. While it is missing, it is an open duty.
CREATE TABLE emergency_reviews (
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    outcome        TEXT NOT NULL,                 -- in_order objection
    note           TEXT NOT NULL,
    reviewed_by    TEXT NOT NULL,
    reviewed_name  TEXT NOT NULL,
    reviewed_ms    INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id, revision)
) STRICT;

CREATE TABLE emergency_notices (                  -- staff are told of each emergency release, one row a channel
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    channel_id     TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    created_ms     INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    next_ms        INTEGER NOT NULL,
    sent_ms        INTEGER,
    last_error     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (facility_id, report_id, revision, channel_id)
) STRICT;
