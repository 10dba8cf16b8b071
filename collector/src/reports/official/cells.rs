//! Names of cells and areas, such as `B3` and `$C$4:$C$6`.

use std::fmt;
use std::str::FromStr;

/// Last row and column of the format.
const ROW_MAX: u32 = 1_048_576;
const COLUMN_MAX: u32 = 16_384;

/// One cell, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellName {
    /// Its row.
    pub row: u32,
    /// Its column; A is 1.
    pub column: u32,
}

impl FromStr for CellName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().replace('$', "");
        let split = text.find(|c: char| c.is_ascii_digit()).ok_or(())?;
        let (letters, digits) = text.split_at_checked(split).ok_or(())?;
        if letters.is_empty() || 3 < letters.len() || 7 < digits.len() {
            return Err(());
        }
        let mut column = 0;
        for letter in letters.chars() {
            let letter = letter.to_ascii_uppercase();
            if !letter.is_ascii_uppercase() {
                return Err(());
            }
            column = column * 26 + (u32::from(letter) - u32::from('A') + 1);
        }
        let row: u32 = digits.parse().map_err(|_| ())?;
        let inside = (1..=ROW_MAX).contains(&row) && column <= COLUMN_MAX;
        if inside { Ok(Self { row, column }) } else { Err(()) }
    }
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.column;
        let mut letters = Vec::new();
        while 0 < left {
            let letter = u8::try_from((left - 1) % 26).unwrap_or(0);
            letters.push(char::from(b'A' + letter));
            left = (left - 1) / 26;
        }
        let letters: String = letters.iter().rev().collect();
        write!(f, "{letters}{}", self.row)
    }
}

/// A rectangle of cells, both corners in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Upper left.
    pub first: CellName,
    /// Lower right.
    pub last: CellName,
}

impl Area {
    /// Whether a cell lies in it.
    #[must_use]
    pub const fn holds(&self, cell: CellName) -> bool {
        self.first.row <= cell.row
            && cell.row <= self.last.row
            && self.first.column <= cell.column
            && cell.column <= self.last.column
    }

    /// Reads one area or several with spaces between, as `sqref` writes them.
    #[must_use]
    pub fn list(text: &str) -> Vec<Self> {
        text.split_whitespace()
            .filter_map(|part| part.parse().ok())
            .collect()
    }
}

impl FromStr for Area {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, last) = text.split_once(':').unwrap_or((text, text));
        Ok(Self { first: first.parse()?, last: last.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in ["A1", "Z9", "AA10", "XFD1048576", "BC77"] {
            assert_eq!(name.parse::<CellName>().unwrap().to_string(), name);
        }
        assert_eq!("$c$4".parse::<CellName>().unwrap(), CellName { row: 4, column: 3 });
        for wrong in ["", "A", "1", "A0", "ZZZZ1", "XFE1", "A1:B2", "あ1"] {
            assert!(wrong.parse::<CellName>().is_err(), "{wrong}");
        }
        let area: Area = "$B$2:$C$4".parse().unwrap();
        assert!(area.holds("C4".parse().unwrap()) && !area.holds("D4".parse().unwrap()));
        assert_eq!(Area::list("A1 B2:B3 x").len(), 2);
    }
}
