//! What a place of a form can say, the words the form has for it, and how one choice fills several places.
//!
//! Always holds: what a person chose is kept; only what was left open is proposed from the form's own drop-down.

use crate::locale::{Lang, Locale};
use crate::reports::answer::RoundKind;
use crate::reports::fields::{Column, Field, Kind};
use crate::reports::official::{
    As, CellName, FormView, Mapping, Meta, OfficialForm, Part, Place, SheetView, What,
};

/// Most places one choice fills downwards.
const DOWN_MAX: usize = 50;
/// What a box holds in a workbook when nobody said otherwise.
const TICKED: &str = "■";
const UNTICKED: &str = "□";

/// The place that is being mapped.
pub struct ChosenPlace {
    /// Where.
    pub at: String,
    /// What it says now.
    pub place: Place,
    /// What its drop-down offers.
    pub choices: Vec<String>,
    /// What it could say, by field.
    pub groups: Vec<OptionGroup>,
    /// The form's own words: code, label, word.
    pub words: Vec<(String, String, String)>,
    /// The row of a list.
    pub row: String,
    /// How the cell takes it: name, key of the words, whether it does.
    pub kinds: [(&'static str, &'static str, bool); 4],
    /// Whether it is a cell of a sheet, with others below it.
    pub is_cell: bool,
    /// Whether it says a choice of a field, for which the form may have words of its own.
    pub is_tick: bool,
}

/// What a place can say of one field.
pub struct OptionGroup {
    /// The field.
    pub label: String,
    /// Each with its name, its words, and whether the place says so.
    pub options: Vec<(String, String, bool)>,
}

/// What a place offers by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// What its drop-down offers.
    pub choices: Vec<String>,
    /// What it holds.
    pub text: String,
    /// The place below it, if there is one that can be mapped.
    pub below: Option<String>,
}

impl Offered {
    /// Finds a place in a form.
    #[must_use]
    pub fn of(view: &FormView, at: &str) -> Option<Self> {
        match view {
            FormView::Letter(controls) => {
                let control = controls.iter().find(|control| control.name == at)?;
                let (choices, text) = (control.choices.clone(), control.text.clone());
                Some(Self { choices, text, below: None })
            }
            FormView::Workbook(sheets) => {
                let (name, cell) = at.rsplit_once('!')?;
                let sheet = sheets.iter().find(|sheet| sheet.name == name)?;
                let cell: CellName = cell.parse().ok()?;
                let mut cells = sheet.rows.iter().flat_map(|(_, cells)| cells);
                let found = cells.find(|one| one.name == cell)?;
                let below = CellName { row: cell.row + found.span.0, ..cell };
                Some(Self {
                    choices: found.choices.clone(),
                    text: found.text.clone(),
                    below: is_open(sheet, below).then(|| format!("{name}!{below}")),
                })
            }
        }
    }
}

fn is_open(sheet: &SheetView, name: CellName) -> bool {
    let mut cells = sheet.rows.iter().flat_map(|(_, cells)| cells);
    cells.any(|cell| cell.name == name && cell.open)
}

/// Maps a place, and the `down` places below it to the rows that follow. What was left open is proposed.
pub fn put(mapping: &mut Mapping, asked: &Place, down: usize, view: &FormView) {
    let mut place = asked.clone();
    for step in 0..=down.min(DOWN_MAX) {
        let Some(offered) = Offered::of(view, &place.at) else {
            // No such place: it is kept as asked, and the check of the mapping names it.
            mapping.put(place);
            return;
        };
        mapping.put(completed(place.clone(), &offered));
        let Some(below) = offered.below else { return };
        place = Place { at: below, say: of_row(&asked.say, step + 1), ..asked.clone() };
    }
}

/// Returns what a place further down says: the row that many rows after.
fn of_row(say: &str, further: usize) -> String {
    match say.parse() {
        Ok(What::Field { field, part, row }) => {
            let row = Some(row.unwrap_or(1) + further);
            What::Field { field, part, row }.to_string()
        }
        Ok(What::Column { field, code, row }) => {
            let row = Some(row.unwrap_or(1) + further);
            What::Column { field, code, row }.to_string()
        }
        Ok(What::Tick { .. } | What::Meta(_)) | Err(_) => say.to_owned(),
    }
}

/// Fills what was left open: the words of a drop-down that mean a choice, and the marks of a box.
fn completed(mut place: Place, offered: &Offered) -> Place {
    let Ok(what) = place.what() else { return place };
    for (code, label) in codes(&what, Locale::new(Lang::Ja)) {
        let word = offered.choices.iter().find(|word| means(word, &label));
        if let (Some(word), false) = (word, place.words.contains_key(&code)) {
            place.words.insert(code, word.clone());
        }
    }
    if matches!(what, What::Tick { .. }) && place.ticked.is_empty() && place.unticked.is_empty() {
        TICKED.clone_into(&mut place.ticked);
        if offered.text.contains(UNTICKED) {
            UNTICKED.clone_into(&mut place.unticked);
        }
    }
    place
}

/// Whether a word of a form means a choice: it is its label, or the one stands in the other.
fn means(word: &str, label: &str) -> bool {
    let word = word.trim();
    word == label || (1 < word.chars().count() && (label.contains(word) || word.contains(label)))
}

/// Returns the choices a place can say in words, with their labels.
fn codes(what: &What, locale: Locale) -> Vec<(String, String)> {
    match what {
        What::Field { field, part: Part::Choice, .. } if field.kind() == Kind::Round => {
            RoundKind::ALL
                .into_iter()
                .map(|kind| (kind.as_str().to_owned(), locale.text(kind.label_key())))
                .collect()
        }
        What::Field { field, part: Part::Choice, .. } => field
            .choices()
            .iter()
            .map(|code| ((*code).to_owned(), locale.text(&field.choice_key(code))))
            .collect(),
        What::Field { .. } | What::Column { .. } | What::Tick { .. } | What::Meta(_) => Vec::new(),
    }
}

/// Shows the place that is being mapped.
pub(super) fn chosen(
    form: &OfficialForm,
    at: &str,
    (choices, is_cell): (&[String], bool),
    locale: Locale,
) -> ChosenPlace {
    let place = form.mapping.at(at).cloned().unwrap_or_default();
    let what = place.what();
    let (say, row) = match &what {
        Ok(What::Field { field, part, row }) => {
            (What::Field { field: *field, part: *part, row: None }.to_string(), *row)
        }
        Ok(What::Column { field, code, row }) => {
            (What::Column { field: *field, code, row: None }.to_string(), *row)
        }
        Ok(What::Tick { .. } | What::Meta(_)) => (place.say.clone(), None),
        Err(_) => (String::new(), None),
    };
    let codes = what
        .as_ref()
        .map_or_else(|_| Vec::new(), |what| codes(what, locale));
    let words = codes.into_iter().map(|(code, label)| {
        let word = place.words.get(&code).cloned().unwrap_or_default();
        (code, label, word)
    });
    let kind = |name, key, kind| (name, key, place.kind == kind);
    ChosenPlace {
        at: at.to_owned(),
        choices: choices.to_vec(),
        groups: groups(&say, locale),
        words: words.collect(),
        row: row.map(|row| row.to_string()).unwrap_or_default(),
        kinds: [
            kind("text", "form-as-text", As::Text),
            kind("number", "form-as-number", As::Number),
            kind("date", "form-as-date", As::Date),
            kind("date_time", "form-as-date-time", As::DateTime),
        ],
        is_cell,
        is_tick: matches!(what, Ok(What::Tick { .. })),
        place,
    }
}

/// Everything a place can say, by field.
fn groups(says: &str, locale: Locale) -> Vec<OptionGroup> {
    let option = |what: What| {
        let name = what.to_string();
        let words = words_of(&name, locale);
        let is = name == says;
        (name, words, is)
    };
    let metas = Meta::ALL.iter().map(|&meta| option(What::Meta(meta)));
    let of_report =
        OptionGroup { label: locale.text("form-group-report"), options: metas.collect() };
    let of_fields = Field::ALL.iter().map(|&field| OptionGroup {
        label: format!("{}. {}", field.number(), locale.text(&field.label_key())),
        options: of_field(field).into_iter().map(option).collect(),
    });
    std::iter::once(of_report).chain(of_fields).collect()
}

fn of_field(field: Field) -> Vec<What> {
    let parts = parts(field.kind()).iter();
    let whole = parts.map(|&part| What::Field { field, part, row: None });
    let columns: &[Column] = if let Kind::Rows(columns) = field.kind() { columns } else { &[] };
    let columns = columns
        .iter()
        .map(|column| What::Column { field, code: column.code, row: None });
    let ticks = field.choices().iter();
    let ticks = ticks.map(|code| What::Tick { field, code: (*code).to_owned() });
    whole.chain(columns).chain(ticks).collect()
}

const fn parts(kind: Kind) -> &'static [Part] {
    match kind {
        Kind::Text => &[Part::Text, Part::Low, Part::High, Part::Status],
        Kind::DateTime => &[Part::At, Part::Status],
        Kind::One(_) | Kind::Any(_) => &[Part::Choice, Part::Note, Part::Text, Part::Status],
        Kind::Dated(_) => &[Part::Choice, Part::At, Part::Note, Part::Text, Part::Status],
        Kind::People => &[Part::Low, Part::High, Part::Note, Part::Text, Part::Status],
        Kind::Round => &[Part::Choice, Part::Low, Part::Text, Part::Status],
        Kind::Flood(_) | Kind::Rows(_) => &[Part::Text, Part::Status],
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
pub(super) fn words_of(say: &str, locale: Locale) -> String {
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
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn everything_a_place_can_say_has_words_in_both_languages() {
        for lang in [Lang::Ja, Lang::En] {
            let groups = groups("", Locale::new(lang));
            let options: Vec<_> = groups.into_iter().flat_map(|group| group.options).collect();
            assert!(60 < options.len());
            for (name, words, _) in options {
                assert!(!words.contains("form-") && !words.contains("field-"), "{name}: {words}");
            }
        }
    }

    #[test]
    fn the_words_of_a_drop_down_are_matched_and_those_a_person_chose_stay() {
        let offered = Offered {
            choices: ["有", "無", "おそれ"].map(str::to_owned).into(),
            ..Offered::default()
        };
        let say = "field:20.choice".to_owned();
        let own = [("no".to_owned(), "なし".to_owned())];
        let asked =
            Place { at: "様式2!B2".to_owned(), say, words: own.into(), ..Place::default() };
        let words = completed(asked, &offered).words;
        let expected = [("feared", "おそれ"), ("no", "なし"), ("yes", "有")];
        let expected: BTreeMap<String, String> = expected
            .map(|(code, word)| (code.to_owned(), word.to_owned()))
            .into();
        assert_eq!(words, expected);
        let tick = Place { say: "field:8=ransomware".to_owned(), ..Place::default() };
        let boxed = Offered { text: "□".to_owned(), ..Offered::default() };
        let tick = completed(tick, &boxed);
        assert_eq!((tick.ticked.as_str(), tick.unticked.as_str()), ("■", "□"));
    }

    #[test]
    fn a_list_goes_on_in_the_rows_below() {
        assert_eq!(of_row("field:14.name[1]", 2), "field:14.name[3]");
        assert_eq!(of_row("field:33.value", 1), "field:33.value[2]");
        assert_eq!(of_row("meta:facility", 1), "meta:facility");
    }
}
