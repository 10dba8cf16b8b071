-- Which authority a host's certificate comes from: an authority is replaced while certificates of the one before last.

ALTER TABLE host_certificates ADD COLUMN authority_sha256 TEXT NOT NULL DEFAULT ''; -- '': the one before there was a choice
