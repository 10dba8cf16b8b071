//! Tells the facts in sentences: the summary, the damage of one system, the timeline.

use std::collections::BTreeSet;
use std::fmt::Display;

use jiff::Timestamp;
use shirase_shared::event::{Anomaly, MassChange, OutageState};
use shirase_shared::ids::{HostId, UserId};

use super::Input;
use super::facts::{Facts, Gone, Harm, Silent};
use super::technical::technique;
use crate::correlate::{Names, Sighting};
use crate::facilities::CareRole;
use crate::incidents::{Entry, ItemKind, steps_taken, timeline};
use crate::locale::{Lang, Locale};
use crate::reports::answer::{LINES_MAX, Line};
use crate::reports::text::{japanese_time, plain, plain_line, zoned_time};

/// Sentences of one kind in a summary; the rest are counted.
const SENTENCES_MAX: usize = 5;
/// Suffixes named in one sentence.
const SUFFIXES_MAX: usize = 3;

/// Puts facts into words of one language.
pub(super) struct Teller<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) facts: &'a Facts<'a>,
    pub(super) locale: Locale,
}

impl Teller<'_> {
    /// When, where, how many, which suffix, what stopped, how it was found.
    pub(super) fn summary(&self) -> String {
        let facts = self.facts;
        let mut sentences = Vec::new();
        self.tell(
            &mut sentences,
            facts
                .sightings
                .iter()
                .map(|sighting| self.sighting(sighting)),
        );
        self.tell(&mut sentences, facts.harms.iter().map(|harm| self.harm(harm)));
        self.tell(&mut sentences, facts.gone.iter().map(|gone| self.gone(gone)));
        self.tell(&mut sentences, facts.silent.iter().map(|silent| self.silent(silent)));
        if let Some(record) = facts.earliest() {
            sentences.push(self.text(
                "draft-found",
                &[("host", &facts.name(record.host)), ("at", &self.time(record.corrected_at))],
            ));
        }
        sentences.join("\n")
    }

    fn tell(&self, sentences: &mut Vec<String>, all: impl ExactSizeIterator<Item = String>) {
        let rest = all.len().saturating_sub(SENTENCES_MAX);
        sentences.extend(all.take(SENTENCES_MAX));
        if 0 < rest {
            sentences.push(self.text("draft-rest", &[("count", &rest)]));
        }
    }

    /// What a person noticed.
    fn sighting(&self, sighting: &Sighting) -> String {
        self.text(
            "draft-sighting",
            &[
                ("at", &self.time(sighting.noticed_at)),
                ("by", &plain_line(&sighting.noticed_by)),
                ("subject", &plain_line(&sighting.subject)),
                ("what", &plain(&sighting.what).trim()),
            ],
        )
    }

    /// One mass change, as a sentence that stands alone.
    pub(super) fn harm(&self, harm: &Harm<'_>) -> String {
        let key = if harm.ended_at.is_some() { "draft-harm-ended" } else { "draft-harm" };
        self.text(
            key,
            &[
                ("first", &self.time(harm.first_at)),
                ("host", &self.server(harm.host)),
                ("root", &plain_line(harm.root)),
                ("signs", &self.signs(harm.totals)),
                ("last", &self.time(harm.ended_at.unwrap_or(harm.last_at))),
                ("files", &grouped(harm.files)),
                ("directories", &grouped(harm.totals.directories)),
            ],
        )
    }

    /// One service that is or was gone.
    pub(super) fn gone(&self, gone: &Gone<'_>) -> String {
        let key = match gone.state {
            OutageState::Down => "draft-gone",
            OutageState::Flapping => "draft-gone-flapping",
            OutageState::Recovered => "draft-gone-recovered",
        };
        let recovered = gone
            .recovered_at
            .map(|at| self.time(at))
            .unwrap_or_default();
        self.text(
            key,
            &[
                ("since", &self.time(gone.since)),
                ("host", &self.facts.name(gone.host)),
                ("target", &plain_line(gone.target)),
                ("roles", &self.roles(gone.roles)),
                ("recovered", &recovered),
            ],
        )
    }

    /// One host that stopped reporting.
    pub(super) fn silent(&self, silent: &Silent<'_>) -> String {
        let key =
            if silent.returned_at.is_some() { "draft-silent-returned" } else { "draft-silent" };
        let returned = silent
            .returned_at
            .map(|at| self.time(at))
            .unwrap_or_default();
        self.text(
            key,
            &[
                ("heard", &self.time(silent.last_heard_at)),
                ("host", &self.server(silent.host)),
                ("returned", &returned),
            ],
        )
    }

    /// What happened to one host, in short sentences.
    pub(super) fn damage(&self, host: HostId) -> String {
        let facts = self.facts;
        let harms = facts
            .harms
            .iter()
            .filter(|harm| harm.host == host)
            .map(|harm| {
                self.text(
                    "draft-damage-files",
                    &[("files", &grouped(harm.files)), ("signs", &self.signs(harm.totals))],
                )
            });
        let gone = facts
            .gone
            .iter()
            .filter(|gone| gone.host == host)
            .map(|gone| {
                let key = match gone.state {
                    OutageState::Down => "draft-damage-down",
                    OutageState::Flapping => "draft-damage-flapping",
                    OutageState::Recovered => "draft-damage-recovered",
                };
                self.text(
                    key,
                    &[("target", &plain_line(gone.target)), ("since", &self.time(gone.since))],
                )
            });
        let silent = facts
            .silent
            .iter()
            .filter(|silent| silent.host == host)
            .map(|silent| {
                let key = if silent.returned_at.is_some() {
                    "draft-damage-returned"
                } else {
                    "draft-damage-silent"
                };
                self.text(key, &[("heard", &self.time(silent.last_heard_at))])
            });
        let all: Vec<String> = harms.chain(gone).chain(silent).collect();
        if all.is_empty() { self.locale.text("draft-damage-none") } else { all.concat() }
    }

    /// How the files changed, the weightiest signs first.
    pub(super) fn signs(&self, totals: &MassChange) -> String {
        let mut by_count: Vec<(&String, &u64)> = totals.suffixes.iter().collect();
        by_count.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let suffixes: Vec<String> = by_count
            .into_iter()
            .filter(|(name, _)| !name.starts_with('('))
            .take(SUFFIXES_MAX)
            .map(|(name, _)| self.text("draft-suffix", &[("suffix", &plain_line(name))]))
            .collect();
        let mut signs = Vec::new();
        if !suffixes.is_empty() {
            signs.push(self.text("draft-sign-suffix", &[("suffixes", &suffixes.concat())]));
        }
        let counts = [
            ("draft-sign-magic", totals.magic_lost),
            ("draft-sign-extension", totals.extension_lost),
            ("draft-sign-replaced", totals.replaced),
            ("draft-sign-truncated", totals.truncated),
            ("draft-sign-deleted", totals.deleted),
        ];
        signs.extend(
            counts
                .into_iter()
                .filter(|(_, count)| 0 < *count)
                .map(|(key, _)| self.locale.text(key)),
        );
        if signs.is_empty() {
            signs.push(self.locale.text("draft-sign-other"));
        }
        signs.join(&self.locale.text("draft-comma"))
    }

    /// What hosts told and people did, by time. Comments stay inside.
    pub(super) fn timeline(&self) -> Vec<Line> {
        let names = Names {
            hosts: self
                .input
                .hosts
                .iter()
                .map(|host| (host.id, host.name.clone()))
                .collect(),
            users: self.input.users.clone(),
        };
        let told = timeline(self.input.incident, self.input.records, &[]);
        let mut lines: Vec<(Timestamp, Line)> = told
            .iter()
            .filter(|item| self.is_told(&item.what))
            .map(|item| {
                let label = item
                    .host
                    .map(|host| self.facts.name(host))
                    .unwrap_or_default();
                let text = plain_line(&item.text.say(self.locale, &names));
                let text = self.with_technique(&item.what, text);
                (item.at, Line { at: Some(item.at), label, text })
            })
            .collect();
        lines.extend(self.facts.silent.iter().map(|silent| {
            let text = self.locale.text("draft-line-silent");
            let label = self.facts.name(silent.host);
            (silent.last_heard_at, Line { at: Some(silent.last_heard_at), label, text })
        }));
        lines.extend(self.facts.sightings.iter().map(|sighting| {
            let at = sighting.noticed_at;
            let (label, text) = (plain_line(&sighting.noticed_by), plain_line(&sighting.subject));
            (at, Line { at: Some(at), label, text })
        }));
        lines.extend(
            self.acts()
                .into_iter()
                .filter_map(|line| Some((line.at?, line))),
        );
        lines.extend(
            self.calls()
                .into_iter()
                .filter_map(|line| Some((line.at?, line))),
        );
        lines.sort_by_key(|(at, _)| *at);
        if LINES_MAX < lines.len() {
            let latest = lines.split_off(lines.len() - LINES_MAX / 2);
            lines.truncate(LINES_MAX / 2);
            lines.extend(latest);
        }
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// Names the ATT&CK technique behind what is told.
    fn with_technique(&self, what: &ItemKind, text: String) -> String {
        let ItemKind::Record { key, .. } = what else { return text };
        let event = self
            .facts
            .by_key
            .get(key)
            .and_then(|record| record.event.as_ref());
        match event.and_then(|event| technique(&event.anomaly)) {
            Some(id) => self.text("draft-technique", &[("text", &text), ("id", &id)]),
            None => text,
        }
    }

    /// What happened to files, services, backups, protection and logons is told: other records can name directories.
    fn is_told(&self, what: &ItemKind) -> bool {
        let ItemKind::Record { key, .. } = what else { return false };
        let event = self
            .facts
            .by_key
            .get(key)
            .and_then(|record| record.event.as_ref());
        event.is_some_and(|event| match event.anomaly {
            Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Logon(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Stops(_)
            | Anomaly::Print(_) => true,
            Anomaly::Pressure(_) | Anomaly::Loss(_) | Anomaly::Agent(_) => false,
        })
    }

    /// What people did first, as they noted it on the incident.
    pub(super) fn acts(&self) -> Vec<Line> {
        let who = |by: Option<UserId>| {
            let name = by.and_then(|by| self.input.users.get(&by));
            name.map(|name| plain_line(name)).unwrap_or_default()
        };
        let taken_up = self
            .input
            .entries
            .iter()
            .filter(|entry| entry.what == Entry::Acknowledged);
        let taken_up = taken_up.map(|entry| {
            let text = self.locale.text("draft-line-acknowledged");
            Line { at: Some(entry.at), label: who(entry.who), text }
        });
        let steps = steps_taken(self.input.entries).map(|taken| {
            let step = self.locale.text(taken.step.label_key());
            let outcome = self.locale.text(taken.outcome.label_key());
            let (remark, key) = match plain_line(taken.text) {
                remark if remark.is_empty() => (remark, "draft-line-step"),
                remark => (remark, "draft-line-step-remark"),
            };
            let values: [(&str, &dyn Display); 3] =
                [("step", &step), ("outcome", &outcome), ("remark", &remark)];
            Line { at: Some(taken.at), label: who(taken.by), text: self.text(key, &values) }
        });
        let mut acts: Vec<Line> = taken_up.chain(steps).collect();
        acts.sort_by_key(|line| line.at);
        acts
    }

    /// Whom people called.
    pub(super) fn calls(&self) -> Vec<Line> {
        let call = |entry: &Entry| {
            let call = entry.vendor_call()?;
            let number = plain_line(call.number);
            let key = if number.is_empty() { "draft-call" } else { "draft-call-number" };
            let text = self.text(key, &[("whom", &plain_line(call.whom)), ("number", &number)]);
            let label = self.locale.text("draft-call-label");
            Some(Line { at: Some(call.called_at), label, text })
        };
        let mut calls: Vec<Line> = self
            .input
            .entries
            .iter()
            .filter_map(|entry| call(&entry.what))
            .collect();
        calls.sort_by_key(|line| line.at);
        calls
    }

    /// A host with what it does for care.
    fn server(&self, host: HostId) -> String {
        let name = self.facts.name(host);
        match self.input.hosts.iter().find(|known| known.id == host) {
            Some(known) if !known.roles.is_empty() => {
                let roles = self.roles(&known.roles);
                self.text("draft-server", &[("host", &name), ("roles", &roles)])
            }
            Some(_) | None => name,
        }
    }

    /// What something does for care, in words.
    pub(super) fn roles(&self, roles: &BTreeSet<CareRole>) -> String {
        if roles.is_empty() {
            return self.locale.text("draft-roles-unknown");
        }
        let labels: Vec<String> = roles
            .iter()
            .map(|r| self.locale.text(r.label_key()))
            .collect();
        labels.join(&self.locale.text("draft-comma"))
    }

    /// A moment as the document writes it.
    pub(super) fn time(&self, at: Timestamp) -> String {
        match self.locale.lang() {
            Lang::Ja => japanese_time(at),
            Lang::En => zoned_time(at),
        }
    }

    /// Shorthand for a message with variables.
    pub(super) fn text(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        self.locale.text_with(key, values)
    }
}

/// A count with its thousands apart.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
