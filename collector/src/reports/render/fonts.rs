//! Finds a Japanese font among those of the system.
//!
//! Always holds: the order of preference is that of [`KNOWN`], not that of the disk, so one machine always takes the
//! same font.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How deep below a font directory files are looked for.
const DEPTH_MAX: usize = 6;
/// Most files looked at, so that a directory linked to the whole disk ends somewhere.
const FILES_MAX: usize = 20_000;

/// A family with the names its files go by, without their extension and in lower case.
struct Known {
    family: &'static str,
    regular: &'static [&'static str],
    bold: &'static [&'static str],
}

/// Families that hold what a Japanese document needs, the best first.
const KNOWN: &[Known] = &[
    Known {
        family: "BIZ UDPGothic",
        regular: &["bizudpgothic-regular", "biz-udgothicr"],
        bold: &["bizudpgothic-bold", "biz-udgothicb"],
    },
    Known {
        family: "BIZ UDGothic",
        regular: &["bizudgothic-regular", "biz-udgothicr"],
        bold: &["bizudgothic-bold", "biz-udgothicb"],
    },
    Known {
        family: "Noto Sans CJK JP",
        regular: &["notosanscjk-regular", "notosanscjkjp-regular"],
        bold: &["notosanscjk-bold", "notosanscjkjp-bold"],
    },
    Known { family: "IPAexGothic", regular: &["ipaexg"], bold: &[] },
    Known { family: "VL PGothic", regular: &["vl-pgothic-regular"], bold: &[] },
    Known { family: "VL Gothic", regular: &["vl-gothic-regular"], bold: &[] },
];

/// Font files of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FontFiles {
    /// The family to take from the files; `None` when a person named the file.
    pub family: Option<&'static str>,
    /// The files, the regular weight first.
    pub paths: Vec<PathBuf>,
}

/// Why no document can be rendered on this machine.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// There is no Japanese font.
    #[error(
        "no Japanese font found below {}; install the package `fonts-morisawa-bizud-gothic`, or name a font file in `pdf.font`",
        searched.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    Missing {
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// A font file cannot be read.
    #[error("failed to read the font file `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no font, or has no Japanese characters.
    #[error("`{}` is not a TrueType or OpenType font with Japanese characters; name another in `pdf.font`", path.display())]
    NotJapanese {
        /// Which file.
        path: PathBuf,
    },
}

/// Returns the directories in which fonts are looked for.
#[must_use]
pub fn system_directories() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let fixed = ["/usr/share/fonts", "/usr/local/share/fonts", r"C:\Windows\Fonts"];
    let mut directories: Vec<PathBuf> = fixed.iter().map(PathBuf::from).collect();
    if let Some(home) = home {
        directories.push(home.join(".fonts"));
        directories.push(home.join(".local/share/fonts"));
    }
    directories
}

/// Finds the best known family below `directories`.
///
/// # Errors
/// [`FontError::Missing`] says where it was looked for and what to install.
pub fn find(directories: &[PathBuf]) -> Result<FontFiles, FontError> {
    let mut found = BTreeMap::new();
    for directory in directories {
        collect(directory, DEPTH_MAX, &mut found);
    }
    let first = |stems: &[&str]| stems.iter().find_map(|stem| found.get(*stem)).cloned();
    let known = KNOWN.iter().find_map(|known| {
        let paths = first(known.regular)
            .into_iter()
            .chain(first(known.bold))
            .collect();
        let files = FontFiles { family: Some(known.family), paths };
        first(known.regular).map(|_| files)
    });

    known.ok_or_else(|| FontError::Missing { searched: directories.to_vec() })
}

/// Takes the file a person named.
#[must_use]
pub fn named(path: &Path) -> FontFiles {
    FontFiles { family: None, paths: vec![path.to_owned()] }
}

/// Notes font files by their lower-case stem; the first in order of names stays.
fn collect(directory: &Path, depth: usize, found: &mut BTreeMap<String, PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if FILES_MAX < found.len() {
            return;
        }
        if path.is_dir() {
            if 0 < depth {
                collect(&path, depth - 1, found);
            }
            continue;
        }
        let lower = |part: Option<&std::ffi::OsStr>| {
            part.map(|part| part.to_string_lossy().to_lowercase())
                .unwrap_or_default()
        };
        if ["ttf", "ttc", "otf", "otc"].contains(&lower(path.extension()).as_str()) {
            found.entry(lower(path.file_stem())).or_insert(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_known_family_is_taken_whatever_else_is_there() {
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["a/ipaexg.ttf", "z/b/BIZUDPGothic-Regular.ttf", "z/b/BIZUDPGothic-Bold.ttf", "x.txt"]
        {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        let files = find(&[dir.path().to_owned()]).unwrap();
        assert_eq!((files.family, files.paths.len()), (Some("BIZ UDPGothic"), 2));
        fs::remove_dir_all(dir.path().join("z")).unwrap();
        assert_eq!(find(&[dir.path().to_owned()]).unwrap().family, Some("IPAexGothic"));
    }

    #[test]
    fn without_a_font_the_message_says_what_to_install() {
        let dir = tempfile::tempdir().unwrap();
        let message = find(&[dir.path().to_owned()]).unwrap_err().to_string();
        assert!(message.contains("fonts-morisawa-bizud-gothic"), "{message}");
        assert!(message.contains(&dir.path().display().to_string()), "{message}");
    }
}
