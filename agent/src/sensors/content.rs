//! Looks into changed files: whether the first bytes fit the name, whether blocks look random, whether the words of a
//! small text are those of a ransom note.
//!
//! ```text
//! change ─▶ checker (budgets, old names) ─▶ reading ─┬▶ magic    first 512 bytes against the name ─▶ verdict
//!                                                    ├▶ texture  a few blocks of 4 KiB            ─▶ texture
//!                                                    ├▶ wording  a text of at most 32 KiB         ─▶ wording
//!                                                    └▶ seal     head or end of an archive        ─▶ seal
//! ```
//!
//! Always holds:
//! - it works behind the thread that drains the kernel's queue, and has three budgets for each second: files, bytes and
//!   time; beyond them changes pass by unseen, or are seen by their first bytes alone;
//! - nothing of what was read leaves this module but the four answers.

mod text;
mod magic;
mod texture;
mod wording;
mod seal;
mod reading;
mod whereabouts;
mod newcomers;
mod checker;

use crate::observation::{Observation, Seal, Texture, Verdict, Wording};

pub(super) use checker::Checker;
pub(super) use reading::look;

/// What may be spent in one second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Files looked at. 0 looks at none.
    pub(super) files_per_second: u32,
    /// Bytes read; beyond them only the first ones of each file are.
    pub(super) bytes_per_second: u64,
}

/// A change on its way to the detectors.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) observation: Observation,
    pub(super) writer: Writer,
}

/// Whether the file may be written further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// It was closed or renamed.
    Done,
    /// Nobody closed it: it only rested for a moment.
    MayGoOn,
}

/// How much of a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Its first bytes.
    Head,
    /// Everything but what is known only of a finished file.
    Unfinished,
    /// Everything.
    Whole,
}

/// What was seen of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) verdict: Verdict,
    pub(super) size: Option<u64>,
    pub(super) texture: Texture,
    pub(super) wording: Wording,
    pub(super) seal: Seal,
    /// Whether name or place promise anything.
    pub(super) is_promised: bool,
    /// Bytes read.
    pub(super) bytes: u64,
}

/// Bytes as random as those of an encrypted file, the same for each seed.
#[cfg(test)]
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()
    };
    (0..bytes.div_ceil(8))
        .flat_map(|_| next())
        .take(bytes)
        .collect()
}
