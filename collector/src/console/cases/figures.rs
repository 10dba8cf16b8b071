//! The cases of each fiscal year in figures.

use std::collections::BTreeMap;

use askama::Template;

use super::super::frame::Frame;
use crate::cases::Figures;
use crate::locale::Locale;

/// The figures of every year.
#[derive(Template)]
#[template(path = "case_figures.html")]
pub struct FiguresPage {
    /// What stands around it.
    pub f: Frame,
    /// Years, the newest first.
    pub years: Vec<YearRow>,
}

/// One year.
pub struct YearRow {
    /// Which.
    pub year: String,
    /// Its figures.
    pub figures: Figures,
    /// By how its cases became known, in words.
    pub ways: Vec<String>,
    /// By kind of institution, in words.
    pub kinds: Vec<String>,
}

impl FiguresPage {
    /// Shows the figures.
    #[must_use]
    pub fn of(f: Frame, years: BTreeMap<i16, Figures>) -> Self {
        let locale = f.locale;
        let rows = years.into_iter().rev().map(|(year, figures)| {
            let ways = figures
                .ways
                .iter()
                .map(|(way, count)| (way.label_key(), *count));
            let kinds = figures
                .kinds
                .iter()
                .map(|(kind, count)| (kind.label_key(), *count));
            YearRow {
                year: locale.text_with("figures-year", &[("year", &year.to_string())]),
                ways: counted(ways, locale),
                kinds: counted(kinds, locale),
                figures,
            }
        });
        Self { years: rows.collect(), f }
    }
}

fn counted(counts: impl Iterator<Item = (&'static str, usize)>, locale: Locale) -> Vec<String> {
    counts
        .map(|(key, count)| format!("{} {count}", locale.text(key)))
        .collect()
}
