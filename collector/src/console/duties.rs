//! What the law asks over an incident, as pages show it: the interview, the moments, the duties and the deadlines.
//!
//! Always holds: a limit and a guide value (目安) look different and are named apart; what nobody confirmed says 未確認.

mod deadline;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::UserId;

use super::incident::time_field;
use super::report::{NextRound, value_lines};
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::incidents::{Moment, Moments};
use crate::locale::{Locale, japan_time};
use crate::reports::answer::Answer;
use crate::reports::duty::{Duty, Missing, Standing};
use crate::reports::fields::Field;
use crate::reports::interview::{QUESTIONS, is_answered, next_question};
use crate::reports::profile::{Confidence, Obligation, Profile, Profiles};
use crate::reports::{IncidentSheet, Report, ReportStatus};

pub use deadline::{DeadlineRow, DeadlineView, DeadlinesPage, today};

/// One of the questions of the first hour.
pub struct QuestionView {
    /// Number of its field.
    pub number: u8,
    /// What is asked.
    pub label: String,
    /// What the answer decides.
    pub hint: String,
    /// Possible answers.
    pub choices: Vec<Choice>,
    /// What was said, by whom and when; empty while nobody answered.
    pub said: String,
    /// What the machine thinks, in words.
    pub suggestion: Vec<String>,
    /// Whether a change needs a reason.
    pub asks_reason: bool,
    /// Whether it is the next to be answered.
    pub next: bool,
    /// Whether its buttons are folded away: somebody answered, or the machine's evidence speaks for itself.
    pub folded: bool,
}

impl QuestionView {
    /// Shows the questions.
    #[must_use]
    pub fn all(sheet: &IncidentSheet, locale: Locale) -> Vec<Self> {
        let next = next_question(&sheet.answers);
        let view = |question: Field| {
            let answer = sheet.answers.get(&question);
            let by = answer.filter(|answer| answer.source.user().is_some());
            let suggested = answer.filter(|answer| answer.source.user().is_none());
            let choice = |code: &&'static str| Choice {
                code: (*code).to_owned(),
                text: locale.text(&question.choice_key(code)),
                chosen: by.is_some_and(|answer| answer.value.chosen().iter().any(|c| c == code)),
            };
            Self {
                number: question.number(),
                label: locale.text(&format!("interview-{}", question.number())),
                hint: locale.text(&format!("interview-{}-why", question.number())),
                choices: question.choices().iter().map(choice).collect(),
                said: by
                    .map(|answer| said_words(question, answer, locale))
                    .unwrap_or_default(),
                suggestion: suggested
                    .map(|answer| value_lines(question, &answer.value, locale))
                    .unwrap_or_default(),
                asks_reason: is_answered(question, &sheet.answers),
                next: next == Some(question),
                folded: is_answered(question, &sheet.answers)
                    || (question == Field::Kind && next != Some(question)),
            }
        };
        QUESTIONS.into_iter().map(view).collect()
    }
}

fn said_words(question: Field, answer: &Answer, locale: Locale) -> String {
    let said = value_lines(question, &answer.value, locale).join(" · ");
    let what = if said.is_empty() { locale.text(answer.status.label_key()) } else { said };
    let who = match &answer.source {
        crate::reports::answer::Source::Person { name, .. } => name.clone(),
        crate::reports::answer::Source::Machine { .. }
        | crate::reports::answer::Source::Told { .. }
        | crate::reports::answer::Source::MasterData => String::new(),
    };
    locale.text_with(
        "interview-said",
        &[("what", &what), ("who", &who), ("time", &japan_time(answer.as_of))],
    )
}

/// One moment from which duties run.
pub struct MomentView {
    /// Which.
    pub moment: Moment,
    /// Its name.
    pub label: String,
    /// When it was, and who says so, in words.
    pub when: String,
    /// Whether a person recorded it.
    pub recorded: bool,
    /// What a form for it begins with.
    pub field: String,
}

impl MomentView {
    /// Shows every moment.
    #[must_use]
    pub fn all(
        moments: &Moments,
        names: &BTreeMap<UserId, String>,
        now: Timestamp,
        locale: Locale,
    ) -> Vec<Self> {
        let view = |moment: Moment| {
            let known = moments.known(moment);
            let who = known
                .and_then(|known| known.by)
                .and_then(|by| names.get(&by));
            let recorded = moments.recorded.contains_key(&moment);
            let when = match (known, recorded) {
                (Some(known), true) => locale.text_with(
                    "moment-recorded",
                    &[
                        ("time", &japan_time(known.at)),
                        ("who", &who.cloned().unwrap_or_else(|| locale.text("who-gone"))),
                    ],
                ),
                (Some(known), false) => {
                    locale.text_with("moment-assumed", &[("time", &japan_time(known.at))])
                }
                (None, _) => locale.text("moment-unknown"),
            };
            Self {
                moment,
                label: locale.text(moment.label_key()),
                when,
                recorded,
                field: time_field(known.map_or(now, |known| known.at)),
            }
        };
        Moment::ALL.into_iter().map(view).collect()
    }
}

/// One duty.
pub struct DutyView {
    /// Name of its document.
    pub title: String,
    /// To whom it goes.
    pub office: String,
    /// How binding it is.
    pub obligation: Badge,
    /// How far it applies.
    pub standing: Badge,
    /// How much time there is, in the words of the law.
    pub time: String,
    /// Law or notice.
    pub basis: String,
    /// Why, a line each.
    pub reasons: Vec<String>,
    /// What is still missing, and where on the page it is asked; empty where it is not.
    pub missing: Vec<(String, String)>,
    /// That nobody confirmed it, with source and date; empty if somebody did.
    pub doubt: String,
    /// Its reports, the newest last: words and whether it is a link.
    pub reports: Vec<(String, String)>,
    /// What can be made now.
    pub make: Vec<NextRound>,
}

impl DutyView {
    /// Shows a duty with the reports that serve it.
    #[must_use]
    pub fn of(
        duty: &Duty,
        profile: &Profile,
        reports: &[Report],
        now: Timestamp,
        locale: Locale,
    ) -> Self {
        let body = &profile.body;
        let lang = locale.lang();
        let own: Vec<&Report> = reports
            .iter()
            .filter(|report| report.profile == duty.profile)
            .collect();
        let series_open = reports.iter().any(|report| {
            report.round.series == body.series
                && matches!(report.status, ReportStatus::Draft | ReportStatus::Submitted)
        });
        let makes = !series_open && matches!(duty.standing, Standing::Applies | Standing::Open);
        let holds = !matches!(duty.standing, Standing::NotNow);
        let link = |report: &&Report| {
            let words = format!(
                "{} {}",
                super::report::round_words(report, locale),
                super::report::badge(report.status, locale).text
            );
            (words, report.id.to_string())
        };
        Self {
            title: body.title.in_lang(lang).to_owned(),
            office: profile
                .contact(now)
                .map(|contact| contact.office.in_lang(lang).to_owned())
                .unwrap_or_default(),
            obligation: obligation_badge(duty.obligation, locale),
            standing: standing_badge(duty.standing, duty.obligation, locale),
            time: body.duty.deadline.in_lang(lang).to_owned(),
            basis: body.duty.legal_basis.in_lang(lang).to_owned(),
            reasons: duty
                .reasons
                .iter()
                .map(|condition| locale.text(&condition.text_key(holds)))
                .collect(),
            missing: duty
                .missing
                .iter()
                .map(|missing| missing_words(*missing, locale))
                .collect(),
            doubt: doubt_words(
                body.duty.confidence,
                (&body.duty.source_url, &body.duty.last_verified.to_string()),
                locale,
            ),
            reports: own.iter().map(link).collect(),
            make: if makes { NextRound::all(profile, locale) } else { Vec::new() },
        }
    }
}

fn missing_words(missing: Missing, locale: Locale) -> (String, String) {
    match missing {
        Missing::Answer(field) => {
            let asked = QUESTIONS.contains(&field);
            let anchor = if asked { format!("question-{}", field.number()) } else { String::new() };
            (locale.text(&field.label_key()), anchor)
        }
        Missing::Moment(moment) => (locale.text(moment.label_key()), "deadlines".to_owned()),
    }
}

fn obligation_badge(obligation: Obligation, locale: Locale) -> Badge {
    let tone = match obligation {
        Obligation::Required => Tone::High,
        Obligation::Form | Obligation::Voluntary => Tone::Quiet,
    };
    Badge { tone, text: locale.text(obligation.label_key()) }
}

/// What nobody has to do is never shown as needed.
fn standing_badge(standing: Standing, obligation: Obligation, locale: Locale) -> Badge {
    let (tone, key) = match standing {
        Standing::Applies if obligation == Obligation::Required => (Tone::High, "duty-applies"),
        Standing::Applies => (Tone::Low, "duty-possible"),
        Standing::Open => (Tone::Medium, "duty-open"),
        Standing::NotNow => (Tone::Quiet, "duty-not-now"),
        Standing::Off => (Tone::Quiet, "duty-off"),
    };
    Badge { tone, text: locale.text(key) }
}

fn doubt_words(confidence: Confidence, (url, day): (&str, &str), locale: Locale) -> String {
    if !confidence.is_doubtful() {
        return String::new();
    }
    let key = match confidence {
        Confidence::Confirmed | Confidence::Secondary => "doubt-secondary",
        Confidence::Unverified => "doubt-unverified",
    };
    locale.text_with(key, &[("url", &url), ("day", &day)])
}

/// What the law asks over one incident, as its page shows it.
pub struct DutiesView {
    /// The revision of the answers.
    pub revision: u32,
    /// The questions of the first hour.
    pub questions: Vec<QuestionView>,
    /// The moments.
    pub moments: Vec<MomentView>,
    /// Whether nobody has recorded when the institution knew.
    pub asks_moment: bool,
    /// Duties that apply or may.
    pub duties: Vec<DutyView>,
    /// Duties that do not apply as things are.
    pub others: Vec<DutyView>,
    /// Deadlines of those that apply.
    pub deadlines: Vec<DeadlineView>,
}

impl DutiesView {
    /// Shows what the law asks.
    #[must_use]
    pub fn of(
        duties: &crate::duties::Duties,
        (profiles, reports): (&Profiles, &[Report]),
        names: &BTreeMap<UserId, String>,
        (now, locale): (Timestamp, Locale),
    ) -> Self {
        let overview = &duties.overview;
        let shown = |duty: &Duty| {
            let profile = profiles.profile(&duty.profile)?;
            Some(DutyView::of(duty, profile, reports, now, locale))
        };
        let (near, far): (Vec<&Duty>, Vec<&Duty>) = overview
            .duties
            .iter()
            .filter(|duty| duty.standing != Standing::Off)
            .partition(|duty| matches!(duty.standing, Standing::Applies | Standing::Open));
        let deadline = |deadline| DeadlineView::of(deadline, names, now, locale);
        Self {
            revision: duties.sheet.revision.0,
            questions: QuestionView::all(&duties.sheet, locale),
            asks_moment: !overview.moments.recorded.contains_key(&Moment::Aware),
            moments: MomentView::all(&overview.moments, names, now, locale),
            duties: near.into_iter().filter_map(shown).collect(),
            others: far.into_iter().filter_map(shown).collect(),
            deadlines: overview.deadlines.iter().map(deadline).collect(),
        }
    }
}
