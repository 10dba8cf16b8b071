-- The cyber security checklist: every version of every answer. The one with the highest revision is in force; nothing is ever deleted.
CREATE TABLE checklist_answers (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    list_id        TEXT NOT NULL,                 -- checklist::Body::id: jp-2025
    sheet          TEXT NOT NULL,                 -- checklist::SheetKey: institution vendor-<hash of the company's name>
    item_id        TEXT NOT NULL,
    revision       INTEGER NOT NULL,              -- from 1, no gaps
    company        TEXT NOT NULL,                 -- whom the sheet is about; empty for the institution
    asked          TEXT NOT NULL,                 -- the Japanese words that were answered
    answer         TEXT NOT NULL,                 -- yes no not_applicable
    checked_on     TEXT NOT NULL,                 -- day in Japan, YYYY-MM-DD
    target_on      TEXT,                          -- with no alone
    said_by        TEXT NOT NULL,                 -- a person's name, who need not be a user here
    note           TEXT NOT NULL,
    set_by         TEXT NOT NULL,                 -- user id, or `machine`, or `command line`
    set_ms         INTEGER NOT NULL,
    PRIMARY KEY (facility_id, list_id, sheet, item_id, revision)
) STRICT;
