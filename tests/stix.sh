#!/bin/sh
# Puts the bundles the tests make before the public STIX validator, and has the public TAXII client read a collector's
# products (both of OASIS, BSD-3-Clause), in an environment of their own below target/. Needs python3 with venv, and the
# network the first time. Outside the gate.
set -eu
cd "$(dirname "$0")/.."
place="$PWD/target/stix"
mkdir -p "$place/bundles"
rm -f "$place"/bundles/*.json
if [ ! -x "$place/venv/bin/stix2_validator" ]; then
    python3 -m venv "$place/venv"
    "$place/venv/bin/pip" install --quiet stix2-validator taxii2-client
fi
SHIRASE_SHOW_BUNDLES="$place/bundles" SHIRASE_TAXII_PYTHON="$place/venv/bin/python" \
    cargo test --workspace --locked --lib -- --nocapture sharing::tests::bundles post::tests::sharing
# 103 wants ids drawn by chance (ours are derived, so that a product has one bundle), 302 hashes of MITRE's pages.
"$place/venv/bin/stix2_validator" --disable 103,302 --version 2.1 "$place"/bundles/*.json
