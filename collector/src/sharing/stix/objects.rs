//! The few objects of STIX 2.1 a product needs.

use serde::Serialize;

use super::marking::Marking;

/// Any of them.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Object {
    Marking(Marking),
    Identity(Identity),
    Report(ReportObject),
    AttackPattern(AttackPattern),
    Indicator(IndicatorObject),
    ObservedData(ObservedData),
    Observable(Observable),
    Relationship(Relationship),
}

impl Object {
    pub(super) fn id(&self) -> &str {
        let head = match self {
            Self::Marking(one) => &one.head,
            Self::Identity(one) => &one.common.head,
            Self::Report(one) => &one.common.head,
            Self::AttackPattern(one) => &one.common.head,
            Self::Indicator(one) => &one.common.head,
            Self::ObservedData(one) => &one.common.head,
            Self::Observable(one) => &one.head,
            Self::Relationship(one) => &one.common.head,
        };
        &head.id
    }
}

/// What every object has.
#[derive(Default, Serialize)]
pub(super) struct Head {
    pub(super) r#type: &'static str,
    pub(super) spec_version: &'static str,
    pub(super) id: String,
}

/// What every object but observables and marks has.
#[derive(Serialize)]
pub(super) struct Common {
    #[serde(flatten)]
    pub(super) head: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_by_ref: Option<String>,
    pub(super) created: String,
    pub(super) modified: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) labels: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lang: Option<&'static str>,
    pub(super) object_marking_refs: Vec<&'static str>,
}

/// Who made it: a sector.
#[derive(Serialize)]
pub(super) struct Identity {
    #[serde(flatten)]
    pub(super) common: Common,
    pub(super) name: String,
    pub(super) identity_class: &'static str,
    pub(super) sectors: [&'static str; 1],
}

/// What holds the others together.
#[derive(Serialize)]
pub(super) struct ReportObject {
    #[serde(flatten)]
    pub(super) common: Common,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) report_types: Vec<&'static str>,
    pub(super) published: String,
    pub(super) object_refs: Vec<String>,
}

/// A technique.
#[derive(Serialize)]
pub(super) struct AttackPattern {
    #[serde(flatten)]
    pub(super) common: Common,
    pub(super) name: &'static str,
    pub(super) kill_chain_phases: Vec<KillChainPhase>,
    pub(super) external_references: [ExternalReference; 1],
}

#[derive(Serialize)]
pub(super) struct KillChainPhase {
    pub(super) kill_chain_name: &'static str,
    pub(super) phase_name: &'static str,
}

#[derive(Serialize)]
pub(super) struct ExternalReference {
    pub(super) source_name: &'static str,
    pub(super) external_id: &'static str,
    pub(super) url: String,
}

/// What to look for.
#[derive(Serialize)]
pub(super) struct IndicatorObject {
    #[serde(flatten)]
    pub(super) common: Common,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) indicator_types: [&'static str; 1],
    pub(super) pattern: String,
    pub(super) pattern_type: &'static str,
    pub(super) pattern_version: &'static str,
    pub(super) valid_from: String,
}

/// What was seen, and when.
#[derive(Serialize)]
pub(super) struct ObservedData {
    #[serde(flatten)]
    pub(super) common: Common,
    pub(super) first_observed: String,
    pub(super) last_observed: String,
    pub(super) number_observed: u32,
    pub(super) object_refs: Vec<String>,
}

/// A thing that was seen: a file or an address.
#[derive(Default, Serialize)]
pub(super) struct Observable {
    #[serde(flatten)]
    pub(super) head: Head,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) object_marking_refs: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hashes: Option<Hashes>,
}

impl Observable {
    /// Returns the canonical JSON of what its id is derived from. Each has one property of ASCII without quotes.
    pub(super) fn contributing(&self) -> String {
        match (&self.value, &self.name, &self.hashes) {
            (Some(value), _, _) => format!(r#"{{"value":"{value}"}}"#),
            (_, Some(name), _) => format!(r#"{{"name":"{name}"}}"#),
            (_, _, Some(hashes)) => {
                let Hashes { md5, sha1, sha256 } = hashes;
                let all = [("MD5", md5), ("SHA-1", sha1), ("SHA-256", sha256)];
                let given = all
                    .into_iter()
                    .find_map(|(kind, hash)| Some((kind, hash.as_ref()?)));
                let (kind, hash) = given.map_or(("", ""), |(kind, hash)| (kind, hash.as_str()));
                format!(r#"{{"hashes":{{"{kind}":"{hash}"}}}}"#)
            }
            (None, None, None) => "{}".to_owned(),
        }
    }
}

/// A hash under its kind.
#[derive(Default, Serialize)]
pub(super) struct Hashes {
    #[serde(rename = "MD5", skip_serializing_if = "Option::is_none")]
    pub(super) md5: Option<String>,
    #[serde(rename = "SHA-1", skip_serializing_if = "Option::is_none")]
    pub(super) sha1: Option<String>,
    #[serde(rename = "SHA-256", skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

impl Hashes {
    /// Tells the kind of a hash by its length.
    pub(super) fn of(hash: &str) -> Self {
        let hash = Some(hash.to_owned());
        match hash.as_ref().map_or(0, String::len) {
            32 => Self { md5: hash, ..Self::default() },
            40 => Self { sha1: hash, ..Self::default() },
            _ => Self { sha256: hash, ..Self::default() },
        }
    }

    /// Returns the kind as patterns write it.
    pub(super) const fn quoted(hash: &str) -> &'static str {
        match hash.len() {
            32 => "MD5",
            40 => "'SHA-1'",
            _ => "'SHA-256'",
        }
    }
}

/// That one has to do with another.
#[derive(Serialize)]
pub(super) struct Relationship {
    #[serde(flatten)]
    pub(super) common: Common,
    pub(super) relationship_type: &'static str,
    pub(super) source_ref: String,
    pub(super) target_ref: String,
}
