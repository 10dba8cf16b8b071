//! The language of the cases: compact lines that become observations.
//!
//! ```text
//! +0.5s rename a.docx a.docx.qzx lost by=word     half a second later, a rename; its content no longer fits
//! x 600 in 20 dirs every 4ms by 18                the indented lines below it, 600 times, 4 ms apart
//!   write d{d}/f{n}.{ext} lost size=900 random    {n} turn, {d} turn modulo dirs, {p} turn modulo processes,
//! count                                           {ext} documents in turn, {src} sources in turn, {id} never twice
//! ```
//!
//! Verbs: `create`, `write`, `delete`, `moveout` PATH; `rename` FROM TO; `renamedir` FROM TO files=N; `found` PATH
//! suffix|magic; `lost` KIND [count=N]; `rescanned` start|overflow|rootback looked=N changed=N harmed=N [limited];
//! `root` whole|partial|unreadable|gone; `target` KIND NAME up|down [grace=N]; `host` disk=MOUNT:FREE/TOTAL memory=FREE/TOTAL;
//! `stop`, `start` NAME… [ending|regrouped], `guard`, `log`, `own` and `backup` as in `cases/safeguards.rs`;
//! `clock` +1h (the wall clock alone); `expect` opens a maintenance window of so long; `count` begins to count files
//! anew; `logon`, `rights` and `print` as in `cases/access.rs`; `fact` JSON any fact in the form it has in a trace.
//! Words behind a path: lost, agrees, random, shaped, note, locked, canary, size=N, by=PROCESS, client=ADDRESS; `on` LABEL goes
//! on in another root. Each turn of `x` and each line outside counts as one file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;
use shirase_agent::detectors::DetectorsConfig;
use shirase_agent::observation::{
    Actor, Fact, FileChange, Observation, Operation, Role, Root, Seal, Texture, Verdict, Wording,
};
use shirase_agent::replay::{Player, Window};
use shirase_agent::trace::Seen;
use shirase_shared::clock::Moment;
use shirase_shared::event::Event;
use shirase_shared::redact::{Names, Redactor};
use shirase_shared::testing::builders::moment;

use crate::safeguards;

/// Extensions of documents, in turn.
pub(crate) const DOCUMENTS: &[&str] = &["docx", "pdf", "xlsx", "jpg", "dcm", "txt"];
/// Extensions of sources, in turn.
pub(crate) const SOURCES: &[&str] = &["py", "toml", "md", "rs", "js", "json"];

/// An event and how many files had been touched when it was raised.
pub(crate) struct Told {
    pub(crate) after_files: usize,
    pub(crate) event: Event,
}

/// Plays lines to the detectors.
pub(crate) struct Stage {
    player: Player,
    root: Arc<Root>,
    /// Milliseconds since the case began, and how far the wall clock was set.
    passed_ms: u64,
    wall_off: SignedDuration,
    files: usize,
    numbers: u64,
    actors: BTreeMap<String, Arc<Actor>>,
    pub(crate) told: Vec<Told>,
}

/// One turn of a block.
#[derive(Clone, Copy, Default)]
struct Turn {
    n: usize,
    dirs: usize,
    processes: usize,
}

impl Stage {
    pub(crate) fn new(config: &DetectorsConfig, window: Option<SignedDuration>) -> Self {
        let from = moment(-1).wall;
        let window = window.map(|long| Window { from, until: moment(0).wall + long });
        let redactor = Redactor::new(&[7; 32]);
        let path = PathBuf::from("/share");
        Self {
            player: Player::new(config, redactor, window),
            root: Arc::new(Root { label: "share".to_owned(), path, names: Names::Hidden }),
            passed_ms: 0,
            wall_off: SignedDuration::ZERO,
            files: 0,
            numbers: 0x9e37_79b9,
            actors: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let start = moment(0);
        let passed = SignedDuration::from_millis(i64::try_from(self.passed_ms).unwrap());
        let wall = start.wall + passed + self.wall_off;
        // A machine that has been up for a month.
        let monotonic_ms = 30 * 86_400_000 + self.passed_ms;
        Moment { wall, monotonic_ms, ..start }
    }

    pub(crate) const fn passed_ms(&self) -> u64 {
        self.passed_ms
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.passed_ms += ms;
        let events = self.player.pass(self.now());
        self.note(events);
    }

    pub(crate) fn see(&mut self, fact: Fact) {
        let now = self.now();
        let events = self
            .player
            .play(&Seen { observation: Observation { at: now, fact }, now });
        self.note(events);
    }

    fn note(&mut self, events: Vec<Event>) {
        let after_files = self.files;
        let told = events.into_iter().map(|event| Told { after_files, event });
        self.told.extend(told);
    }

    /// Plays a whole text; says which line is wrong if one is.
    pub(crate) fn play(&mut self, text: &str) {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let Some(head) = line.strip_prefix("x ") else {
                self.line(line, Turn { n: self.files, dirs: 1, processes: 1 });
                self.files += usize::from(line != "count");
                continue;
            };
            let mut body = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                body.push(line.trim());
            }
            assert!(!body.is_empty(), "`{line}`: nothing indented stands below it");
            self.block(head, &body);
        }
    }

    fn block(&mut self, head: &str, body: &[&str]) {
        let words: Vec<_> = head.split_whitespace().collect();
        let after = |word: &str| {
            let place = words.iter().position(|found| *found == word)?;
            words.get(place + 1).copied()
        };
        let number = |word: &str| after(word).map_or(1, |text| text.parse::<usize>().unwrap());
        let count: usize = words.first().unwrap().parse().unwrap();
        let every = after("every").map_or(0, ms);
        let (dirs, processes) = (number("in"), number("by"));
        for n in 0..count {
            self.pass(every);
            self.files += 1;
            for line in body {
                self.line(line, Turn { n, dirs, processes });
            }
        }
    }

    fn line(&mut self, line: &str, turn: Turn) {
        let mut words: Vec<_> = line
            .split_whitespace()
            .map(|word| self.filled(word, turn))
            .collect();
        // One id a line would be of no use: those of a line are the same.
        self.numbers = self
            .numbers
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        if let Some(pause) = words.first().and_then(|word| word.strip_prefix('+')) {
            self.pass(ms(pause));
            words.remove(0);
        }
        let Some((verb, rest)) = words.split_first() else { return };
        if verb == "fact" {
            let json = line.split_once("fact ").unwrap().1;
            let json = self.filled(json, turn);
            return self
                .see(serde_json::from_str(&json).unwrap_or_else(|e| panic!("`{line}`: {e}")));
        }
        if let Some(fact) = self.fact(verb, rest, line) {
            self.see(fact);
        }
    }

    fn filled(&self, word: &str, turn: Turn) -> String {
        let Turn { n, dirs, processes } = turn;
        word.replace("{n}", &n.to_string())
            .replace("{d}", &(n % dirs).to_string())
            .replace("{p}", &(n % processes).to_string())
            .replace("{ext}", DOCUMENTS[n % DOCUMENTS.len()])
            .replace("{src}", SOURCES[n % SOURCES.len()])
            .replace("{id}", &format!("{:x}", self.numbers))
    }

    fn fact(&mut self, verb: &str, rest: &[String], line: &str) -> Option<Fact> {
        let first = rest.first().map_or("", String::as_str);
        let second = rest.get(1).map_or("", String::as_str);
        let value = |key: &str| value(rest, key);
        let number = |key: &str| value(key).map(|text| text.parse::<u64>().unwrap());
        let root = json!({"label": self.root.label, "path": self.root.path, "names": "hidden"});
        let of =
            |json| Some(serde_json::from_value(json).unwrap_or_else(|e| panic!("`{line}`: {e}")));
        match verb {
            "found" => {
                let sign = if second == "magic" { "magic_lost" } else { "suffix_appended" };
                let at = self.now().wall;
                of(json!({"found":
                    {"root": root, "below": first, "changed_at": at, "sign": sign}}))
            }
            "lost" => {
                let count = number("count");
                of(json!({"lost": {"what": first, "count": count, "detail": "as told"}}))
            }
            "rescanned" => {
                let cause = if first == "rootback" { "root_back" } else { first };
                let limited = rest.iter().any(|word| word == "limited");
                of(json!({"rescanned": {
                    "root": root, "cause": cause, "looked_at": number("looked"),
                    "changed": number("changed"), "suspicious": number("harmed"),
                    "extent": if limited { "limited" } else { "whole" }}}))
            }
            "root" => of(json!({"root": {"root": root, "sight": first, "detail": "as told"}})),
            "target" => {
                let presence = rest.get(2).expect("target KIND NAME up|down");
                of(json!({"target": {
                    "target": {"watched_as": first, "name": second}, "presence": presence,
                    "detail": "as told", "grace_secs": number("grace")}}))
            }
            "host" => {
                let disks: Vec<_> = value("disk")
                    .iter()
                    .map(|disk| {
                        let (mount, size) = disk.split_once(':').unwrap();
                        let (free_bytes, total_bytes) = sizes(size);
                        json!({"mount": mount, "free_bytes": free_bytes, "total_bytes": total_bytes})
                    })
                    .collect();
                let (free, total) = value("memory").map_or((0, 0), |memory| sizes(&memory));
                of(json!({"host": {"disks": disks, "memory_available_bytes": free,
                    "memory_total_bytes": total, "load_one": 0.5}}))
            }
            "clock" => {
                let by = SignedDuration::from_millis(
                    i64::try_from(ms(&first.replace(['+', '-'], ""))).unwrap(),
                );
                self.wall_off += if first.starts_with('-') { -by } else { by };
                None
            }
            "count" => {
                self.files = 0;
                None
            }
            "on" => {
                self.set_root(first);
                None
            }
            _ => match super::access::fact(verb, rest) {
                Some(fact) => of(fact),
                None => Some(
                    safeguards::fact(verb, rest, self.now().wall)
                        .unwrap_or_else(|| self.change(verb, rest, line)),
                ),
            },
        }
    }

    fn change(&mut self, verb: &str, rest: &[String], line: &str) -> Fact {
        let first = rest.first().map_or("", String::as_str);
        let second = rest.get(1).map_or("", String::as_str);
        let from = PathBuf::from(first);
        let value = |key: &str| value(rest, key);
        let number = |key: &str| value(key).map(|text| text.parse::<u64>().unwrap());
        let (operation, path, used) = match verb {
            "create" => (Operation::Created, first, 1),
            "write" => (Operation::Written, first, 1),
            "delete" => (Operation::Deleted, first, 1),
            "moveout" => (Operation::MovedOut, first, 1),
            "rename" => (Operation::Renamed { from }, second, 2),
            "renamedir" => {
                let files = number("files").expect("renamedir needs files=N");
                (Operation::DirectoryRenamed { from, files }, second, 2)
            }
            _ => panic!("`{line}`: no such verb"),
        };
        let mut change = FileChange::new(Arc::clone(&self.root), PathBuf::from(path), operation);
        assert!(!path.is_empty(), "`{line}`: a path is missing");
        for word in &rest[used..] {
            match word.as_str() {
                "lost" => change.verdict = Verdict::Lost,
                "agrees" => change.verdict = Verdict::Agrees,
                "random" => change.texture = Texture::Random,
                "shaped" => change.texture = Texture::Shaped,
                "locked" => change.seal = Seal::Locked,
                "note" => change.wording = Wording::RansomNote,
                "canary" => change.role = Role::Canary,
                other => assert!(other.contains('='), "`{line}`: what is `{other}`?"),
            }
        }
        change.size = number("size").or(match change.operation {
            Operation::Written | Operation::Renamed { .. } => Some(4096),
            Operation::Created
            | Operation::Deleted
            | Operation::MovedOut
            | Operation::DirectoryRenamed { .. } => None,
        });
        change.actor = value("by").map(|name| self.actor(&name, value("client")));
        Fact::File(change)
    }

    pub(crate) fn actor(&mut self, name: &str, client: Option<String>) -> Arc<Actor> {
        let pid = 1000 + u32::try_from(self.actors.len()).unwrap();
        let made = || {
            let program = Some(PathBuf::from(format!("/usr/bin/{name}")));
            let unit = Some(format!("{name}.service"));
            Arc::new(Actor {
                pid,
                started: Some(u64::from(pid)),
                program,
                uid: Some(33),
                unit,
                client,
                parents: Vec::new(),
            })
        };
        Arc::clone(self.actors.entry(name.to_owned()).or_insert_with(made))
    }

    pub(crate) fn set_root(&mut self, label: &str) {
        let path = PathBuf::from("/srv").join(label);
        self.root = Arc::new(Root { label: label.to_owned(), path, names: Names::Hidden });
    }
}

/// What stands behind `key=` in one of the words.
pub(crate) fn value(words: &[String], key: &str) -> Option<String> {
    let value = |word: &String| word.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
    words.iter().find_map(value)
}

/// `4ms`, `0.5s`, `2min`, `6h`.
pub(crate) fn ms(text: &str) -> u64 {
    for (unit, factor) in [("ms", 1.0), ("min", 60_000.0), ("s", 1000.0), ("h", 3_600_000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            let number: f64 = number
                .parse()
                .unwrap_or_else(|_| panic!("`{text}` is no time"));
            let whole = std::time::Duration::from_secs_f64(number * factor / 1000.0);
            return u64::try_from(whole.as_millis()).unwrap();
        }
    }
    panic!("`{text}` is no time: write `4ms`, `0.5s`, `2min` or `6h`")
}

/// `6G/100G` in bytes.
fn sizes(text: &str) -> (u64, u64) {
    let bytes = |text: &str| text.strip_suffix('G').unwrap().parse::<u64>().unwrap() << 30;
    let (free, total) = text.split_once('/').unwrap();
    (bytes(free), bytes(total))
}
