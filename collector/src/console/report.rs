//! A report: its answers with their source and evidence, and the decision on it.

mod answer;
mod answers;
mod changes;
mod decision;

pub use answer::{AnswerPage, Takes, Typed};
pub(crate) use answers::value_lines;
pub use answers::{AnswerView, answer_views};
pub use changes::{ChangeView, ChangesView};
pub use decision::{
    ApprovalView, Ask, Asked, DecisionView, EmergencyView, Looking, refusal_words, submitted_words,
};

use askama::Template;
use jiff::Timestamp;

use shirase_shared::ids::{IncidentId, ReportId};

use super::delivery::DeliveryRow;
use super::frame::Frame;
use super::incident::report_badge;
use super::ui::Badge;
use crate::approval::Format;
use crate::locale::Locale;
use crate::reports::answer::RoundKind;
use crate::reports::profile::Profile;
use crate::reports::{Report, ReportStatus};

/// A report.
#[derive(Template)]
#[template(path = "report.html")]
pub struct ReportPage {
    /// What stands around it.
    pub f: Frame,
    /// Which.
    pub id: ReportId,
    /// Heading of the document.
    pub title: String,
    /// The law and the time it serves.
    pub duty: String,
    /// How far it is.
    pub status: Badge,
    /// The revision shown.
    pub revision: u32,
    /// The incident it tells.
    pub incident: IncidentId,
    /// Whether it is an exercise.
    pub drill: bool,
    /// When it last changed.
    pub updated: String,
    /// Its answers, in the order in which the addressee reads them.
    pub answers: Vec<AnswerView>,
    /// What is asked of the reader.
    pub ask: Ask,
    /// Hash of the frozen answers, while a decision is awaited or taken.
    pub answers_sha256: String,
    /// Who submitted it and when, in words.
    pub submitted: String,
    /// Decisions so far, the newest first.
    pub decisions: Vec<DecisionView>,
    /// Answers that are open, to be seen before submitting.
    pub open: usize,
    /// Names of the official forms that can be filled with it.
    pub forms: Vec<String>,
    /// 第n報 and its kind.
    pub round: String,
    /// What reads otherwise than in the report before, and than when this one was last sent or taken back.
    pub changes: Vec<ChangesView>,
    /// The approval.
    pub approval: ApprovalView,
    /// Later reports to the same addressee: what each is called and where it is.
    pub later: Vec<(String, String)>,
    /// Reports that can follow it.
    pub next: Vec<NextRound>,
    /// The kinds of file it can be had as.
    pub kinds: Vec<Format>,
    /// Whether it is released: it can be delivered then.
    pub released: bool,
    /// What became of it: its deliveries, the newest first.
    pub deliveries: Vec<DeliveryRow>,
}

impl ReportPage {
    /// The kinds of file the report can be had as, each with the key of its words.
    fn files(&self) -> impl Iterator<Item = (Format, &'static str)> {
        self.kinds
            .iter()
            .map(|&format| (format, file_words(format)))
    }
}

const fn file_words(format: Format) -> &'static str {
    match format {
        Format::Pdf => "report-file-pdf",
        Format::Docx => "report-file-docx",
        Format::Xlsx => "report-file-xlsx",
        Format::Html => "report-file-html",
        Format::Json => "report-file-json",
        Format::Eml => "report-file-eml",
        Format::TimelineCsv => "report-file-timeline",
        Format::HostsCsv => "report-file-hosts",
        Format::IndicatorsCsv => "report-file-indicators",
        Format::IndicatorsStix => "report-file-stix",
        Format::DamageCsv => "report-file-damage",
    }
}

/// A report that can follow another.
pub struct NextRound {
    /// The profile it follows.
    pub profile: String,
    /// Which kind of report.
    pub kind: RoundKind,
    /// What it is called.
    pub label: String,
}

impl NextRound {
    /// Shows every kind of report a profile serves.
    #[must_use]
    pub fn all(profile: &Profile, locale: Locale) -> Vec<Self> {
        let title = profile.body.title.in_lang(locale.lang());
        let kinds = profile.body.round.kinds().iter();
        kinds
            .map(|kind| Self {
                profile: profile.body.id.clone(),
                kind: *kind,
                label: format!("{}: {title}", locale.text(kind.label_key())),
            })
            .collect()
    }
}

/// Says which of the reports to its addressee a report is.
#[must_use]
pub fn round_words(report: &Report, locale: Locale) -> String {
    let kind = locale.text(report.round.kind.label_key());
    locale.text_with("round-number", &[("kind", &kind), ("number", &report.round.number)])
}

/// Shows how far a report is.
#[must_use]
pub fn badge(status: ReportStatus, locale: Locale) -> Badge {
    report_badge(status, locale)
}

/// Says the law a profile serves, and until when.
#[must_use]
pub fn duty_words(profile: &Profile, now: Timestamp, locale: Locale) -> String {
    let office = profile
        .contact(now)
        .map(|contact| contact.office.in_lang(locale.lang()));
    let title = profile.body.duty.deadline.in_lang(locale.lang());
    [office.unwrap_or_default(), title]
        .join(" · ")
        .trim_matches([' ', '·'])
        .to_owned()
}
