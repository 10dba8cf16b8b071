//! Notices to many partners: written, released, and how far each came.

use askama::Template;
use shirase_shared::ids::{CircularId, UserId};

use super::frame::Frame;
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::exchange::circular::{Circular, Reach, Recipient};
use crate::exchange::joint_drill::Participation;
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::manifest::{SUBJECT_MAX_CHARS, TEXT_MAX_CHARS};
use crate::exchange::message::MessageState;
use crate::exchange::partner::{Partner, PartnerId};
use crate::locale::{Locale, japan_time};

/// All circulars, with the form of a new one.
#[derive(Template)]
#[template(path = "circulars.html")]
pub struct CircularsPage {
    /// What stands around it.
    pub f: Frame,
    /// The circulars, the newest first.
    pub rows: Vec<CircularRow>,
    /// Partners it can go to; those chosen before are chosen again.
    pub partners: Vec<Choice>,
    /// What it can be.
    pub kinds: Vec<Choice>,
    /// How far it may be passed on.
    pub marks: Vec<Choice>,
    /// What was sent with the form.
    pub sent: CircularInputs,
    /// What was wrong with it.
    pub problem: Option<String>,
}

/// What was sent with the form of a new circular.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CircularInputs {
    /// One line.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// A notice, or an invitation to an exercise.
    pub kind: String,
    /// How far it may be passed on.
    pub tlp: String,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// To whom.
    pub partners: Vec<String>,
}

/// One circular as a row.
pub struct CircularRow {
    /// Which.
    pub id: CircularId,
    /// One line.
    pub subject: String,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// Who wrote it and when.
    pub written: String,
    /// How many read it, of how many.
    pub read: Badge,
    /// How many wait for their release.
    pub waiting: Option<Badge>,
}

impl CircularRow {
    fn of(circular: &Circular, locale: Locale) -> Self {
        let (read, all) = (circular.count(Reach::Read), circular.recipients.len());
        let tone = if read == all { Tone::Well } else { Tone::Medium };
        let text = locale.text_with("circular-read-of", &[("read", &read), ("all", &all)]);
        let waiting = circular.count(Reach::Waiting);
        let waits = locale.text_with("circular-waits", &[("count", &waiting)]);
        Self {
            id: circular.id,
            subject: circular.subject.clone(),
            drill: circular.drill,
            written: written(circular, locale),
            read: Badge { tone, text },
            waiting: (0 < waiting).then_some(Badge { tone: Tone::High, text: waits }),
        }
    }
}

fn written(circular: &Circular, locale: Locale) -> String {
    let when = japan_time(circular.written_at);
    locale.text_with("message-written", &[("name", &circular.written_by.name), ("time", &when)])
}

impl CircularsPage {
    /// Shows the circulars and the form.
    #[must_use]
    pub fn of(
        f: Frame,
        (circulars, partners): (&[Circular], &[Partner]),
        (sent, problem): (CircularInputs, Option<String>),
    ) -> Self {
        let locale = f.locale;
        let partner = |one: &Partner| {
            let code = one.id.to_string();
            let chosen = sent.partners.contains(&code);
            Choice { text: format!("{} ({code})", one.name()), chosen, code }
        };
        let mark = |mark: Tlp| Choice {
            code: mark.as_str().to_owned(),
            text: mark.mark().to_owned(),
            chosen: mark.as_str() == sent.tlp,
        };
        let kind = |kind: PackageKind| Choice {
            code: kind.as_str().to_owned(),
            text: locale.text(&kind.label_key()),
            chosen: kind.as_str() == sent.kind,
        };
        Self {
            kinds: [PackageKind::Notice, PackageKind::DrillInvitation]
                .map(kind)
                .to_vec(),
            rows: circulars
                .iter()
                .map(|one| CircularRow::of(one, locale))
                .collect(),
            partners: partners.iter().map(partner).collect(),
            marks: Tlp::ALL.into_iter().map(mark).collect(),
            sent,
            problem,
            f,
        }
    }

    fn subject_max(&self) -> usize {
        SUBJECT_MAX_CHARS
    }

    fn text_max(&self) -> usize {
        TEXT_MAX_CHARS
    }
}

/// One circular: what it says and how far it came with each partner.
#[derive(Template)]
#[template(path = "circular.html")]
pub struct CircularPage {
    /// What stands around it.
    pub f: Frame,
    /// Its head.
    pub row: CircularRow,
    /// Its mark.
    pub tlp: &'static str,
    /// What it says, in paragraphs.
    pub text: Vec<String>,
    /// To whom, those that are furthest behind first.
    pub recipients: Vec<RecipientRow>,
    /// How many stand where, in words.
    pub counts: Vec<Badge>,
    /// Whether the reader may release what waits.
    pub may_release: bool,
    /// Whether something waits, but for another person.
    pub waits_for_another: bool,
    /// Whether there is somebody to remind.
    pub may_remind: bool,
    /// How everybody fares in the exercise it invites to; none for a notice.
    pub participations: Vec<ParticipationRow>,
    /// The circular it reminds of.
    pub reminds: Option<CircularId>,
    /// The subject and the text a reminder begins with.
    pub reminder: (String, String),
}

/// One partner as a row.
pub struct RecipientRow {
    /// Who.
    pub name: String,
    /// How far it came.
    pub reach: Badge,
    /// Since when they have it.
    pub stored: String,
    /// Who read it and when.
    pub reads: Vec<String>,
    /// The package.
    pub package: Option<String>,
    /// Why it was sent back.
    pub reason: String,
}

/// How one partner fares in an exercise, as a row.
pub struct ParticipationRow {
    /// Who.
    pub name: String,
    /// How far the invitation came.
    pub invited: Badge,
    /// When they answered it, detected it, made their report, when it came, and when somebody here read it; empty where
    /// that has not happened.
    pub moments: [String; 6],
}

impl ParticipationRow {
    /// Returns each moment with the key of its label.
    fn labelled(&self) -> impl Iterator<Item = (&String, &'static str)> {
        let labels = [
            "drill-answered",
            "drill-detected",
            "drill-reported",
            "drill-received",
            "drill-acknowledged",
            "drill-result",
        ];
        self.moments.iter().zip(labels)
    }

    fn of(one: &Participation, partners: &[Partner], locale: Locale) -> Self {
        let moments = [
            one.answered_at,
            one.detected_at,
            one.reported_at,
            one.received_at,
            one.acknowledged_at,
            one.result_at,
        ];
        Self {
            name: name_of(&one.partner, partners),
            invited: Badge { tone: tone(one.invited), text: locale.text(one.invited.label_key()) },
            moments: moments.map(|at| at.map(japan_time).unwrap_or_default()),
        }
    }
}

const fn tone(reach: Reach) -> Tone {
    match reach {
        Reach::Waiting => Tone::High,
        Reach::Returned => Tone::Quiet,
        Reach::Underway => Tone::Medium,
        Reach::Arrived => Tone::Low,
        Reach::Read => Tone::Well,
    }
}

fn name_of(id: &PartnerId, partners: &[Partner]) -> String {
    let found = partners.iter().find(|partner| partner.id == *id);
    found.map_or_else(|| id.to_string(), |partner| format!("{} ({id})", partner.name()))
}

impl RecipientRow {
    fn of(one: &Recipient, partners: &[Partner], locale: Locale) -> Self {
        let reach = one.reach();
        let read = |(name, at): &(String, jiff::Timestamp)| {
            let time = japan_time(*at);
            locale.text_with("package-ack-read", &[("time", &time), ("name", name)])
        };
        let reason = match &one.state {
            MessageState::Returned { reason } => reason.clone(),
            MessageState::Waiting | MessageState::Released { .. } => String::new(),
        };
        Self {
            name: name_of(&one.partner, partners),
            reach: Badge { tone: tone(reach), text: locale.text(reach.label_key()) },
            stored: one.stored_at.map(japan_time).unwrap_or_default(),
            reads: one.reads.iter().map(read).collect(),
            package: one.package().map(ToString::to_string),
            reason,
        }
    }
}

impl CircularPage {
    /// Shows a circular to somebody.
    #[must_use]
    pub fn of(
        f: Frame,
        (circular, participations): (&Circular, &[Participation]),
        partners: &[Partner],
        reader: UserId,
    ) -> Self {
        let locale = f.locale;
        let mut recipients: Vec<&Recipient> = circular.recipients.iter().collect();
        recipients.sort_by_key(|one| (one.reach(), one.partner.clone()));
        let counts = Reach::ALL.into_iter().filter_map(|reach| {
            let count = circular.count(reach);
            let label = locale.text(reach.label_key());
            let text = locale.text_with("circular-count", &[("label", &label), ("count", &count)]);
            (0 < count).then_some(Badge { tone: tone(reach), text })
        });
        let may_release = circular.may_be_released_by(reader);
        Self {
            row: CircularRow::of(circular, locale),
            tlp: circular.tlp.mark(),
            text: circular.text.lines().map(str::to_owned).collect(),
            recipients: recipients
                .into_iter()
                .map(|one| RecipientRow::of(one, partners, locale))
                .collect(),
            counts: counts.collect(),
            may_release,
            waits_for_another: !may_release && 0 < circular.count(Reach::Waiting),
            may_remind: circular.unread().next().is_some(),
            participations: participations
                .iter()
                .map(|one| ParticipationRow::of(one, partners, locale))
                .collect(),
            reminds: circular.reminds,
            reminder: (
                locale.text_with("circular-reminder-subject", &[("subject", &circular.subject)]),
                locale.text_with("circular-reminder-text", &[("subject", &circular.subject)]),
            ),
            f,
        }
    }

    fn subject_max(&self) -> usize {
        SUBJECT_MAX_CHARS
    }

    fn text_max(&self) -> usize {
        TEXT_MAX_CHARS
    }
}
