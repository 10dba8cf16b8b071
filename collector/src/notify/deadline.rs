//! Warns staff about deadlines: which warnings are missing, and what they say.
//!
//! Always holds: pure; each stage of each deadline is told once over each channel, a deadline that moved is told anew; a guide
//! value (目安) is never called missed; whoever may be woken at all is told of a missed limit.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::event::Severity;
use shirase_shared::ids::{FacilityId, IncidentId};

use super::letter::{Both, Letter, one_line};
use super::{Channel, ChannelId};
use crate::locale::{Lang, Locale, japan_time};
use crate::reports::deadline::{Deadline, State};

/// Longest foreign text in a line of a letter, in characters.
const LINE_MAX_CHARS: usize = 120;

/// How far a deadline is when staff are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// So many per cent of the time are gone.
    Gone(u8),
    /// A limit or a guide value has passed.
    Passed,
}

impl Stage {
    /// Returns the name used in the database and in message ids.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Gone(percent) => percent.to_string(),
            Self::Passed => "passed".to_owned(),
        }
    }

    /// Reads the name used in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "passed" => Some(Self::Passed),
            percent => percent.parse().ok().map(Self::Gone),
        }
    }

    /// Returns what a state is told as; `None` where there is nothing to tell.
    #[must_use]
    pub const fn of(state: State) -> Option<Self> {
        match state {
            State::Running { warned_percent: 0 }
            | State::Waiting
            | State::Promptly
            | State::Met { .. } => None,
            State::Running { warned_percent } => Some(Self::Gone(warned_percent)),
            State::Missed | State::GuidePassed => Some(Self::Passed),
        }
    }
}

/// What makes a warning the same warning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeKey {
    /// Whose staff.
    pub facility: FacilityId,
    /// About which incident.
    pub incident: IncidentId,
    /// Which deadline, for example `jp-ppc-final/attack`.
    pub deadline: String,
    /// The moment it had.
    pub due: Timestamp,
    /// How far it was.
    pub stage: Stage,
    /// Over which channel.
    pub channel: ChannelId,
}

impl NoticeKey {
    /// Returns the message's id for ever.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!(
            "<{}.{}.{}.{}.{}.{}@deadlines.shirase.invalid>",
            self.incident,
            self.deadline.replace('/', "."),
            self.due.as_second(),
            self.stage.name(),
            self.channel,
            self.facility
        )
    }
}

/// One warning in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about and for whom.
    pub key: NoticeKey,
    /// When it became due.
    pub created_at: Timestamp,
    /// How often sending failed.
    pub attempts: u32,
}

/// Returns the warnings about one incident that are missing from the outbox.
#[must_use]
pub fn missing(
    (facility, incident): (&FacilityId, IncidentId),
    deadlines: &[Deadline],
    channels: &[Channel],
    outbox: &BTreeSet<NoticeKey>,
    now: Timestamp,
) -> Vec<NoticeKey> {
    let mut missing = Vec::new();
    for deadline in deadlines {
        let state = deadline.state(now);
        let (Some(stage), Some(due)) = (Stage::of(state), deadline.due()) else { continue };
        let woken = match state {
            State::Missed => Severity::Critical,
            State::Running { .. }
            | State::GuidePassed
            | State::Waiting
            | State::Promptly
            | State::Met { .. } => Severity::High,
        };
        for channel in channels
            .iter()
            .filter(|channel| channel.min_severity <= woken)
        {
            let key = NoticeKey {
                facility: facility.clone(),
                incident,
                deadline: deadline.key(),
                due: due.at,
                stage,
                channel: channel.id.clone(),
            };
            let told = outbox.iter().any(|known| {
                known.incident == key.incident
                    && known.deadline == key.deadline
                    && known.channel == key.channel
                    && known.due == key.due
                    && stage <= known.stage
            });
            if !told {
                missing.push(key);
            }
        }
    }
    missing
}

/// Everything a warning tells.
#[derive(Clone, Debug)]
pub struct Warning {
    /// What makes it the same message.
    pub key: NoticeKey,
    /// When it became due.
    pub created_at: Timestamp,
    /// Name of the institution.
    pub facility: String,
    /// Number of the incident.
    pub number: u64,
    /// Whether it is an exercise.
    pub drill: bool,
    /// The deadline as it stands.
    pub deadline: Deadline,
    /// The moment of telling.
    pub now: Timestamp,
    /// Page of the incident.
    pub link: String,
}

/// What a webhook is told of a deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostDeadline {
    /// Which incident.
    pub incident: IncidentId,
    /// Its number.
    pub number: u64,
    /// Whether it is an exercise.
    pub is_drill: bool,
    /// For example `jp-ppc-final/attack`.
    pub deadline: String,
    /// What is due.
    pub label: Both,
    /// `running`, `missed` or `guide_passed`.
    pub state: &'static str,
    /// Until when.
    pub due: Timestamp,
    /// Its page.
    pub link: String,
}

impl Warning {
    /// Writes the mail.
    #[must_use]
    pub fn letter(&self) -> Letter {
        Letter {
            subject: self.subject(),
            body: Letter::in_both(|lang| self.part(lang)),
            message_id: self.key.message_id(),
            thread_id: format!("<{}@alerts.shirase.invalid>", self.key.incident),
            created_at: self.created_at,
        }
    }

    /// Returns what a webhook is told.
    #[must_use]
    pub fn post(&self) -> PostDeadline {
        PostDeadline {
            incident: self.key.incident,
            number: self.number,
            is_drill: self.drill,
            deadline: self.key.deadline.clone(),
            label: Both { ja: self.deadline.label.ja.clone(), en: self.deadline.label.en.clone() },
            state: self.deadline.state(self.now).as_str(),
            due: self.key.due,
            link: self.link.clone(),
        }
    }

    /// Returns the mail's subject.
    #[must_use]
    pub fn subject(&self) -> String {
        let locale = Locale::new(Lang::Ja);
        let key = if self.drill { "deadline-subject-drill" } else { "deadline-subject" };
        let state = self.state_words(locale);
        let facility = line(&self.facility);
        let label = line(&self.deadline.label.ja);
        locale.text_with(key, &[("facility", &facility), ("label", &label), ("state", &state)])
    }

    fn part(&self, lang: Lang) -> String {
        let locale = Locale::new(lang);
        let mut lines = Vec::new();
        if self.drill {
            lines.push(locale.text("notify-drill"));
            lines.push(String::new());
        }
        let (facility, label) = (line(&self.facility), line(self.deadline.label.in_lang(lang)));
        lines.push(locale.text_with(
            "deadline-mail-what",
            &[("facility", &facility), ("number", &self.number), ("label", &label)],
        ));
        lines.push(self.state_words(locale));
        let until = format!("{} (UTC+09:00)", japan_time(self.key.due));
        lines.push(locale.text_with("deadline-mail-until", &[("time", &until)]));
        if let Some(start) = self.deadline.start {
            let key = if start.assumed { "deadline-mail-assumed" } else { "deadline-mail-from" };
            lines.push(locale.text_with(key, &[("time", &japan_time(start.at))]));
        }
        if self.deadline.confidence.is_doubtful() {
            let day = self.deadline.last_verified;
            let url = &self.deadline.source_url;
            lines.push(locale.text_with("deadline-mail-doubt", &[("day", &day), ("url", url)]));
        }
        lines.push(String::new());
        lines.push(locale.text_with("deadline-mail-link", &[("link", &self.link)]));
        lines.push(String::new());

        lines.join("\n")
    }

    fn state_words(&self, locale: Locale) -> String {
        let state = self.deadline.state(self.now);
        let left = self.key.due.duration_since(self.now).as_hours().max(0);
        let key = match state {
            State::Missed => "deadline-mail-missed",
            State::GuidePassed => "deadline-mail-guide-passed",
            State::Running { .. } if left < 72 => "deadline-mail-hours",
            State::Running { .. } | State::Waiting | State::Promptly | State::Met { .. } => {
                "deadline-mail-days"
            }
        };
        let days = left / 24;
        match state {
            State::Missed | State::GuidePassed => locale.text(key),
            State::Running { .. } | State::Waiting | State::Promptly | State::Met { .. } => {
                let count = if left < 72 { left } else { days };
                locale.text_with(key, &[("count", &count)])
            }
        }
    }
}

fn line(text: &str) -> String {
    one_line(text, LINE_MAX_CHARS)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::notify::ChannelKind;
    use crate::reports::deadline::{Due, Start, Term};
    use crate::reports::profile::{Confidence, RunsFrom, Words};

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn deadline(limit: bool) -> Deadline {
        let due =
            Some(Due { at: at(100), last_day: None, moved_from: None, computed_holiday: false });
        Deadline {
            profile: "jp-ppc-final".to_owned(),
            id: "attack".to_owned(),
            label: Words { ja: "確報".to_owned(), en: "Final report".to_owned() },
            start: Some(Start { at: at(0), by: None, assumed: true }),
            runs_from: RunsFrom::Aware,
            term: if limit { Term::Limit(due) } else { Term::Guide(due) },
            met_at: None,
            met_with: None,
            warn_at_percent: vec![50, 80],
            source_url: "https://example.jp".to_owned(),
            last_verified: "2026-11-22".parse().unwrap(),
            confidence: Confidence::Unverified,
        }
    }

    /// Lets time pass and returns what each hour sends to a channel for everything and to one for the worst.
    #[track_caller]
    fn check(limit: bool, hours: &[i64], expected: &[&[&str]]) {
        let facility: FacilityId = "handa".parse().unwrap();
        let incident = IncidentId::from_uuid(uuid::Uuid::from_u128(1));
        let channel = |id: &str, min_severity| Channel {
            facility: facility.clone(),
            id: id.parse().unwrap(),
            kind: ChannelKind::Mail,
            target: "a@example.jp".to_owned(),
            min_severity,
        };
        let channels = [channel("all", Severity::Low), channel("night", Severity::Critical)];
        let mut outbox = BTreeSet::new();
        let mut steps = Vec::new();
        for hour in hours {
            let deadlines = [deadline(limit)];
            let key = (&facility, incident);
            let new = missing(key, &deadlines, &channels, &outbox, at(*hour));
            let told = new
                .iter()
                .map(|key| format!("{}:{}", key.channel, key.stage.name()));
            steps.push(told.collect::<Vec<_>>());
            outbox.extend(new);
        }
        assert_eq!(steps, expected);
    }

    #[test]
    fn each_stage_is_told_once_and_a_missed_limit_wakes_everyone() {
        check(
            true,
            &[10, 50, 60, 90, 95, 101, 500],
            &[&[], &["all:50"], &[], &["all:80"], &[], &["all:passed", "night:passed"], &[]],
        );
    }

    #[test]
    fn a_guide_value_that_passed_wakes_nobody_and_a_late_start_tells_only_the_last_stage() {
        check(false, &[101, 500], &[&["all:passed"], &[]]);
        check(true, &[85], &[&["all:80"]]);
    }

    #[test]
    fn the_letter_says_what_until_when_and_what_is_not_certain() {
        let key = NoticeKey {
            facility: "handa".parse().unwrap(),
            incident: IncidentId::from_uuid(uuid::Uuid::from_u128(1)),
            deadline: "jp-ppc-final/attack".to_owned(),
            due: at(100),
            stage: Stage::Passed,
            channel: "all".parse().unwrap(),
        };
        let mut warning = Warning {
            key,
            created_at: at(101),
            facility: "半田\r\nBcc: x@example.jp 病院".to_owned(),
            number: 7,
            drill: true,
            deadline: deadline(true),
            now: at(101),
            link: "https://collector.example/incidents/1".to_owned(),
        };
        let letter = warning.letter();
        for part in
            ["期限超過", "未確認", "第7号", "訓練", "1970-01-05 13:00:00 JST", "not verified"]
        {
            assert!(letter.body.contains(part), "{part} is missing in {}", letter.body);
        }
        assert!(letter.subject.contains("訓練") && !letter.subject.contains(['\r', '\n']));
        warning.deadline = deadline(false);
        let letter = warning.letter();
        assert!(
            !letter.body.contains("期限超過") && letter.body.contains("目安"),
            "{}",
            letter.body
        );
    }
}
