//! Does a deed, on a marked ground alone, and notes it first.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Deed, Pattern, Suffix, platform};
use crate::ground::Ground;
use crate::journal::Journal;
use crate::random::Random;

/// Suffix of everything that is given one and the same.
const SAME: &str = "qzx";
/// Name of the note, and its words.
pub(crate) const NOTE_NAME: &str = "HOW_TO_RESTORE_YOUR_FILES.txt";
/// In the words real ones use, and in no others: a line that says it is a test is what a detector would rightly heed.
const NOTE: &str = "All your files have been encrypted with a strong algorithm.\n\
    To decrypt and restore your data you need the private key. Do not rename files.\n\
    Write to restore@example.invalid and pay 3 bitcoin within 72 hours, or your data will be published.\n";

/// Does deeds on one ground.
pub(crate) struct Doer {
    ground: Ground,
    journal: Journal,
    random: Random,
    suffix: String,
    done: u64,
}

impl Doer {
    pub(crate) fn new(ground: Ground, journal: Journal, random: Random, process: usize) -> Self {
        // Numbers of different processes must not meet.
        let done = u64::try_from(process).unwrap_or(0) << 32;
        Self { ground, journal, random, suffix: SAME.to_owned(), done }
    }

    /// Does it to `target`, which stands for `files` files.
    pub(crate) fn perform(&mut self, deed: &Deed, target: &Path, files: u64) -> Result<()> {
        self.ground.check(target)?;
        self.done += 1;
        match deed {
            Deed::Rename(suffix) => self.append(target, *suffix, files),
            Deed::Overwrite(pattern) => self.overwrite(target, target, *pattern),
            Deed::OverwriteAndRename(pattern, suffix) => {
                self.overwrite(target, target, *pattern)?;
                self.append(target, *suffix, files)
            }
            Deed::RandomName => {
                self.overwrite(target, target, Pattern::Whole)?;
                let name = self.random.word(12);
                Ok(fs::rename(target, target.with_file_name(name))?)
            }
            Deed::CopyAndDelete(suffix) => self.copy_and_delete(target, *suffix),
            Deed::ReplaceOver => self.replace_over(target),
            Deed::Delete => {
                self.note("delete", target, files)?;
                Ok(fs::remove_file(target)?)
            }
            Deed::Truncate => {
                self.note("truncate", target, files)?;
                let path = target.as_os_str();
                Ok(rustix::fs::open(
                    path,
                    rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::TRUNC,
                    rustix::fs::Mode::empty(),
                )
                .map(drop)?)
            }
            Deed::Note => {
                let note = target.join(NOTE_NAME);
                self.note("note", &note, files)?;
                Ok(fs::write(note, NOTE)?)
            }
            Deed::Archive => self.archive(target, 1),
            Deed::ArchiveOpen => self.archive(target, 0),
            Deed::DirectoryRename(suffix) => self.append(target, *suffix, files),
            Deed::MoveTogether => {
                let folder = self.ground.watched().join("collected");
                fs::create_dir_all(&folder)?;
                self.note("move", target, files)?;
                Ok(fs::rename(target, folder.join(format!("{}.bin", self.done)))?)
            }
            Deed::Mapped(suffix) => self.mapped(target, *suffix),
            Deed::ThroughHardLink => {
                let link = self.aside("link");
                fs::hard_link(target, &link)?;
                self.overwrite(&link, target, Pattern::Whole)
            }
            Deed::ThroughSymbolicLink => {
                let link = self.aside("symlink");
                symlink(target, &link)?;
                self.overwrite(&link, target, Pattern::Whole)
            }
            Deed::OutAndBack(suffix) => self.out_and_back(target, *suffix),
            Deed::MoveOut | Deed::MoveOutWhole => {
                self.note("move_out", target, files)?;
                Ok(fs::rename(target, self.aside("stolen"))?)
            }
        }
        .with_context(|| format!("failed at `{}` ({deed:?})", target.display()))
    }

    fn note(&mut self, what: &str, path: &Path, files: u64) -> Result<()> {
        self.journal.note(what, path, files)
    }

    fn aside(&self, word: &str) -> PathBuf {
        self.ground.aside().join(format!("{word}-{}", self.done))
    }

    fn suffixed(&mut self, path: &Path, suffix: Suffix) -> PathBuf {
        let suffix = match suffix {
            Suffix::Same => self.suffix.clone(),
            Suffix::Random => self.random.word(7),
            Suffix::Ordinary => "gz".to_owned(),
            Suffix::Word => "akira".to_owned(),
        };
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(suffix);
        PathBuf::from(name)
    }

    fn append(&mut self, path: &Path, suffix: Suffix, files: u64) -> Result<()> {
        let to = self.suffixed(path, suffix);
        self.note("rename", path, files)?;
        Ok(fs::rename(path, to)?)
    }

    /// Overwrites through `door`, which is another name of `path` or `path` itself.
    fn overwrite(&mut self, door: &Path, path: &Path, pattern: Pattern) -> Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).open(door)?;
        let length = file.metadata()?.len();
        let mut first = true;
        for (at, width) in pattern.spans(length) {
            let payload = self.random.bytes(usize::try_from(width)?);
            // The payload is made before the harm is noted, so that its making is not part of it.
            if first {
                self.note("overwrite", path, 1)?;
                first = false;
            }
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&payload)?;
        }

        Ok(())
    }

    fn noise_of(&mut self, path: &Path) -> Result<Vec<u8>> {
        // An encryptor reads what it encrypts.
        let mut old = Vec::new();
        File::open(path)?.read_to_end(&mut old)?;
        Ok(self.random.bytes(old.len()))
    }

    fn copy_and_delete(&mut self, path: &Path, suffix: Suffix) -> Result<()> {
        let noise = self.noise_of(path)?;
        let copy = self.suffixed(path, suffix);
        fs::write(copy, noise)?;
        self.note("delete", path, 1)?;
        Ok(fs::remove_file(path)?)
    }

    fn replace_over(&mut self, path: &Path) -> Result<()> {
        let noise = self.noise_of(path)?;
        let new = path.with_file_name(format!("~{}.tmp", self.done));
        fs::write(&new, noise)?;
        self.note("replace", path, 1)?;
        Ok(fs::rename(new, path)?)
    }

    /// `flags` says in the archive whether it is locked.
    fn archive(&mut self, directory: &Path, flags: u8) -> Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        let mut packed = b"PK\x03\x04\x14\0".to_vec();
        packed.extend([flags, 0]);
        for path in &files {
            packed.extend(self.noise_of(path)?);
        }
        fs::write(directory.join("data.zip"), packed)?;
        for path in &files {
            self.note("delete", path, 1)?;
            fs::remove_file(path)?;
        }

        Ok(())
    }

    fn mapped(&mut self, path: &Path, suffix: Option<Suffix>) -> Result<()> {
        let noise = self.noise_of(path)?;
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        self.note("mapped", path, 1)?;
        platform::overwrite_mapped(&file, &noise)?;
        drop(file);
        match suffix {
            Some(suffix) => self.append(path, suffix, 1),
            None => Ok(()),
        }
    }

    fn out_and_back(&mut self, path: &Path, suffix: Suffix) -> Result<()> {
        let away = self.aside("away");
        self.note("move_out", path, 1)?;
        fs::rename(path, &away)?;
        let noise = self.noise_of(&away)?;
        fs::write(&away, noise)?;
        let back = self.suffixed(path, suffix);
        Ok(fs::rename(away, back)?)
    }
}
