-- Addressees' own files, uploaded by facilities, and the copies filled for approved reports.

CREATE TABLE official_forms (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    form_id        TEXT NOT NULL,                 -- [a-z0-9-], chosen by the facility
    kind           TEXT NOT NULL,                 -- xlsx docx
    file_name      TEXT NOT NULL,
    sha256         TEXT NOT NULL,
    bytes          BLOB NOT NULL,
    mapping_json   TEXT NOT NULL,                 -- reports::official::Mapping
    uploaded_by    TEXT,                          -- user id, NULL for the command line
    uploaded_ms    INTEGER NOT NULL,
    PRIMARY KEY (facility_id, form_id)
) STRICT;

CREATE TABLE filled_forms (
    facility_id    TEXT NOT NULL,
    report_id      TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    form_id        TEXT NOT NULL,
    form_sha256    TEXT NOT NULL,
    mapping_sha256 TEXT NOT NULL,
    answers_sha256 TEXT NOT NULL,
    sha256         TEXT NOT NULL,
    signature      TEXT NOT NULL,                 -- Ed25519 by the report key over the text described in reports/official.rs
    bytes          BLOB NOT NULL,
    made_ms        INTEGER NOT NULL,
    PRIMARY KEY (facility_id, report_id, revision, form_id, form_sha256, mapping_sha256)
) STRICT;
