//! One answer a field.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::event::OutageState;
use shirase_shared::ids::{HostId, UserId};

use super::Input;
use super::facts::{Facts, Harm};
use super::impact::suggested;
use super::story::Teller;
use crate::correlate::RecordKey;
use crate::facilities::{CareRole, Host};
use crate::incidents::{Entry, Moment};
use crate::locale::Locale;
use crate::reports::answer::{
    Answer, AnswerStatus, Line, Revision, Source, System, TEXT_MAX, Value,
};
use crate::reports::fields::Field;
use crate::reports::text::plain_line;

/// Makes the answers of one draft.
pub(super) struct Maker<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) facts: &'a Facts<'a>,
    pub(super) locale: Locale,
}

impl Maker<'_> {
    /// Returns the machine's answer to a field; none where it has nothing to say.
    pub(super) fn answer(&self, field: Field) -> Option<Answer> {
        let answer = match field {
            // A report's own, what only people can know, or a municipality's.
            Field::Round
            | Field::Addressees
            | Field::ReportedAt
            | Field::Designation
            | Field::ServiceLevel
            | Field::Workaround
            | Field::LeakClass
            | Field::DataItems
            | Field::Persons
            | Field::SecondaryHarm
            | Field::NoticeToPersons
            | Field::Publication
            | Field::Cause
            | Field::Flood
            | Field::Ransom
            | Field::Evidence
            | Field::Recovery
            | Field::ThirdParties
            | Field::Prevention
            | Field::PriorControls
            | Field::Consent
            | Field::Other
            | Field::Attachments
            | Field::Authorship
            | Field::Restorable
            | Field::HeardHow
            | Field::LegalBasis
            | Field::FoundDamage
            | Field::FoundResponse
            | Field::FoundRecovery
            | Field::FoundPrevention
            | Field::Guidance => return None,
            Field::Identifiers => self.identifiers(),
            Field::Place => self.place(),
            Field::Entry => self.entry(),
            Field::RansomNote => self.ransom_note(),
            Field::Extensions => self.extensions(),
            Field::Family => self.family(),
            Field::Indicators => self.indicators(),
            Field::Guard => self.guard(),
            Field::Backups => self.backups(),
            Field::Maintenance => self.maintenance(),
            Field::Facility => self.facility(),
            Field::People => self.people(),
            Field::Kind => self.kind(),
            Field::Summary => self.summary(),
            Field::OccurredAt => self.occurred_at(),
            Field::DetectedAt => self.detected_at(),
            Field::Discovery => self.discovery(),
            Field::Systems => self.systems(),
            Field::ServiceState => self.service_state(),
            Field::CareImpact => self.care_impact(),
            Field::CareHindered => self.care_hindered(),
            Field::DataLeak => self.data_leak(),
            Field::Timeline => self.timeline(),
            Field::FirstResponse => self.first_response(),
            Field::Contacted => self.contacted(),
            Field::HelpRequested => self.said(Value::Nothing, AnswerStatus::Unknown, "", []),
        };

        Some(answer)
    }

    fn kind(&self) -> Answer {
        if let Some(answer) = self.kind_by_people() {
            return answer;
        }
        let told = self.facts.told();
        let encrypted = self.facts.harms.iter().any(Harm::encrypts);
        let (code, basis) = if encrypted && !self.facts.gone.is_empty() {
            ("ransomware", "draft-kind-encrypted-gone")
        } else if encrypted {
            ("ransomware", "draft-kind-encrypted")
        } else if !self.facts.harms.is_empty() {
            ("malware", "draft-kind-destroyed")
        } else {
            ("system-failure", "draft-kind-outage")
        };
        self.estimated(choice(&[code], String::new()), &self.locale.text(basis), told)
    }

    fn summary(&self) -> Answer {
        let text: String = self.teller().summary().chars().take(TEXT_MAX).collect();
        self.said(Value::text(text), AnswerStatus::Confirmed, &self.basis_told(), self.facts.told())
    }

    fn occurred_at(&self) -> Answer {
        let at = self.input.incident.first_at;
        let Some(record) = self
            .facts
            .first_trace()
            .filter(|_| self.sighted_first().is_none())
        else {
            return self.occurred_by_people();
        };
        let event = record.event.as_ref();
        let wall = event.and_then(|event| event.first_change_at.or(Some(event.detected_at)));
        let wall = wall.or(record.detected_at).unwrap_or(record.corrected_at);
        let basis = self.teller().text(
            "draft-basis-occurred",
            &[
                ("host", &self.facts.name(record.host)),
                ("wall", &self.teller().time(wall)),
                ("seconds", &seconds_up(record.uncertainty)),
            ],
        );
        let key = RecordKey { host: record.host, stream: record.stream, sequence: record.sequence };
        self.estimated(Value::DateTime { at }, &basis, [key])
    }

    /// The agent's alert and the moment the institution knew are two things; law counts from the second.
    fn detected_at(&self) -> Answer {
        let mut lines = self.lines_of_sightings();
        if let Some(record) = self.facts.earliest() {
            lines.push(Line {
                at: Some(record.corrected_at),
                label: self.locale.text("draft-detected-label"),
                text: self.facts.name(record.host),
            });
        }
        let label = self.locale.text("draft-known-label");
        let (line, status) = match self.known_at() {
            Some((at, who, key)) => {
                let who = who.and_then(|who| self.input.users.get(&who));
                let who = who.map(|name| plain_line(name)).unwrap_or_default();
                let text = self.teller().text(key, &[("who", &who)]);
                (Line { at: Some(at), label, text }, AnswerStatus::Confirmed)
            }
            None => {
                let text = self.locale.text("draft-known-open");
                (Line { at: None, label, text }, AnswerStatus::Investigating)
            }
        };
        lines.push(line);
        let basis = self.locale.text("draft-basis-detected");
        let told = self.facts.earliest().map(|record| RecordKey {
            host: record.host,
            stream: record.stream,
            sequence: record.sequence,
        });
        self.said(Value::Lines { lines }, status, &basis, told)
    }

    /// When the institution knew: as a person recorded it, or when somebody took the incident up.
    fn known_at(&self) -> Option<(Timestamp, Option<UserId>, &'static str)> {
        let recorded = self.input.entries.iter().rev().find_map(|entry| {
            let Entry::Noted { moment: Moment::Aware, at, .. } = &entry.what else { return None };
            Some((*at, entry.who, "draft-known-recorded"))
        });
        let taken_up = self
            .input
            .entries
            .iter()
            .find(|entry| entry.what == Entry::Acknowledged);
        recorded.or_else(|| taken_up.map(|entry| (entry.at, entry.who, "draft-known-text")))
    }

    fn discovery(&self) -> Answer {
        if let Some(first) = self.sighted_first() {
            return self.discovered_by_people(first);
        }
        let rule = self.locale.text(self.input.incident.rule.title_key());
        let note = self.teller().text("draft-discovery", &[("rule", &rule)]);
        let basis = self.locale.text("draft-basis-monitoring");
        let told = self.facts.told();
        self.said(choice(&["monitoring"], note), AnswerStatus::Confirmed, &basis, told)
    }

    fn systems(&self) -> Answer {
        let hosts: BTreeSet<HostId> = self.input.incident.hosts();
        let mut systems: Vec<System> = hosts.into_iter().map(|host| self.system(host)).collect();
        systems.sort_by(|a, b| a.name.cmp(&b.name));
        if systems.is_empty() {
            return self.said(Value::Nothing, AnswerStatus::Investigating, "", []);
        }
        let basis = self.locale.text("draft-basis-systems");
        let told = self.facts.told();
        self.said(Value::Systems { systems }, AnswerStatus::Confirmed, &basis, told)
    }

    fn system(&self, id: HostId) -> System {
        let host: Option<&Host> = self.input.hosts.iter().find(|host| host.id == id);
        let gone = self.facts.gone.iter().filter(|gone| gone.host == id);
        let mut roles: BTreeSet<CareRole> = gone.flat_map(|gone| gone.roles).copied().collect();
        roles.extend(host.iter().flat_map(|host| &host.roles));
        let vendors: BTreeSet<String> = roles
            .iter()
            .filter_map(|role| self.input.facility.master.vendor(*role))
            .map(|vendor| plain_line(&vendor.company))
            .filter(|company| !company.is_empty())
            .collect();
        let vendors: Vec<String> = vendors.into_iter().collect();
        System {
            name: self.facts.name(id),
            role: self.teller().roles(&roles),
            os: host.map(|host| plain_line(&host.os)).unwrap_or_default(),
            vendor: vendors.join(&self.locale.text("draft-comma")),
            damage: self.teller().damage(id),
            // Whatever an agent runs on is a server; where it stands people know.
            kind: "server".to_owned(),
            count: Some(1),
            setting: String::new(),
        }
    }

    fn service_state(&self) -> Answer {
        let teller = self.teller();
        let gone = &self.facts.gone;
        let mut notes: Vec<String> = gone.iter().map(|gone| teller.gone(gone)).collect();
        notes.extend(self.facts.silent.iter().map(|silent| teller.silent(silent)));
        let any = |state| gone.iter().any(|gone| gone.state == state);
        let told = gone.iter().flat_map(|gone| gone.records).copied();
        let told: Vec<RecordKey> = told.collect();
        let basis = self.locale.text("draft-basis-monitoring");
        if any(OutageState::Down) {
            let value = choice(&["stopped"], notes.join("\n"));
            return self.said(value, AnswerStatus::Confirmed, &basis, told);
        }
        if any(OutageState::Flapping) {
            let value = choice(&["degraded"], notes.join("\n"));
            return self.said(value, AnswerStatus::Confirmed, &basis, told);
        }
        if !gone.is_empty() {
            let basis = self.locale.text("draft-basis-restored");
            return self.estimated(choice(&["restored"], notes.join("\n")), &basis, told);
        }
        notes.insert(0, self.locale.text("draft-service-none"));
        self.said(choice(&[], notes.join("\n")), AnswerStatus::Investigating, &basis, told)
    }

    fn care_impact(&self) -> Answer {
        let (roles, told) = self.roles_lost();
        let codes = suggested(&roles);
        if codes.is_empty() || told.is_empty() {
            let note = self.locale.text("draft-impact-open");
            return self.said(choice(&[], note), AnswerStatus::Investigating, "", told);
        }
        let roles = self.teller().roles(&roles);
        let note = self.teller().text("draft-impact", &[("roles", &roles)]);
        let basis = self
            .teller()
            .text("draft-basis-impact", &[("roles", &roles)]);
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        self.estimated(choice(&codes, note), &basis, told)
    }

    fn care_hindered(&self) -> Answer {
        let (roles, told) = self.roles_lost();
        let note = if suggested(&roles).is_empty() {
            self.locale.text("draft-hindered-open")
        } else {
            self.teller()
                .text("draft-hindered", &[("roles", &self.teller().roles(&roles))])
        };
        self.said(choice(&[], note), AnswerStatus::Investigating, "", told)
    }

    fn data_leak(&self) -> Answer {
        let key = if self.facts.harms.is_empty() { "draft-leak-open" } else { "draft-leak-feared" };
        let told = self
            .facts
            .harms
            .iter()
            .flat_map(|harm| harm.records)
            .copied();
        let told: Vec<RecordKey> = told.collect();
        let note = self.locale.text(key);
        self.said(choice(&[], note), AnswerStatus::Investigating, "", told)
    }

    fn timeline(&self) -> Answer {
        let lines = self.teller().timeline();
        let basis = self.locale.text("draft-basis-timeline");
        let status =
            if lines.is_empty() { AnswerStatus::Investigating } else { AnswerStatus::Confirmed };
        self.said(Value::Lines { lines }, status, &basis, self.facts.told())
    }

    fn first_response(&self) -> Answer {
        self.noted(self.teller().acts(), "draft-basis-acts")
    }

    fn contacted(&self) -> Answer {
        self.noted(self.teller().calls(), "draft-basis-calls")
    }

    /// What people noted on the incident, or under investigation while they noted nothing.
    fn noted(&self, lines: Vec<Line>, basis: &str) -> Answer {
        if lines.is_empty() {
            return self.said(Value::Nothing, AnswerStatus::Investigating, "", []);
        }
        let basis = self.locale.text(basis);
        self.said(Value::Lines { lines }, AnswerStatus::Confirmed, &basis, [])
    }

    /// What the lost systems do for care, or the harmed ones while nothing is known to be lost, with the evidence.
    fn roles_lost(&self) -> (BTreeSet<CareRole>, Vec<RecordKey>) {
        let gone = self.facts.gone.iter();
        let mut roles: BTreeSet<CareRole> = gone.clone().flat_map(|g| g.roles).copied().collect();
        roles.extend(self.facts.silent.iter().flat_map(|silent| silent.roles));
        if !suggested(&roles).is_empty() {
            return (roles, self.facts.told());
        }
        for harm in &self.facts.harms {
            let host = self.input.hosts.iter().find(|host| host.id == harm.host);
            roles.extend(host.iter().flat_map(|host| &host.roles));
        }
        (roles, self.facts.told())
    }

    pub(super) fn teller(&self) -> Teller<'_> {
        Teller { input: self.input, facts: self.facts, locale: self.locale }
    }

    /// 推定 with its evidence, or 調査中 when there is none.
    pub(super) fn estimated(
        &self,
        value: Value,
        basis: &str,
        records: impl IntoIterator<Item = RecordKey>,
    ) -> Answer {
        let mut answer = self.said(value, AnswerStatus::Estimated, basis, records);
        if answer.check().is_err() {
            answer.status = AnswerStatus::Investigating;
        }
        answer
    }

    pub(super) fn said(
        &self,
        value: Value,
        status: AnswerStatus,
        basis: &str,
        records: impl IntoIterator<Item = RecordKey>,
    ) -> Answer {
        let records = self.facts.refs(records);
        let source = Source::Machine { records, basis: basis.to_owned() };
        let as_of = self.facts.last_at().unwrap_or(self.input.as_of);
        let (revision, reason) = (Revision::default(), String::new());
        Answer { value, status, source, as_of, revision, reason }
    }
}

pub(super) fn choice(chosen: &[&str], note: String) -> Value {
    Value::Choices { chosen: chosen.iter().map(|&code| code.to_owned()).collect(), note }
}

/// Whole seconds that surely hold a duration.
fn seconds_up(duration: std::time::Duration) -> u64 {
    duration.as_secs() + u64::from(0 < duration.subsec_nanos())
}
