//! The marks of TLP 2.0, as OASIS published them for STIX 2.1 (cti-stix-common-objects, extension `tlp-2.0`).

use serde::Serialize;

use super::objects::{Head, Object};
use crate::exchange::kind::Tlp;

/// When OASIS made them; a part of the objects.
const CREATED: &str = "2022-10-01T00:00:00.000Z";

/// A mark.
#[derive(Serialize)]
pub(super) struct Marking {
    #[serde(flatten)]
    pub(super) head: Head,
    created: &'static str,
    name: &'static str,
    extensions: Extensions,
}

#[derive(Serialize)]
struct Extensions {
    #[serde(rename = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d")]
    tlp: TlpExtension,
}

#[derive(Serialize)]
struct TlpExtension {
    extension_type: &'static str,
    tlp_2_0: &'static str,
}

/// Returns the id of a mark.
pub(super) const fn id(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        Tlp::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Tlp::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Tlp::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    }
}

/// Returns a mark.
pub(super) fn of(tlp: Tlp) -> Object {
    let tlp_2_0 = match tlp {
        Tlp::Red => "red",
        Tlp::AmberStrict => "amber+strict",
        Tlp::Amber => "amber",
        Tlp::Green => "green",
        Tlp::Clear => "clear",
    };
    let extension = TlpExtension { extension_type: "property-extension", tlp_2_0 };
    Object::Marking(Marking {
        head: Head { r#type: "marking-definition", spec_version: "2.1", id: id(tlp).to_owned() },
        created: CREATED,
        name: tlp.mark(),
        extensions: Extensions { tlp: extension },
    })
}
