//! Says in plain words what speaks for harm, how many, since when, who did it, and what would have kept it quiet.

use jiff::Timestamp;
use shirase_shared::event::{Actor, MassChange};
use shirase_shared::redact::OTHER_EXTENSION;

use super::evidence::Evidence;
use super::severity::Because;

/// Authors named in a reason.
const AUTHORS_NAMED: usize = 2;

/// What is known of a burst, from its totals or from its manifest.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Files harmed.
    pub files: u64,
    /// When the first of them was.
    pub since: Timestamp,
    /// How many seconds it lasted.
    pub seconds: i64,
    /// What was seen of them.
    pub totals: MassChange,
    /// Files that could not be vouched for.
    pub unproven: u64,
    /// New files with content that does not fit their name.
    pub misfits: u64,
    /// Odd names among SS-MIX2 messages.
    pub odd_messages: u64,
    /// Files gone beside a new archive that is locked.
    pub locked_away: u64,
    /// Directories with the words of a ransom note.
    pub worded: u64,
    /// Files with a suffix or a name that is an attacker's.
    pub known_bad: u64,
}

impl Story {
    /// Counts one piece of evidence about `files` files.
    pub fn count(&mut self, evidence: Evidence, files: u64) {
        if let Some(slot) = self.slot(evidence) {
            *slot += files;
        }
    }

    /// Takes one piece of evidence back.
    pub(super) fn uncount(&mut self, evidence: Evidence) {
        if let Some(slot) = self.slot(evidence) {
            *slot = slot.saturating_sub(1);
        }
    }

    /// Where this kind of evidence is added up; notes are told by directories.
    fn slot(&mut self, evidence: Evidence) -> Option<&mut u64> {
        let totals = &mut self.totals;
        match evidence {
            Evidence::SuffixAppended => Some(&mut totals.suffix_appended),
            Evidence::ExtensionLost => Some(&mut totals.extension_lost),
            Evidence::Replaced => Some(&mut totals.replaced),
            Evidence::DirectoryRenamed | Evidence::DirectoryTaken => {
                Some(&mut totals.directories_renamed)
            }
            Evidence::MagicLost => Some(&mut totals.magic_lost),
            Evidence::Randomised => Some(&mut totals.randomised),
            Evidence::Deleted => Some(&mut totals.deleted),
            Evidence::MovedOut => Some(&mut totals.moved_out),
            Evidence::Truncated => Some(&mut totals.truncated),
            Evidence::Canary => Some(&mut totals.canaries),
            Evidence::LockedAway => Some(&mut self.locked_away),
            Evidence::Misfit | Evidence::Substituted => Some(&mut self.misfits),
            Evidence::MessageBroken => Some(&mut self.odd_messages),
            Evidence::Unproven => Some(&mut self.unproven),
            Evidence::KnownBad => Some(&mut self.known_bad),
            Evidence::Note | Evidence::RansomNote => None,
        }
    }

    /// Says what was seen: how many, where, since when, of what kind and by whom.
    #[must_use]
    pub fn told(&self) -> String {
        let since = self.since.strftime("%Y-%m-%d %H:%M:%S UTC");
        let files = counted(self.files, "file", "files");
        let directories = counted(self.totals.directories, "directory", "directories");
        let evidence = self.evidence().join(", ");
        let by = authors(&self.totals.actors);
        let by = if by.is_empty() { by } else { format!("; by {by}") };
        let seconds = self.seconds;

        let harmed = if self.files == 0 {
            "no file harmed yet".to_owned()
        } else {
            format!("{files} harmed in {directories}")
        };
        format!("{harmed} since {since} ({seconds} s): {evidence}{by}")
    }

    fn evidence(&self) -> Vec<String> {
        let totals = &self.totals;
        let suffixes = suffixes(totals);
        let mut parts = vec![
            (totals.canaries, "decoys touched that nobody has a reason to touch".to_owned()),
            (self.known_bad, format!("got a suffix or a name known to be an attacker's{suffixes}")),
            (
                totals.suffix_appended,
                format!("gained a suffix no ordinary program appends{suffixes}"),
            ),
            (
                totals.directories_renamed,
                format!("directories gained a suffix behind their name{suffixes}"),
            ),
            (totals.extension_lost, "lost their extension or got an unknown one".to_owned()),
            (
                totals.replaced,
                format!("were replaced by a new file with another name behind theirs{suffixes}"),
            ),
            (totals.magic_lost, "no longer begin the way their name promises".to_owned()),
            (totals.randomised, "were overwritten with what looks random".to_owned()),
            (totals.deleted, "that were there before were deleted".to_owned()),
            (totals.moved_out, "that were there before were moved away".to_owned()),
            (totals.truncated, "that were there before were cut to nothing".to_owned()),
            (
                self.locked_away,
                "of these lie in a new archive that is locked, as it seems".to_owned(),
            ),
            (self.misfits, "are new with content that does not fit their name".to_owned()),
            (self.odd_messages, "lie among SS-MIX2 messages under odd names".to_owned()),
            (self.unproven, "changed in a way that could not be vouched for".to_owned()),
        ];
        parts.retain(|(count, _)| 0 < *count);
        let mut said: Vec<_> = parts
            .into_iter()
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if 0 < self.worded {
            let directories = counted(self.worded, "directory", "directories");
            said.push(format!("a text in the words of a ransom note lies in {directories}"));
        } else if 0 < totals.note_directories {
            let count = totals.note_directories;
            said.push(format!("the same new text lies in {count} directories"));
        }
        said
    }

    /// Says what would have kept it quiet.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        let totals = &self.totals;
        let certain =
            totals.magic_lost + totals.randomised + totals.canaries + self.worded + self.known_bad;
        let names = totals.suffix_appended
            + totals.directories_renamed
            + totals.extension_lost
            + totals.replaced;
        if 0 < certain {
            "no maintenance window, job or setting keeps lost content, decoys, ransom notes and known bad names quiet"
        } else if 0 < names {
            "`allowed_suffixes`, a job or a maintenance window on this root would have kept it low"
        } else {
            "a job or a maintenance window on this root would have kept it low"
        }
    }
}

/// The rule that told a burst, in words: what it counted, and whose work it is if that is the point.
pub(super) fn because(because: Because, count: u64, who: &str) -> String {
    match because {
        Because::Canary => "a decoy was touched".to_owned(),
        Because::CanaryAndMore => format!("a decoy was touched beside other harm ({count} files)"),
        Because::Fast => format!("{count} within ten seconds are enough (`high_files`)"),
        Because::Note => format!("beside a note in {count} directories one harmed file is enough"),
        Because::Minutes => format!("{count} within two minutes are enough"),
        Because::Day => format!("{count} within a day are enough, few at a time"),
        Because::Removed => format!(
            "files a hospital would miss are gone within two minutes, and they count for {count} (`removed_files`)"
        ),
        Because::RemovedCommon => {
            format!("{count} files are gone within two minutes, few of which a hospital would miss")
        }
        Because::Usual => format!("{count} within two minutes are usual at this hour"),
        Because::Words => format!("the words of a ransom note lie in {count} directories"),
        Because::Misfits => format!(
            "new files at once do not hold what their names say, and they count for {count}: three each where they were \
             given those names by a rename"
        ),
        Because::Messages => {
            format!("{count} odd names came where those of SS-MIX2 messages were whole for a week")
        }
        Because::Weak => format!("{count} at once could not be vouched for"),
        Because::Doer => format!("{who} harmed {count} files on several roots"),
        Because::Total => format!("{count} in one burst are enough (`critical_files`)"),
    }
}

fn suffixes(totals: &MassChange) -> String {
    let named = |(suffix, _): &(&String, &u64)| *suffix != OTHER_EXTENSION;
    let mut suffixes: Vec<_> = totals.suffixes.iter().filter(named).collect();
    suffixes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown: Vec<_> = suffixes
        .iter()
        .take(3)
        .map(|(suffix, _)| format!("`.{suffix}`"))
        .collect();

    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
}

/// Names the busiest: `python3` of cron.service for 192.0.2.7 (2 processes, 12 files).
pub(super) fn authors(actors: &[Actor]) -> String {
    let named: Vec<_> = actors.iter().take(AUTHORS_NAMED).map(author).collect();
    let more = actors.len().saturating_sub(AUTHORS_NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };

    format!("{}{more}", named.join(", "))
}

fn author(actor: &Actor) -> String {
    let program = match actor.program.as_str() {
        "" => "a process that was gone too soon to be named".to_owned(),
        program => format!("`{program}`"),
    };
    let unit = actor.unit.as_ref().map(|unit| format!(" of {unit}"));
    let client = actor
        .client
        .as_ref()
        .map(|client| format!(" for the client {client}"));
    let (unit, client) = (unit.unwrap_or_default(), client.unwrap_or_default());
    let processes = counted(actor.processes, "process", "processes");
    let files = counted(actor.files, "file", "files");

    format!("{program}{unit}{client} ({processes}, {files})")
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
