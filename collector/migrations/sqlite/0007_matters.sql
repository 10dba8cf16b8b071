-- Staff are told of each matter that waits for a person, one row a channel: emergency releases, and deliveries that stopped.
CREATE TABLE matter_notices (
    facility_id    TEXT NOT NULL,
    kind           TEXT NOT NULL,                 -- release delivery
    about          TEXT NOT NULL,                 -- report id, or delivery id
    number         INTEGER NOT NULL,              -- revision of the report, or attempt at the delivery
    channel_id     TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    created_ms     INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    next_ms        INTEGER NOT NULL,
    sent_ms        INTEGER,
    last_error     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (facility_id, kind, about, number, channel_id)
) STRICT;

INSERT INTO matter_notices
SELECT facility_id, 'release', report_id, revision, channel_id, message_id, created_ms, attempts, next_ms, sent_ms, last_error
FROM emergency_notices;
DROP TABLE emergency_notices;
