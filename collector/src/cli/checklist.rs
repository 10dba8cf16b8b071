//! `checklist list|check`: from the files alone, without the database.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::duties::{ProblemRow, problem_rows};
use super::table::{self, Row};
use super::terminal::Terminal;
use crate::args::ChecklistCommand;
use crate::checklist::{Checklist, Item, SheetKind, Wording};
use crate::config::Config;
use crate::release::{CHECKLISTS_DIR, ChecklistsError, read_checklists};

#[derive(Serialize)]
struct ItemRow {
    list: String,
    fiscal_year: i16,
    item: String,
    number: String,
    sheets: Vec<SheetKind>,
    /// `official`, `draft`, `earlier` or `unread`.
    wording: &'static str,
    shortened: bool,
    text_ja: String,
    text_en: String,
}

impl Row for ItemRow {
    const HEADS: &'static [&'static str] = &["LIST", "ITEM", "WORDING", "WHAT"];

    fn cells(&self) -> Vec<String> {
        let short = if self.shortened { ", shortened" } else { "" };
        vec![
            self.list.clone(),
            self.number.clone(),
            format!("{}{short}", self.wording),
            self.text_ja.clone(),
        ]
    }
}

impl ItemRow {
    fn of(list: &Checklist, item: &Item) -> Self {
        Self {
            list: list.body.id.clone(),
            fiscal_year: list.body.fiscal_year,
            item: item.id.clone(),
            number: item.number.clone(),
            sheets: item.sheets.clone(),
            wording: match item.wording {
                Wording::Official => "official",
                Wording::Draft => "draft",
                Wording::Earlier => "earlier",
                Wording::Unread => "unread",
            },
            shortened: item.shortened,
            text_ja: item.text.ja.clone(),
            text_en: item.text.en.clone(),
        }
    }
}

/// Shows or checks checklists.
pub(super) fn run(
    path: &Path,
    command: ChecklistCommand,
    terminal: &mut Terminal,
) -> Result<ExitCode> {
    let data_dir = Config::read(path)?.data_dir;
    match command {
        ChecklistCommand::List(list) => {
            let lists = read_checklists(&data_dir)?;
            let newest = lists.newest_first();
            let items = newest
                .iter()
                .flat_map(|list| list.body.items.iter().map(|item| ItemRow::of(list, item)));
            let rows: Vec<ItemRow> = items.collect();
            table::print(&rows, list, terminal)?;
            Ok(ExitCode::SUCCESS)
        }
        ChecklistCommand::Check(list) => {
            let rows: Vec<ProblemRow> = match read_checklists(&data_dir) {
                Ok(_) => Vec::new(),
                Err(error @ ChecklistsError::Read { .. }) => return Err(error.into()),
                Err(ChecklistsError::Mistakes(errors)) => errors
                    .into_iter()
                    .flat_map(|error| problem_rows(&error.file, error.problems))
                    .collect(),
            };
            if rows.is_empty() && !list.json {
                let place = data_dir.join(CHECKLISTS_DIR);
                terminal.line(&format!("the checklists in `{}` are in order", place.display()))?;
                return Ok(ExitCode::SUCCESS);
            }
            table::print(&rows, list, terminal)?;
            Ok(if rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
