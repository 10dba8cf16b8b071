//! What the rules of a workbook let a cell hold: drop-downs, lengths, whole numbers.

use super::Workbook;
use crate::reports::official::cells::{Area, CellName};
use crate::reports::official::sheet::{Sheet, Validation};

/// Most values of a drop-down that are looked at.
const OFFERED_MAX: usize = 2_000;

impl Workbook {
    /// Returns what the drop-down of a cell offers; `None` if it has none.
    pub(super) fn offered(
        &self,
        sheet_name: &str,
        sheet: &Sheet,
        cell: CellName,
    ) -> Result<Option<Vec<String>>, String> {
        let rules = rules_of(sheet, cell).find(|rule| rule.kind == "list");
        let Some(rule) = rules else { return Ok(None) };
        let formula = rule.formulas.first().map_or("", String::as_str).trim();
        let offered = self.listed(sheet_name, formula);
        offered.map(Some).ok_or_else(|| {
            "has a drop-down whose values are counted by a formula; leave it to a person".to_owned()
        })
    }

    fn listed(&self, sheet_name: &str, formula: &str) -> Option<Vec<String>> {
        let formula = formula.trim_start_matches('=').trim();
        if let Some(inner) = formula
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        {
            let values = inner.replace("\"\"", "\"");
            return Some(
                values
                    .split(',')
                    .map(|value| value.trim().to_owned())
                    .collect(),
            );
        }
        if let Some(target) = self.names.get(formula) {
            return if target == formula { None } else { self.listed(sheet_name, target) };
        }
        let (name, area) = formula.rsplit_once('!').unwrap_or((sheet_name, formula));
        let name = name.trim_matches('\'').replace("''", "'");
        let area: Area = area.parse().ok()?;
        let sheet = self.read.get(&name)?;
        let cells = sheet.cells.iter().filter(|(cell, _)| area.holds(**cell));
        let texts = cells
            .map(|(_, cell)| self.text_of(cell))
            .filter(|text| !text.is_empty());

        Some(texts.take(OFFERED_MAX).collect())
    }

    /// Refuses what the rules of a cell do not allow. An empty text is always allowed: it leaves the place open.
    pub(super) fn allow(
        &self,
        sheet_name: &str,
        sheet: &Sheet,
        (cell, text): (CellName, &str),
    ) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        if let Some(offered) = self.offered(sheet_name, sheet, cell)?
            && !offered.iter().any(|value| value == text)
        {
            return Err(not_offered(text, &offered));
        }
        for rule in rules_of(sheet, cell) {
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            let number = match rule.kind.as_str() {
                "textLength" => Some(length),
                "whole" | "decimal" => match text.parse() {
                    Ok(number) => Some(number),
                    Err(_) => return Err(format!("takes a number only, not `{}`", short(text))),
                },
                _ => None,
            };
            if let Some(number) = number {
                keeps(rule, number).map_err(|limit| {
                    format!("does not take `{}` ({number}): the form asks for {limit}", short(text))
                })?;
            }
        }
        Ok(())
    }
}

/// Says that a drop-down does not offer a value, and what it offers.
pub(super) fn not_offered(text: &str, offered: &[String]) -> String {
    let shown: Vec<_> = offered.iter().take(20).cloned().collect();
    let more = if 20 < offered.len() { ", …" } else { "" };
    format!(
        "its drop-down does not offer `{}`; it offers {}{more}. Give the form's own words in `words`",
        short(text),
        shown.join(", ")
    )
}

fn rules_of(sheet: &Sheet, cell: CellName) -> impl Iterator<Item = &Validation> {
    let holds = move |rule: &&Validation| rule.cells.iter().any(|area| area.holds(cell));
    sheet.validations.iter().filter(holds)
}

/// Whether a number keeps a rule; limits that are formulas are left to the spreadsheet program.
fn keeps(rule: &Validation, number: i64) -> Result<(), String> {
    let [first, second] = &rule.formulas;
    let (low, high): (Option<i64>, Option<i64>) =
        (first.trim().parse().ok(), second.trim().parse().ok());
    let Some(low) = low else { return Ok(()) };
    let holds = match rule.operator.as_str() {
        "" | "between" => high.is_none_or(|high| (low..=high).contains(&number)),
        "notBetween" => high.is_none_or(|high| !(low..=high).contains(&number)),
        "equal" => number == low,
        "notEqual" => number != low,
        "lessThan" => number < low,
        "lessThanOrEqual" => number <= low,
        "greaterThan" => low < number,
        "greaterThanOrEqual" => low <= number,
        _ => true,
    };
    let operator = if rule.operator.is_empty() { "between" } else { &rule.operator };
    if holds { Ok(()) } else { Err(format!("{operator} {first} {second}").trim().to_owned()) }
}

fn short(text: &str) -> String {
    text.chars().take(30).collect()
}
