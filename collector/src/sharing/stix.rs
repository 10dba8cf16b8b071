//! A product as a STIX 2.1 bundle.
//!
//! ```text
//! marking-definition   identity (a sector, nobody)
//!        ▲                  ▲ created_by_ref
//! report ─▶ indicator … ─(indicates)─▶ attack-pattern …
//!                       ─(based-on)──▶ observed-data ─▶ file, ipv4-addr, ipv6-addr
//! ```
//!
//! Always holds:
//! - the same body under the same product at the same moment gives the same bytes; ids are derived (`UUIDv5`), those of
//!   cyber-observable objects the way STIX asks;
//! - who made it is a sector; the marks are those FIRST and OASIS published for TLP 2.0.

mod ids;
mod marking;
mod objects;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;
use shirase_shared::ids::ProductId;

use super::{Body, Indicator, IndicatorKind, Shared, Technique, title};
use crate::exchange::OrganisationKind;
use crate::locale::{Lang, Locale};
pub(super) use ids::derived;
use ids::observable;
use objects::{
    AttackPattern, Common, ExternalReference, Hashes, Head, Identity, IndicatorObject,
    KillChainPhase, Object, Observable, ObservedData, Relationship, ReportObject,
};

/// Name of the file in a package.
pub const STIX_FILE: &str = "stix.json";
/// Since when objects that all products share are what they are.
const SHARED_SINCE: &str = "2026-01-01T00:00:00.000Z";
/// The technique that suffixes and notes point at.
const ENCRYPTED: &str = "T1486";

/// What a bundle is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The product; its id names nobody.
    pub product: ProductId,
    /// What it says.
    pub body: &'a Body,
    /// When it was approved.
    pub at: Timestamp,
    /// What kind of organisation made it.
    pub organisation: OrganisationKind,
}

#[derive(Serialize)]
struct Bundle {
    r#type: &'static str,
    id: String,
    objects: Vec<Object>,
}

/// Makes the bundle.
///
/// # Errors
/// Never: it holds texts and numbers alone.
pub fn bundle(source: Source<'_>) -> Result<String, serde_json::Error> {
    let maker = Maker::new(source);
    let mut objects = vec![marking::of(source.body.tlp), maker.identity()];
    if source.body.tlp != crate::exchange::kind::Tlp::Clear {
        objects.insert(1, marking::of(crate::exchange::kind::Tlp::Clear));
    }
    let told = maker.told();
    objects.push(maker.report(&told));
    objects.extend(told);
    let id = derived("bundle", &[&source.product.to_string()]);

    serde_json::to_string_pretty(&Bundle { r#type: "bundle", id, objects }).map(|text| text + "\n")
}

struct Maker<'a> {
    source: Source<'a>,
    at: String,
    identity: String,
}

impl<'a> Maker<'a> {
    fn new(source: Source<'a>) -> Self {
        let identity = derived("identity", &[source.organisation.as_str()]);
        Self { source, at: written(source.at), identity }
    }

    fn id(&self, kind: &str, of: &str) -> String {
        derived(kind, &[&self.source.product.to_string(), of])
    }

    fn common(&self, kind: &'static str, of: &str) -> Common {
        let drill = self.source.body.drill;
        Common {
            head: Head { r#type: kind, spec_version: "2.1", id: self.id(kind, of) },
            created_by_ref: Some(self.identity.clone()),
            created: self.at.clone(),
            modified: self.at.clone(),
            labels: if drill { vec!["drill"] } else { Vec::new() },
            lang: Some("ja"),
            object_marking_refs: vec![marking::id(self.source.body.tlp)],
        }
    }

    /// What all products share is nobody's secret: it is marked CLEAR and has the same id and version everywhere.
    fn shared(&self, kind: &'static str, id: String) -> Common {
        Common {
            head: Head { r#type: kind, spec_version: "2.1", id },
            created_by_ref: (kind != "identity").then(|| self.identity.clone()),
            created: SHARED_SINCE.to_owned(),
            modified: SHARED_SINCE.to_owned(),
            labels: Vec::new(),
            lang: None,
            object_marking_refs: vec![marking::id(crate::exchange::kind::Tlp::Clear)],
        }
    }

    fn identity(&self) -> Object {
        let (name, class) = match self.source.organisation {
            OrganisationKind::Ceptoar => ("sharing-stix-ceptoar", "organization"),
            OrganisationKind::Hospital | OrganisationKind::Group => {
                ("sharing-stix-institution", "class")
            }
            OrganisationKind::Municipality => ("sharing-stix-municipality", "class"),
        };
        Object::Identity(Identity {
            common: self.shared("identity", self.identity.clone()),
            name: words(name),
            identity_class: class,
            sectors: ["healthcare"],
        })
    }

    fn report(&self, told: &[Object]) -> Object {
        let body = self.source.body;
        let mut refs = vec![self.identity.clone()];
        refs.extend(told.iter().map(|object| object.id().to_owned()));
        let mut kinds = vec!["threat-report"];
        if !body.indicators.is_empty() {
            kinds.push("indicator");
        }
        if !body.techniques.is_empty() {
            kinds.push("attack-pattern");
        }
        Object::Report(ReportObject {
            common: self.common("report", ""),
            name: title(body, Locale::new(Lang::Ja)),
            description: body.summary.clone(),
            report_types: kinds,
            published: self.at.clone(),
            object_refs: refs,
        })
    }

    /// Everything the report is about.
    fn told(&self) -> Vec<Object> {
        let body = self.source.body;
        let patterns = body.techniques.iter().filter_map(|id| id.technique());
        let mut told: Vec<Object> = patterns.map(|one| self.attack_pattern(one)).collect();
        let encrypts = body.techniques.iter().any(|id| id.as_str() == ENCRYPTED);
        let seen = self.observed();
        for shared in &body.indicators {
            let id = self.id("indicator", &shared.what.key());
            told.push(self.indicator(shared));
            if encrypts && is_of_encryption(shared.what.kind()) {
                let target = attack_pattern_id(ENCRYPTED);
                told.push(self.relationship("indicates", &id, &target));
            }
            if !seen.is_empty() && is_observable(shared) {
                let target = self.id("observed-data", "");
                told.push(self.relationship("based-on", &id, &target));
            }
        }
        told.extend(seen);
        told
    }

    fn attack_pattern(&self, technique: &Technique) -> Object {
        let phase = |phase_name: &&'static str| KillChainPhase {
            kill_chain_name: "mitre-attack",
            phase_name,
        };
        Object::AttackPattern(AttackPattern {
            common: Common {
                created_by_ref: None,
                ..self.shared("attack-pattern", attack_pattern_id(technique.id))
            },
            name: technique.name,
            kill_chain_phases: technique.tactics.iter().map(phase).collect(),
            external_references: [ExternalReference {
                source_name: "mitre-attack",
                external_id: technique.id,
                url: technique.url(),
            }],
        })
    }

    fn indicator(&self, shared: &Shared) -> Object {
        let what = &shared.what;
        let kind = what.kind();
        let types = match kind {
            // A tool can be an administrator's.
            IndicatorKind::Tool => ["anomalous-activity"],
            IndicatorKind::Suffix
            | IndicatorKind::NoteName
            | IndicatorKind::Hash
            | IndicatorKind::Address => ["malicious-activity"],
        };
        Object::Indicator(IndicatorObject {
            common: self.common("indicator", &what.key()),
            name: format!("{}: {}", words(kind.label_key()), what.shown()),
            description: words(if shared.seen { "sharing-seen" } else { "sharing-said" }),
            indicator_types: types,
            pattern: pattern(what),
            pattern_type: "stix",
            pattern_version: "2.1",
            valid_from: day_begins(self.source.body.span.from.first_day()),
        })
    }

    /// What monitoring saw that is a thing by itself: an address, a program, a file's hash.
    fn observed(&self) -> Vec<Object> {
        let seen = self
            .source
            .body
            .indicators
            .iter()
            .filter(|one| is_observable(one));
        let mut things: Vec<Object> = seen.filter_map(|one| self.observable(&one.what)).collect();
        if things.is_empty() {
            return things;
        }
        let span = self.source.body.span;
        let refs = things.iter().map(|object| object.id().to_owned()).collect();
        things.push(Object::ObservedData(ObservedData {
            common: self.common("observed-data", ""),
            first_observed: day_begins(span.from.first_day()),
            last_observed: day_begins(span.to.last_day()),
            number_observed: 1,
            object_refs: refs,
        }));
        things
    }

    fn observable(&self, what: &Indicator) -> Option<Object> {
        let value = what.value().to_owned();
        let (kind, mut thing) = match what.kind() {
            IndicatorKind::Address if value.contains(':') => {
                ("ipv6-addr", Observable { value: Some(value), ..Observable::default() })
            }
            IndicatorKind::Address => {
                ("ipv4-addr", Observable { value: Some(value), ..Observable::default() })
            }
            IndicatorKind::Tool => {
                ("file", Observable { name: Some(value), ..Observable::default() })
            }
            IndicatorKind::Hash => {
                ("file", Observable { hashes: Some(Hashes::of(&value)), ..Observable::default() })
            }
            IndicatorKind::Suffix | IndicatorKind::NoteName => return None,
        };
        thing.head.id = observable(kind, &thing.contributing());
        thing.head.r#type = kind;
        thing.head.spec_version = "2.1";
        thing.object_marking_refs = vec![marking::id(self.source.body.tlp)];
        Some(Object::Observable(thing))
    }

    fn relationship(&self, kind: &'static str, from: &str, to: &str) -> Object {
        Object::Relationship(Relationship {
            common: Common {
                lang: None,
                ..self.common("relationship", &format!("{kind} {from} {to}"))
            },
            relationship_type: kind,
            source_ref: from.to_owned(),
            target_ref: to.to_owned(),
        })
    }
}

/// Returns the pattern that finds an indicator.
fn pattern(what: &Indicator) -> String {
    let value = what.value().replace('\\', "\\\\").replace('\'', "\\'");
    match what.kind() {
        // `_` stands for any one character there: it matches a little more, never less.
        IndicatorKind::Suffix => format!("[file:name LIKE '%.{value}']"),
        IndicatorKind::NoteName | IndicatorKind::Tool => format!("[file:name = '{value}']"),
        IndicatorKind::Hash => format!("[file:hashes.{} = '{value}']", Hashes::quoted(&value)),
        IndicatorKind::Address if value.contains(':') => format!("[ipv6-addr:value = '{value}']"),
        IndicatorKind::Address => format!("[ipv4-addr:value = '{value}']"),
    }
}

fn attack_pattern_id(technique: &str) -> String {
    derived("attack-pattern", &[technique])
}

const fn is_of_encryption(kind: IndicatorKind) -> bool {
    match kind {
        IndicatorKind::Suffix | IndicatorKind::NoteName => true,
        IndicatorKind::Hash | IndicatorKind::Address | IndicatorKind::Tool => false,
    }
}

const fn is_observable(shared: &Shared) -> bool {
    shared.seen && !is_of_encryption(shared.what.kind())
}

fn words(key: &str) -> String {
    Locale::new(Lang::Ja).text(key)
}

fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// The moment a day begins in Japan.
fn day_begins(day: Date) -> String {
    let midnight = day.at(0, 0, 0, 0);
    let at = Offset::constant(9).to_timestamp(midnight);
    written(at.unwrap_or(Timestamp::UNIX_EPOCH))
}
