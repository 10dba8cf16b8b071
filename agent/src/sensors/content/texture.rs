//! Tells blocks that look random from blocks with a shape, and what that says of a file with such a name.
//!
//! Ciphertext has no shape at all; neither have most blocks of compressed files. So what is promised counts first: in
//! text, messages and raw images a single block without a shape is one too many; in what nobody knows, all of them
//! are; and in compressed formats only blocks count that must be otherwise, such as the list at the end of a ZIP file.
//!
//! Figures, measured on blocks of 4 KiB: chi-square of ciphertext 205 to 330 (mean 255), of text 14,000 and more, of
//! raw images 37,000, of PNG and JPEG 4,000 and more with few exceptions; of deflate and xz like ciphertext.
//!
//! Always holds: pure; nothing here keeps what it was shown.

mod images;
mod kinds;

use super::magic::Promise;
use super::text::{has_utf16_mark, is_text};
use crate::names;
use crate::observation::Texture;
use images::{ends_as_jpeg, is_broken_jpeg, is_broken_png, is_jpeg};
use kinds::{PACKED, SHAPED};

/// Bytes of one block.
pub(super) const BLOCK_BYTES: usize = 4096;
/// A file of so few blocks is read whole where every block has to have a shape.
const SMALL_BLOCKS: u64 = 8;
/// Bytes behind the first block that are read at once, where the parts of a file are checked one after the other.
const FRONT_BYTES: usize = 60 * 1024;
/// Bytes of text or of a raw image that are looked at at once, and by how many the next look begins later.
const WINDOW_BYTES: usize = 1024;
const STEP_BYTES: usize = 512;
/// A shorter block says nothing.
const BLOCK_MIN_BYTES: usize = 512;
/// Chi-square of random bytes lies between these but once in a thousand blocks. Below, bytes are spread too evenly: a
/// pattern.
const CHI_SQUARE_RANDOM: std::ops::RangeInclusive<f64> = 160.0..=330.0;
/// Random bytes fall short of eight bits each by this much, divided by their number; with room for chance.
const ENTROPY_SHORTFALL: f64 = 255.0 / (2.0 * std::f64::consts::LN_2) * 1.3;
/// Bits in each byte from which a block that is no text is more than half random, for a name that promises text.
const ENTROPY_HALF_RANDOM: f64 = 6.5;
/// Transfer syntaxes of DICOM images as they came from the device, not compressed; PS3.6 annex A.
const DICOM_RAW: &[&[u8]] = &[b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2"];
/// What each of them begins with.
const DICOM_SYNTAX: &[u8] = b"1.2.840.10008.1.2";

/// What blocks of a file with such a name look like when it is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    /// Each is text.
    Text,
    /// Each has a shape.
    Shaped,
    /// Most have none, but the end of the file has.
    Packed(End),
    /// Nobody knows; a file without any shape is odd.
    Any,
}

/// What stands at the end of a compressed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The list of what is inside.
    Zip,
    /// The place of the list of objects, as text.
    Pdf,
    /// The chunk that ends it.
    Png,
    /// Nothing certain, but everywhere only certain bytes follow 0xff.
    Jpeg,
    /// Nothing that can be told from random bytes.
    Unknown,
}

impl Grain {
    /// Returns what is promised by a file's name, the name it had, the place where it lies, and its first block.
    pub(super) fn of(promise: Option<&Promise>, name: &str, before: &str, head: &[u8]) -> Self {
        let extension = match promise {
            Some(Promise::Text | Promise::Message) => return Self::Text,
            Some(Promise::Magic(extension)) => Some(extension.clone()),
            None => names::extension(name).or_else(|| names::extension(before)),
        };
        let Some(extension) = extension.as_deref() else { return Self::Any };
        if ["dcm", "dicom"].contains(&extension) {
            return if is_raw_dicom(head) { Self::Shaped } else { Self::Packed(End::Unknown) };
        }
        if SHAPED.contains(&extension) {
            return Self::Shaped;
        }
        let packed = PACKED
            .iter()
            .find(|(_, extensions)| extensions.contains(&extension));

        packed.map_or(Self::Any, |(end, _)| Self::Packed(*end))
    }

    /// Which blocks have to be seen once the first one was.
    pub(super) fn wants(self, head: &[u8]) -> Wanted {
        match self {
            Self::Text | Self::Shaped => Wanted::Many,
            Self::Any if is_random(head) => Wanted::Few,
            Self::Packed(End::Jpeg) => Wanted::Many,
            Self::Packed(End::Png) => Wanted::Front,
            Self::Packed(End::Zip | End::Pdf) => Wanted::Last,
            Self::Any | Self::Packed(End::Unknown) => Wanted::None,
        }
    }
}

/// Which blocks have to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// No further one.
    None,
    /// The last one.
    Last,
    /// One in the middle and the last one.
    Few,
    /// All of a small file; else the second one, several in between and the last one.
    Many,
    /// All of the front at once, and the last one.
    Front,
}

/// A run of bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) at: u64,
    pub(super) bytes: usize,
}

impl Wanted {
    /// Returns what is to be read of a file of `size` bytes, the first block left out.
    pub(super) fn spans(self, size: u64) -> Vec<Span> {
        let block = BLOCK_BYTES as u64;
        let blocks = size.div_ceil(block);
        // Counted in eighths of the way; odd ones meet a pattern of even steps elsewhere each time.
        let eighths: &[u64] = match self {
            Self::None => return Vec::new(),
            Self::Last | Self::Front => &[],
            Self::Few => &[4],
            Self::Many if blocks <= SMALL_BLOCKS => &[1, 2, 3, 4, 5, 6, 7],
            Self::Many => &[1, 3, 5, 6],
        };
        let whole = if self == Self::Many { blocks.max(SMALL_BLOCKS) } else { blocks };
        let second = (self == Self::Many).then_some(1);
        let between = eighths.iter().map(|eighth| whole * eighth / 8);
        let mut places: Vec<_> = second
            .into_iter()
            .chain(between)
            .filter(|place| 0 < *place && *place + 1 < blocks)
            .map(|place| place * block)
            .collect();
        places.dedup();
        let mut spans: Vec<_> = places
            .into_iter()
            .map(|at| Span { at, bytes: BLOCK_BYTES })
            .collect();
        if 1 < blocks {
            if self == Self::Front {
                spans.push(Span { at: block, bytes: FRONT_BYTES });
            }
            // The last whole block: what is left over may be too short to tell.
            spans.push(Span { at: size - block, bytes: BLOCK_BYTES });
        }
        spans
    }
}

/// Judges the blocks of a file: the first one and those it wanted.
pub(super) fn judge(grain: Grain, head: &[u8], others: &[Vec<u8>]) -> Texture {
    if head.len() < BLOCK_MIN_BYTES {
        return Texture::Unknown;
    }
    let random = || others.iter().all(|block| is_random(block));
    let told = |is_random: bool| if is_random { Texture::Random } else { Texture::Shaped };
    match (grain, others.last()) {
        (Grain::Text, _) => {
            let wide = has_utf16_mark(head);
            let harmed = |block: &[u8]| {
                let odd = || is_random(block) || has_random_part(block);
                // What is text needs no closer look, and looking closer costs ten times as much.
                if wide { odd() } else { !is_text(block) && (odd() || is_half_random(block)) }
            };
            told(harmed(head) || others.iter().any(|block| harmed(block)))
        }
        (Grain::Shaped, _) => {
            let raw = is_raw_dicom(head);
            let harmed = |block: &[u8]| is_random(block) || (raw && has_random_part(block));
            told(is_random(head) || others.iter().any(|block| harmed(block)))
        }
        (Grain::Any, _) => told(is_random(head) && random()),
        (Grain::Packed(End::Unknown), _) | (Grain::Packed(_), None) => Texture::Unknown,
        (Grain::Packed(End::Jpeg), Some(last)) => {
            let all = others
                .iter()
                .all(|block| is_random(block) && !is_jpeg(block));
            let broken = || others.iter().any(|block| is_broken_jpeg(block, is_random));
            told(all || (ends_as_jpeg(last) && broken()))
        }
        (Grain::Packed(end @ (End::Zip | End::Pdf | End::Png)), Some(last)) => {
            let front = others.first().map_or(&[][..], Vec::as_slice);
            let broken = end == End::Png && is_broken_png(&[head, front].concat());
            told(broken || (is_random(last) && !ends_like(end, last)))
        }
    }
}

fn ends_like(end: End, block: &[u8]) -> bool {
    let has = |mark: &[u8]| block.windows(mark.len()).any(|found| found == mark);
    match end {
        End::Zip => has(b"PK\x05\x06"),
        End::Pdf => has(b"%%EOF") || has(b"startxref"),
        End::Png => has(b"IEND"),
        End::Jpeg | End::Unknown => true,
    }
}

/// Whether a DICOM file says of itself that its pixels are as the device made them.
fn is_raw_dicom(head: &[u8]) -> bool {
    let at = head
        .windows(DICOM_SYNTAX.len())
        .position(|found| found == DICOM_SYNTAX);
    let Some(rest) = at.and_then(|at| head.get(at..)) else { return false };
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();

    rest.get(..length)
        .is_some_and(|syntax| DICOM_RAW.contains(&syntax))
}

/// Whether a block has no shape at all.
fn is_random(block: &[u8]) -> bool {
    if block.len() < BLOCK_MIN_BYTES {
        return false;
    }
    let counts = counts(block);
    let floor = 8.0 - ENTROPY_SHORTFALL / length(block);

    CHI_SQUARE_RANDOM.contains(&chi_square(&counts, block)) && floor <= entropy(&counts, block)
}

/// Whether a part of a block has no shape, where every part must have one.
fn has_random_part(block: &[u8]) -> bool {
    let mut begins = (0..block.len()).step_by(STEP_BYTES);
    begins.any(|at| block.get(at..at + WINDOW_BYTES).is_some_and(is_random))
}

/// Whether a block of what should be text and is none is more than half random, as where every other 16 bytes were
/// encrypted.
fn is_half_random(block: &[u8]) -> bool {
    BLOCK_MIN_BYTES <= block.len() && ENTROPY_HALF_RANDOM <= entropy(&counts(block), block)
}

fn counts(block: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in block {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

fn length(block: &[u8]) -> f64 {
    f64::from(u32::try_from(block.len()).unwrap_or(u32::MAX))
}

/// Pearson's chi-square against all bytes being equally frequent, 255 degrees of freedom.
fn chi_square(counts: &[u32; 256], block: &[u8]) -> f64 {
    let squares: f64 = counts.iter().map(|count| f64::from(*count).powi(2)).sum();
    squares * 256.0 / length(block) - length(block)
}

/// Shannon's entropy in bits for each byte.
fn entropy(counts: &[u32; 256], block: &[u8]) -> f64 {
    let share = |count: &u32| f64::from(*count) / length(block);
    let bits = |share: f64| -share * share.log2();

    counts
        .iter()
        .filter(|count| 0 < **count)
        .map(|count| bits(share(count)))
        .sum()
}

#[cfg(test)]
mod tests;
