//! What staff read: one letter in Japanese with English below, and the same as JSON for webhooks.
//!
//! Always holds: pure; a foreign name (a host, a root, a facility) stays on one line, shows its hidden characters and is cut
//! where it gets too long, so that it can neither forge a line of the letter nor bury it.

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::event::Severity;
use shirase_shared::ids::{DrillId, FacilityId, IncidentId};

use super::deadline::PostDeadline;
use super::{ChannelId, NotificationKey};
use crate::audit::Head;
use crate::locale::{Lang, Locale, japan_time, visible};

/// Longest foreign name in a letter, in characters.
const NAME_MAX_CHARS: usize = 80;
/// Longest reason in a letter, in characters.
const REASON_MAX_CHARS: usize = 400;
/// Most reasons and most hosts in a letter; the console shows them all.
const LIST_MAX: usize = 8;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Both {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Both {
    /// Puts the words for one key into both languages.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self { ja: Locale::new(Lang::Ja).text(key), en: Locale::new(Lang::En).text(key) }
    }

    pub(super) fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ja => &self.ja,
            Lang::En => &self.en,
        }
    }
}

/// Whom to call first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Company.
    pub company: String,
    /// Number at this hour; empty when nobody entered one.
    pub phone: String,
}

/// A host with what it does for care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its label.
    pub host: String,
    /// Its care roles in words.
    pub roles: Both,
}

/// Everything a letter about an incident tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What makes it the same message.
    pub key: NotificationKey,
    /// Its id for ever.
    pub message_id: String,
    /// When it became due.
    pub created_at: Timestamp,
    /// Name of the institution.
    pub facility: String,
    /// Number of the incident, as people say it on the telephone.
    pub number: u64,
    /// Set for an exercise.
    pub drill: Option<DrillId>,
    /// What happened, in a few words.
    pub headline: Both,
    /// Where.
    pub places: Vec<Place>,
    /// When the first change happened.
    pub since: Timestamp,
    /// Why the collector thinks so.
    pub reasons: Vec<Both>,
    /// Whom to call first, if master data names someone.
    pub call: Option<Call>,
    /// The incident's page.
    pub link: String,
    /// Number and hash of the newest audit entry.
    pub audit_head: Option<Head>,
}

/// A mail, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Text.
    pub body: String,
    /// With angle brackets.
    pub message_id: String,
    /// Same for all letters about one incident, so that mail programs keep them together.
    pub thread_id: String,
    /// When it became due; the mail's date, also if it leaves late.
    pub created_at: Timestamp,
}

impl Letter {
    /// Writes the same in Japanese and below in English.
    pub(super) fn in_both(part: impl Fn(Lang) -> String) -> String {
        let (ja, en) = (part(Lang::Ja), part(Lang::En));
        format!("{ja}\n----------------------------------------\n\n{en}")
    }

    /// Takes the head of the audit log along: below the text, and as a header by whoever makes the mail.
    #[must_use]
    pub fn carrying(mut self, head: Option<&Head>) -> Self {
        if let Some(head) = head {
            let said = Locale::new(Lang::Ja).text_with("notify-audit-head", &[("head", head)]);
            self.body.push_str("\n-- \n");
            self.body.push_str(&said);
            self.body.push('\n');
        }
        self
    }
}

/// The JSON a webhook gets. Fields are added, never repurposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Post<'a> {
    /// `incident`, `deadline` or `test`.
    pub kind: &'static str,
    /// Same id, same message.
    pub message_id: &'a str,
    /// The mail's subject, for chat systems that show one text.
    pub text: &'a str,
    /// Short name and name of the institution.
    pub facility: &'a FacilityId,
    /// Name of the institution.
    pub facility_name: &'a str,
    /// The rest; absent in a test.
    #[serde(flatten)]
    pub incident: Option<PostIncident<'a>>,
    /// What is told of a deadline.
    #[serde(flatten)]
    pub deadline: Option<PostDeadline>,
}

/// What a webhook is told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostIncident<'a> {
    /// Which.
    pub incident: IncidentId,
    /// Its number.
    pub number: u64,
    /// Severity reached.
    pub severity: Severity,
    /// Set for an exercise.
    pub drill: Option<DrillId>,
    /// What happened.
    pub headline: &'a Both,
    /// Where.
    pub places: &'a [Place],
    /// Since when, UTC.
    pub since: Timestamp,
    /// Why.
    pub reasons: &'a [Both],
    /// Whom to call first.
    pub call: Option<&'a Call>,
    /// Its page.
    pub link: &'a str,
}

impl Alert {
    /// Cuts and cleans everything foreign. A letter is only written from a cleaned alert.
    fn cleaned(&self) -> Self {
        let mut alert = self.clone();
        alert.facility = name(&self.facility);
        alert.headline = both(&self.headline, NAME_MAX_CHARS);
        alert.places.truncate(LIST_MAX);
        for place in &mut alert.places {
            place.host = name(&place.host);
            place.roles = both(&place.roles, NAME_MAX_CHARS);
        }
        alert.reasons.truncate(LIST_MAX);
        for reason in &mut alert.reasons {
            *reason = both(reason, REASON_MAX_CHARS);
        }
        if let Some(call) = &mut alert.call {
            call.company = name(&call.company);
            call.phone = name(&call.phone);
        }
        alert
    }

    /// Writes the mail.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let alert = self.cleaned();
        Letter {
            subject: alert.subject(Lang::Ja),
            body: Letter::in_both(|lang| alert.part(lang)),
            message_id: self.message_id.clone(),
            thread_id: format!("<{}@alerts.shirase.invalid>", self.key.incident),
            created_at: self.created_at,
        }
        .carrying(self.audit_head.as_ref())
    }

    /// Hands the JSON for a webhook to `use_it`.
    pub fn with_post<T>(&self, use_it: impl FnOnce(&Post<'_>) -> T) -> T {
        let alert = self.cleaned();
        let subject = alert.subject(Lang::Ja);
        use_it(&Post {
            kind: "incident",
            message_id: &alert.message_id,
            text: &subject,
            facility: &alert.key.facility,
            facility_name: &alert.facility,
            incident: Some(PostIncident {
                incident: alert.key.incident,
                number: alert.number,
                severity: alert.key.escalation,
                drill: alert.drill,
                headline: &alert.headline,
                places: &alert.places,
                since: alert.since,
                reasons: &alert.reasons,
                call: alert.call.as_ref(),
                link: &alert.link,
            }),
            deadline: None,
        })
    }

    fn subject(&self, lang: Lang) -> String {
        let locale = Locale::new(lang);
        let severity = locale.text(severity_key(self.key.escalation));
        let key = if self.drill.is_some() { "notify-subject-drill" } else { "notify-subject" };
        locale.text_with(
            key,
            &[
                ("severity", &severity),
                ("facility", &self.facility),
                ("headline", &self.headline.in_lang(lang)),
            ],
        )
    }

    fn part(&self, lang: Lang) -> String {
        let locale = Locale::new(lang);
        let mut lines = Vec::new();
        if self.drill.is_some() {
            lines.push(locale.text("notify-drill"));
            lines.push(String::new());
        }
        lines.push(locale.text_with(
            "notify-what",
            &[("headline", &self.headline.in_lang(lang)), ("facility", &self.facility)],
        ));
        let severity = locale.text(severity_key(self.key.escalation));
        lines.push(
            locale
                .text_with("notify-incident", &[("number", &self.number), ("severity", &severity)]),
        );
        lines.push(locale.text_with("notify-since", &[("time", &long_time(self.since))]));
        lines.push(String::new());
        lines.push(locale.text("notify-where"));
        lines.extend(
            self.places
                .iter()
                .map(|place| self.place_line(place, locale)),
        );
        lines.push(String::new());
        lines.push(locale.text("notify-why"));
        lines.extend(
            self.reasons
                .iter()
                .map(|reason| format!("  - {}", reason.in_lang(lang))),
        );
        lines.push(String::new());
        lines.push(locale.text("notify-first-step"));
        lines.push(format!("  {}", self.call_line(locale)));
        lines.push(String::new());
        lines.push(locale.text_with("notify-link", &[("link", &self.link)]));
        lines.push(String::new());

        lines.join("\n")
    }

    #[expect(clippy::unused_self, reason = "reads as one of the lines of the letter")]
    fn place_line(&self, place: &Place, locale: Locale) -> String {
        let roles = place.roles.in_lang(locale.lang());
        if roles.is_empty() {
            format!("  - {}", place.host)
        } else {
            format!("  - {} ({roles})", place.host)
        }
    }

    fn call_line(&self, locale: Locale) -> String {
        match &self.call {
            Some(call) if !call.phone.is_empty() => locale
                .text_with("notify-call", &[("company", &call.company), ("phone", &call.phone)]),
            Some(call) => locale.text_with("notify-call-no-number", &[("company", &call.company)]),
            None => locale.text("notify-call-unknown"),
        }
    }
}

/// Writes the mail the test button sends.
#[must_use]
pub fn test_letter(
    facility: &str,
    channel: &ChannelId,
    message_id: &str,
    now: Timestamp,
) -> Letter {
    let facility = name(facility);
    let part = |lang| {
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("facility", &facility), ("channel", channel), ("time", &long_time(now))];
        Locale::new(lang).text_with("notify-test-body", &values)
    };

    Letter {
        subject: Locale::new(Lang::Ja).text_with("notify-test-subject", &[("facility", &facility)]),
        body: format!("{}\n\n{}\n", part(Lang::Ja), part(Lang::En)),
        message_id: message_id.to_owned(),
        thread_id: message_id.to_owned(),
        created_at: now,
    }
}

const fn severity_key(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "notify-severity-low",
        Severity::Medium => "notify-severity-medium",
        Severity::High => "notify-severity-high",
        Severity::Critical => "notify-severity-critical",
    }
}

/// Shows a moment with its zone spelt out, for people who may read it elsewhere.
fn long_time(at: Timestamp) -> String {
    format!("{} (UTC+09:00)", japan_time(at))
}

fn both(text: &Both, max: usize) -> Both {
    Both { ja: one_line(&text.ja, max), en: one_line(&text.en, max) }
}

fn name(text: &str) -> String {
    one_line(text, NAME_MAX_CHARS)
}

/// Returns a text as one line without anything hidden, cut at `max` characters.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let shown = visible(text).replace(['\n', '\t', '\r'], " ");
    if shown.chars().count() <= max {
        return shown;
    }
    shown
        .chars()
        .take(max.saturating_sub(1))
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests;
