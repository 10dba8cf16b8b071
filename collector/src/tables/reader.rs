//! Reads the texts of a form or of a line of a table, one cell at a time.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;

use super::TableColumn;
use super::flaw::{Flaw, FlawKind};
use crate::locale::{Lang, Locale, is_hidden};

/// Longest text of one column in characters.
const TEXT_MAX_CHARS: usize = 200;
/// Longest note.
const NOTE_MAX_CHARS: usize = 1000;
/// Words between a number and its extension, or before an extension alone.
const EXTENSIONS: &[&str] = &["院内PHS", "内線", "PHS", "ext.", "ext"];

/// The texts something is read from. A column that is absent is empty.
pub type Filled<C> = BTreeMap<C, String>;

/// Reads cells one by one and gathers what is wrong with them.
pub(crate) struct Reader<'a, C> {
    filled: &'a Filled<C>,
    /// What was wrong so far.
    pub(crate) flaws: Vec<Flaw<C>>,
}

impl<'a, C: TableColumn> Reader<'a, C> {
    /// Begins to read.
    pub(crate) const fn new(filled: &'a Filled<C>) -> Self {
        Self { filled, flaws: Vec::new() }
    }

    /// Returns what stands in a cell.
    pub(crate) fn said(&self, column: C) -> &'a str {
        self.filled.get(&column).map_or("", |text| text.trim())
    }

    /// Notes what is wrong with a cell.
    pub(crate) fn flaw(&mut self, column: C, kind: FlawKind) {
        let said = crate::locale::visible(self.said(column));
        self.flaws
            .push(Flaw { column, kind, said: said.chars().take(60).collect() });
    }

    /// Reads a text of one line.
    pub(crate) fn line(&mut self, column: C) -> String {
        let text = self.said(column);
        if text.chars().any(is_hidden) {
            self.flaw(column, FlawKind::Hidden);
        } else if TEXT_MAX_CHARS < text.chars().count() {
            self.flaw(column, FlawKind::TooLong);
        }
        text.to_owned()
    }

    /// Reads a text in which lines may break.
    pub(crate) fn note(&mut self, column: C) -> String {
        let text = self.said(column).replace("\r\n", "\n");
        if text.chars().any(|c| is_hidden(c) && c != '\n') {
            self.flaw(column, FlawKind::Hidden);
        } else if NOTE_MAX_CHARS < text.chars().count() {
            self.flaw(column, FlawKind::TooLong);
        }
        text
    }

    /// Reads an id; an empty one is that of something new.
    pub(crate) fn id<T: FromStr>(&mut self, column: C) -> Option<T> {
        let text = self.said(column);
        let id = text.parse().ok();
        if id.is_none() && !text.is_empty() {
            self.flaw(column, FlawKind::Id);
        }
        id
    }

    /// Reads a choice by its code or by its label in either language.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        column: C,
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

    /// Reads a yes or a no.
    pub(crate) fn yes_or_no(&mut self, column: C) -> bool {
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

    /// Reads a telephone number.
    pub(crate) fn phone(&mut self, column: C) -> String {
        match phone(self.said(column)) {
            Ok(number) => number,
            Err(kind) => {
                self.flaw(column, kind);
                String::new()
            }
        }
    }

    /// Reads a mail address.
    pub(crate) fn mail(&mut self, column: C) -> String {
        let text = half_width(self.said(column));
        if !text.is_empty() && crate::notify::check_address(&text).is_err() {
            self.flaw(column, FlawKind::Mail);
        }
        text
    }

    /// Reads a web address.
    pub(crate) fn web(&mut self, column: C) -> String {
        let text = self.said(column);
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let sound = rest.is_some_and(|rest| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            host.contains('.') && !rest.contains(|c: char| c.is_whitespace() || is_hidden(c))
        });
        if !text.is_empty() && (!sound || TEXT_MAX_CHARS < text.len()) {
            self.flaw(column, FlawKind::Web);
        }
        text.to_owned()
    }

    /// Reads a date.
    pub(crate) fn date(&mut self, column: C) -> Option<Date> {
        let text = self.said(column);
        let date = date(text);
        if date.is_none() && !text.is_empty() {
            self.flaw(column, FlawKind::Date);
        }
        date
    }
}

/// Whether a text is the label of a key in either language.
pub(crate) fn is_label(key: &str, text: &str) -> bool {
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
pub(crate) fn half_width(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff70}' => '-',
        other => other,
    };
    text.trim().chars().map(narrow).collect()
}
