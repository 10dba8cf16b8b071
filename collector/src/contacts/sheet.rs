//! The emergency chart in words, ready for a page and for paper: both show exactly this.

use jiff::Timestamp;
use serde::Serialize;

use super::chart::{Call, Chart, Gap, Group, Office, Step};
use super::{Details, Standing};
use crate::locale::{Locale, japan_time};

/// A chart in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChartSheet {
    /// `ja` or `en`.
    pub lang: &'static str,
    /// What it is.
    pub title: String,
    /// Whose it is.
    pub facility: String,
    /// When it was made.
    pub made: String,
    /// How it is read.
    pub hint: String,
    /// How many contacts somebody should make sure of, if any.
    pub flagged: Option<String>,
    /// What is missing, if anything.
    pub missing: Option<String>,
    /// Whether there is nobody in it.
    pub empty: Option<String>,
    /// Heads of the parts.
    pub heads: Heads,
    /// The chain inside the hospital.
    pub chain: Vec<ChartStep>,
    /// Whom the commander calls in.
    pub called_in: Vec<ChartStep>,
    /// The calls to the outside.
    pub outside: Vec<ChartGroup>,
}

/// Words above parts and columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heads {
    /// Above the chain.
    pub inside: String,
    /// Above those called in.
    pub called_in: String,
    /// Above the outside.
    pub outside: String,
    /// Column of the name.
    pub to: String,
    /// Column of the day.
    pub day: String,
    /// Column of the night.
    pub night: String,
    /// Column of the verification.
    pub checked: String,
    /// Between two steps.
    pub next: String,
}

/// One duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChartStep {
    /// Its place in the chain; empty outside of it.
    pub number: String,
    /// The duty.
    pub duty: String,
    /// Who holds it.
    pub people: Vec<ChartLine>,
}

/// The calls of one caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChartGroup {
    /// Who calls.
    pub caller: String,
    /// Whom.
    pub lines: Vec<ChartLine>,
}

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChartLine {
    /// What kind of contact it is, with the system of a company; empty for staff.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Number by day.
    pub day: String,
    /// Number at night.
    pub night: String,
    /// Fax, mail, page, hours.
    pub more: Vec<String>,
    /// When somebody last made sure.
    pub checked: String,
    /// A flag, where it cannot be relied on.
    pub flag: String,
}

impl ChartSheet {
    /// Puts a chart into words.
    #[must_use]
    pub fn of(chart: &Chart, facility: &str, now: Timestamp, locale: Locale) -> Self {
        let text = |key: &str| locale.text(key);
        let missing: Vec<String> = chart
            .gaps
            .iter()
            .map(|gap| gap_name(*gap, locale))
            .collect();
        let missing = missing.join(text("list-comma").as_str());
        let numbered = chart.chain.iter().enumerate();
        Self {
            lang: locale.lang().as_str(),
            title: text("title-contact-chart"),
            facility: facility.to_owned(),
            made: locale.text_with("chart-made", &[("time", &japan_time(now))]),
            hint: text("chart-paper-note"),
            flagged: (0 < chart.flagged)
                .then(|| locale.text_with("chart-flagged", &[("count", &chart.flagged)])),
            missing: (!missing.is_empty())
                .then(|| locale.text_with("chart-missing", &[("what", &missing)])),
            empty: chart.is_empty().then(|| text("chart-empty")),
            heads: Heads {
                inside: text("chart-inside"),
                called_in: text("chart-called-in"),
                outside: text("chart-outside"),
                to: text("chart-to"),
                day: text("chart-day"),
                night: text("chart-night"),
                checked: text("chart-checked"),
                next: text("chart-next"),
            },
            chain: numbered
                .map(|(index, step)| ChartStep::of(step, (index + 1).to_string(), locale))
                .collect(),
            called_in: chart
                .called_in
                .iter()
                .map(|step| ChartStep::of(step, String::new(), locale))
                .collect(),
            outside: chart
                .outside
                .iter()
                .map(|group| ChartGroup::of(group, locale))
                .collect(),
        }
    }
}

/// Says what is missing, in a sentence.
#[must_use]
pub fn gap_words(gap: Gap, locale: Locale) -> String {
    let key = match gap {
        Gap::Duty(_) => "contacts-gap-duty",
        Gap::Kind(_) => "contacts-gap-kind",
        Gap::Night(_) => "contacts-gap-night",
    };
    let what = match gap {
        Gap::Duty(duty) | Gap::Night(duty) => locale.text(duty.label_key()),
        Gap::Kind(kind) => locale.text(kind.label_key()),
    };
    locale.text_with(key, &[("what", &what)])
}

/// Names what is missing, in a word or two.
fn gap_name(gap: Gap, locale: Locale) -> String {
    match gap {
        Gap::Duty(duty) => locale.text(duty.label_key()),
        Gap::Kind(kind) => locale.text(kind.label_key()),
        Gap::Night(duty) => {
            format!("{} ({})", locale.text(duty.label_key()), locale.text("chart-night"))
        }
    }
}

impl ChartStep {
    fn of(step: &Step, number: String, locale: Locale) -> Self {
        let duty = locale.text(step.duty.label_key());
        let people = step.people.iter().map(|call| ChartLine::of(call, locale));
        Self { number, duty, people: people.collect() }
    }
}

impl ChartGroup {
    fn of(group: &Group, locale: Locale) -> Self {
        let duty = locale.text(group.caller.label_key());
        let calls = group
            .calls
            .iter()
            .map(|call| (call.contact.details.kind, ChartLine::of(call, locale)));
        let offices = group
            .offices
            .iter()
            .map(|office| (office.kind, ChartLine::of_office(office, locale)));
        let mut lines: Vec<_> = calls.chain(offices).collect();
        lines.sort_by_key(|(kind, _)| *kind);
        Self {
            caller: locale.text_with("chart-calls", &[("duty", &duty)]),
            lines: lines.into_iter().map(|(_, line)| line).collect(),
        }
    }
}

impl ChartLine {
    fn of(call: &Call, locale: Locale) -> Self {
        let details = &call.contact.details;
        let Details { kind, system, phone, night_phone, hours, .. } = details;
        let mut shown_kind = match details.duty {
            Some(_) => String::new(),
            None => locale.text(kind.label_key()),
        };
        if let Some(system) = system {
            shown_kind = format!("{shown_kind} ({})", locale.text(system.label_key()));
        }
        let mut more = Vec::new();
        for (key, text) in [
            ("chart-fax", &details.fax),
            ("contact-mail", &details.mail),
            ("chart-web", &details.web),
            ("contact-hours", hours),
        ] {
            if !text.is_empty() {
                more.push(format!("{} {text}", locale.text(key)));
            }
        }
        let checked = call.contact.verified.as_ref();
        Self {
            kind: shown_kind,
            name: details.name(),
            day: phone.clone(),
            night: night_phone.clone(),
            more,
            checked: checked.map_or_else(String::new, |verified| {
                let values: [(&str, &dyn std::fmt::Display); 2] =
                    [("on", &verified.on), ("by", &verified.by)];
                locale.text_with("contact-verified", &values)
            }),
            flag: match call.standing {
                Standing::Stale | Standing::Unverified => locale.text(call.standing.label_key()),
                Standing::Verified | Standing::Ahead | Standing::Retired => String::new(),
            },
        }
    }

    /// Shows an office the book has no contact for: its name, and that its number has to be found out.
    fn of_office(office: &Office, locale: Locale) -> Self {
        let date = office.last_verified;
        let mut more = Vec::new();
        if office.phone.is_empty() && office.mail.is_empty() {
            more.push(locale.text("chart-not-in-book"));
        }
        if !office.mail.is_empty() {
            more.push(format!("{} {}", locale.text("contact-mail"), office.mail));
        }
        Self {
            kind: locale.text(office.kind.label_key()),
            name: office.name.in_lang(locale.lang()).to_owned(),
            day: office.phone.clone(),
            night: String::new(),
            more,
            checked: locale.text_with("chart-office-source", &[("date", &date)]),
            flag: locale.text(if office.confidence.is_doubtful() {
                "chart-office-doubtful"
            } else {
                "chart-office-unlisted"
            }),
        }
    }
}
