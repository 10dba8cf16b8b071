//! Tells a burst again from the lines of its manifest: which evidence, how many, since when, who.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use shirase_shared::event;

use crate::detectors::mass_change::{Evidence, Story};
use crate::names;
use crate::observation::{Actor, file_name};

/// A line about a touched file.
#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    path: String,
    from: Option<String>,
    files: Option<u64>,
    #[serde(default)]
    evidence: Vec<String>,
    actor: Option<Actor>,
}

/// Reads a manifest's lines one by one.
#[derive(Default)]
pub(super) struct Retold {
    story: Story,
    /// When the last one was.
    last: Option<Timestamp>,
    /// What is known of each file, by the name it had.
    known: BTreeMap<String, BTreeSet<Evidence>>,
    directories: BTreeSet<String>,
    notes: BTreeSet<String>,
    worded: BTreeSet<String>,
    authors: BTreeMap<Author, Deeds>,
}

/// Who did it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Author {
    program: String,
    unit: Option<String>,
    client: Option<String>,
}

/// What somebody did, with which processes.
#[derive(Default)]
struct Deeds {
    processes: BTreeSet<u32>,
    files: u64,
}

impl Retold {
    /// Takes a line; one that is about no file is passed over.
    pub(super) fn take(&mut self, line: &str) {
        let Ok(line) = serde_json::from_str::<Line>(line) else { return };
        let directory = || {
            let parent = Path::new(&line.path).parent();
            parent.map_or_else(String::new, |parent| parent.to_string_lossy().into_owned())
        };
        let evidence = line
            .evidence
            .iter()
            .filter_map(|name| Evidence::from_name(name));
        for evidence in evidence {
            self.story.since = match self.last {
                Some(_) => self.story.since.min(line.at),
                None => line.at,
            };
            self.last = self.last.max(Some(line.at));
            if evidence == Evidence::Note {
                self.notes.insert(directory());
            } else if evidence == Evidence::RansomNote {
                self.worded.insert(directory());
            } else {
                self.file(&line, evidence, directory());
            }
        }
    }

    fn file(&mut self, line: &Line, evidence: Evidence, directory: String) {
        let name = line.from.as_ref().unwrap_or(&line.path);
        let known = self.known.entry(name.clone()).or_default();
        let first = known.is_empty();
        if !known.insert(evidence) {
            return;
        }
        self.story.count(evidence, 1);
        if evidence == Evidence::SuffixAppended
            && let Some(suffix) = names::extension(&file_name(Path::new(&line.path)))
        {
            *self.story.totals.suffixes.entry(suffix).or_default() += 1;
        }
        if !evidence.is_harm() || !first {
            return;
        }
        let files = line.files.unwrap_or(1);
        self.story.files += files;
        self.directories.insert(directory);
        if let Some(actor) = &line.actor {
            let program = actor.program.as_deref().map(file_name).unwrap_or_default();
            let (unit, client) = (actor.unit.clone(), actor.client.clone());
            let deeds = self
                .authors
                .entry(Author { program, unit, client })
                .or_default();
            deeds.processes.insert(actor.pid);
            deeds.files += files;
        }
    }

    /// Returns the lines to print; none if the manifest says nothing of harm.
    pub(super) fn tell(mut self) -> Vec<String> {
        let Some(last) = self.last else { return Vec::new() };
        let count = |set: &BTreeSet<String>| u64::try_from(set.len()).unwrap_or(u64::MAX);
        self.story.seconds = last.duration_since(self.story.since).as_secs();
        self.story.worded = count(&self.worded);
        self.story.totals.note_directories = count(&self.notes);
        self.story.totals.directories = count(&self.directories);
        let author = |(Author { program, unit, client }, Deeds { processes, files })| {
            let processes = u64::try_from(processes.len()).unwrap_or(u64::MAX);
            event::Actor { program, unit, user: None, client, processes, files }
        };
        let mut authors: Vec<_> = self.authors.into_iter().map(author).collect();
        authors.sort_by_key(|author| std::cmp::Reverse(author.files));
        self.story.totals.actors = authors;

        vec![
            format!("  seen      {}", self.story.told()),
            format!("  quiet if  {}", self.story.remedy()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_says_what_how_many_since_when_and_who() {
        let mut retold = Retold::default();
        let actor = r#"{"pid":7,"started":1,"program":"/tmp/evil","uid":33,"unit":"cron.service","client":null}"#;
        for number in 0..12 {
            let at = format!("2026-02-09T01:50:{:02}Z", number * 2);
            retold.take(&format!(
                r#"{{"at":"{at}","root":"s","path":"/s/d/{number}.pdf","operation":"written","evidence":["magic_lost"],"actor":{actor}}}"#
            ));
            retold.take(&format!(
                r#"{{"at":"{at}","root":"s","path":"/s/d/{number}.pdf.qzx","operation":"renamed","from":"/s/d/{number}.pdf","evidence":["suffix_appended"],"actor":{actor}}}"#
            ));
        }
        retold.take(r#"{"path":"/s/HOW.txt","note":"pay"}"#);
        retold.take(r#"{"files":24,"omitted":0}"#);
        let told = retold.tell().join("\n");
        for said in [
            "12 files harmed in 1 directory since 2026-02-09 01:50:00 UTC (22 s)",
            "12 gained a suffix no ordinary program appends (`.qzx`)",
            "12 no longer begin the way their name promises",
            "by `evil` of cron.service (1 process, 12 files)",
            "no maintenance window, job or setting",
        ] {
            assert!(told.contains(said), "`{said}` is not in: {told}");
        }
        assert!(Retold::default().tell().is_empty());
    }
}
