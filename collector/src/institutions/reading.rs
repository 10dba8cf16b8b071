//! Reads institutions from the texts of a form or a table, and writes the table.

use shirase_shared::ids::InstitutionId;

use super::column::{Column, Fault, FaultKind, Filled, Flaw, Line, Plan};
use super::{Details, Institution};
use crate::exchange::partner::PartnerId;
use crate::facilities::FacilityKind;
use crate::locale::Locale;
use crate::tables::{FlawKind, Reader, cells, half_width, plan_lines, write_table};

/// Digits of a medical institution code.
const CODE_DIGITS: usize = 10;
/// The kinds a register holds: each is known of every institution in it.
pub const KINDS: [FacilityKind; 6] = [
    FacilityKind::Hospital,
    FacilityKind::Clinic,
    FacilityKind::DentalClinic,
    FacilityKind::MaternityHome,
    FacilityKind::Pharmacy,
    FacilityKind::Other,
];

/// What is there already.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The newest version of every institution.
    pub institutions: &'a [Institution],
    /// Short names of partners that are trusted.
    pub partners: &'a [PartnerId],
}

/// Returns the texts an institution would be read from again.
#[must_use]
pub fn filled(institution: &Institution) -> Filled {
    let Details { name, kind, code, address, person, phone, night_phone, mail, partner } =
        &institution.details;
    let partner = partner.as_ref().map_or("", PartnerId::as_str);
    let id = institution.id.to_string();
    [
        (Column::Id, id.as_str()),
        (Column::Name, name),
        (Column::Kind, kind.as_str()),
        (Column::Code, code),
        (Column::Address, address),
        (Column::Person, person),
        (Column::Phone, phone),
        (Column::NightPhone, night_phone),
        (Column::Mail, mail),
        (Column::Partner, partner),
    ]
    .map(|(column, text)| (column, text.to_owned()))
    .into()
}

/// Reads an institution. `id` is the one that is changed; none for a new one.
///
/// # Errors
/// Every flaw, in the order of the columns.
pub fn read(
    filled: &Filled,
    id: Option<InstitutionId>,
    known: Known<'_>,
) -> Result<Details, Vec<Flaw>> {
    let mut reader = Reader::new(filled);
    let kind = reader.choice(Column::Kind, &KINDS, |kind| (kind.as_str(), kind.label_key()));
    let details = Details {
        name: reader.line(Column::Name),
        kind: kind.unwrap_or_default(),
        code: code(&mut reader),
        address: reader.line(Column::Address),
        person: reader.line(Column::Person),
        phone: reader.phone(Column::Phone),
        night_phone: reader.phone(Column::NightPhone),
        mail: reader.mail(Column::Mail),
        partner: partner(&mut reader, (id, known)),
    };
    for column in [Column::Name, Column::Kind] {
        if reader.said(column).is_empty() {
            reader.flaw(column, FlawKind::Missing);
        }
    }
    let twin = known
        .institutions
        .iter()
        .any(|other| Some(other.id) != id && other.details.code == details.code);
    if twin && !details.code.is_empty() {
        reader.flaw(Column::Code, FlawKind::CodeTaken);
    }
    let mut flaws = reader.flaws;
    if flaws.is_empty() {
        return Ok(details);
    }
    flaws.sort_by_key(|flaw| flaw.column);

    Err(flaws)
}

fn code(reader: &mut Reader<'_, Column>) -> String {
    let text = half_width(reader.said(Column::Code)).replace(['-', ' '], "");
    let sound = text.len() == CODE_DIGITS && text.chars().all(|c| c.is_ascii_digit());
    if !sound && !text.is_empty() {
        reader.flaw(Column::Code, FlawKind::Code);
    }
    text
}

/// Reads the partner. One it has already may stay although it was revoked since.
fn partner(
    reader: &mut Reader<'_, Column>,
    (id, known): (Option<InstitutionId>, Known<'_>),
) -> Option<PartnerId> {
    let text = reader.said(Column::Partner);
    if text.is_empty() {
        return None;
    }
    let has = |institution: &&Institution| Some(institution.id) == id;
    let present = known.institutions.iter().find(has);
    let present = present.and_then(|institution| institution.details.partner.as_ref());
    let found: Option<PartnerId> = text.parse().ok();
    let found =
        found.filter(|partner| known.partners.contains(partner) || present == Some(partner));
    if found.is_none() {
        reader.flaw(Column::Partner, FlawKind::Partner);
    }
    found
}

/// Decides what each line of a table comes to. A line without an id is the institution with its code, else the only one
/// with its name and kind.
///
/// # Errors
/// Every fault of every line; none of them is to be stored then.
pub fn plan(lines: &[Line], known: Known<'_>) -> Result<Vec<Plan>, Vec<Fault>> {
    let key = |plan: &Plan| match plan {
        Plan::Add(details) if details.code.is_empty() => {
            Some(format!("{} {}", details.kind.as_str(), details.name))
        }
        Plan::Add(details) => Some(details.code.clone()),
        Plan::Change(id, _) | Plan::Same(id) => Some(id.to_string()),
    };
    let plans = plan_lines(lines, |line| planned(line, known), key)?;
    let faults = codes_twice(lines, &plans, known);

    if faults.is_empty() { Ok(plans) } else { Err(faults) }
}

/// Finds a code that a changed line gives and another line gives as well.
fn codes_twice(lines: &[Line], plans: &[Plan], known: Known<'_>) -> Vec<Fault> {
    let code_of = |plan: &Plan| match plan {
        Plan::Add(details) | Plan::Change(_, details) => details.code.clone(),
        Plan::Same(id) => {
            let same = known.institutions.iter().find(|one| one.id == *id);
            same.map_or_else(String::new, |one| one.details.code.clone())
        }
    };
    let mut seen = std::collections::BTreeMap::<String, u64>::new();
    let mut faults = Vec::new();
    for (line, plan) in lines.iter().zip(plans) {
        let code = code_of(plan);
        if code.is_empty() {
            continue;
        }
        if let Some(other) = seen.insert(code, line.number) {
            faults.push(Fault { line: line.number, kind: FaultKind::Same { other } });
        }
    }
    faults
}

fn planned(line: &Line, known: Known<'_>) -> Result<Plan, Vec<FaultKind>> {
    let open = |one: &&Institution| !one.is_closed();
    let mut reader = Reader::new(&line.filled);
    let named: Option<InstitutionId> = reader.id(Column::Id);
    if !reader.flaws.is_empty() {
        return Err(cells(reader.flaws));
    }
    let found = match named {
        Some(id) => {
            let found = known.institutions.iter().find(|one| one.id == id);
            Some(
                found
                    .filter(open)
                    .ok_or_else(|| vec![FaultKind::UnknownId])?,
            )
        }
        None => the_one(&mut reader, known),
    };
    let Some(found) = found else {
        return read(&line.filled, None, known)
            .map(Plan::Add)
            .map_err(cells);
    };
    // What the table has no column for stays as it is.
    let mut whole = filled(found);
    whole.extend(line.filled.clone());
    let details = read(&whole, Some(found.id), known).map_err(cells)?;
    if details == found.details {
        return Ok(Plan::Same(found.id));
    }

    Ok(Plan::Change(found.id, details))
}

/// Returns the institution a line without an id is about, if there is exactly one.
fn the_one<'a>(reader: &mut Reader<'_, Column>, known: Known<'a>) -> Option<&'a Institution> {
    let code = code(reader);
    let name = reader.said(Column::Name);
    let kind = reader.choice(Column::Kind, &KINDS, |kind| (kind.as_str(), kind.label_key()));
    let same = |one: &&Institution| {
        let it = &one.details;
        let by_name = it.name == name && Some(it.kind) == kind;
        !one.is_closed()
            && if code.is_empty() || it.code.is_empty() { by_name } else { it.code == code }
    };
    let mut found = known.institutions.iter().filter(same);
    found.next().filter(|_| found.next().is_none())
}

/// Writes the register as CSV, headed and filled in the words of one language. Closed institutions are left out.
#[must_use]
pub fn to_table(institutions: &[Institution], locale: Locale) -> Vec<u8> {
    let in_words = |column, text: &str| match column {
        Column::Kind => {
            let kind = KINDS.into_iter().find(|kind| kind.as_str() == text);
            kind.map_or_else(|| text.to_owned(), |kind| locale.text(kind.label_key()))
        }
        Column::Id
        | Column::Name
        | Column::Code
        | Column::Address
        | Column::Person
        | Column::Phone
        | Column::NightPhone
        | Column::Mail
        | Column::Partner => text.to_owned(),
    };
    let open = institutions.iter().filter(|one| !one.is_closed());
    write_table(open.map(filled), in_words, locale)
}
