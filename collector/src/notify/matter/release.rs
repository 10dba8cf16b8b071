//! The words of a report that one person released alone.

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::ReportId;

use super::line;
use crate::approval::EmergencyRelease;
use crate::locale::{Locale, japan_time};
use crate::reports::answer::Revision;

/// What a webhook is told of a release. Fields are added, never repurposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostRelease {
    /// Which report.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// Who released it.
    pub released_by: String,
    /// When, UTC.
    pub released_at: Timestamp,
    /// Why alone.
    pub reason: String,
    /// Whether another person looked at it already.
    pub is_reviewed: bool,
}

pub(super) fn post(release: &EmergencyRelease) -> PostRelease {
    PostRelease {
        report: release.report,
        revision: release.revision,
        released_by: line(&release.by.name),
        released_at: release.at,
        reason: line(&release.reason),
        is_reviewed: release.review.is_some(),
    }
}

pub(super) fn lines(release: &EmergencyRelease, locale: Locale) -> Vec<String> {
    let (name, time) = (line(&release.by.name), japan_time(release.at));
    let review = match &release.review {
        None => locale.text("emergency-mail-review"),
        Some(review) => {
            locale.text_with("emergency-mail-reviewed", &[("name", &line(&review.by.name))])
        }
    };
    vec![
        locale.text_with("emergency-mail-who", &[("name", &name), ("time", &time)]),
        locale.text_with("emergency-mail-why", &[("reason", &line(&release.reason))]),
        String::new(),
        review,
    ]
}
