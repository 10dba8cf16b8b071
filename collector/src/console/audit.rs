//! The audit log of a facility with the state of the whole chain.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use shirase_shared::ids::UserId;

use super::frame::Frame;
use crate::audit::{Actor, Anchor, AuditFault, Carrier, Departure, LoggedEntry, Verified};
use crate::locale::{Locale, japan_time};

/// One page of the log.
#[derive(Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// What stands around it.
    pub f: Frame,
    /// Whether the chain is whole, in words.
    pub verdict: String,
    /// Whether it is.
    pub whole: bool,
    /// What it means and what to do, if it is not.
    pub remedy: Option<String>,
    /// What last carried a head out of the database, when, and up to which entry.
    pub outside: Vec<OutsideRow>,
    /// Hash of the last entry, if it is.
    pub head: String,
    /// The entries, newest first.
    pub entries: Vec<EntryView>,
    /// Where the older ones are.
    pub older: Option<u64>,
}

/// One entry as shown.
pub struct EntryView {
    /// Its number.
    pub n: u64,
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
    /// On what.
    pub object: String,
    /// Particulars, name and value.
    pub detail: Vec<(String, String)>,
    /// Its hash.
    pub hash: String,
}

impl EntryView {
    /// Shows an entry.
    #[must_use]
    pub fn of(entry: &LoggedEntry, names: &BTreeMap<UserId, String>, locale: Locale) -> Self {
        let known = |text: &str| {
            text.parse::<UserId>()
                .ok()
                .and_then(|id| names.get(&id).cloned())
        };
        let who = match entry.who.parse() {
            Ok(Actor::User(id)) => names.get(&id).cloned().unwrap_or_else(|| entry.who.clone()),
            Ok(Actor::Machine) => locale.text("who-machine"),
            Ok(Actor::CommandLine) => locale.text("who-command-line"),
            Err(_) => entry.who.clone(),
        };
        let at = Timestamp::from_millisecond(entry.at_ms)
            .map(japan_time)
            .unwrap_or_default();
        let detail: BTreeMap<String, String> =
            serde_json::from_str(&entry.detail).unwrap_or_default();

        Self {
            n: entry.n,
            at,
            who,
            action: entry.action.clone(),
            object: known(&entry.object).unwrap_or_else(|| entry.object.clone()),
            detail: detail.into_iter().collect(),
            hash: entry.hash.chars().take(16).collect(),
        }
    }
}

/// One place outside the database that knows a head.
pub struct OutsideRow {
    /// The place, in words.
    pub place: String,
    /// When a head last went there; empty if none ever did.
    pub at: String,
    /// The entry it stands for.
    pub n: Option<u64>,
}

/// Tells when a head last went to each place outside the database.
#[must_use]
pub fn outside(
    anchor: Option<&Anchor>,
    departures: &[Departure],
    locale: Locale,
) -> Vec<OutsideRow> {
    let never = || (locale.text("audit-never-left"), None);
    let file = OutsideRow {
        place: locale.text("audit-carrier-file"),
        at: anchor.map_or_else(|| never().0, |anchor| japan_time(anchor.at)),
        n: anchor.map(|anchor| anchor.n),
    };
    let carried = Carrier::ALL.into_iter().map(|carrier| {
        let last = departures.iter().find(|one| one.carrier == carrier);
        let (at, n) = last.map_or_else(never, |one| (japan_time(one.at), Some(one.head.n)));
        OutsideRow { place: locale.text(carrier.label_key()), at, n }
    });
    std::iter::once(file).chain(carried).collect()
}

/// Says in words whether the chain is whole.
#[must_use]
pub fn verdict(state: &Result<Verified, AuditFault>, locale: Locale) -> String {
    match state {
        Ok(whole) => locale.text_with(
            "audit-whole",
            &[("entries", &whole.entries), ("anchored", &whole.anchored_through)],
        ),
        Err(fault) => locale.text_with("audit-broken", &[("fault", &fault)]),
    }
}
