//! What goes between partners: the inbox, a thread, a message before its release.
//!
//! Always holds: what a partner wrote is shown as text; its files are handed out, never shown; who has to do something
//! next is said in words.

mod partners;

use askama::Template;
use shirase_shared::ids::{MessageId, UserId};

use super::cases::ThreadCase;
use super::frame::Frame;
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::exchange::OrganisationKind;
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::manifest::AckKind;
use crate::exchange::message::{Message, MessageState};
use crate::exchange::partner::Partner;
use crate::locale::{Locale, japan_time};
use crate::store::{Direction, StoredPackage};

pub use partners::{PartnerPage, PartnersPage};

/// The packages of a facility and the messages that wait for a release.
#[derive(Template)]
#[template(path = "exchange.html")]
pub struct ExchangePage {
    /// What stands around it.
    pub f: Frame,
    /// Packages that came and went, the newest first: one page of them.
    pub rows: Vec<PackageRow>,
    /// The page with newer ones.
    pub newer: Option<u32>,
    /// The page with older ones.
    pub older: Option<u32>,
    /// Messages, those that wait first.
    pub messages: Vec<MessageRow>,
    /// The form for a new message.
    pub form: MessageForm,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
    /// Whether this organisation informs others by circulars.
    pub informs: bool,
}

/// One package as a row.
pub struct PackageRow {
    /// Its id.
    pub id: String,
    /// The digits people tell it by.
    pub short: String,
    /// Whether it came.
    pub came: bool,
    /// The partner.
    pub partner: String,
    /// What it is.
    pub kind: String,
    /// One line.
    pub subject: String,
    /// Its TLP mark.
    pub tlp: &'static str,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// When it was stored here.
    pub stored: String,
    /// How it stands.
    pub state: Badge,
    /// The case its thread belongs to: id and words.
    pub case: Option<(String, String)>,
    /// Whether it came about an incident and belongs to no case yet, where cases are kept.
    pub caseless: bool,
}

impl PackageRow {
    /// Says which case its thread belongs to, where cases are kept.
    #[must_use]
    pub fn in_case(mut self, package: &StoredPackage, case: Option<&(String, String)>) -> Self {
        let about = matches!(
            package.manifest.kind,
            PackageKind::Report | PackageKind::Question | PackageKind::Answer
        );
        self.caseless = case.is_none() && self.came && about;
        self.case = case.cloned();
        self
    }

    /// Shows a package.
    #[must_use]
    pub fn of(package: &StoredPackage, locale: Locale) -> Self {
        let manifest = &package.manifest;
        Self {
            id: package.id.to_string(),
            short: package.id.short().to_owned(),
            came: package.direction == Direction::In,
            partner: package.partner.to_string(),
            kind: locale.text(&manifest.kind.label_key()),
            subject: manifest.subject.clone(),
            tlp: manifest.tlp.mark(),
            drill: manifest.drill,
            stored: japan_time(package.stored_at),
            state: state(package, locale),
            case: None,
            caseless: false,
        }
    }
}

fn state(package: &StoredPackage, locale: Locale) -> Badge {
    let read = package.acks.iter().any(|ack| ack.what == AckKind::Read);
    let (tone, key) = match (package.direction, read, package.done_at.is_some()) {
        (Direction::In, true, _) => (Tone::Quiet, "package-read-here"),
        (Direction::In, false, _) => (Tone::High, "package-unread"),
        (Direction::Out, true, _) => (Tone::Well, "package-read-there"),
        (Direction::Out, false, true) => (Tone::Well, "package-stored-there"),
        (Direction::Out, false, false) if package.next_at.is_some() => {
            (Tone::Medium, "package-waits")
        }
        (Direction::Out, false, false) => (Tone::Medium, "package-waits-for-file"),
    };
    Badge { tone, text: locale.text(key) }
}

/// One message as a row.
pub struct MessageRow {
    /// Which.
    pub id: MessageId,
    /// To whom.
    pub partner: String,
    /// What it is.
    pub kind: String,
    /// One line.
    pub subject: String,
    /// Who wrote it and when.
    pub written: String,
    /// How it stands.
    pub state: Badge,
}

impl MessageRow {
    /// Shows a message.
    #[must_use]
    pub fn of(message: &Message, locale: Locale) -> Self {
        let (tone, key) = match message.state {
            MessageState::Waiting => (Tone::Medium, "message-waiting"),
            MessageState::Released { .. } => (Tone::Well, "message-released"),
            MessageState::Returned { .. } => (Tone::Quiet, "message-returned"),
        };
        let when = japan_time(message.written_at);
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("name", &message.written_by.name), ("time", &when)];
        Self {
            id: message.id,
            partner: message.partner.to_string(),
            kind: locale.text(&message.kind.label_key()),
            subject: message.subject.clone(),
            written: locale.text_with("message-written", &values),
            state: Badge { tone, text: locale.text(key) },
        }
    }
}

/// The inputs of a message.
#[derive(Default)]
pub struct MessageForm {
    /// Partners it can go to.
    pub partners: Vec<Choice>,
    /// What it can be.
    pub kinds: Vec<Choice>,
    /// How far it may be passed on.
    pub marks: Vec<Choice>,
    /// The package it answers; empty for a new thread.
    pub reply_to: String,
    /// One line.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// Whether it is an exercise's.
    pub drill: bool,
}

/// What a form of a message begins with.
pub struct Begun<'a> {
    /// Trusted partners; one alone where a package is answered.
    pub partners: &'a [Partner],
    /// What this collector serves.
    pub organisation: OrganisationKind,
    /// The package that is answered.
    pub answered: Option<&'a StoredPackage>,
}

impl MessageForm {
    /// Shows the inputs.
    #[must_use]
    pub fn of(begun: &Begun<'_>, locale: Locale) -> Self {
        let preferred = match begun.answered.map(|package| package.manifest.kind) {
            Some(PackageKind::Question | PackageKind::Guidance | PackageKind::DrillInvitation) => {
                PackageKind::Answer
            }
            Some(_) | None => PackageKind::Question,
        };
        let kinds = PackageKind::WRITTEN
            .into_iter()
            .filter(|kind| kind.may_come_from(begun.organisation))
            .filter(|kind| begun.answered.is_some() || !kind.answers())
            .filter(|kind| {
                !kind.is_of_exercises()
                    || begun.answered.is_some_and(|package| package.manifest.drill)
            });
        let kinds = kinds.map(|kind| Choice {
            code: kind.as_str().to_owned(),
            text: locale.text(&kind.label_key()),
            chosen: kind == preferred,
        });
        let tlp = begun
            .answered
            .map_or_else(Tlp::default, |package| package.manifest.tlp);
        let marks = Tlp::ALL.into_iter().map(|mark| Choice {
            code: mark.as_str().to_owned(),
            text: mark.mark().to_owned(),
            chosen: mark == tlp,
        });
        let partners = begun.partners.iter().map(|partner| Choice {
            code: partner.id.to_string(),
            text: format!("{} ({})", partner.name(), partner.id),
            chosen: false,
        });
        Self {
            partners: partners.collect(),
            kinds: kinds.collect(),
            marks: marks.collect(),
            reply_to: begun
                .answered
                .map_or_else(String::new, |package| package.id.to_string()),
            subject: String::new(),
            text: String::new(),
            drill: begun.answered.is_some_and(|package| package.manifest.drill),
        }
    }
}

/// A thread: everything that went either way, in order.
#[derive(Template)]
#[template(path = "exchange_thread.html")]
pub struct ThreadPage {
    /// What stands around it.
    pub f: Frame,
    /// Its packages, the oldest first.
    pub items: Vec<PackageView>,
    /// Places of the partner's packages that did not come yet.
    pub gaps: Vec<u32>,
    /// The form for what goes on; none where the partner was revoked.
    pub form: Option<MessageForm>,
    /// The case it belongs to, or could; none where no cases are kept.
    pub shelf: Option<ThreadCase>,
}

/// One package of a thread.
pub struct PackageView {
    /// As a row.
    pub row: PackageRow,
    /// What it says, in paragraphs.
    pub text: Vec<String>,
    /// Who wrote and released it.
    pub people: String,
    /// Its files: number, name, size in words.
    pub files: Vec<(usize, String, String)>,
    /// What was acknowledged, in sentences.
    pub acks: Vec<String>,
    /// Why it does not leave; empty if it does.
    pub error: String,
    /// Whether the reader has not said yet that they read it.
    pub unread: bool,
}

impl PackageView {
    /// Shows a package to somebody of this name.
    #[must_use]
    pub fn of(package: &StoredPackage, reader: &str, locale: Locale) -> Self {
        let manifest = &package.manifest;
        let people = manifest.released.as_ref().map(|people| {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("writer", &people.written_by), ("releaser", &people.released_by)];
            locale.text_with("package-people", &values)
        });
        let files = manifest.files.iter().enumerate().map(|(number, file)| {
            let kilobytes = file.bytes.div_ceil(1024);
            (number, file.name.to_string(), format!("{kilobytes} KiB"))
        });
        let came = package.direction == Direction::In;
        let acks = package.acks.iter().map(|ack| {
            let time = japan_time(ack.at);
            match ack.what {
                AckKind::Stored if came => {
                    locale.text_with("package-ack-stored-here", &[("time", &time)])
                }
                AckKind::Stored => locale.text_with("package-ack-stored", &[("time", &time)]),
                AckKind::Read => {
                    locale.text_with("package-ack-read", &[("name", &ack.by), ("time", &time)])
                }
            }
        });
        let read = |ack: &crate::store::Ack| ack.what == AckKind::Read && ack.by == reader;
        Self {
            row: PackageRow::of(package, locale),
            text: manifest.text.lines().map(str::to_owned).collect(),
            people: people.unwrap_or_default(),
            files: files.collect(),
            acks: acks.collect(),
            error: package.last_error.clone(),
            unread: came && !package.acks.iter().any(read),
        }
    }
}

/// Returns the places of the partner's packages that are missing before one that came.
#[must_use]
pub fn gaps(packages: &[StoredPackage]) -> Vec<u32> {
    let came = packages.iter().filter(|one| one.direction == Direction::In);
    let places: std::collections::BTreeSet<u32> = came.map(|one| one.manifest.order).collect();
    let last = places.last().copied().unwrap_or(0);
    // A thread of another version could name any place; a page names a few.
    (1..last)
        .filter(|place| !places.contains(place))
        .take(20)
        .collect()
}

/// A message before or after its release.
#[derive(Template)]
#[template(path = "exchange_message.html")]
pub struct MessagePage {
    /// What stands around it.
    pub f: Frame,
    /// As a row.
    pub row: MessageRow,
    /// Its TLP mark.
    pub tlp: &'static str,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// What it says, in paragraphs.
    pub text: Vec<String>,
    /// Names of its files.
    pub files: Vec<String>,
    /// The package it became.
    pub package: Option<String>,
    /// Why it was sent back.
    pub reason: String,
    /// Whether the reader may release it.
    pub may_release: bool,
    /// Whether it waits.
    pub waiting: bool,
}

impl MessagePage {
    /// Shows a message to somebody.
    #[must_use]
    pub fn of(f: Frame, message: &Message, reader: UserId) -> Self {
        let approver = f.facility.as_ref().is_some_and(|place| place.approver);
        let (package, reason) = match &message.state {
            MessageState::Waiting => (None, String::new()),
            MessageState::Released { package } => (Some(package.to_string()), String::new()),
            MessageState::Returned { reason } => (None, reason.clone()),
        };
        Self {
            row: MessageRow::of(message, f.locale),
            tlp: message.tlp.mark(),
            drill: message.drill,
            text: message.text.lines().map(str::to_owned).collect(),
            files: message
                .files
                .iter()
                .map(|file| file.name.to_string())
                .collect(),
            package,
            reason,
            may_release: approver && message.may_be_released_by(reader),
            waiting: message.state == MessageState::Waiting,
            f,
        }
    }
}
