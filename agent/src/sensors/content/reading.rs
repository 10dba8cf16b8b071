//! Reads what has to be seen of a file: its first block, a few others, or the whole of a small text.
//!
//! Always holds: only regular files are opened, never through a link, and a pipe is not waited for; a file that cannot
//! be read is [`Verdict::Unknown`], never an error.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::magic::{self, Promise};
use super::text::is_text;
use super::texture::{self, BLOCK_BYTES, Grain, Span};
use super::{Depth, Looked, seal, wording};
use crate::names;
use crate::observation::{Seal, Texture, Verdict, Wording, file_name};

/// Bytes at the front that are compared with the name.
const HEAD_BYTES: usize = 512;
/// Largest text that can be a note, in bytes.
const NOTE_MAX_BYTES: u64 = 32 * 1024;
/// Extensions of texts a person is meant to read; notes have one of them or none.
const NOTE_EXTENSIONS: &[&str] = &["txt", "text", "html", "htm", "hta", "md", "rtf", "url", "log"];

/// A file to look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Where it is.
    pub(super) at: &'a Path,
    /// Where it was when the change happened that is looked into.
    pub(super) path: &'a Path,
    /// The name it had before that, or the same.
    pub(super) before: &'a str,
}

/// Looks at a file. `before` is the name it had, or the same.
pub(in crate::sensors) fn look(path: &Path, before: &str, depth: Depth) -> Looked {
    look_at(Place { at: path, path, before }, depth)
}

/// Looks at a file that may have got another name since.
pub(super) fn look_at(place: Place<'_>, depth: Depth) -> Looked {
    let Place { at, path, before } = place;
    let mut looked = Looked::default();
    let Ok(metadata) = std::fs::symlink_metadata(at) else { return looked };
    if !metadata.is_file() {
        return looked;
    }
    looked.size = Some(metadata.len());
    if metadata.len() == 0 {
        return looked;
    }
    let Ok(mut file) = open(at) else { return looked };
    let most = if depth == Depth::Head { HEAD_BYTES } else { BLOCK_BYTES };
    let wanted = usize::try_from(metadata.len()).map_or(most, |length| length.min(most));
    // On the stack: most files need no more, and a block of the heap for each costs as much as looking at it.
    let mut block = [0; BLOCK_BYTES];
    let room = block.get_mut(..wanted).unwrap_or_default();
    let Ok(first) = fill(&mut file, room) else { return looked };
    looked.bytes = bytes(first);
    let head = first.get(..HEAD_BYTES).unwrap_or(first);
    let promise = Promise::of(path, before);
    looked.verdict = magic::judge(promise.as_ref(), head);
    if depth == Depth::Head {
        return looked;
    }

    let name = file_name(path);
    let grain = Grain::of(promise.as_ref(), &name, before, first);
    looked.texture = texture(&mut file, first, grain, depth, &mut looked);
    looked.seal = sealed(&mut file, first, &mut looked);
    // What is encrypted behind its head has no words, and looking for them takes longest of all.
    let harmed = looked.verdict == Verdict::Lost || looked.texture == Texture::Random;
    if !harmed && may_be_note(&name, metadata.len(), head) {
        looked.wording = words(&mut file, &mut looked);
    }
    looked.is_promised = promise.is_some();
    looked
}

fn texture(
    file: &mut File,
    first: &[u8],
    grain: Grain,
    depth: Depth,
    looked: &mut Looked,
) -> Texture {
    // What is still being written has no end yet.
    if depth == Depth::Unfinished && matches!(grain, Grain::Packed(_)) {
        return Texture::Unknown;
    }
    let mut others = Vec::new();
    for Span { at, bytes: most } in grain.wants(first).spans(looked.size.unwrap_or_default()) {
        let block = file
            .seek(SeekFrom::Start(at))
            .and_then(|_| read(file, most));
        let Ok(block) = block else { return Texture::Unknown };
        looked.bytes += bytes(&block);
        others.push(block);
    }

    texture::judge(grain, first, &others)
}

/// Whether an archive is locked: by its first block or, where that tells where it is, by its list.
fn sealed(file: &mut File, first: &[u8], looked: &mut Looked) -> Seal {
    let Some((begins, length)) = seal::list_of(first) else { return seal::judge(first) };
    let length = usize::try_from(length).unwrap_or(0);
    let list = file
        .seek(SeekFrom::Start(begins))
        .and_then(|_| read(file, length));
    let Ok(list) = list else { return Seal::Unknown };
    looked.bytes += bytes(&list);

    seal::judge_list(&list)
}

fn may_be_note(name: &str, size: u64, head: &[u8]) -> bool {
    let readable = match names::extension(name) {
        Some(extension) => {
            NOTE_EXTENSIONS.contains(&extension.as_str()) || names::kind(&extension).is_none()
        }
        None => !names::is_ssmix2(name),
    };

    readable && size <= NOTE_MAX_BYTES && is_text(head) && !head.starts_with(b"MSH|")
}

fn words(file: &mut File, looked: &mut Looked) -> Wording {
    let limit = usize::try_from(NOTE_MAX_BYTES).unwrap_or(usize::MAX);
    let whole = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| read(file, limit));
    let Ok(whole) = whole else { return Wording::Unknown };
    looked.bytes += bytes(&whole);

    wording::judge(&whole)
}

/// Reads until there is no more room or no more to read. Returns what was read.
fn fill<'a>(file: &mut File, room: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut filled = 0;
    while filled < room.len() {
        match file.read(room.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }

    Ok(room.get(..filled).unwrap_or_default())
}

fn read(file: &mut File, most: usize) -> io::Result<Vec<u8>> {
    let mut read = Vec::with_capacity(most);
    file.take(u64::try_from(most).unwrap_or(u64::MAX))
        .read_to_end(&mut read)?;

    Ok(read)
}

fn bytes(read: &[u8]) -> u64 {
    u64::try_from(read.len()).unwrap_or(u64::MAX)
}

/// Opens without following a link and without waiting on a pipe that took the file's place.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::content::noise;

    #[cfg(unix)]
    #[test]
    fn neither_a_link_nor_a_pipe_is_opened() {
        let home = tempfile::tempdir().unwrap();
        let (target, link) = (home.path().join("a.pdf"), home.path().join("b.pdf"));
        std::fs::write(&target, b"%PDF-1.7............").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(look(&link, "b.pdf", Depth::Whole), Looked::default());
        let socket = home.path().join("c.pdf");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(look(&socket, "c.pdf", Depth::Whole), Looked::default());
    }

    #[test]
    fn each_depth_sees_what_it_may() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.docx");
        let mut body = noise(40_000, 21);
        body[..4].copy_from_slice(b"PK\x03\x04");
        std::fs::write(&path, body).unwrap();
        let seen = |depth| {
            let looked = look(&path, "a.docx", depth);
            (looked.verdict, looked.texture, looked.bytes)
        };
        assert_eq!(seen(Depth::Head), (Verdict::Agrees, Texture::Unknown, 512));
        assert_eq!(seen(Depth::Unfinished), (Verdict::Agrees, Texture::Unknown, 4096));
        assert_eq!(seen(Depth::Whole), (Verdict::Agrees, Texture::Random, 8192));
    }

    #[test]
    fn only_a_small_text_is_read_for_its_words() {
        let home = tempfile::tempdir().unwrap();
        let note = "All your files are encrypted. Install Tor Browser to buy the decryptor. Do not rename files.\n";
        let wording = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::write(&path, text).unwrap();
            look(&path, name, Depth::Whole).wording
        };
        for name in ["readme.txt", "HOW_TO_DECRYPT", "!!!.hta", "restore.qzx-note"] {
            assert_eq!(wording(name, note), Wording::RansomNote, "{name}");
        }
        assert_eq!(wording("memo.txt", "明日の会議は 15:00 からです。"), Wording::Ordinary);
        assert_eq!(wording("a.csv", note), Wording::Unknown);
        assert_eq!(wording("long.txt", &note.repeat(500)), Wording::Unknown);
    }
}
