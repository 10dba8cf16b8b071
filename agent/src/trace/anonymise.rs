//! Puts keyed words in the place of names, so that a hospital can share a trace.
//!
//! Each run of letters and digits in a name becomes a word that depends on it and on a key nobody keeps; dots, dashes,
//! blanks and the like stay. So what the detectors look at stays true of the new names: two names are equal, in the
//! same directory, one behind the other (`a.pdf`, `a.pdf.qzx`) or one inside the other exactly if they were before.
//! What stays as it is: extensions and suffixes this program knows (`.pdf`, `.tmp`), a suffix written right behind one
//! (`.docxlocked` stays `.docx…`), types of messages (`ADT-00`) and the number of parts and digits of an SS-MIX2 name,
//! digits up to three after a dot (`.1`), programs, services and accounts of the system. Numbers become numbers of the same
//! length. Unknown suffixes become unknown words: they may be names. Free text of sensors is left out, addresses of
//! clients become addresses below 10, users above 999 become others.
//!
//! What still shows: how many files of which sort were changed when, how deep they lay, how long numbers were.

mod safeguards;

use std::net::Ipv4Addr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{Header, NamesAre, TraceError};
use crate::names;
use crate::observation::{
    Account, Actor, DiskSample, Fact, FileChange, FoundFile, Operation, Root, Standing,
};

/// Letters of the words: no word of them alone is an extension anybody uses.
const LETTERS: &[u8; 16] = b"bcdfghjklmnpqrtv";
/// Letters of a word.
const WORD_LETTERS: usize = 8;
/// The first user that is a person.
const FIRST_PERSON: u32 = 1000;
/// Longest number after a dot that says which turn of a rotation it is.
const TURN_MAX_DIGITS: usize = 3;
/// Where programs lie that every system has.
const SYSTEM_PROGRAMS: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/opt", "/snap"];

/// Replaces names by keyed words.
pub struct Anonymiser {
    key: hmac::Key,
}

impl Anonymiser {
    /// Makes one with a key of its own, which is forgotten with it: nobody can try names against its words.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn new() -> Result<Self, TraceError> {
        let mut key = [0; 32];
        let filled = SystemRandom::new().fill(&mut key);
        filled.map_err(|_| TraceError::NoKey)?;

        Ok(Self::with_key(&key))
    }

    fn with_key(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// Replaces the names in a header.
    #[must_use]
    pub fn header(&self, header: Header) -> Header {
        let roots = header.roots.iter().map(|root| self.root(root)).collect();

        Header { names: NamesAre::Anonymised, roots, ..header }
    }

    /// Replaces the names in a fact.
    #[must_use]
    pub fn fact(&self, fact: Fact) -> Fact {
        match fact {
            Fact::File(change) => Fact::File(self.change(change)),
            Fact::Found(found) => Fact::Found(FoundFile {
                root: self.shared_root(&found.root),
                below: self.path(&found.below),
                ..found
            }),
            Fact::Rescanned(mut done) => {
                done.root = self.shared_root(&done.root);
                Fact::Rescanned(done)
            }
            Fact::Root(mut seen) => {
                seen.root = self.shared_root(&seen.root);
                seen.detail = String::new();
                Fact::Root(seen)
            }
            Fact::Lost(mut lost) => {
                lost.detail = String::new();
                Fact::Lost(lost)
            }
            Fact::Target(mut seen) => {
                seen.target.name = self.name(&seen.target.name);
                seen.detail = String::new();
                Fact::Target(seen)
            }
            Fact::Certificate(mut seen) => {
                seen.target.name = self.name(&seen.target.name);
                Fact::Certificate(seen)
            }
            Fact::Host(mut sample) => {
                let disk = |disk: DiskSample| DiskSample { mount: self.path(&disk.mount), ..disk };
                sample.disks = sample.disks.into_iter().map(disk).collect();
                Fact::Host(sample)
            }
            Fact::Services(seen) => Fact::Services(self.services(&seen)),
            Fact::Guard(mut seen) => {
                seen.name = self.unit(&seen.name);
                Fact::Guard(seen)
            }
            Fact::Log(seen) => Fact::Log(self.log(seen)),
            // The agent's own files have the names its makers gave them.
            Fact::Own(seen) => Fact::Own(seen),
            Fact::Backup(mut seen) => {
                seen.name = self.name(&seen.name);
                Fact::Backup(seen)
            }
            Fact::Logon(mut seen) => {
                seen.account = self.account(seen.account);
                seen.source = seen.source.map(|source| self.address(&source));
                Fact::Logon(seen)
            }
            Fact::Rights(mut seen) => {
                seen.account = self.account(seen.account);
                Fact::Rights(seen)
            }
            Fact::Print(mut job) => {
                job.printer = self.name(&job.printer);
                job.title = self.name(&job.title);
                Fact::Print(job)
            }
        }
    }

    fn change(&self, change: FileChange) -> FileChange {
        let operation = match change.operation {
            Operation::Renamed { from } => Operation::Renamed { from: self.path(&from) },
            Operation::DirectoryRenamed { from, files } => {
                Operation::DirectoryRenamed { from: self.path(&from), files }
            }
            kept @ (Operation::Created
            | Operation::Written
            | Operation::Deleted
            | Operation::MovedOut) => kept,
        };

        FileChange {
            root: self.shared_root(&change.root),
            below: self.path(&change.below),
            operation,
            actor: change.actor.map(|actor| Arc::new(self.actor(&actor))),
            ..change
        }
    }

    fn root(&self, root: &Root) -> Root {
        let label = self.name(&root.label);
        let path = Path::new("/").join(&label);

        Root { label, path, names: root.names }
    }

    fn shared_root(&self, root: &Root) -> Arc<Root> {
        Arc::new(self.root(root))
    }

    fn actor(&self, actor: &Actor) -> Actor {
        let system = |path: &&PathBuf| SYSTEM_PROGRAMS.iter().any(|dir| path.starts_with(dir));
        let program = actor
            .program
            .as_ref()
            .map(|path| match Some(path).filter(system) {
                Some(path) => path.clone(),
                None => self.path(path),
            });
        let uid = actor.uid.map(|uid| match uid {
            system if system < FIRST_PERSON => system,
            person => FIRST_PERSON + self.number(&person.to_string()) % 50_000,
        });
        let unit = actor.unit.as_ref().map(|unit| self.unit(unit));
        let client = actor.client.as_ref().map(|client| self.address(client));

        let parents = actor.parents.clone();
        Actor { pid: actor.pid, started: actor.started, program, uid, unit, client, parents }
    }

    /// Replaces the name of a person, or what was typed for one; those of the system stay.
    fn account(&self, account: Account) -> Account {
        match account.standing {
            Standing::System => account,
            Standing::Person | Standing::Nobody => {
                Account { name: self.word(&account.name), ..account }
            }
        }
    }

    /// Replaces the address of another machine.
    fn address(&self, address: &str) -> String {
        let [_, a, b, c] = self.number(address).to_be_bytes();

        Ipv4Addr::new(10, a, b, c).to_string()
    }

    /// Replaces every name in a path; its separators stay.
    fn path(&self, path: &Path) -> PathBuf {
        let part = |component: Component<'_>| match component {
            Component::Normal(name) => PathBuf::from(self.name(&name.to_string_lossy())),
            kept @ (Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir) => PathBuf::from(kept.as_os_str()),
        };

        path.components().map(part).collect()
    }

    fn name(&self, name: &str) -> String {
        if is_message_type(name) {
            return name.to_owned();
        }
        let message = names::is_ssmix2(name);
        let mut shown = String::new();
        let mut before = None;
        for part in parts(name) {
            let part = match part {
                Part::Separator(separator) => {
                    before = Some(separator);
                    shown.push(separator);
                    continue;
                }
                Part::Word(word) => word,
            };
            shown.push_str(&match before {
                Some('_') if message && part.chars().count() == 1 => part.to_owned(),
                _ if message && part.chars().all(|c| c.is_ascii_uppercase()) => part.to_owned(),
                Some('-') if message => part.to_owned(),
                Some('.') => self.extension(part),
                Some(_) | None => self.word(part),
            });
        }
        shown
    }

    /// Keeps a known extension, also with something written right behind it.
    fn extension(&self, part: &str) -> String {
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        if digits && part.len() <= TURN_MAX_DIGITS {
            return part.to_owned();
        }
        if digits {
            return self.word(part);
        }
        let known = |start: &&str| {
            let start = start.to_lowercase();
            !start.bytes().all(|b| b.is_ascii_digit())
                && (names::kind(&start).is_some() || names::is_allowed_suffix(&start, &[]))
        };
        let ends = part
            .char_indices()
            .map(|(at, _)| at)
            .skip(2)
            .chain([part.len()]);
        let starts = ends.filter_map(|end| part.split_at_checked(end));
        let longest = starts.filter(|(start, _)| known(start)).last();
        match longest {
            Some((known, "")) => known.to_owned(),
            Some((known, rest)) => format!("{known}{}", self.word(rest)),
            None => self.word(part),
        }
    }

    /// Returns the word for a word: as many digits for digits, letters for anything else.
    fn word(&self, word: &str) -> String {
        let tag = hmac::sign(&self.key, word.as_bytes());
        let tag = tag.as_ref();
        if word.bytes().all(|b| b.is_ascii_digit()) {
            let digit = |byte: &u8| char::from(b'0' + byte % 10);
            return tag.iter().cycle().take(word.len()).map(digit).collect();
        }
        let letter = |byte: &u8| {
            LETTERS
                .get(usize::from(byte % 16))
                .map_or('b', |b| char::from(*b))
        };

        tag.iter().take(WORD_LETTERS).map(letter).collect()
    }

    fn number(&self, text: &str) -> u32 {
        let tag = hmac::sign(&self.key, text.as_bytes());
        let first = tag.as_ref().iter().take(4);

        first.fold(0, |sum, byte| sum << 8 | u32::from(*byte))
    }
}

/// Whether a name is a type of SS-MIX2 messages, such as `ADT-00`.
fn is_message_type(name: &str) -> bool {
    let Some((kind, number)) = name.split_once('-') else { return false };
    kind.len() == 3
        && number.len() == 2
        && kind.bytes().all(|b| b.is_ascii_uppercase())
        && number.bytes().all(|b| b.is_ascii_digit())
}

enum Part<'a> {
    Separator(char),
    Word(&'a str),
}

/// Cuts a name into words and what stands between them.
fn parts(name: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if !first.is_alphanumeric() {
            rest = rest.split_at_checked(first.len_utf8())?.1;
            return Some(Part::Separator(first));
        }
        let end = rest
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(end)?;
        rest = behind;
        Some(Part::Word(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{Relation, relation};

    fn anonymiser() -> Anonymiser {
        Anonymiser::with_key(&[7; 32])
    }

    #[test]
    fn the_relation_of_two_names_stays() {
        let pairs = [
            ("山田太郎.docx", "山田太郎.docx.qzx"),
            ("a.docx", "a.docx_locked"),
            ("a.docx", "a.docxlocked"),
            ("a.docx", "a.docx.id-7.Lock2"),
            ("app.log", "app.log.1"),
            ("app.log", "app.log.20260209"),
            ("a.docx", "a.docx~"),
            ("a.docx", "8f3a91"),
            ("a.docx", "7.bin"),
            ("a.docx", "a.qzx"),
            (".a.pdf.Ab12Cd", "a.pdf"),
            ("x.part", "x.dcm"),
            ("2026-a.DOCX", "a.docx"),
            ("1234567_20260209_ADT-00_999999999999999_20260209015000000_-_1", "k3j"),
            ("noextension", "noextension.abc"),
        ];
        let kind = |from: &str, to: &str| match relation(from, to, &[]) {
            Relation::Unchanged => "unchanged",
            Relation::Appended { .. } => "appended",
            Relation::Ordinary { .. } => "ordinary",
            Relation::Lost { .. } => "lost",
        };
        for (from, to) in pairs {
            let (shown_from, shown_to) = (anonymiser().name(from), anonymiser().name(to));
            let shown = format!("{from} -> {to} became {shown_from} -> {shown_to}");
            assert_eq!(kind(&shown_from, &shown_to), kind(from, to), "{shown}");
        }
    }

    #[test]
    fn no_name_is_left_and_shapes_stay() {
        let name = "1234567_20260209_ADT-00_999999999999999_20260209015000000_12_1";
        let shown = anonymiser().name(name);
        assert!(names::is_ssmix2(&shown), "{shown}");
        assert!(!shown.contains("1234567") && shown.contains("_ADT-00_"), "{shown}");
        let path = Path::new("123/456/1234567890/20260209/ADT-00/山田 太郎.yamada.pdf");
        let shown = anonymiser().path(path).to_string_lossy().replace('\\', "/");
        for name in ["1234567890", "20260209", "山田", "太郎", "yamada"] {
            assert!(!shown.contains(name), "{shown}");
        }
        assert!(shown.contains("/ADT-00/") && shown.ends_with(".pdf"), "{shown}");
        assert_eq!(Path::new(&shown).components().count(), 6);
    }

    #[test]
    fn a_name_inside_another_stays_inside() {
        let anonymiser = anonymiser();
        let (whole, part) = (anonymiser.name("診療録.pdf"), anonymiser.name(".診療録.pdf.Ab12Cd"));
        assert!(part.contains(&whole), "{part} {whole}");
    }

    #[test]
    fn another_key_gives_other_words() {
        let other = Anonymiser::new().expect("this system gives random bytes");
        assert_ne!(other.name("山田太郎"), anonymiser().name("山田太郎"));
    }

    #[test]
    fn people_become_others_and_the_system_stays() {
        let actor = Actor {
            pid: 9,
            started: Some(1),
            program: Some(PathBuf::from("/home/yamada/run.exe")),
            uid: Some(1001),
            unit: Some("user-1001.slice".to_owned()),
            client: Some("192.168.1.7".to_owned()),
            parents: Vec::new(),
        };
        let text = format!("{:?}", anonymiser().actor(&actor));
        for name in ["yamada", "1001", "192.168"] {
            assert!(!text.contains(name), "{text}");
        }
        let smbd = Actor {
            program: Some(PathBuf::from("/usr/sbin/smbd")),
            uid: Some(0),
            unit: Some("smbd.service".to_owned()),
            client: None,
            ..actor
        };
        assert_eq!(anonymiser().actor(&smbd), smbd);
    }

    #[test]
    fn who_logs_on_from_where_and_prints_what_is_not_told() {
        let person = r#"{"logon":{"account":{"name":"yamada","standing":"person"},"outcome":"failed",
            "source":"192.168.1.7","service":"sshd","manner":"remote"}}"#;
        let system = r#"{"rights":{"account":{"name":"backup","standing":"system"},"change":"granted",
            "by":"group `sudo`"}}"#;
        let print =
            r#"{"print":{"printer":"ward-3f","title":"山田太郎 処方","wording":"ransom_note"}}"#;
        let told = |json: &str| {
            let fact = anonymiser().fact(serde_json::from_str(json).unwrap());
            serde_json::to_string(&fact).unwrap()
        };
        let shown = format!("{}{}", told(person), told(print));
        for name in ["yamada", "192.168", "ward", "山田", "処方"] {
            assert!(!shown.contains(name), "{shown}");
        }
        assert!(shown.contains("sshd") && shown.contains("ransom_note"), "{shown}");
        assert!(told(system).contains("\"backup\""), "{}", told(system));
    }
}
