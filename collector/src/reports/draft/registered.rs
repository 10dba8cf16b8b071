//! What is registered about an institution: who it is, and who answers for it.

use super::answers::Maker;
use crate::facilities::{Duty, FacilityKind, Master, Person};
use crate::reports::answer::{Answer, AnswerStatus, Line, Revision, Source, Value};
use crate::reports::text::plain_line;

impl Maker<'_> {
    /// Field 4: what the institution is.
    pub(super) fn facility(&self) -> Answer {
        let master = &self.input.facility.master;
        let beds = master
            .beds
            .map(|beds| self.teller().text("draft-beds", &[("beds", &beds)]));
        let kind = match master.kind {
            FacilityKind::Unknown => String::new(),
            FacilityKind::Hospital
            | FacilityKind::Clinic
            | FacilityKind::DentalClinic
            | FacilityKind::MaternityHome
            | FacilityKind::Pharmacy
            | FacilityKind::Other => self.locale.text(master.kind.label_key()),
        };
        let mut lines = vec![
            self.line("draft-facility-name", &master.name),
            self.line("draft-facility-founder", &master.founder),
            self.line("draft-facility-kind", &kind),
            self.line("draft-facility-beds", &beds.unwrap_or_default()),
        ];
        let optional = [
            ("draft-facility-address", &master.address),
            ("draft-facility-jurisdiction", &master.jurisdiction),
            ("draft-facility-code", &master.code),
            ("draft-facility-corporate-number", &master.corporate_number),
        ];
        let given = optional
            .into_iter()
            .filter(|(_, text)| !text.trim().is_empty());
        lines.extend(given.map(|(key, text)| self.line(key, text)));
        self.registered(Value::Lines { lines }, !master.name.trim().is_empty())
    }

    /// Field 7: who answers for it, and who is asked.
    pub(super) fn people(&self) -> Answer {
        let master = &self.input.facility.master;
        let lines = Duty::ALL
            .into_iter()
            .flat_map(|duty| self.of_duty(master, duty))
            .collect();
        let known = master
            .people
            .iter()
            .any(|person| !person.name.trim().is_empty());
        self.registered(Value::Lines { lines }, known)
    }

    fn of_duty(&self, master: &Master, duty: Duty) -> Vec<Line> {
        let label = self.locale.text(duty.label_key());
        let holders = master.people.iter().filter(|person| person.duty == duty);
        let lines: Vec<Line> = holders
            .map(|person| Line { at: None, label: label.clone(), text: self.reach(person) })
            .collect();
        if lines.is_empty() { vec![self.line(duty.label_key(), "")] } else { lines }
    }

    fn reach(&self, person: &Person) -> String {
        let ways = [
            ("draft-phone", &person.phone),
            ("draft-phone-24h", &person.phone_24h),
            ("draft-mail", &person.mail),
        ];
        let given = ways.into_iter().filter(|(_, text)| !text.trim().is_empty());
        let ways = given.map(|(key, text)| self.teller().text(key, &[("text", &plain_line(text))]));
        let name = self.or_unregistered(&person.name);
        let parts: Vec<String> = std::iter::once(name).chain(ways).collect();
        parts.join(&self.locale.text("draft-comma"))
    }

    /// A line of master data, or that nobody entered it.
    pub(super) fn line(&self, key: &str, text: &str) -> Line {
        Line { at: None, label: self.locale.text(key), text: self.or_unregistered(text) }
    }

    fn or_unregistered(&self, text: &str) -> String {
        let text = plain_line(text);
        if text.is_empty() { self.locale.text("draft-unregistered") } else { text }
    }

    /// An answer that stands on master data.
    pub(super) fn registered(&self, value: Value, is_known: bool) -> Answer {
        let status = if is_known { AnswerStatus::Confirmed } else { AnswerStatus::Unknown };
        let (source, as_of) = (Source::MasterData, self.input.as_of);
        let (revision, reason) = (Revision::default(), String::new());
        Answer { value, status, source, as_of, revision, reason }
    }
}
