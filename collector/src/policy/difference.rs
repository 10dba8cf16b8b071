//! What differs between two texts, line by line.

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What became of it.
    pub turn: Turn,
    /// Its words.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It stands in both.
    Same,
    /// It is gone.
    Gone,
    /// It is new.
    New,
}

/// Most lines of either text that are compared; of longer ones everything counts as gone and new.
const LINES_MAX: usize = 2000;

/// Returns the lines of both texts, each once where it stands in both. Deterministic, and as short as can be.
#[must_use]
pub fn difference(before: &str, after: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let line = |turn, text: &str| Line { turn, text: text.to_owned() };
    if LINES_MAX < old.len() || LINES_MAX < new.len() {
        let gone = old.iter().map(|text| line(Turn::Gone, text));
        return gone
            .chain(new.iter().map(|text| line(Turn::New, text)))
            .collect();
    }
    let common = common(&old, &new);
    let width = new.len() + 1;
    let left = |i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                lines.push(line(Turn::Same, one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), Some(_)) if left(i, j + 1) <= left(i + 1, j) => {
                lines.push(line(Turn::Gone, one));
                i += 1;
            }
            (_, Some(other)) => {
                lines.push(line(Turn::New, other));
                j += 1;
            }
            (Some(one), None) => {
                lines.push(line(Turn::Gone, one));
                i += 1;
            }
            (None, None) => return lines,
        }
    }
}

/// For each place in both: how many lines what follows has in common. One row after the other.
fn common(old: &[&str], new: &[&str]) -> Vec<u16> {
    let width = new.len() + 1;
    let mut lengths = vec![0_u16; (old.len() + 1) * width];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let at = |i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
            let length =
                if one == other { at(i + 1, j + 1) + 1 } else { at(i + 1, j).max(at(i, j + 1)) };
            if let Some(slot) = lengths.get_mut(i * width + j) {
                *slot = length;
            }
        }
    }
    lengths
}
