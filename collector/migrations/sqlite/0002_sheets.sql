-- One record, many views. Answers belong to the incident; a report shows them, freezes them when it is submitted,
-- and has a round: 第1報, 第2報 … within its series of reports to one addressee.

CREATE TABLE sheets (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    incident_id    TEXT NOT NULL,
    revision       INTEGER NOT NULL,              -- grows with every change of an answer and with every submission
    updated_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, incident_id)
) STRICT;

INSERT INTO sheets (facility_id, incident_id, revision, updated_ms)
SELECT facility_id, incident_id, MAX(revision), MAX(updated_ms) FROM reports GROUP BY facility_id, incident_id;

CREATE TABLE sheet_answers (                      -- every version of every answer, the last one is in force
    facility_id    TEXT NOT NULL,
    incident_id    TEXT NOT NULL,
    field          INTEGER NOT NULL,              -- number in the table of fields
    revision       INTEGER NOT NULL,
    answer_json    TEXT NOT NULL,                 -- reports::answer::Answer, with the reason of a change
    set_by         TEXT,                          -- user id, NULL for the machine
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, incident_id, field, revision)
) STRICT;

-- The report time (field 3) is a report's own and stands in what it froze.
INSERT INTO sheet_answers (facility_id, incident_id, field, revision, answer_json, set_by, set_ms)
SELECT r.facility_id, r.incident_id, a.field, a.revision, a.answer_json, a.set_by, a.set_ms
FROM answers a JOIN reports r ON r.facility_id = a.facility_id AND r.report_id = a.report_id
WHERE a.field <> 3;
DROP TABLE answers;

CREATE TABLE sheet_proposals (                    -- what the machine would say where a person has answered
    facility_id    TEXT NOT NULL,
    incident_id    TEXT NOT NULL,
    field          INTEGER NOT NULL,
    answer_json    TEXT NOT NULL,                 -- reports::answer::Answer
    made_ms        INTEGER NOT NULL,
    PRIMARY KEY (facility_id, incident_id, field)
) STRICT;

INSERT INTO sheet_proposals (facility_id, incident_id, field, answer_json, made_ms)
SELECT r.facility_id, r.incident_id, p.field, p.answer_json, p.made_ms
FROM proposals p JOIN reports r ON r.facility_id = p.facility_id AND r.report_id = p.report_id;
DROP TABLE proposals;

CREATE TABLE reports_in_rounds (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    report_id      TEXT NOT NULL UNIQUE,
    incident_id    TEXT NOT NULL,
    profile        TEXT NOT NULL,                 -- for example jp-mhlw-contact
    series         TEXT NOT NULL,                 -- reports to one addressee count together, for example jp-mhlw
    round          INTEGER NOT NULL,              -- 第n報 within the series, from 1
    round_kind     TEXT NOT NULL,                 -- preliminary interim final
    status         TEXT NOT NULL,                 -- draft submitted approved withdrawn
    revision       INTEGER NOT NULL,              -- of the sheet when it was submitted; a draft shows the sheet's own
    drill_id       TEXT,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id),
    UNIQUE (facility_id, incident_id, series, round)
) STRICT;

INSERT INTO reports_in_rounds
SELECT facility_id, report_id, incident_id, profile,
       CASE profile WHEN 'jp-mhlw-contact' THEN 'jp-mhlw' ELSE profile END, 1, 'preliminary',
       status, revision, drill_id, created_ms, updated_ms
FROM reports;
DROP TABLE reports;
ALTER TABLE reports_in_rounds RENAME TO reports;

-- Warnings about deadlines: one per incident, deadline, stage and channel.
CREATE TABLE deadline_notices (
    facility_id    TEXT NOT NULL,
    incident_id    TEXT NOT NULL,
    deadline       TEXT NOT NULL,                 -- profile and name of the deadline, for example jp-ppc-final/final
    stage          TEXT NOT NULL,                 -- 50 80 … per cent of the time gone, or passed
    due_ms         INTEGER NOT NULL,              -- the moment the deadline had then; another one is another notice
    channel_id     TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    created_ms     INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    next_ms        INTEGER NOT NULL,
    sent_ms        INTEGER,
    last_error     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (facility_id, incident_id, deadline, stage, due_ms, channel_id)
) STRICT;
