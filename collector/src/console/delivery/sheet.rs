//! The call sheet as a page: large enough to read aloud, with lines to write on when it is printed.

use askama::Template;
use shirase_shared::ids::{DeliveryId, ReportId};

use super::{DeliveryRow, HandForm};
use crate::console::frame::Frame;
use crate::console::report::value_lines;
use crate::deliver::by_hand::CallSheet;
use crate::deliver::{Delivery, Way};
use crate::locale::{Locale, japan_time};
use crate::reports::answer::Answer;
use crate::reports::fields::Field;

/// The call sheet of one delivery.
#[derive(Template)]
#[template(path = "call_sheet.html")]
pub struct CallSheetPage {
    /// What stands around it.
    pub f: Frame,
    /// The delivery.
    pub row: DeliveryRow,
    /// Which.
    pub id: DeliveryId,
    /// The report.
    pub report: ReportId,
    /// Heading of the document.
    pub title: String,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// Whether there is a number to dial.
    pub dials: bool,
    /// What is done, step by step.
    pub steps: Vec<String>,
    /// The first sentences, to be said word by word.
    pub opening: Vec<String>,
    /// What is said, field by field.
    pub said: Vec<Said>,
    /// When it was released, and the first digits of its hash.
    pub proof: String,
    /// Names of the files that go along.
    pub files: Vec<String>,
    /// The form for what was done, where there is something to do.
    pub by_hand: Option<HandForm>,
}

/// One field, as it is said.
pub struct Said {
    /// What is asked.
    pub label: String,
    /// How sure it is.
    pub status: String,
    /// What is said, a line each.
    pub lines: Vec<String>,
}

impl CallSheetPage {
    /// Shows a call sheet.
    #[must_use]
    pub fn of(f: Frame, delivery: &Delivery, sheet: &CallSheet, by_hand: Option<HandForm>) -> Self {
        let locale = f.locale;
        let title = sheet.profile.body.title.in_lang(locale.lang()).to_owned();
        let proof: [(&str, &dyn std::fmt::Display); 2] =
            [("time", &japan_time(sheet.approved_at)), ("hash", &sheet.hash)];
        Self {
            row: DeliveryRow::of(delivery, locale),
            id: delivery.id,
            report: delivery.report,
            drill: sheet.drill,
            dials: matches!(delivery.way, Way::Phone | Way::Fax),
            steps: steps(delivery.way, locale),
            opening: opening(sheet, &title, locale),
            said: said(sheet, locale),
            proof: locale.text_with("sheet-proof", &proof),
            files: sheet.files.clone(),
            title,
            by_hand,
            f,
        }
    }
}

fn steps(way: Way, locale: Locale) -> Vec<String> {
    let keys: &[&str] = match way {
        Way::Phone => &["sheet-step-call", "sheet-step-read", "sheet-step-write"],
        Way::Fax => &["sheet-step-print", "sheet-step-fax", "sheet-step-ask", "sheet-step-write"],
        Way::Web => &["sheet-step-web", "sheet-step-copy", "sheet-step-write"],
        Way::Medium => &["sheet-step-save", "sheet-step-hand", "sheet-step-write"],
        Way::Mail | Way::Folder | Way::Partner => &["sheet-step-write"],
    };
    keys.iter().map(|key| locale.text(key)).collect()
}

/// What is said first: an exercise's says so before anything else.
fn opening(sheet: &CallSheet, title: &str, locale: Locale) -> Vec<String> {
    let mut lines = Vec::new();
    if sheet.drill {
        lines.push(locale.text("sheet-say-drill"));
    }
    let (facility, _) = &sheet.sender;
    lines.push(
        locale.text_with(
            "sheet-say-who",
            &[("facility", facility), ("number", &sheet.incident_number)],
        ),
    );
    lines.push(locale.text_with("sheet-say-what", &[("title", &title)]));
    if sheet.drill {
        lines.push(locale.text("sheet-say-drill"));
    }
    lines
}

fn said(sheet: &CallSheet, locale: Locale) -> Vec<Said> {
    let profile = &sheet.profile;
    let one = |(field, answer): &(Field, Option<Answer>)| {
        let label = profile.label(*field, locale.lang());
        let lines = answer
            .as_ref()
            .map(|answer| value_lines(*field, &answer.value, locale))
            .unwrap_or_default();
        let status = answer
            .as_ref()
            .map_or("status-open", |answer| answer.status.label_key());
        Said {
            label: label.map_or_else(|| locale.text(&field.label_key()), str::to_owned),
            status: locale.text(status),
            lines,
        }
    };
    sheet.say.iter().map(one).collect()
}
