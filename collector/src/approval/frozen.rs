//! What a submission freezes: everything a rendering shows, in one canonical text.
//!
//! Always holds: a document is made from this and from the approval alone, never from what changed since.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{DrillId, FacilityId, IncidentId, ReportId};
use shirase_shared::tls::sha256_hex;

use super::canonical::{CanonicalError, canonical};
use crate::reports::Report;
use crate::reports::answer::{Answer, NamedPerson, Revision, Source};
use crate::reports::fields::Field;

/// Names the layout, so that a later one can never be taken for this one.
const LAYOUT: &str = "shirase-report-2";
/// The layout before reports had rounds. What was frozen in it still proves what it proved.
const FORMER_LAYOUT: &str = "shirase-report-1";

/// Everything a rendering shows, but the approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// `shirase-report-2`, or `shirase-report-1` from before reports had rounds.
    pub layout: String,
    /// The institution that reports.
    pub sender: Sender,
    /// The incident told.
    pub incident: Incident,
    /// Set when it is an exercise.
    pub drill: Option<DrillId>,
    /// The report.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// The profile it follows.
    pub profile: FrozenProfile,
    /// The answers in force, by number of their field.
    pub answers: Vec<FrozenAnswer>,
    /// Everybody who gave one of them, by name.
    pub authors: Vec<NamedPerson>,
    /// The report before in the same series, with what it said of the fields that read otherwise now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Former>,
}

/// The report before, as far as this one differs from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// Which.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// 第n報.
    pub number: u32,
    /// Hash of what it froze.
    pub answers_sha256: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// Fields that read otherwise now, with what it said; `None` where it said nothing.
    pub changed: Vec<FormerAnswer>,
}

/// What the report before said of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerAnswer {
    /// Number of the field.
    pub field: Field,
    /// What it said.
    pub answer: Option<Answer>,
}

/// The institution that reports, as its master data named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// Its short name in this collector.
    pub facility: FacilityId,
    /// Its official name; empty while nobody entered it.
    pub name: String,
    /// Its director; empty while nobody entered one.
    pub director: String,
}

/// The incident a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Its identity.
    pub id: IncidentId,
    /// What people call it on the telephone.
    pub number: u64,
}

/// The profile a report follows, its whole text included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenProfile {
    /// For example `jp-mhlw-contact`.
    pub id: String,
    /// SHA-256 of `text`.
    pub version: String,
    /// The profile's file.
    pub text: String,
}

/// One answer with its field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenAnswer {
    /// Number of the field.
    pub field: Field,
    /// The answer.
    pub answer: Answer,
}

impl Frozen {
    /// Gathers what is frozen when `report` is submitted.
    #[must_use]
    pub fn of(
        report: &Report,
        answers: &BTreeMap<Field, Answer>,
        profile: FrozenProfile,
        sender: Sender,
        incident_number: u64,
    ) -> Self {
        let mut authors: Vec<NamedPerson> = answers
            .values()
            .filter_map(|answer| author(&answer.source))
            .collect();
        authors.sort_by(|a, b| (&a.name, a.user).cmp(&(&b.name, b.user)));
        authors.dedup();
        let answers = answers
            .iter()
            .map(|(&field, answer)| FrozenAnswer { field, answer: answer.clone() })
            .collect();

        Self {
            layout: LAYOUT.to_owned(),
            sender,
            incident: Incident { id: report.incident, number: incident_number },
            drill: report.drill,
            report: report.id,
            revision: report.revision,
            profile,
            answers,
            authors,
            former: None,
        }
    }

    /// Sets what the report before said.
    #[must_use]
    pub fn after(self, former: Option<Former>) -> Self {
        Self { former, ..self }
    }

    /// Returns the canonical text the hash is over.
    ///
    /// # Errors
    /// Never for answers of this program: they hold no fractions.
    pub fn canonical(&self) -> Result<String, CanonicalError> {
        canonical(self)
    }

    /// Returns the answer to a field.
    #[must_use]
    pub fn answer(&self, field: Field) -> Option<&Answer> {
        self.answers
            .iter()
            .find(|entry| entry.field == field)
            .map(|entry| &entry.answer)
    }

    /// Whether the text is of the layout this build knows, and its profile the one it names.
    #[must_use]
    pub fn is_coherent(&self) -> bool {
        [LAYOUT, FORMER_LAYOUT].contains(&self.layout.as_str())
            && sha256_hex(self.profile.text.as_bytes()) == self.profile.version
    }
}

fn author(source: &Source) -> Option<NamedPerson> {
    match source {
        Source::Person { user, name, .. } => Some(NamedPerson { user: *user, name: name.clone() }),
        Source::Machine { .. } | Source::Told { .. } | Source::MasterData => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the version before rounds froze, shortened. Its hash was signed: not a byte of it may read back otherwise.
    const BEFORE_ROUNDS: &str = concat!(
        r#"{"answers":[{"answer":{"as_of":"2026-02-09T01:57:00Z","revision":1,"source":{"basis":"記録","from":"machine","#,
        r#""records":[]},"status":"confirmed","value":{"systems":[{"damage":"","name":"ehr-db1","os":"","role":"","#,
        r#""vendor":""}],"type":"systems"}},"field":14},{"answer":{"as_of":"2026-02-09T01:57:00Z","revision":2,"#,
        r#""source":{"basis":"","from":"person","name":"山田","user":"00000000-0000-0000-0000-000000000001"},"#,
        r#""status":"confirmed","value":{"chosen":["yes"],"note":"","type":"choices"}},"field":17}],"#,
        r#""authors":[{"name":"山田","user":"00000000-0000-0000-0000-000000000001"}],"drill":null,"#,
        r#""incident":{"id":"00000000-0000-0000-0000-000000000002","number":7},"layout":"shirase-report-1","#,
        r#""profile":{"id":"jp-mhlw-contact","text":"x","#,
        r#""version":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},"#,
        r#""report":"00000000-0000-0000-0000-000000000003","revision":5,"#,
        r#""sender":{"director":"","facility":"handa","name":""}}"#,
    );

    #[test]
    fn what_an_earlier_version_froze_keeps_its_canonical_text() {
        let frozen: Frozen = serde_json::from_str(BEFORE_ROUNDS).unwrap();
        assert_eq!(frozen.canonical().unwrap(), BEFORE_ROUNDS);
        assert!(frozen.is_coherent());
        let later = Frozen { layout: "shirase-report-9".to_owned(), ..frozen };
        assert!(!later.is_coherent());
    }
}
