//! What the collector knows that bears on an item: dated, of a host where it is of one, in plain words.
//!
//! Always holds: it answers nothing. What speaks against a yes is marked to be looked at, and that is all.
//!
//! Not here: gathering it (see `release::inspection`).

mod hosts;
mod posture;
mod seen;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::HostId;

use super::Basis;
use crate::contacts::{Chart, Contact};
use crate::facilities::{CareRole, Facility, Host};
use crate::locale::{Locale, japan_time};
use crate::people::User;
use crate::records::{HeartbeatSeen, SeenRecord};

/// What a collector knows of a facility.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The facility.
    pub facility: &'a Facility,
    /// Its hosts.
    pub hosts: &'a [Host],
    /// Their last signs of life.
    pub heard: &'a BTreeMap<HostId, HeartbeatSeen>,
    /// What they told about logons, protection, backups and themselves since `since`, in the order of time.
    pub records: &'a [SeenRecord],
    /// Since when records were looked at.
    pub since: Timestamp,
    /// The people who can sign in to see the facility.
    pub users: &'a [User],
    /// Its address book.
    pub contacts: &'a [Contact],
    /// Its emergency chart.
    pub chart: &'a Chart,
    /// Days an event stays that belongs to no incident; 0 for ever.
    pub events_days: u32,
    /// After how long without a sign of life a host counts as silent.
    pub silence: SignedDuration,
    /// The moment it is looked at.
    pub now: Timestamp,
}

/// For which sheet evidence is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The institution's: everything.
    Institution,
    /// A vendor's: of the hosts that do what the vendor maintains, and of nothing else.
    Systems(BTreeSet<CareRole>),
}

/// Whether a piece of evidence wants to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceWeight {
    /// It says how things are.
    Plain,
    /// It speaks against a yes, or says that nothing can be seen.
    Look,
}

/// One thing the collector knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// When it was so, or when it last happened.
    pub at: Timestamp,
    /// Name of the host, if it is about one.
    pub host: Option<String>,
    /// Whether it wants to be looked at.
    pub weight: EvidenceWeight,
    /// Key of its words in the locale files.
    key: &'static str,
    /// What they name.
    values: Vec<(&'static str, Value)>,
}

/// Something evidence names, in no language yet.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// A name, a number, an address.
    Said(String),
    /// A moment.
    At(Timestamp),
    /// A day.
    On(Date),
    /// Words of the locale files, any number of them.
    Keys(Vec<&'static str>),
}

impl Evidence {
    /// Says it in a language.
    #[must_use]
    pub fn words(&self, locale: Locale) -> String {
        let said: Vec<(&str, String)> = self
            .values
            .iter()
            .map(|(name, value)| (*name, value.words(locale)))
            .collect();
        locale.text_of(self.key, &said)
    }

    fn plain(key: &'static str, at: Timestamp) -> Self {
        Self { at, host: None, weight: EvidenceWeight::Plain, key, values: Vec::new() }
    }

    fn look(key: &'static str, at: Timestamp) -> Self {
        Self { weight: EvidenceWeight::Look, ..Self::plain(key, at) }
    }

    fn of(mut self, host: &Host) -> Self {
        self.host = Some(host.name.clone());
        self
    }

    fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.values.push((name, Value::Said(value.to_string())));
        self
    }

    fn on(mut self, name: &'static str, day: Date) -> Self {
        self.values.push((name, Value::On(day)));
        self
    }

    fn dated(mut self, name: &'static str, at: Timestamp) -> Self {
        self.values.push((name, Value::At(at)));
        self
    }

    fn named(mut self, name: &'static str, keys: Vec<&'static str>) -> Self {
        self.values.push((name, Value::Keys(keys)));
        self
    }
}

impl Value {
    fn words(&self, locale: Locale) -> String {
        match self {
            Self::Said(text) => text.clone(),
            Self::At(at) => japan_time(*at),
            Self::On(day) => day.to_string(),
            Self::Keys(keys) => {
                let words: Vec<String> = keys.iter().map(|key| locale.text(key)).collect();
                words.join(&locale.text("list-comma"))
            }
        }
    }
}

impl Known<'_> {
    /// Returns the hosts that are let in and in scope.
    fn hosts_of<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Host> {
        self.hosts.iter().filter(move |host| {
            host.revoked_at.is_none()
                && match scope {
                    Scope::Institution => true,
                    Scope::Systems(roles) => host
                        .roles
                        .iter()
                        .chain(host.watched.values())
                        .any(|role| roles.contains(role)),
                }
        })
    }
}

/// Returns what is known that bears on an item's basis, hosts in their order, what was seen last at the end.
#[must_use]
pub fn evidence(basis: Basis, known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    match (basis, scope) {
        (Basis::Hosts, _) => hosts::hosts(known, scope),
        (Basis::Versions, _) => hosts::versions(known, scope),
        (Basis::Guards, _) => hosts::guards(known, scope),
        (Basis::Administrators, _) => hosts::administrators(known, scope),
        (Basis::Logs, _) => hosts::logs(known, scope),
        (Basis::Backups, _) => hosts::backups(known, scope),
        (Basis::RemoteSessions, _) => seen::remote_sessions(known, scope),
        (Basis::LogonFailures, _) => seen::logon_failures(known, scope),
        (Basis::RemoteTools, _) => posture::remote_tools(known, scope),
        (Basis::IdleAccounts, _) => posture::idle_accounts(known, scope),
        (Basis::UsbStorage, _) => posture::usb_storage(known, scope),
        (Basis::Listeners, _) => posture::listeners(known, scope),
        // What is left is about the institution: on a vendor's sheet it would answer another question.
        (_, Scope::Systems(_)) => Vec::new(),
        (Basis::CareSystems, Scope::Institution) => hosts::care_systems(known),
        (Basis::Drills, Scope::Institution) => seen::drills(known),
        (Basis::SafetyManager, Scope::Institution) => place::safety_manager(known),
        (Basis::Accounts, Scope::Institution) => place::accounts(known),
        (Basis::Passwords, Scope::Institution) => place::passwords(known),
        (Basis::SecondFactor, Scope::Institution) => place::second_factor(known),
        (Basis::ContactChart, Scope::Institution) => place::contact_chart(known),
    }
}

#[cfg(test)]
mod tests;
