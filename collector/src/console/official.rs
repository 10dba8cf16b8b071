//! Official forms: those there are, and one shown as tables with a form beside it that maps its places.

use askama::Template;

use super::frame::Frame;
use crate::locale::{Locale, japan_time};
use crate::reports::fields::{Column, Field, Kind};
use crate::reports::official::{
    As, Control, FormView, MappingProblem, Meta, OfficialForm, Part, Place, SheetView, What,
};

/// The forms of a facility.
#[derive(Template)]
#[template(path = "official_forms.html")]
pub struct OfficialFormsPage {
    /// What stands around it.
    pub f: Frame,
    /// The forms.
    pub forms: Vec<FormRow>,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

/// One form as a row.
pub struct FormRow {
    /// Its name.
    pub id: String,
    /// Name of the file.
    pub file_name: String,
    /// Kind of file.
    pub kind: &'static str,
    /// How many places are mapped.
    pub places: usize,
    /// When it was uploaded.
    pub uploaded: String,
    /// Its hash.
    pub sha256: String,
}

impl FormRow {
    /// Shows one form.
    #[must_use]
    pub fn of(form: &OfficialForm) -> Self {
        Self {
            id: form.id.to_string(),
            file_name: form.file_name.clone(),
            kind: form.kind.as_str(),
            places: form.mapping.place.len(),
            uploaded: japan_time(form.uploaded_at),
            sha256: form.sha256.clone(),
        }
    }
}

/// One form with its mapping.
#[derive(Template)]
#[template(path = "official_form.html")]
pub struct OfficialFormPage {
    /// What stands around it.
    pub f: Frame,
    /// The form.
    pub form: FormRow,
    /// Its sheets by name, and which is shown.
    pub sheets: Vec<(usize, String, bool)>,
    /// The sheet that is shown; none for a text document.
    pub sheet: Option<ShownSheet>,
    /// The controls of a text document.
    pub controls: Vec<ShownControl>,
    /// The place that is being mapped.
    pub chosen: Option<ChosenPlace>,
    /// Every mapped place with what it says.
    pub mapped: Vec<(String, String, String)>,
    /// What is wrong with the mapping.
    pub problems: Vec<MappingProblem>,
}

/// A sheet as a table.
pub struct ShownSheet {
    /// Letters of its columns.
    pub columns: Vec<String>,
    /// Its rows: number and cells.
    pub rows: Vec<(u32, Vec<ShownCell>)>,
}

/// A cell as shown.
pub struct ShownCell {
    /// Its name.
    pub name: String,
    /// What it holds, shortened.
    pub text: String,
    /// Rows it spans.
    pub rows: u32,
    /// Columns it spans.
    pub columns: u32,
    /// Whether it can be mapped.
    pub open: bool,
    /// What it is mapped to.
    pub says: String,
    /// Whether it is the one being mapped.
    pub chosen: bool,
    /// Where a click on it leads.
    pub query: String,
}

/// A control as shown.
pub struct ShownControl {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// What its drop-down offers.
    pub choices: String,
    /// Whether it can be mapped.
    pub open: bool,
    /// What it is mapped to.
    pub says: String,
    /// Where a click on it leads.
    pub query: String,
}

/// The place that is being mapped.
pub struct ChosenPlace {
    /// Where.
    pub at: String,
    /// What it says now.
    pub place: Place,
    /// What its drop-down offers.
    pub choices: String,
    /// What it could say: name, words, whether it says so.
    pub options: Vec<(String, String, bool)>,
    /// The form's own words, one a line.
    pub words: String,
    /// The row of a list.
    pub row: String,
    /// How the cell takes it: name, key of the words, whether it does.
    pub kinds: [(&'static str, &'static str, bool); 4],
}

/// Longest text of a cell on the page.
const TEXT_MAX: usize = 60;

/// Which part of a form is looked at.
#[derive(Clone, Debug, Default)]
pub struct Looking {
    /// Number of the sheet.
    pub sheet: usize,
    /// The place being mapped.
    pub at: String,
}

impl OfficialFormPage {
    /// Shows a form.
    #[must_use]
    pub fn of(
        f: Frame,
        form: &OfficialForm,
        view: &FormView,
        (looking, problems): (&Looking, Vec<MappingProblem>),
    ) -> Self {
        let locale = f.locale;
        let mut page = Self {
            f,
            form: FormRow::of(form),
            sheets: Vec::new(),
            sheet: None,
            controls: Vec::new(),
            chosen: None,
            mapped: form
                .mapping
                .place
                .iter()
                .map(|place| (place.at.clone(), words_of(&place.say, locale), query(0, &place.at)))
                .collect(),
            problems,
        };
        let mut offered = None;
        match view {
            FormView::Workbook(sheets) => {
                let names = sheets.iter().enumerate();
                page.sheets = names
                    .map(|(number, sheet)| (number, sheet.name.clone(), number == looking.sheet))
                    .collect();
                if let Some(sheet) = sheets.get(looking.sheet) {
                    page.sheet = Some(shown_sheet(sheet, form, looking));
                    let mut cells = sheet.rows.iter().flat_map(|(_, cells)| cells);
                    offered = cells
                        .find(|cell| format!("{}!{}", sheet.name, cell.name) == looking.at)
                        .map(|cell| cell.choices.clone());
                }
            }
            FormView::Letter(controls) => {
                offered = controls
                    .iter()
                    .find(|control| control.name == looking.at)
                    .map(|control| control.choices.clone());
                page.controls = controls
                    .iter()
                    .map(|one| shown_control(one, form))
                    .collect();
            }
        }
        if let Some(choices) = offered {
            page.chosen = Some(chosen(form, &looking.at, &choices, locale));
        }
        page
    }
}

fn query(sheet: usize, at: &str) -> String {
    let escaped: String = at
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("?sheet={sheet}&at={escaped}")
}

fn shown_sheet(sheet: &SheetView, form: &OfficialForm, looking: &Looking) -> ShownSheet {
    let widest = sheet.rows.iter().flat_map(|(_, cells)| cells);
    let last = widest
        .map(|cell| cell.name.column + cell.span.1 - 1)
        .max()
        .unwrap_or(0);
    let letters = |column: u32| {
        let name = crate::reports::official::CellName { row: 1, column };
        name.to_string().trim_end_matches('1').to_owned()
    };
    let rows = sheet.rows.iter().map(|(number, cells)| {
        let cells = cells.iter().map(|cell| {
            let at = format!("{}!{}", sheet.name, cell.name);
            ShownCell {
                text: cell.text.chars().take(TEXT_MAX).collect(),
                rows: cell.span.0,
                columns: cell.span.1,
                open: cell.open,
                says: form
                    .mapping
                    .at(&at)
                    .map(|place| place.say.clone())
                    .unwrap_or_default(),
                chosen: at == looking.at,
                query: query(looking.sheet, &at),
                name: cell.name.to_string(),
            }
        });
        (*number, cells.collect())
    });

    ShownSheet { columns: (1..=last).map(letters).collect(), rows: rows.collect() }
}

fn shown_control(control: &Control, form: &OfficialForm) -> ShownControl {
    let says = form.mapping.at(&control.name);
    ShownControl {
        name: control.name.clone(),
        text: control.text.chars().take(TEXT_MAX).collect(),
        choices: control.choices.join("、"),
        open: !control.locked,
        says: says.map(|place| place.say.clone()).unwrap_or_default(),
        query: query(0, &control.name),
    }
}

fn chosen(form: &OfficialForm, at: &str, choices: &[String], locale: Locale) -> ChosenPlace {
    let place = form.mapping.at(at).cloned().unwrap_or_default();
    let (say, row) = match place.what() {
        Ok(What::Field { field, part, row }) => (
            What::Field { field, part, row: None }.to_string(),
            row.map(|row| row.to_string()).unwrap_or_default(),
        ),
        Ok(What::Column { field, code, row }) => (
            What::Column { field, code, row: None }.to_string(),
            row.map(|row| row.to_string()).unwrap_or_default(),
        ),
        Ok(what @ (What::Tick { .. } | What::Meta(_))) => (what.to_string(), String::new()),
        Err(_) => (String::new(), String::new()),
    };
    let options = options(locale)
        .into_iter()
        .map(|(name, words)| {
            let says = name == say;
            (name, words, says)
        })
        .collect();
    let words = place
        .words
        .iter()
        .map(|(code, word)| format!("{code}={word}"));
    let kind = |name, key, kind| (name, key, place.kind == kind);
    ChosenPlace {
        at: at.to_owned(),
        choices: choices.join("、"),
        options,
        words: words.collect::<Vec<_>>().join("\n"),
        row,
        kinds: [
            kind("text", "form-as-text", As::Text),
            kind("number", "form-as-number", As::Number),
            kind("date", "form-as-date", As::Date),
            kind("date_time", "form-as-date-time", As::DateTime),
        ],
        place,
    }
}

/// Everything a place can say, each with its words.
fn options(locale: Locale) -> Vec<(String, String)> {
    let metas = Meta::ALL.iter().map(|&meta| What::Meta(meta));
    let fields = Field::ALL.iter().copied().flat_map(|field| {
        let parts = parts(field.kind()).iter();
        let whole = parts.map(move |&part| What::Field { field, part, row: None });
        let columns: &[Column] = if let Kind::Rows(columns) = field.kind() { columns } else { &[] };
        let whole = whole.chain(columns.iter().map(move |column| What::Column {
            field,
            code: column.code,
            row: None,
        }));
        let ticks = field.choices().iter();
        whole.chain(ticks.map(move |code| What::Tick { field, code: (*code).to_owned() }))
    });
    metas
        .chain(fields)
        .map(|what| {
            let name = what.to_string();
            let words = words_of(&name, locale);
            (name, words)
        })
        .collect()
}

const fn parts(kind: Kind) -> &'static [Part] {
    match kind {
        Kind::Text => &[Part::Text, Part::Low, Part::High, Part::Status],
        Kind::DateTime => &[Part::At, Part::Status],
        Kind::One(_) | Kind::Any(_) => &[Part::Choice, Part::Note, Part::Text, Part::Status],
        Kind::Dated(_) => &[Part::Choice, Part::At, Part::Note, Part::Text, Part::Status],
        Kind::People => &[Part::Low, Part::High, Part::Note, Part::Text, Part::Status],
        Kind::Round | Kind::Flood(_) | Kind::Rows(_) => &[Part::Text, Part::Status],
        Kind::Lines => &[Part::Text, Part::At, Part::Label, Part::Said, Part::Status],
        Kind::Systems => &[
            Part::Text,
            Part::Name,
            Part::Role,
            Part::Os,
            Part::Vendor,
            Part::Damage,
            Part::Status,
        ],
    }
}

/// Says in words what a place says.
fn words_of(say: &str, locale: Locale) -> String {
    match say.parse() {
        Ok(What::Meta(meta)) => locale.text(&format!("form-meta-{}", meta.as_str())),
        Ok(What::Tick { field, code }) => {
            let (label, choice) =
                (locale.text(&field.label_key()), locale.text(&field.choice_key(&code)));
            format!("{}. {label} ☑ {choice}", field.number())
        }
        Ok(What::Field { field, part, row }) => {
            let label = locale.text(&field.label_key());
            let part = locale.text(&format!("form-part-{}", part.as_str()));
            let row = row.map(|row| format!(" [{row}]")).unwrap_or_default();
            format!("{}. {label} – {part}{row}", field.number())
        }
        Ok(What::Column { field, code, row }) => {
            let label = locale.text(&field.label_key());
            let column = locale.text(&field.column_key(code));
            let row = row.map(|row| format!(" [{row}]")).unwrap_or_default();
            format!("{}. {label} – {column}{row}", field.number())
        }
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Lang;

    #[test]
    fn everything_a_place_can_say_has_words_in_both_languages() {
        for lang in [Lang::Ja, Lang::En] {
            let options = options(Locale::new(lang));
            assert!(60 < options.len());
            for (name, words) in options {
                assert!(!words.contains("form-") && !words.contains("field-"), "{name}: {words}");
            }
        }
    }

    #[test]
    fn a_place_survives_the_way_into_an_address() {
        assert_eq!(query(1, "様 A!B3"), "?sheet=1&at=%E6%A7%98%20A%21B3");
    }
}
