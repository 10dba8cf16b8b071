"""Reads sharing products with the public TAXII client (taxii2-client of OASIS). See `tests/stix.sh`.

Arguments: discovery URL, user, file with the authority's certificate. The token comes on standard input.
"""

import os
import sys

# Where the machine names authorities of its own, the library takes those in the place of the one given here.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)

from taxii2client.v21 import Server, as_pages

url, user, authority = sys.argv[1:]
token = sys.stdin.read().strip()
server = Server(url, user=user, password=token, verify=authority)
print("server:", server.title)
total = 0
for collection in server.default.collections:
    kinds = {}
    for page in as_pages(collection.get_objects, per_request=3):
        for found in page.get("objects", []):
            kinds[found["type"]] = kinds.get(found["type"], 0) + 1
    manifest = collection.get_manifest()
    first = manifest.get("objects", [{}])[0]
    if first:
        whole = collection.get_object(first["id"])
        assert whole["objects"][0]["id"] == first["id"]
    total += sum(kinds.values())
    print("collection:", collection.title, kinds)
assert total, "the client read nothing"
