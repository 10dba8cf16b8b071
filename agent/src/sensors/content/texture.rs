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

use super::magic::Promise;
use super::text::{has_utf16_mark, is_text};
use crate::names;
use crate::observation::Texture;

/// Bytes of one block.
pub(super) const BLOCK_BYTES: usize = 4096;
/// A shorter block says nothing.
const BLOCK_MIN_BYTES: usize = 512;
/// Chi-square of random bytes lies between these but once in a thousand blocks. Below, bytes are spread too evenly: a
/// pattern.
const CHI_SQUARE_RANDOM: std::ops::RangeInclusive<f64> = 160.0..=330.0;
/// Random bytes fall short of eight bits each by this much, divided by their number; with room for chance.
const ENTROPY_SHORTFALL: f64 = 255.0 / (2.0 * std::f64::consts::LN_2) * 1.3;
/// Bits in each byte from which a block that is no text is more than half random, for a name that promises text.
const ENTROPY_HALF_RANDOM: f64 = 6.5;
/// Bytes after 0xff in a JPEG image that cannot be there, from which a block is none of its.
const JPEG_BROKEN_MARKS: usize = 6;
/// Transfer syntaxes of DICOM images as they came from the device, not compressed; PS3.6 annex A.
const DICOM_RAW: &[&[u8]] = &[b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2"];
/// What each of them begins with.
const DICOM_SYNTAX: &[u8] = b"1.2.840.10008.1.2";

/// Kinds whose blocks have a shape wherever one looks.
const SHAPED: &[&str] = &["bmp", "wav", "rtf", "dbf"];
/// Compressed kinds, with what stands at their end.
const PACKED: &[(End, &[&str])] = &[
    (
        End::Zip,
        &[
            "zip", "docx", "docm", "dotx", "xlsx", "xlsm", "xlsb", "pptx", "pptm", "odt", "ods",
            "odp", "jar", "war", "ear", "epub", "apk", "vsdx", "whl",
        ],
    ),
    (End::Pdf, &["pdf"]),
    (End::Png, &["png"]),
    (End::Jpeg, &["jpg", "jpeg"]),
    (
        End::Unknown,
        &[
            "gz",
            "tgz",
            "xz",
            "txz",
            "bz2",
            "tbz2",
            "zst",
            "lz4",
            "lzma",
            "br",
            "brotli",
            "z",
            "7z",
            "rar",
            "lzh",
            "cab",
            "deb",
            "rpm",
            "crate",
            "gem",
            "egg",
            "gif",
            "heic",
            "heif",
            "avif",
            "webp",
            "jp2",
            "j2k",
            "mp3",
            "mp4",
            "m4a",
            "m4v",
            "mov",
            "avi",
            "mkv",
            "webm",
            "wmv",
            "mpg",
            "mpeg",
            "ogg",
            "opus",
            "flac",
            "aac",
            "wma",
            "gpg",
            "pgp",
            "age",
            "asc",
            "p7m",
            "p7s",
            "enc",
            "aes",
            "crypt",
            "p12",
            "pfx",
            "jks",
            "kdbx",
            "vc",
            "hc",
            "luks",
            "vhd",
            "vhdx",
            "vmdk",
            "qcow2",
            "vdi",
            "img",
            "iso",
            "dmg",
            "bin",
            "dat",
            "pack",
            "idx",
            "pst",
            "ost",
            "mdf",
            "ndf",
            "bak",
            "dmp",
            "dump",
            "woff",
            "woff2",
            "tif",
            "tiff",
            "psd",
            "ai",
            "dwg",
            "jtd",
            "jtdc",
            "xdw",
            "xbd",
            "pyc",
            "wasm",
            "exe",
            "dll",
            "swf",
            "tmp",
            "part",
            "crdownload",
            "cache",
            "blob",
            "data",
            "snap",
        ],
    ),
];

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
        packed(extension).map_or(Self::Any, Self::Packed)
    }

    /// Which blocks have to be seen once the first one was.
    pub(super) fn wants(self, head: &[u8]) -> Wanted {
        match self {
            Self::Text | Self::Shaped => Wanted::Many,
            Self::Any if is_random(head) => Wanted::Few,
            Self::Packed(End::Jpeg) => Wanted::Few,
            Self::Packed(End::Zip | End::Pdf | End::Png) => Wanted::Last,
            Self::Any | Self::Packed(End::Unknown) => Wanted::None,
        }
    }
}

/// Whether files of this extension are compressed, whatever is inside.
pub(super) fn is_packed(extension: &str) -> bool {
    packed(extension).is_some()
}

fn packed(extension: &str) -> Option<End> {
    PACKED
        .iter()
        .find(|(_, extensions)| extensions.contains(&extension))
        .map(|(end, _)| *end)
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
    /// Several in between and the last one.
    Many,
}

impl Wanted {
    /// Returns where the blocks begin in a file of `size` bytes, the first one left out.
    pub(super) fn places(self, size: u64) -> Vec<u64> {
        let block = BLOCK_BYTES as u64;
        let blocks = size.div_ceil(block);
        // Counted in eighths of the way; odd ones meet a pattern of even steps elsewhere each time.
        let eighths: &[u64] = match self {
            Self::None => return Vec::new(),
            Self::Last => &[],
            Self::Few => &[4],
            Self::Many => &[1, 3, 5, 6],
        };
        let between = eighths.iter().map(|eighth| blocks * eighth / 8);
        let mut places: Vec<_> = between
            .filter(|place| 0 < *place && *place + 1 < blocks)
            .map(|place| place * block)
            .collect();
        places.dedup();
        if 1 < blocks {
            // The last whole block: what is left over may be too short to tell.
            places.push(size - block);
        }
        places
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
            let harmed = |block: &[u8]| is_random(block) || (!wide && is_half_random(block));
            told(harmed(head) || others.iter().any(|block| harmed(block)))
        }
        (Grain::Shaped, _) => told(is_random(head) || others.iter().any(|block| is_random(block))),
        (Grain::Any, _) => told(is_random(head) && random()),
        (Grain::Packed(End::Unknown), _) | (Grain::Packed(_), None) => Texture::Unknown,
        (Grain::Packed(End::Jpeg), Some(_)) => told(
            others
                .iter()
                .all(|block| is_random(block) && !is_jpeg(block)),
        ),
        (Grain::Packed(end @ (End::Zip | End::Pdf | End::Png)), Some(last)) => {
            told(is_random(last) && !ends_like(end, last))
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

/// Whether the bytes can stand within a JPEG image: 0xff is followed by what its entropy coding or a marker allows.
fn is_jpeg(block: &[u8]) -> bool {
    let broken = block
        .windows(2)
        .filter(|pair| pair.first() == Some(&0xff))
        .filter(|pair| {
            let follows = pair.last().copied().unwrap_or_default();
            !matches!(follows, 0x00 | 0xc4 | 0xd0..=0xdb | 0xdd | 0xff)
        });

    broken.count() < JPEG_BROKEN_MARKS
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

/// Whether a block of what should be text is more than half random, as where every other 16 bytes were encrypted.
fn is_half_random(block: &[u8]) -> bool {
    BLOCK_MIN_BYTES <= block.len()
        && !is_text(block)
        && ENTROPY_HALF_RANDOM <= entropy(&counts(block), block)
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
