//! Packs and unpacks the ZIP containers of Office files. The only file that knows zip.
//!
//! Always holds:
//! - what is packed carries no clock, no user and no order of its own: the same parts give the same bytes;
//! - what is unpacked is bounded in entries, in bytes and in how far it swells, whatever its headers claim;
//! - a part that was not replaced keeps its compressed bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Most parts of a container. Large official workbooks have about 60.
const ENTRIES_MAX: usize = 2_000;
/// Largest sum of all parts, unpacked.
const UNPACKED_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How many times larger than packed a part may be, once it is larger than [`SWELL_FREE_BYTES`].
const SWELL_MAX: u64 = 200;
/// Below this size a part may swell as it likes.
const SWELL_FREE_BYTES: u64 = 1024 * 1024;

/// Why a container was not packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no ZIP file or a damaged one.
    #[error("it is not an Office file of today's kind (a ZIP container), or it is damaged")]
    NotZip(#[source] zip::result::ZipError),
    /// It has too many parts.
    #[error("it has {0} parts; at most {ENTRIES_MAX} are taken")]
    TooMany(usize),
    /// Unpacked it is too large, or swells suspiciously.
    #[error("its part `{0}` is larger than is taken, or swells like a decompression bomb")]
    Bomb(String),
    /// A part has a name that leads outside, or one that occurs twice.
    #[error("its part `{0}` has a name that leads outside the file or occurs twice")]
    Name(String),
    /// A part is encrypted.
    #[error("its part `{0}` is encrypted; save it without a password")]
    Encrypted(String),
    /// A part could not be read or written.
    #[error("failed to read or write its part `{name}`")]
    Part {
        /// Which.
        name: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Packs parts in the order given.
///
/// # Errors
/// When a part is larger than the format can hold.
pub fn pack(parts: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, ArchiveError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer
            .start_file(*name, options())
            .map_err(ArchiveError::NotZip)?;
        write(&mut writer, name, bytes)?;
    }
    let done = writer.finish().map_err(ArchiveError::NotZip)?;

    Ok(done.into_inner())
}

/// Unpacks a foreign container into its parts by name.
///
/// # Errors
/// Says which limit it breaks.
pub fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(ArchiveError::NotZip)?;
    if ENTRIES_MAX < archive.len() {
        return Err(ArchiveError::TooMany(archive.len()));
    }
    let mut parts = BTreeMap::new();
    let mut names = BTreeSet::new();
    let mut left = UNPACKED_MAX_BYTES;
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(ArchiveError::NotZip)?;
        let name = raw.name().map_err(ArchiveError::NotZip)?.into_owned();
        let (encrypted, packed, folder) = (raw.encrypted(), raw.compressed_size(), raw.is_dir());
        drop(raw);
        let outside = name.starts_with(['/', '\\']) || name.contains("..") || name.contains(':');
        if outside || !names.insert(name.to_lowercase()) {
            return Err(ArchiveError::Name(name));
        }
        if encrypted {
            return Err(ArchiveError::Encrypted(name));
        }
        if folder {
            continue;
        }
        let entry = archive.by_index(index).map_err(ArchiveError::NotZip)?;
        let most = left.min(SWELL_FREE_BYTES.max(packed.saturating_mul(SWELL_MAX)));
        // One byte more than is taken shows that there is more, whatever the header says.
        let mut part = Vec::new();
        let read = entry.take(most + 1).read_to_end(&mut part);
        read.map_err(|source| ArchiveError::Part { name: name.clone(), source })?;
        let size = u64::try_from(part.len()).unwrap_or(u64::MAX);
        if most < size {
            return Err(ArchiveError::Bomb(name));
        }
        left -= size;
        parts.insert(name, part);
    }

    Ok(parts)
}

/// Returns a copy of a container in which some parts are replaced; the others keep their compressed bytes.
///
/// # Errors
/// When the container does not read.
pub fn replace(
    bytes: &[u8],
    replaced: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(ArchiveError::NotZip)?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(ArchiveError::NotZip)?;
        let name = entry.name().map_err(ArchiveError::NotZip)?.into_owned();
        let Some(part) = replaced.get(&name) else {
            writer.raw_copy_file(entry).map_err(ArchiveError::NotZip)?;
            continue;
        };
        let mut options = options();
        if let Some(time) = entry.last_modified() {
            options = options.last_modified_time(time);
        }
        drop(entry);
        writer
            .start_file(name.as_str(), options)
            .map_err(ArchiveError::NotZip)?;
        write(&mut writer, &name, part)?;
    }
    let done = writer.finish().map_err(ArchiveError::NotZip)?;

    Ok(done.into_inner())
}

fn write(
    writer: &mut ZipWriter<Cursor<Vec<u8>>>,
    name: &str,
    bytes: &[u8],
) -> Result<(), ArchiveError> {
    writer
        .write_all(bytes)
        .map_err(|source| ArchiveError::Part { name: name.to_owned(), source })
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_unpacks_and_packs_the_same() {
        let parts = [("a.xml", b"<a/>".to_vec()), ("b/c.xml", vec![b'x'; 5000])];
        let packed = pack(&parts).unwrap();
        assert_eq!(packed, pack(&parts).unwrap());
        let unpacked = unpack(&packed).unwrap();
        assert_eq!(unpacked["b/c.xml"], parts[1].1);
        let replaced = [("a.xml".to_owned(), b"<b/>".to_vec())].into();
        let again = unpack(&replace(&packed, &replaced).unwrap()).unwrap();
        assert_eq!((again["a.xml"].as_slice(), &again["b/c.xml"]), (&b"<b/>"[..], &parts[1].1));
    }

    #[test]
    fn bombs_foreign_names_and_other_files_are_refused() {
        let bomb = pack(&[("sheet.xml", vec![0; 40 * 1024 * 1024])]).unwrap();
        assert!(bomb.len() < 200_000, "it is small: {}", bomb.len());
        assert!(matches!(unpack(&bomb), Err(ArchiveError::Bomb(name)) if name == "sheet.xml"));
        let outside = pack(&[("../../etc/passwd", b"x".to_vec())]).unwrap();
        assert!(matches!(unpack(&outside), Err(ArchiveError::Name(_))));
        let twice = pack(&[("A.xml", b"x".to_vec()), ("a.XML", b"y".to_vec())]).unwrap();
        assert!(matches!(unpack(&twice), Err(ArchiveError::Name(_))));
        assert!(matches!(unpack(b"%PDF-1.7"), Err(ArchiveError::NotZip(_))));
        assert!(matches!(unpack(b""), Err(ArchiveError::NotZip(_))));
        let many: Vec<String> = (0..=ENTRIES_MAX).map(|n| format!("{n}.xml")).collect();
        let many: Vec<_> = many
            .iter()
            .map(|name| (name.as_str(), Vec::new()))
            .collect();
        assert!(matches!(unpack(&pack(&many).unwrap()), Err(ArchiveError::TooMany(_))));
    }
}
