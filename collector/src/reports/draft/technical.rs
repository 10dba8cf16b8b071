//! What events tell about the attack itself: note, suffixes, indicators, protection, backups, planned work, entry.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shirase_shared::event::{Anomaly, BackupKind, LogonKind, ProtectionKind};

use super::answers::{Maker, choice};
use crate::correlate::RecordKey;
use crate::reports::answer::{Answer, AnswerStatus, LINES_MAX, Line, Row, Value};
use crate::reports::text::plain_line;

/// Indicators named in one answer.
const INDICATORS_MAX: usize = 60;

impl Maker<'_> {
    /// Field 13: the hosts and roots where it was seen. Where they stand people know.
    pub(super) fn place(&self) -> Answer {
        let mut places: BTreeSet<String> = BTreeSet::new();
        for harm in &self.facts.harms {
            let (host, root) = (self.facts.name(harm.host), plain_line(harm.root));
            places.insert(
                self.teller()
                    .text("draft-place-root", &[("host", &host), ("root", &root)]),
            );
        }
        for gone in &self.facts.gone {
            let (host, target) = (self.facts.name(gone.host), plain_line(gone.target));
            places.insert(
                self.teller()
                    .text("draft-place-target", &[("host", &host), ("target", &target)]),
            );
        }
        let places: Vec<String> = places.into_iter().collect();
        if places.is_empty() {
            return self.said(Value::Nothing, AnswerStatus::Investigating, "", []);
        }
        let basis = self.locale.text("draft-basis-place");
        let value = Value::text(places.join("\n"));
        self.said(value, AnswerStatus::Confirmed, &basis, self.facts.told())
    }

    /// Field 30: that a note is there, never what it says: no file content leaves a host.
    pub(super) fn ransom_note(&self) -> Answer {
        let noted = self
            .facts
            .harms
            .iter()
            .filter(|harm| 0 < harm.totals.note_directories);
        let mut records = Vec::new();
        let mut sentences = Vec::new();
        for harm in noted {
            records.extend(harm.records.iter().copied());
            sentences.push(self.teller().text(
                "draft-note",
                &[
                    ("host", &self.facts.name(harm.host)),
                    ("directories", &harm.totals.note_directories),
                ],
            ));
        }
        for intrusion in &self.facts.intrusions {
            if let Anomaly::Print(print) = intrusion.anomaly {
                records.extend(intrusion.records.iter().copied());
                sentences.push(self.teller().text(
                    "draft-note-printed",
                    &[("host", &self.facts.name(intrusion.host)), ("jobs", &print.jobs)],
                ));
            }
        }
        if sentences.is_empty() {
            return self.said(Value::Nothing, AnswerStatus::Investigating, "", []);
        }
        sentences.push(self.locale.text("draft-note-where"));
        let basis = self.locale.text("draft-basis-note");
        self.estimated(Value::text(sentences.join("\n")), &basis, records)
    }

    /// Field 31: the suffixes files gained, the most frequent first.
    pub(super) fn extensions(&self) -> Answer {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut records = Vec::new();
        for harm in &self.facts.harms {
            for (suffix, count) in harm
                .totals
                .suffixes
                .iter()
                .filter(|(s, _)| !s.starts_with('('))
            {
                *counts.entry(plain_line(suffix)).or_default() += count;
                records.extend(harm.records.iter().copied());
            }
        }
        if counts.is_empty() {
            return self.said(Value::Nothing, AnswerStatus::Investigating, "", []);
        }
        let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let lines = counts.into_iter().map(|(suffix, count)| Line {
            at: None,
            label: format!(".{suffix}"),
            text: self.teller().text("draft-files", &[("count", &count)]),
        });
        let value = Value::Lines { lines: lines.take(LINES_MAX).collect() };
        let basis = self.locale.text("draft-basis-monitoring");
        self.said(value, AnswerStatus::Confirmed, &basis, records)
    }

    /// Field 32: that it encrypts follows from the files; its name does not.
    pub(super) fn family(&self) -> Answer {
        let encrypting: Vec<_> = self
            .facts
            .harms
            .iter()
            .filter(|harm| harm.encrypts())
            .collect();
        let records: Vec<RecordKey> = encrypting
            .iter()
            .flat_map(|harm| harm.records)
            .copied()
            .collect();
        if encrypting.is_empty() {
            return self.said(choice(&[], String::new()), AnswerStatus::Investigating, "", []);
        }
        let note = self.locale.text("draft-family");
        let basis = self.locale.text("draft-kind-encrypted");
        self.estimated(choice(&["encrypts"], note), &basis, records)
    }

    /// Field 33: suffixes, programs, services and addresses. Accounts of people stay keyed hashes and are left out.
    pub(super) fn indicators(&self) -> Answer {
        let mut rows: BTreeMap<(&str, String), (Timestamp, String)> = BTreeMap::new();
        let mut records: Vec<RecordKey> = Vec::new();
        let mut put = |kind, value: &str, at: Timestamp, note: String| {
            let value = plain_line(value);
            if !value.is_empty() {
                let seen = rows.entry((kind, value)).or_insert((at, note));
                seen.0 = seen.0.min(at);
            }
        };
        for harm in &self.facts.harms {
            let host = self.facts.name(harm.host);
            records.extend(harm.records.iter().copied());
            for suffix in harm.totals.suffixes.keys().filter(|s| !s.starts_with('(')) {
                put("suffix", &format!(".{suffix}"), harm.first_at, host.clone());
            }
            for actor in &harm.totals.actors {
                put("program", &actor.program, harm.first_at, host.clone());
                put("service", actor.unit.as_deref().unwrap_or(""), harm.first_at, host.clone());
                put("address", actor.client.as_deref().unwrap_or(""), harm.first_at, host.clone());
            }
        }
        for intrusion in &self.facts.intrusions {
            if let Anomaly::Logon(logon) = intrusion.anomaly {
                records.extend(intrusion.records.iter().copied());
                let note = self.teller().text(
                    logon_key(logon.what),
                    &[("host", &self.facts.name(intrusion.host)), ("count", &logon.count)],
                );
                for source in &logon.sources {
                    put("address", source, intrusion.first_at, note.clone());
                }
            }
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by(|a, b| (a.1.0, &a.0).cmp(&(b.1.0, &b.0)));
        let rows: Vec<Row> = rows
            .into_iter()
            .take(INDICATORS_MAX)
            .map(|((kind, value), (at, note))| {
                row([
                    ("kind", kind.to_owned()),
                    ("value", value),
                    ("seen", at.to_string()),
                    ("note", note),
                ])
            })
            .collect();
        self.table(rows, records)
    }

    /// Field 36: what was seen of antivirus and other guards.
    pub(super) fn guard(&self) -> Answer {
        let mut codes = BTreeSet::new();
        let mut notes = Vec::new();
        let mut records = Vec::new();
        for intrusion in &self.facts.intrusions {
            let Anomaly::Protection(protection) = intrusion.anomaly else { continue };
            let (code, key) = match protection.what {
                ProtectionKind::GuardStopped => (Some("stopped"), "draft-guard-stopped"),
                ProtectionKind::GuardRemoved => (Some("removed"), "draft-guard-removed"),
                ProtectionKind::LogTruncated | ProtectionKind::LogRemoved => {
                    (None, "draft-guard-log")
                }
                ProtectionKind::OwnFilesTouched | ProtectionKind::OwnServiceTouched => {
                    (None, "draft-guard-own")
                }
                ProtectionKind::OwnServiceKilled => (None, "draft-guard-own-killed"),
            };
            codes.extend(code);
            records.extend(intrusion.records.iter().copied());
            let name = plain_line(&protection.name);
            notes.push(self.teller().text(
                key,
                &[
                    ("at", &self.teller().time(intrusion.first_at)),
                    ("host", &self.facts.name(intrusion.host)),
                    ("name", &name),
                ],
            ));
        }
        if notes.is_empty() {
            let note = self.locale.text("draft-guard-open");
            return self.said(choice(&[], note), AnswerStatus::Investigating, "", []);
        }
        let codes: Vec<&str> = codes.into_iter().collect();
        let status =
            if codes.is_empty() { AnswerStatus::Investigating } else { AnswerStatus::Confirmed };
        let basis = self.locale.text("draft-basis-monitoring");
        self.said(choice(&codes, notes.join("\n")), status, &basis, records)
    }

    /// Field 37: backups that were seen to be harmed or late. The others people add.
    pub(super) fn backups(&self) -> Answer {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut records = Vec::new();
        for intrusion in &self.facts.intrusions {
            let Anomaly::Backup(backup) = intrusion.anomaly else { continue };
            records.extend(intrusion.records.iter().copied());
            let (harmed, key) = match backup.what {
                BackupKind::TreeHarmed => ("yes", "draft-backup-harmed"),
                BackupKind::SnapshotsRemoved => ("yes", "draft-backup-snapshots"),
                BackupKind::JobOverdue => ("unknown", "draft-backup-overdue"),
            };
            let name = self.teller().text(
                "draft-backup-name",
                &[("name", &plain_line(&backup.name)), ("host", &self.facts.name(intrusion.host))],
            );
            let note = self.teller().text(
                key,
                &[("at", &self.teller().time(intrusion.first_at)), ("count", &backup.count)],
            );
            let cells = row([
                ("name", name.clone()),
                ("harmed", harmed.to_owned()),
                (
                    "last_good",
                    backup
                        .last_good
                        .map(|at| at.to_string())
                        .unwrap_or_default(),
                ),
                ("note", note),
            ]);
            // Of several words about one backup the worst is told.
            match rows.get(&name) {
                Some(known) if known.get("harmed").is_some_and(|harmed| harmed == "yes") => {}
                Some(_) | None => {
                    rows.insert(name, cells);
                }
            }
        }
        self.table(rows.into_values().collect(), records)
    }

    /// Field 44: maintenance windows that were ordered for the hosts concerned. Work nobody ordered here people know.
    pub(super) fn maintenance(&self) -> Answer {
        let hosts = self.input.incident.hosts();
        let (first, last) = self.span();
        let near = self.input.windows.iter().filter(|window| {
            hosts.contains(&window.host) && window.from <= last && first <= window.until
        });
        let notes: Vec<String> = near
            .map(|window| {
                self.teller().text(
                    "draft-window",
                    &[
                        ("host", &self.facts.name(window.host)),
                        ("from", &self.teller().time(window.from)),
                        ("until", &self.teller().time(window.until)),
                    ],
                )
            })
            .collect();
        if notes.is_empty() {
            let note = self.locale.text("draft-window-none");
            return self.said(choice(&[], note), AnswerStatus::Investigating, "", []);
        }
        let basis = self.locale.text("draft-basis-window");
        self.said(choice(&["yes"], notes.join("\n")), AnswerStatus::Confirmed, &basis, [])
    }

    /// Field 28: remote logons out of hours or after failures point to a way in; they prove none.
    pub(super) fn entry(&self) -> Answer {
        let mut notes = Vec::new();
        let mut records = Vec::new();
        for intrusion in &self.facts.intrusions {
            let Anomaly::Logon(logon) = intrusion.anomaly else { continue };
            records.extend(intrusion.records.iter().copied());
            notes.push(self.teller().text(
                logon_key(logon.what),
                &[("host", &self.facts.name(intrusion.host)), ("count", &logon.count)],
            ));
        }
        notes.push(self.locale.text("draft-entry-open"));
        self.said(choice(&[], notes.join("\n")), AnswerStatus::Investigating, "", records)
    }

    /// Field 5 from the master data.
    pub(super) fn identifiers(&self) -> Answer {
        let master = &self.input.facility.master;
        let lines = vec![
            self.line("draft-facility-corporate-number", &master.corporate_number),
            self.line("draft-facility-code", &master.code),
            self.line("draft-facility-address", &master.address),
            self.line("draft-facility-prefecture", &master.prefecture),
            self.line("draft-facility-jurisdiction", &master.jurisdiction),
        ];
        let known = !master.code.trim().is_empty() || !master.address.trim().is_empty();
        self.registered(Value::Lines { lines }, known)
    }

    /// The first and the last moment of the incident, an hour wider on both sides.
    fn span(&self) -> (Timestamp, Timestamp) {
        let hour = jiff::SignedDuration::from_hours(1);
        let first = self.input.incident.first_at;
        let last = self.facts.last_at().unwrap_or(first).max(first);
        (first.saturating_sub(hour).unwrap_or(first), last.saturating_add(hour).unwrap_or(last))
    }

    fn table(&self, rows: Vec<Row>, records: Vec<RecordKey>) -> Answer {
        if rows.is_empty() {
            return self.said(Value::Nothing, AnswerStatus::Investigating, "", []);
        }
        let basis = self.locale.text("draft-basis-monitoring");
        self.said(Value::Rows { rows }, AnswerStatus::Confirmed, &basis, records)
    }
}

const fn logon_key(what: LogonKind) -> &'static str {
    match what {
        LogonKind::FailureBurst => "draft-logon-failures",
        LogonKind::SuccessAfterFailures => "draft-logon-success",
        LogonKind::NewAdministrator => "draft-logon-administrator",
        LogonKind::RemoteOutOfHours => "draft-logon-hours",
    }
}

/// Returns the ATT&CK technique that what was seen is an instance of, where one is.
pub(super) fn technique(anomaly: &Anomaly) -> Option<&'static str> {
    match anomaly {
        Anomaly::MassChange(totals) => {
            let encrypts = totals.suffix_appended + totals.magic_lost + totals.replaced;
            Some(if 0 < encrypts { "T1486" } else { "T1485" })
        }
        Anomaly::Logon(logon) => match logon.what {
            LogonKind::FailureBurst => Some("T1110"),
            LogonKind::SuccessAfterFailures => Some("T1078"),
            LogonKind::NewAdministrator => Some("T1098"),
            LogonKind::RemoteOutOfHours => Some("T1021"),
        },
        Anomaly::Protection(protection) => match protection.what {
            ProtectionKind::GuardStopped
            | ProtectionKind::GuardRemoved
            | ProtectionKind::OwnFilesTouched
            | ProtectionKind::OwnServiceTouched
            | ProtectionKind::OwnServiceKilled => Some("T1562.001"),
            ProtectionKind::LogTruncated | ProtectionKind::LogRemoved => Some("T1070"),
        },
        Anomaly::Backup(backup) => match backup.what {
            BackupKind::TreeHarmed | BackupKind::SnapshotsRemoved => Some("T1490"),
            // A backup that is late has mostly harmless causes.
            BackupKind::JobOverdue => None,
        },
        Anomaly::Stops(_) => Some("T1489"),
        Anomaly::Print(_) => Some("T1491.001"),
        Anomaly::Outage(_) | Anomaly::Pressure(_) | Anomaly::Loss(_) | Anomaly::Agent(_) => None,
    }
}

fn row<const N: usize>(cells: [(&str, String); N]) -> Row {
    let filled = cells.into_iter().filter(|(_, part)| !part.is_empty());
    filled.map(|(code, part)| (code.to_owned(), part)).collect()
}
