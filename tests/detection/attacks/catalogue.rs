//! Every attack, by the names of the facts the project started from, and further ones behind a dash.

use super::{Attack, FAST, Goal, Strike, Twist};
use crate::deed::{Deed, Pattern, Suffix};
use crate::tree::{Order, TreeSize};

/// Returns all attacks.
pub(crate) fn catalogue() -> Vec<Attack> {
    [names(), contents(), removals(), doors(), evasions(), safeguards(), paces(), walks()].concat()
}

/// What leaves its mark on names.
fn names() -> Vec<Attack> {
    use Suffix::{Ordinary, Random, Same};
    vec![
        Attack {
            short: true,
            ..Attack::new("A01", "rename only, one extension", Deed::Rename(Same))
        },
        Attack {
            short: true,
            ..Attack::new(
                "A03",
                "overwrite, then append an extension",
                Deed::OverwriteAndRename(Pattern::Whole, Same),
            )
        },
        Attack {
            short: true,
            ..Attack::new(
                "A04",
                "write an encrypted copy, delete the file",
                Deed::CopyAndDelete(Same),
            )
        },
        Attack::new("A08", "another random extension for each file", Deed::Rename(Random)),
        Attack::new("A09", "overwrite, then a random name without extension", Deed::RandomName),
        Attack::new(
            "A03-hidden-behind-gz",
            "overwrite, then append `.gz`, which ordinary work does too",
            Deed::OverwriteAndRename(Pattern::Whole, Ordinary),
        ),
        Attack {
            note_first: true,
            ..Attack::new(
                "A03-with-note",
                "a ransom note in each directory, then overwrite and append",
                Deed::OverwriteAndRename(Pattern::Whole, Same),
            )
        },
        Attack::new("A12", "a ransom note in every directory and nothing else", Deed::Note),
        Attack {
            goal: Goal::Removal,
            ..Attack::new(
                "A14",
                "rename directories, each with an extension",
                Deed::DirectoryRename(Same),
            )
        },
    ]
}

/// What leaves its mark on contents alone.
fn contents() -> Vec<Attack> {
    use Pattern::{AllButHead, Alternating, Head, Stripes, StripesButHead, Whole};
    vec![
        Attack {
            short: true,
            ..Attack::new("A02", "overwrite in place, names stay", Deed::Overwrite(Whole))
        },
        Attack::new("A02-head-only", "overwrite the first 4 KiB", Deed::Overwrite(Head)),
        Attack::new(
            "A02-but-head",
            "overwrite all but the first 4 KiB: the file still begins well",
            Deed::Overwrite(AllButHead),
        ),
        Attack::new(
            "A05",
            "intermittent: 1 KiB of every 16 KiB, in place",
            Deed::Overwrite(Stripes),
        ),
        Attack::new(
            "A05-but-head",
            "intermittent, and the first 4 KiB stay",
            Deed::Overwrite(StripesButHead),
        ),
        Attack::new(
            "A05-alternating",
            "every other 16 bytes of the whole file",
            Deed::Overwrite(Alternating),
        ),
        Attack::new(
            "A02-replace-over",
            "write the encrypted file beside, rename it over the old one",
            Deed::ReplaceOver,
        ),
    ]
}

/// What takes files away.
fn removals() -> Vec<Attack> {
    vec![
        Attack {
            goal: Goal::Removal,
            short: true,
            ..Attack::new("A10", "delete everything", Deed::Delete)
        },
        Attack {
            goal: Goal::Removal,
            short: true,
            ..Attack::new("A11", "cut every file to nothing by its name", Deed::Truncate)
        },
        Attack {
            goal: Goal::Removal,
            ..Attack::new(
                "A13",
                "pack each directory into a locked archive, delete the files",
                Deed::Archive,
            )
        },
        Attack {
            goal: Goal::Seen,
            ..Attack::new(
                "A13-open",
                "pack each directory into an archive anybody opens (zip -m), delete the files",
                Deed::ArchiveOpen,
            )
        },
        Attack {
            goal: Goal::Seen,
            ..Attack::new(
                "A14-word",
                "rename directories, each with an extension that is a word",
                Deed::DirectoryRename(Suffix::Word),
            )
        },
        Attack {
            goal: Goal::Removal,
            ..Attack::new("A15", "move everything into one folder as N.bin", Deed::MoveTogether)
        },
        Attack {
            goal: Goal::Removal,
            ..Attack::new("A15-out", "move everything out of the watched directory", Deed::MoveOut)
        },
        Attack {
            goal: Goal::Seen,
            ..Attack::new(
                "A15-out-whole",
                "move whole directories out of the watched one",
                Deed::MoveOutWhole,
            )
        },
    ]
}

/// What comes through another door than the file's own name.
fn doors() -> Vec<Attack> {
    use Suffix::Same;
    vec![
        Attack {
            twist: Twist::Samba,
            ..Attack::new(
                "A16",
                "through Samba: a client renames over the network",
                Deed::Rename(Same),
            )
        },
        Attack {
            twist: Twist::Samba,
            rate: Some(30.0),
            ..Attack::new(
                "A16-overwrite",
                "through Samba: a client overwrites and renames, 30 a second",
                Deed::OverwriteAndRename(Pattern::Whole, Same),
            )
        },
        Attack::new(
            "A17",
            "overwrite through a memory mapping, then append",
            Deed::Mapped(Some(Same)),
        ),
        Attack::new(
            "A17-in-place",
            "overwrite through a memory mapping, names stay",
            Deed::Mapped(None),
        ),
        Attack::new("A18", "overwrite through hard links from outside", Deed::ThroughHardLink),
        Attack::new("A18-symbolic", "overwrite through symbolic links", Deed::ThroughSymbolicLink),
        Attack::new(
            "A19",
            "move out, overwrite there, move back with an extension",
            Deed::OutAndBack(Same),
        ),
    ]
}

/// What tries to get past the agent itself.
fn evasions() -> Vec<Attack> {
    let encrypt = || Deed::OverwriteAndRename(Pattern::Whole, Suffix::Same);
    vec![
        Attack { processes: 18, ..Attack::new("A07", "18 processes share the work", encrypt()) },
        Attack {
            processes: 4,
            ..Attack::new("A03-4-processes", "4 processes share it", encrypt())
        },
        Attack {
            decoy_renames: 100_000,
            ..Attack::new(
                "A20",
                "100,000 harmless renames at full speed first, then the real work",
                encrypt(),
            )
        },
        Attack {
            twist: Twist::Killed,
            goal: Goal::Seen,
            files_max: 200,
            ..Attack::new("A21", "kill the agent, encrypt 200 files, let it start again", encrypt())
        },
        Attack {
            twist: Twist::Suspended,
            goal: Goal::Seen,
            files_max: 200,
            ..Attack::new(
                "A21-suspended",
                "suspend the agent, encrypt 200 files, let it go on",
                encrypt(),
            )
        },
    ]
}

/// What is aimed at logs, backups and the agent, and seen by the service alone.
fn safeguards() -> Vec<Attack> {
    let at = |name, about, strike| Attack {
        twist: Twist::Safeguards(strike),
        goal: Goal::Seen,
        ..Attack::new(name, about, Deed::Delete)
    };
    vec![
        at("A21-logs", "cut six logs to nothing (T1070)", Strike::Logs),
        at("A21-backups", "delete every generation of a backup (T1490)", Strike::Backups),
        at("A21-own-key", "write the agent's own key anew", Strike::OwnKey),
    ]
}

/// The same attack at other rates.
fn paces() -> Vec<Attack> {
    let encrypt = || Deed::OverwriteAndRename(Pattern::Whole, Suffix::Same);
    let pace =
        |name, about, rate, goal| Attack { rate, goal, ..Attack::new(name, about, encrypt()) };
    vec![
        Attack {
            files_max: 24,
            ..pace("A06", "slow: 10 files a minute", Some(10.0 / 60.0), Goal::Slow)
        },
        pace("A03-30", "30 files a second", Some(30.0), Goal::Few),
        pace("A03-300", "300 files a second", Some(300.0), Goal::Few),
        pace("A03-1000", "1,000 files a second", Some(1000.0), Goal::Seen),
        pace("A03-unthrottled", "as fast as it goes", None, Goal::Seen),
        Attack {
            rate: None,
            goal: Goal::Seen,
            ..Attack::new(
                "A01-unthrottled",
                "rename only, as fast as it goes",
                Deed::Rename(Suffix::Same),
            )
        },
        Attack {
            processes: 18,
            ..pace("A07-unthrottled", "18 processes as fast as they go", None, Goal::Seen)
        },
    ]
}

/// The same attack in other orders and on other trees.
fn walks() -> Vec<Attack> {
    let encrypt = || Deed::OverwriteAndRename(Pattern::Whole, Suffix::Same);
    let order = |name, about, order| Attack { order, ..Attack::new(name, about, encrypt()) };
    let tree = |name, about, tree| Attack {
        tree,
        order: Order::Random,
        rate: Some(FAST),
        ..Attack::new(name, about, encrypt())
    };
    vec![
        order("A03-random-order", "files in random order", Order::Random),
        order("A03-newest-first", "the newest files first", Order::NewestFirst),
        order("A03-smallest-first", "the smallest files first", Order::SmallestFirst),
        Attack {
            order: Order::Random,
            ..Attack::new(
                "A02-random-order",
                "in place, in random order",
                Deed::Overwrite(Pattern::Whole),
            )
        },
        tree("A03-tree-1000", "a tree of 1,000 files", TreeSize::THOUSAND),
        tree("A03-tree-10000", "a tree of 10,000 files", TreeSize::TEN_THOUSAND),
        tree("A03-tree-100000", "a tree of 100,000 files", TreeSize::HUNDRED_THOUSAND),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_attack_of_the_facts_is_there_under_a_name_of_its_own() {
        let names: Vec<_> = catalogue().into_iter().map(|attack| attack.name).collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "two attacks share a name");
        for number in 1..=21 {
            let name = format!("A{number:02}");
            assert!(names.contains(&name.as_str()), "{name} is missing");
        }
    }
}
