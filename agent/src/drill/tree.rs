//! The dummy files of a drill: made as ordinary documents, then changed as an encryptor changes them.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};
use shirase_shared::ids::DrillId;

/// Suffix the changed files gain: 訓練 in Latin letters.
const SUFFIX: &str = "kunren";
/// Files in one directory of the tree.
const FILES_PER_DIRECTORY: usize = 10;
/// Bytes of one file.
const FILE_BYTES: usize = 4096;
/// Random bytes at the head of a changed file, so that its magic is lost; the mark follows them.
const RANDOM_BYTES: usize = 512;

/// Extensions used in turn, each with the first bytes such files have.
const KINDS: [(&str, &[u8]); 5] = [
    ("pdf", b"%PDF-1.7\n"),
    ("docx", b"PK\x03\x04\x14\x00\x06\x00"),
    ("jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
    ("png", b"\x89PNG\r\n\x1a\n"),
    ("csv", b"date,item\r\n"),
];

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// One file was overwritten and renamed.
    Changed,
    /// There is none left.
    AllDone,
}

/// The tree of one drill.
#[derive(Debug)]
pub(super) struct Tree {
    mark: String,
    unchanged: VecDeque<PathBuf>,
    random: SystemRandom,
}

impl Tree {
    /// Makes the tree. `dir` must not exist yet.
    pub(super) fn make(dir: &Path, drill: DrillId, files: u32) -> io::Result<Self> {
        let mark = format!(
            "訓練 DRILL 訓練 DRILL\nshirase drill {drill}\nThis is a dummy file of an ordered exercise. It holds no \
             data and removes itself.\nこれは訓練用のダミーファイルです。患者情報は含まれず、自動的に削除されます。\n"
        );
        std::fs::create_dir(dir)?;
        let mut unchanged = VecDeque::new();
        let kinds = KINDS.iter().cycle();
        let numbers = 0..usize::try_from(files).map_err(io::Error::other)?;
        for (number, (extension, magic)) in numbers.zip(kinds) {
            let folder = dir.join(format!("訓練-{:02}", number / FILES_PER_DIRECTORY));
            if number % FILES_PER_DIRECTORY == 0 {
                std::fs::create_dir(&folder)?;
            }
            let path = folder.join(format!("訓練-DRILL-{number:04}.{extension}"));
            let mut body = magic.to_vec();
            body.extend_from_slice(mark.as_bytes());
            body.resize(FILE_BYTES, b' ');
            File::create_new(&path)?.write_all(&body)?;
            unchanged.push_back(path);
        }

        Ok(Self { mark, unchanged, random: SystemRandom::new() })
    }

    /// Overwrites the next file in place and gives it the suffix.
    pub(super) fn change_next(&mut self) -> io::Result<Step> {
        let Some(path) = self.unchanged.pop_front() else {
            return Ok(Step::AllDone);
        };
        let mut body = vec![0; RANDOM_BYTES];
        self.random
            .fill(&mut body)
            .map_err(|_| io::Error::other("no random bytes"))?;
        body.extend_from_slice(self.mark.as_bytes());
        body.resize(FILE_BYTES, 0);
        OpenOptions::new()
            .write(true)
            .open(&path)?
            .write_all(&body)?;
        let mut name = path.clone().into_os_string();
        name.push(".");
        name.push(SUFFIX);
        std::fs::rename(&path, name)?;

        Ok(Step::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_says_drill_before_and_after_the_change() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("shirase-drill-x");
        let mut tree = Tree::make(&dir, DrillId::random(), 23).unwrap();
        assert_eq!(marked(&dir), (23, 0));
        while tree.change_next().unwrap() == Step::Changed {}
        assert_eq!(marked(&dir), (23, 23));
    }

    /// Counts the files that hold the mark, and those that have the suffix.
    fn marked(dir: &Path) -> (usize, usize) {
        let mut counts = (0, 0);
        let mut open = vec![dir.to_owned()];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let body = std::fs::read(&path).unwrap();
                let mark = "訓練 DRILL".as_bytes();
                counts.0 += usize::from(body.windows(mark.len()).any(|part| part == mark));
                counts.1 += usize::from(path.extension().is_some_and(|e| e == SUFFIX));
            }
        }
        counts
    }
}
