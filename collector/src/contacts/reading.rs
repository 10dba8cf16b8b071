//! Reads a contact from texts: those of a form, of a line of a table, or of a command. One reader for all three.
//!
//! Always holds: every flaw is found at once, with its column; what is accepted is stored in one way of writing (numbers
//! and dates in half-width digits).

use std::collections::BTreeMap;

use jiff::civil::Date;
use shirase_shared::ids::ContactId;

use super::flaw::{Flaw, FlawKind};
use super::kind::{Column, ContactKind, StaffDuty};
use super::{Contact, Details, Verified};
use crate::facilities::CareRole;
use crate::locale::{Lang, Locale, is_hidden};

/// Longest text of one column in characters.
const TEXT_MAX_CHARS: usize = 200;
/// Longest note.
const NOTE_MAX_CHARS: usize = 1000;
/// Highest place among its like.
const PLACE_MAX: u16 = 999;
/// Words between a number and its extension, or before an extension alone.
const EXTENSIONS: &[&str] = &["院内PHS", "内線", "PHS", "ext.", "ext"];

/// The texts a contact is read from. A column that is absent is empty.
pub type Filled = BTreeMap<Column, String>;

/// A contact as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which one it is; none for a new one.
    pub id: Option<ContactId>,
    /// What is known of it.
    pub details: Details,
    /// Who made sure of it and when.
    pub verified: Option<Verified>,
}

/// Returns the texts a contact would be read from again.
#[must_use]
pub fn filled(contact: &Contact) -> Filled {
    let mut filled = texts(&contact.details, contact.verified.as_ref());
    filled.insert(Column::Id, contact.id.to_string());
    filled
}

/// Returns the texts of a contact without its id.
pub(super) fn texts(details: &Details, verified: Option<&Verified>) -> Filled {
    let date = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
    let duty = |duty: Option<StaffDuty>| duty.map_or("", StaffDuty::as_str).to_owned();
    let mut filled: Filled = [
        (Column::Organisation, &details.organisation),
        (Column::Department, &details.department),
        (Column::Person, &details.person),
        (Column::Phone, &details.phone),
        (Column::NightPhone, &details.night_phone),
        (Column::Fax, &details.fax),
        (Column::Mail, &details.mail),
        (Column::Web, &details.web),
        (Column::Hours, &details.hours),
        (Column::Note, &details.note),
    ]
    .map(|(column, text)| (column, text.clone()))
    .into();
    filled.extend([
        (Column::Kind, details.kind.to_string()),
        (Column::Duty, duty(details.duty)),
        (Column::System, details.system.map_or("", CareRole::as_str).to_owned()),
        (Column::Caller, duty(details.caller)),
        (
            Column::Place,
            details
                .place
                .map_or_else(String::new, |place| place.to_string()),
        ),
        (Column::DrillPartner, if details.drill_partner { "yes" } else { "no" }.to_owned()),
        (Column::ValidFrom, details.valid_from.to_string()),
        (Column::ValidTo, date(details.valid_to)),
        (Column::VerifiedOn, date(verified.map(|verified| verified.on))),
        (Column::VerifiedBy, verified.map_or("", |verified| &verified.by).to_owned()),
    ]);
    filled
}

/// Reads a contact. An empty first day is `today`.
///
/// # Errors
/// Every flaw, in the order of the columns.
pub fn read(filled: &Filled, today: Date) -> Result<Entry, Vec<Flaw>> {
    let mut reader = Reader { filled, flaws: Vec::new() };
    let id = reader.id();
    let kind = reader.choice(Column::Kind, ContactKind::ALL, kind_of);
    let verified = reader.verified(today);
    let valid_from = reader.date(Column::ValidFrom).unwrap_or(today);
    let details = Details {
        kind: kind.unwrap_or(ContactKind::Other),
        duty: reader.choice(Column::Duty, StaffDuty::ALL, duty_of),
        system: reader.choice(Column::System, &CareRole::ALL, system_of),
        organisation: reader.line(Column::Organisation),
        department: reader.line(Column::Department),
        person: reader.line(Column::Person),
        phone: reader.phone(Column::Phone),
        night_phone: reader.phone(Column::NightPhone),
        fax: reader.phone(Column::Fax),
        mail: reader.mail(),
        web: reader.web(),
        hours: reader.line(Column::Hours),
        note: reader.note(),
        caller: reader.choice(Column::Caller, StaffDuty::ALL, duty_of),
        place: reader.place(),
        drill_partner: reader.yes_or_no(Column::DrillPartner),
        valid_from,
        valid_to: reader.date(Column::ValidTo),
    };
    if kind.is_none() && reader.said(Column::Kind).is_empty() {
        reader.flaw(Column::Kind, FlawKind::Missing);
    }
    if kind.is_some() {
        reader.whole(&details);
    }
    let mut flaws = reader.flaws;
    if flaws.is_empty() {
        return Ok(Entry { id, details, verified });
    }
    flaws.sort_by_key(|flaw| flaw.column);

    Err(flaws)
}

/// Reads who made sure of a contact and when; none if neither is given.
///
/// # Errors
/// What is wrong with the day or the name.
pub fn read_verification(filled: &Filled, today: Date) -> Result<Option<Verified>, Vec<Flaw>> {
    let mut reader = Reader { filled, flaws: Vec::new() };
    let verified = reader.verified(today);

    if reader.flaws.is_empty() { Ok(verified) } else { Err(reader.flaws) }
}

fn kind_of(kind: ContactKind) -> (&'static str, &'static str) {
    (kind.as_str(), kind.label_key())
}

fn duty_of(duty: StaffDuty) -> (&'static str, &'static str) {
    (duty.as_str(), duty.label_key())
}

fn system_of(system: CareRole) -> (&'static str, &'static str) {
    (system.as_str(), system.label_key())
}

struct Reader<'a> {
    filled: &'a Filled,
    flaws: Vec<Flaw>,
}

impl<'a> Reader<'a> {
    fn said(&self, column: Column) -> &'a str {
        self.filled.get(&column).map_or("", |text| text.trim())
    }

    fn flaw(&mut self, column: Column, kind: FlawKind) {
        let said = crate::locale::visible(self.said(column));
        self.flaws
            .push(Flaw { column, kind, said: said.chars().take(60).collect() });
    }

    fn line(&mut self, column: Column) -> String {
        let text = self.said(column);
        if text.chars().any(is_hidden) {
            self.flaw(column, FlawKind::Hidden);
        } else if TEXT_MAX_CHARS < text.chars().count() {
            self.flaw(column, FlawKind::TooLong);
        }
        text.to_owned()
    }

    /// The one column in which lines may break.
    fn note(&mut self) -> String {
        let text = self.said(Column::Note).replace("\r\n", "\n");
        if text.chars().any(|c| is_hidden(c) && c != '\n') {
            self.flaw(Column::Note, FlawKind::Hidden);
        } else if NOTE_MAX_CHARS < text.chars().count() {
            self.flaw(Column::Note, FlawKind::TooLong);
        }
        text
    }

    fn id(&mut self) -> Option<ContactId> {
        let text = self.said(Column::Id);
        let id = text.parse().ok();
        if id.is_none() && !text.is_empty() {
            self.flaw(Column::Id, FlawKind::Id);
        }
        id
    }

    /// Reads a choice by its code or by its label in either language.
    fn choice<T: Copy>(
        &mut self,
        column: Column,
        all: &[T],
        names: fn(T) -> (&'static str, &'static str),
    ) -> Option<T> {
        let text = self.said(column);
        if text.is_empty() {
            return None;
        }
        let found = all.iter().copied().find(|one| {
            let (code, label) = names(*one);
            code.eq_ignore_ascii_case(text) || is_label(label, text)
        });
        if found.is_none() {
            self.flaw(column, FlawKind::Choice);
        }
        found
    }

    fn yes_or_no(&mut self, column: Column) -> bool {
        let text = self.said(column).to_ascii_lowercase();
        match text.as_str() {
            "" | "no" | "いいえ" | "×" | "0" | "false" => false,
            "yes" | "はい" | "○" | "〇" | "1" | "on" | "true" => true,
            _ => {
                self.flaw(column, FlawKind::Choice);
                false
            }
        }
    }

    fn phone(&mut self, column: Column) -> String {
        match phone(self.said(column)) {
            Ok(number) => number,
            Err(kind) => {
                self.flaw(column, kind);
                String::new()
            }
        }
    }

    fn mail(&mut self) -> String {
        let text = half_width(self.said(Column::Mail));
        if !text.is_empty() && crate::notify::check_address(&text).is_err() {
            self.flaw(Column::Mail, FlawKind::Mail);
        }
        text
    }

    fn web(&mut self) -> String {
        let text = self.said(Column::Web);
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let sound = rest.is_some_and(|rest| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            host.contains('.') && !rest.contains(|c: char| c.is_whitespace() || is_hidden(c))
        });
        if !text.is_empty() && (!sound || TEXT_MAX_CHARS < text.len()) {
            self.flaw(Column::Web, FlawKind::Web);
        }
        text.to_owned()
    }

    fn place(&mut self) -> Option<u16> {
        let text = half_width(self.said(Column::Place));
        if text.is_empty() {
            return None;
        }
        let place = text
            .parse()
            .ok()
            .filter(|place| (1..=PLACE_MAX).contains(place));
        if place.is_none() {
            self.flaw(Column::Place, FlawKind::Place);
        }
        place
    }

    fn date(&mut self, column: Column) -> Option<Date> {
        let text = self.said(column);
        let date = date(text);
        if date.is_none() && !text.is_empty() {
            self.flaw(column, FlawKind::Date);
        }
        date
    }

    fn verified(&mut self, today: Date) -> Option<Verified> {
        let on = self.date(Column::VerifiedOn);
        let by = self.line(Column::VerifiedBy);
        match on {
            Some(on) if today < on => {
                self.flaw(Column::VerifiedOn, FlawKind::DateAhead);
                None
            }
            Some(_) if by.is_empty() => {
                self.flaw(Column::VerifiedBy, FlawKind::HalfVerified);
                None
            }
            Some(on) => Some(Verified { on, by }),
            None if !by.is_empty() && self.said(Column::VerifiedOn).is_empty() => {
                self.flaw(Column::VerifiedOn, FlawKind::HalfVerified);
                None
            }
            None => None,
        }
    }

    /// Checks what only the whole shows.
    fn whole(&mut self, details: &Details) {
        if details.organisation.is_empty() && details.person.is_empty() {
            let staff = details.kind == ContactKind::Staff;
            let column = if staff { Column::Person } else { Column::Organisation };
            self.flaw(column, FlawKind::Nameless);
        }
        let Details { phone, night_phone, fax, mail, web, .. } = details;
        let reachable = [phone, night_phone, fax, mail, web];
        let tried = [Column::Phone, Column::NightPhone, Column::Fax, Column::Mail, Column::Web];
        if reachable.iter().all(|text| text.is_empty())
            && tried.iter().all(|column| self.said(*column).is_empty())
        {
            self.flaw(Column::Phone, FlawKind::Unreachable);
        }
        let staff = details.kind == ContactKind::Staff;
        if staff && details.duty.is_none() && self.said(Column::Duty).is_empty() {
            self.flaw(Column::Duty, FlawKind::DutyMissing);
        }
        if !staff && details.duty.is_some() {
            self.flaw(Column::Duty, FlawKind::DutyOfOther);
        }
        if details
            .valid_to
            .is_some_and(|last| last < details.valid_from)
        {
            self.flaw(Column::ValidTo, FlawKind::DateOrder);
        }
    }
}

/// Whether a text is the label of a key in either language.
pub(super) fn is_label(key: &str, text: &str) -> bool {
    [Lang::Ja, Lang::En]
        .into_iter()
        .any(|lang| Locale::new(lang).text(key).eq_ignore_ascii_case(text))
}

/// Reads a telephone number as people write it: full-width digits, brackets, an extension behind it.
fn phone(text: &str) -> Result<String, FlawKind> {
    let text = half_width(text);
    if text.is_empty() {
        return Ok(text);
    }
    if text.contains(['/', ',', '、', ';', '\n']) {
        return Err(FlawKind::PhoneSeveral);
    }
    let cut = EXTENSIONS
        .iter()
        .filter_map(|word| Some((text.find(word)?, word.len())))
        .min();
    let (main, extension) = match cut {
        Some((at, length)) => (
            text.get(..at),
            text.get(at + length..)
                .map(|rest| rest.trim_matches([' ', ':', ')'])),
        ),
        None => (Some(text.as_str()), None),
    };
    let main = main.unwrap_or_default().trim_end_matches([' ', '(']);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    if let Some(extension) = extension {
        let sound = extension.chars().all(|c| c.is_ascii_digit() || c == '-');
        if !sound || !(1..=8).contains(&digits(extension)) {
            return Err(FlawKind::Phone);
        }
        if main.is_empty() {
            return Ok(text);
        }
    }
    let bare = main.strip_prefix(['+', '#']).unwrap_or(main);
    if !bare
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '-' | '(' | ')' | ' '))
    {
        return Err(FlawKind::Phone);
    }
    // In Japan a number with its area code has ten digits, a mobile one eleven; others are short or internal ones.
    let allowed = match main.chars().next() {
        Some('+') => 8..=15,
        Some('#') => 4..=4,
        Some('0') => 10..=11,
        Some(_) | None => 3..=6,
    };
    if allowed.contains(&digits(bare)) { Ok(text) } else { Err(FlawKind::PhoneLength) }
}

/// Reads a date as people and spreadsheets write it: `2026-02-09`, `2026/2/9`, `2026年2月9日`.
fn date(text: &str) -> Option<Date> {
    let text = half_width(text);
    let text = text.trim_end_matches('日');
    let parts: Vec<&str> = text.split(['-', '/', '.', '年', '月']).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let date =
        Date::new(year.trim().parse().ok()?, month.trim().parse().ok()?, day.trim().parse().ok()?)
            .ok()?;
    (2000..=2199).contains(&date.year()).then_some(date)
}

/// Turns full-width letters, digits and the many dashes into the ASCII ones.
fn half_width(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff70}' => '-',
        other => other,
    };
    text.trim().chars().map(narrow).collect()
}
