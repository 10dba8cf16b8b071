//! STIX bundles: whole in themselves, the same bytes every time. `tests/stix.sh` puts them before the public validator.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use shirase_shared::ids::ProductId;
use shirase_shared::testing::builders::night;

use super::super::samples::body;
use super::super::{Body, stix};
use crate::exchange::OrganisationKind;
use crate::exchange::kind::Tlp;

/// Properties STIX 2.1 demands of each type, besides `type`, `spec_version` and `id`.
const REQUIRED: &[(&str, &[&str])] = &[
    ("marking-definition", &["created", "extensions"]),
    ("identity", &["created", "modified", "name"]),
    ("report", &["created", "modified", "name", "published", "object_refs"]),
    ("attack-pattern", &["created", "modified", "name"]),
    ("indicator", &["created", "modified", "pattern", "pattern_type", "valid_from"]),
    (
        "observed-data",
        &[
            "created",
            "modified",
            "first_observed",
            "last_observed",
            "number_observed",
            "object_refs",
        ],
    ),
    ("relationship", &["created", "modified", "relationship_type", "source_ref", "target_ref"]),
    ("file", &[]),
    ("ipv4-addr", &["value"]),
    ("ipv6-addr", &["value"]),
];

fn bundle(body: &Body, organisation: OrganisationKind) -> String {
    let product = ProductId::from_uuid(uuid::Uuid::from_u128(7));
    stix::bundle(stix::Source { product, body, at: night(), organisation }).unwrap()
}

#[test]
fn a_bundle_is_whole_and_the_same_every_time() {
    for tlp in Tlp::ALL {
        for organisation in OrganisationKind::ALL {
            let mut body = Body { tlp, drill: tlp == Tlp::Green, ..body() };
            if tlp == Tlp::Clear {
                body.indicators.clear();
                body.techniques.clear();
            }
            let text = bundle(&body, organisation);
            assert_eq!(text, bundle(&body, organisation));
            check(&serde_json::from_str(&text).unwrap());
            leave(&format!("{tlp}-{organisation}"), &text);
        }
    }
}

#[test]
fn a_bundle_says_what_the_body_says_in_stix() {
    let text = bundle(&body(), OrganisationKind::Hospital);
    for wanted in [
        "[file:name LIKE '%.locked']",
        "[file:name = 'RECOVER-FILES.txt']",
        "[file:hashes.'SHA-256' = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08']",
        "[ipv4-addr:value = '203.0.113.77']",
        "[ipv6-addr:value = '2001:db8::77']",
        "[file:name = 'rclone.exe']",
        "https://attack.mitre.org/techniques/T1486",
        "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        "\"tlp_2_0\": \"amber\"",
        "\"first_observed\": \"2026-01-31T15:00:00.000Z\"",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
}

/// Checks what can be checked without the schemas: required properties, unique ids, references that lead somewhere.
fn check(bundle: &Value) {
    let objects = bundle["objects"].as_array().unwrap();
    let required: BTreeMap<_, _> = REQUIRED.iter().copied().collect();
    let text = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let ids: BTreeSet<String> = objects.iter().map(|one| text(one, "id")).collect();
    assert_eq!(ids.len(), objects.len(), "an id stands twice");
    for object in objects {
        let kind = text(object, "type");
        let id = text(object, "id");
        assert_eq!(object["spec_version"], "2.1", "{id}");
        let uuid = id.strip_prefix(&format!("{kind}--")).unwrap_or_default();
        assert!(uuid.parse::<uuid::Uuid>().is_ok(), "{id}");
        for property in required[kind.as_str()] {
            assert!(!object[property].is_null(), "{id} lacks {property}");
        }
        for (property, value) in object.as_object().unwrap() {
            let values = value
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![value.clone()]);
            if property.ends_with("_ref") || property.ends_with("_refs") {
                for leads in values {
                    assert!(ids.contains(leads.as_str().unwrap()), "{id}: {property} {leads}");
                }
            } else {
                assert_ne!(value, &Value::Array(Vec::new()), "{id}: an empty {property}");
            }
        }
    }
}

/// Leaves bundles where the validator can read them, if the environment names a folder.
fn leave(name: &str, text: &str) {
    let Ok(folder) = std::env::var("SHIRASE_SHOW_BUNDLES") else { return };
    std::fs::write(Path::new(&folder).join(format!("{name}.json")), text).unwrap();
}
