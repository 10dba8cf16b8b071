-- One notice to many partners: its messages are those of the exchange, one a partner.

CREATE TABLE circulars (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    circular_id    TEXT NOT NULL UNIQUE,
    kind           TEXT NOT NULL,                 -- notice drill_invitation
    subject        TEXT NOT NULL,
    body           TEXT NOT NULL,
    tlp            TEXT NOT NULL,
    drill          INTEGER NOT NULL,
    reminds        TEXT,                          -- the circular whose silent readers it reminds
    written_by     TEXT NOT NULL,
    written_name   TEXT NOT NULL,
    written_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, circular_id)
) STRICT;

CREATE TABLE circular_messages (
    facility_id    TEXT NOT NULL,
    circular_id    TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    PRIMARY KEY (facility_id, message_id),
    FOREIGN KEY (facility_id, circular_id) REFERENCES circulars
) STRICT;
CREATE INDEX circular_messages_by_circular ON circular_messages (facility_id, circular_id);
