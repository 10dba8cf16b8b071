//! Puts a burst into events and manifest lines.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Anomaly, Event, MassChange, Phase, SCHEMA, Severity};
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Redactor;

use super::burst::Burst;
use super::notes::Spread;
use crate::detectors::mass_change::evidence::Evidence;
use crate::detectors::mass_change::words::{Story, because};
use crate::detectors::mass_change::{Touch, Touched};
use crate::observation::{Actor, Root};

/// What all events of one scope have in common.
pub(super) struct Teller {
    pub(super) root: Arc<Root>,
    pub(super) drill: Option<DrillId>,
    pub(super) redactor: Arc<Redactor>,
}

impl Teller {
    /// Returns the event that tells of a burst as it is now.
    pub(super) fn event(
        &self,
        burst: &Burst,
        phase: Phase,
        (rate, notes): (f64, Spread),
        now: Moment,
    ) -> Event {
        let facts = |below: &PathBuf| {
            self.redactor
                .facts(&self.root.label, below, self.root.names)
        };
        let story = burst.story(rate, notes, now);
        let reason = reason(&story, burst, phase);
        let samples = burst.samples.iter().map(facts).collect();

        Event {
            schema: SCHEMA,
            anomaly: Anomaly::MassChange(MassChange { samples, ..story.totals }),
            phase,
            burst: Some(burst.id),
            severity: burst.severity,
            detected_at: now.wall,
            first_change_at: Some(burst.first_at),
            moment: now,
            root: Some(self.root.label.clone()),
            files_affected: burst.files,
            reason,
            drill: self.drill,
        }
    }

    pub(super) fn touched(
        &self,
        burst: &Burst,
        (at, path): (Timestamp, PathBuf),
        (operation, evidence): (Touch, Vec<Evidence>),
        actor: Option<Arc<Actor>>,
    ) -> Touched {
        let root = self.root.label.clone();
        Touched { burst: burst.id, at, root, path, operation, evidence, actor }
    }
}

/// Says in plain words which evidence, how many, since when, who, why it is so severe and what would have changed that.
fn reason(story: &Story, burst: &Burst, phase: Phase) -> String {
    let told = story.told();
    let carried = match burst.carried {
        0 => String::new(),
        carried => format!("; {carried} of them before the agent was started again"),
    };
    let because = because(burst.because, burst.count, &burst.doer);
    let remedy = match (burst.severity, burst.lowered_by.as_str()) {
        (Severity::Low, "") => "a note, no more".to_owned(),
        (Severity::Low, by) => format!("low, since {by}"),
        (Severity::Medium | Severity::High | Severity::Critical, _) => story.remedy().to_owned(),
    };
    let ended = match phase {
        Phase::Ended => "; nothing more for a while",
        Phase::Opened | Phase::Grew | Phase::Once => "",
    };

    format!("{told}{carried}; told because {because}; {remedy}{ended}")
}
