//! Tells everything this host knows about one event, or about every event of one burst.
//!
//! What is known here: records that wait for the collector, the most recent ones it has already, and the damage
//! manifest of a burst while it lies on this host.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::str::FromStr;

use shirase_shared::event::{Phase, Record};
use shirase_shared::ids::{BurstId, Sequence, StreamId};

use super::retold::Retold;
use crate::shown::japan_time;

/// Most lines of a manifest that are told.
const MANIFEST_LINES_MAX: usize = 1000;

/// Which events are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Those with this number, in any stream.
    Number(Sequence),
    /// The one with this key.
    Key(StreamId, Sequence),
    /// Those of this burst.
    Burst(BurstId),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map(Sequence).ok();
        if let Some(sequence) = number(text) {
            return Ok(Self::Number(sequence));
        }
        if let Some((stream, sequence)) = text.split_once('/')
            && let (Ok(stream), Some(sequence)) = (stream.parse(), number(sequence))
        {
            return Ok(Self::Key(stream, sequence));
        }
        text.parse().map(Self::Burst).map_err(|_| {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
            format!(
                "`{shown}` names no event; give a number, `STREAM/NUMBER`, or the id of a burst"
            )
        })
    }
}

impl Wanted {
    fn includes(self, record: &Record) -> bool {
        match self {
            Self::Number(sequence) => record.sequence == sequence,
            Self::Key(stream, sequence) => (record.stream, record.sequence) == (stream, sequence),
            Self::Burst(burst) => record.event.burst == Some(burst),
        }
    }
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whereabouts {
    Waiting,
    Stored,
}

/// Gathers what fits and tells it.
pub(super) struct Explanation {
    wanted: Wanted,
    found: Vec<(Record, Whereabouts)>,
}

impl Explanation {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted, found: Vec::new() }
    }

    /// Looks at one line of the buffer's export; lines that are no records are passed over.
    pub(super) fn offer_waiting(&mut self, line: &str) {
        if let Ok(record) = serde_json::from_str::<Record>(line)
            && self.wanted.includes(&record)
        {
            self.found.push((record, Whereabouts::Waiting));
        }
    }

    /// Looks at one remembered record; one that waits still has been seen before.
    pub(super) fn offer_recent(&mut self, record: Record) {
        let key = |record: &Record| (record.stream, record.sequence);
        if self.wanted.includes(&record)
            && !self
                .found
                .iter()
                .any(|(known, _)| key(known) == key(&record))
        {
            self.found.push((record, Whereabouts::Stored));
        }
    }

    /// Returns the lines to print. `manifests` is where bursts under way note what they harmed.
    pub(super) fn tell(mut self, manifests: &Path) -> Result<Vec<String>, String> {
        if self.found.is_empty() {
            return Err(
                "this host knows no such event (any more); those the collector has are on its console".to_owned()
            );
        }
        self.found
            .sort_by_key(|(record, _)| record.event.moment.wall);
        let mut lines = Vec::new();
        for (record, whereabouts) in &self.found {
            lines.extend(lines_of(record, *whereabouts));
        }
        let mut bursts: Vec<_> = self
            .found
            .iter()
            .filter_map(|(r, _)| r.event.burst)
            .collect();
        bursts.sort_unstable();
        bursts.dedup();
        for burst in bursts {
            lines.extend(manifest_lines(manifests, burst));
        }

        Ok(lines)
    }
}

fn lines_of(record: &Record, whereabouts: Whereabouts) -> Vec<String> {
    let event = &record.event;
    let place = match whereabouts {
        Whereabouts::Waiting => "waits for the collector",
        Whereabouts::Stored => "has left this host's buffer",
    };
    let phase = match event.phase {
        Phase::Opened => "opened",
        Phase::Grew => "grew",
        Phase::Ended => "ended",
        Phase::Once => "once",
    };
    let mut lines = vec![
        format!("event {} of stream {} ({place})", record.sequence, record.stream),
        format!("  what      {}, {phase}, {}", event.anomaly.kind(), event.severity),
        format!("  detected  {}", japan_time(event.detected_at)),
    ];
    let mut add = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("  {name:9} {value}")));
    };
    add("began", event.first_change_at.map(japan_time));
    add("root", event.root.clone());
    add("files", (0 < event.files_affected).then(|| event.files_affected.to_string()));
    add("burst", event.burst.map(|burst| burst.to_string()));
    add("drill", event.drill.map(|drill| format!("{drill} (訓練)")));
    add("why", Some(event.reason.clone()));
    let evidence = serde_json::to_value(&event.anomaly)
        .and_then(|value| serde_json::to_string_pretty(&value["evidence"]))
        .unwrap_or_default();
    lines.push("  evidence".to_owned());
    lines.extend(evidence.lines().map(|line| format!("    {line}")));

    lines
}

/// What the manifest of a burst under way says; once it is finished, only the hospital's key opens it.
fn manifest_lines(manifests: &Path, burst: BurstId) -> Vec<String> {
    let path = manifests.join(format!("{burst}.jsonl"));
    let Ok(file) = File::open(path) else {
        return vec![format!("manifest of burst {burst}: not (or no longer) open on this host")];
    };
    let mut lines = vec![format!("manifest of burst {burst}, so far:")];
    let (mut retold, mut listed, mut more) = (Retold::default(), Vec::new(), 0_u64);
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        retold.take(&line);
        if listed.len() < MANIFEST_LINES_MAX {
            listed.push(format!("  {line}"));
        } else {
            more += 1;
        }
    }
    lines.extend(retold.tell());
    lines.append(&mut listed);
    if 0 < more {
        lines.push(format!("  … and {more} more lines"));
    }

    lines
}
