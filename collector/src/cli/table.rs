//! Tables for a terminal, and JSON for programs.

use anyhow::{Context, Result};
use serde::Serialize;

use super::terminal::Terminal;
use crate::args::ListArgs;
use crate::locale::visible;

/// Widest column in cells of the terminal; longer texts are cut. The last column is never cut.
const COLUMN_MAX_CELLS: usize = 48;
/// Cells between two columns.
const GAP: &str = "  ";

/// One line of a list: for people as cells, for programs as JSON.
pub(super) trait Row: Serialize {
    /// Heads of the columns.
    const HEADS: &'static [&'static str];

    /// The cells, as many as there are heads.
    fn cells(&self) -> Vec<String>;
}

/// Prints a list in the way asked for.
pub(super) fn print<R: Row>(rows: &[R], list: ListArgs, terminal: &mut Terminal) -> Result<()> {
    if list.json {
        return json(&rows, terminal);
    }
    let mut lines = vec![R::HEADS.iter().map(|head| (*head).to_owned()).collect()];
    lines.extend(rows.iter().map(R::cells));

    terminal.print(&laid_out(&lines))
}

/// Prints one value as JSON.
pub(super) fn json(value: &impl Serialize, terminal: &mut Terminal) -> Result<()> {
    let text = serde_json::to_string_pretty(value).context("failed to write JSON")?;
    terminal.line(&text)
}

fn laid_out(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let lines: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let clean = |(index, cell): (usize, &String)| {
                let cell = visible(cell).replace(['\n', '\t', '\r'], " ");
                if index + 1 == columns { cell } else { cut(&cell) }
            };
            line.iter().enumerate().map(clean).collect()
        })
        .collect();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (cell, wide) in line.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', wide.saturating_sub(width(cell))));
            text.push_str(GAP);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn cut(text: &str) -> String {
    if width(text) <= COLUMN_MAX_CELLS {
        return text.to_owned();
    }
    let mut cells = 0;
    let kept = text.chars().take_while(|c| {
        cells += cells_of(*c);
        cells < COLUMN_MAX_CELLS
    });
    kept.chain(['…']).collect()
}

fn width(text: &str) -> usize {
    text.chars().map(cells_of).sum()
}

/// Returns how many cells of a terminal a character takes: two for the wide ones of East Asia.
fn cells_of(c: char) -> usize {
    match u32::from(c) {
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1_f300..=0x1_faff
        | 0x2_0000..=0x3_fffd => 2,
        0x0300..=0x036f => 0,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&[&str]], expected: &str) {
        let lines: Vec<Vec<String>> = lines
            .iter()
            .map(|line| line.iter().map(|c| (*c).to_owned()).collect())
            .collect();
        assert_eq!(laid_out(&lines), expected);
    }

    #[test]
    fn japanese_letters_take_two_cells() {
        check(
            &[&["ID", "NAME", "BEDS"], &["handa", "半田病院", "120"], &["x", "y", ""]],
            "ID     NAME      BEDS\nhanda  半田病院  120\nx      y\n",
        );
    }

    #[test]
    fn hostile_cells_stay_in_their_line() {
        let text = laid_out(&[vec!["a\nb\u{1b}[2J\u{202e}".to_owned(), "end".to_owned()]]);
        assert_eq!(text, "a b[U+001B][2J[U+202E]  end\n");
        let long = laid_out(&[vec!["あ".repeat(100), "end".to_owned()]]);
        assert!(long.contains("…  end") && width(&long) < 60, "{long}");
    }
}
