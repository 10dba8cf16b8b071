-- The sharing product (共有情報): drafts, what was frozen and approved, whom it was sent to; what came of those received; TAXII clients.

CREATE TABLE sharing_products (
    facility_id    TEXT NOT NULL REFERENCES facilities,
    product_id     TEXT NOT NULL UNIQUE,
    number         INTEGER NOT NULL,              -- within the facility, from 1
    incident_id    TEXT,                          -- what it tells of; NULL for one made from others
    origins_json   TEXT NOT NULL,                 -- packages it was made from
    body_json      TEXT NOT NULL,                 -- sharing::Body, canonical; frozen from the submission on
    revision       INTEGER NOT NULL,
    authors_json   TEXT NOT NULL,                 -- everybody who wrote or submitted it
    consent_json   TEXT,                          -- sharing::Consent as it stood at the submission
    state          TEXT NOT NULL,                 -- draft submitted approved
    sha256         TEXT,                          -- of the frozen body
    submitted_by   TEXT,
    submitted_name TEXT,
    submitted_ms   INTEGER,
    approved_by    TEXT,
    approved_name  TEXT,
    approved_ms    INTEGER,
    signer         TEXT,                          -- public key its files were signed with, base64
    reason         TEXT NOT NULL DEFAULT '',      -- why it was last sent back
    made_ms        INTEGER NOT NULL,
    changed_ms     INTEGER NOT NULL,
    PRIMARY KEY (facility_id, product_id),
    UNIQUE (facility_id, number)
) STRICT;
CREATE INDEX sharing_products_approved ON sharing_products (facility_id, approved_ms) WHERE state = 'approved';

CREATE TABLE sharing_files (                      -- made, signed and kept at the approval
    facility_id    TEXT NOT NULL,
    product_id     TEXT NOT NULL,
    name           TEXT NOT NULL,                 -- product.json stix.json product.pdf
    bytes          BLOB NOT NULL,
    signature      TEXT NOT NULL,                 -- Ed25519, base64
    PRIMARY KEY (facility_id, product_id, name),
    FOREIGN KEY (facility_id, product_id) REFERENCES sharing_products ON DELETE CASCADE
) STRICT;

CREATE TABLE sharing_sent (                       -- once to each partner
    facility_id    TEXT NOT NULL,
    product_id     TEXT NOT NULL,
    partner_id     TEXT NOT NULL,
    package_id     TEXT NOT NULL,
    sent_by        TEXT NOT NULL,
    sent_name      TEXT NOT NULL,
    sent_ms        INTEGER NOT NULL,
    PRIMARY KEY (facility_id, product_id, partner_id),
    FOREIGN KEY (facility_id, product_id) REFERENCES sharing_products ON DELETE CASCADE
) STRICT;

CREATE TABLE sharing_findings (                   -- every search of a product's indicators in what is stored; nothing is ever deleted
    facility_id    TEXT NOT NULL REFERENCES facilities,
    package_id     TEXT NOT NULL,                 -- the product that was received
    searched_ms    INTEGER NOT NULL,
    kind           TEXT NOT NULL,                 -- sharing::IndicatorKind
    value          TEXT NOT NULL,
    finding_json   TEXT NOT NULL,                 -- sharing::Finding
    searched_by    TEXT NOT NULL,
    searched_name  TEXT NOT NULL,
    PRIMARY KEY (facility_id, package_id, searched_ms, kind, value)
) STRICT;

CREATE TABLE sharing_accepted (                   -- indicators a person accepted for detection
    facility_id    TEXT NOT NULL REFERENCES facilities,
    kind           TEXT NOT NULL,
    value          TEXT NOT NULL,
    accepted_ms    INTEGER NOT NULL,
    package_id     TEXT NOT NULL,                 -- the product it stood in
    accepted_by    TEXT NOT NULL,
    accepted_name  TEXT NOT NULL,
    ended_ms       INTEGER,                       -- NULL while it counts
    ended_by       TEXT,
    PRIMARY KEY (facility_id, kind, value, accepted_ms)
) STRICT;
CREATE UNIQUE INDEX sharing_accepted_now ON sharing_accepted (facility_id, kind, value) WHERE ended_ms IS NULL;

CREATE TABLE taxii_clients (                      -- who may read products over TAXII; the token itself is never stored
    facility_id    TEXT NOT NULL REFERENCES facilities,
    client_id      TEXT NOT NULL,                 -- short name, chosen here
    token_sha256   TEXT NOT NULL UNIQUE,
    reads          TEXT NOT NULL,                 -- the narrowest mark it may read: clear green amber
    made_ms        INTEGER NOT NULL,
    revoked_ms     INTEGER,
    PRIMARY KEY (facility_id, client_id, made_ms)
) STRICT;
CREATE UNIQUE INDEX taxii_clients_now ON taxii_clients (facility_id, client_id) WHERE revoked_ms IS NULL;
