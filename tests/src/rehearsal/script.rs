//! What a rehearsal's file says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Deserialize;
use shirase_collector::reports::text::read_form_time;
use shirase_shared::event::{Anomaly, Phase, Severity};

/// A night and what has to come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What it is called.
    pub title: Words,
    /// Where the course of events was read.
    pub source: String,
    /// Texts that lie where a name could hide, and that no document may show.
    pub planted: Vec<String>,
    /// Latin words that may stand in a Japanese document: names of servers, programs, abbreviations.
    pub latin: BTreeSet<String>,
    /// Everybody who works that night.
    pub people: Vec<Staff>,
    /// The servers with an agent.
    pub hosts: Vec<Server>,
    /// What happens, in the order of time.
    pub hours: Vec<Hour>,
}

/// The same in both languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// Somebody with an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// Name to sign in with.
    pub login: String,
    /// Name as it is printed.
    pub name: String,
    /// What they may do.
    pub role: String,
}

/// A server with an agent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its label.
    pub name: String,
    /// Its system.
    pub os: String,
    /// What it does for care.
    pub roles: Vec<String>,
}

/// One step of the night.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hour {
    /// When, in Japan: `2022-10-31 07:05`.
    pub at: String,
    /// What happens.
    pub happens: Words,
    /// Who sits at the console, unless an act names somebody else.
    pub by: String,
    /// What agents tell.
    #[serde(default)]
    pub saw: Vec<Saw>,
    /// What people do, in this order.
    #[serde(default)]
    pub did: Vec<Did>,
    /// What must be so afterwards; left out while nothing calls for a report and there is no draft.
    pub then: Option<Then>,
}

/// What one agent tells.
#[derive(Debug, Deserialize)]
pub struct Saw {
    /// Its host.
    pub host: String,
    /// When the detector decided, if not at the beginning of the hour.
    pub at: Option<String>,
    /// When the first change happened, if not then.
    pub first: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// Name of the burst or outage it belongs to.
    pub burst: Option<String>,
    /// Where in its story it stands.
    pub phase: Option<Phase>,
    /// Label of the root.
    pub root: Option<String>,
    /// Files harmed so far.
    #[serde(default)]
    pub files: u64,
    /// Its reason in the agent's words.
    #[serde(default)]
    pub reason: String,
    /// What happened, with its evidence, as it travels.
    #[serde(flatten)]
    pub anomaly: Anomaly,
}

/// What a person does at the console.
#[derive(Debug, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum Did {
    /// Takes the incident up.
    TakesUp,
    /// Writes a remark that stays inside.
    Remarks {
        /// What.
        text: String,
    },
    /// Records the call to the maintenance company.
    CallsVendor {
        /// Whom.
        whom: String,
        /// Under which number.
        number: String,
        /// When.
        at: String,
    },
    /// Answers one of the questions of the first hour.
    Answers {
        /// Number of its field.
        question: u8,
        /// Code of the choice, empty for 調査中.
        choice: String,
        /// Beside it.
        #[serde(default)]
        note: String,
        /// Why it is another answer than before.
        reason: Option<String>,
    },
    /// Records a moment from which duties run.
    Notes {
        /// Which.
        moment: String,
        /// When it was.
        at: String,
        /// What is said about it.
        #[serde(default)]
        text: String,
    },
    /// Begins the next report of a profile.
    Makes {
        /// Which profile.
        profile: String,
        /// 速報, 続報 or 確報.
        kind: String,
    },
    /// Corrects one answer on the page of the newest report of a profile.
    Fills {
        /// Which profile.
        profile: String,
        /// Number of the field.
        field: u8,
        /// How sure it is.
        status: String,
        /// Codes that are ticked; those ticked before stay only if they are named.
        #[serde(default)]
        choices: Vec<String>,
        /// The text, or the note beside the choices.
        text: Option<String>,
        /// Single inputs by name.
        #[serde(default)]
        parts: BTreeMap<String, String>,
        /// Rows written into the empty lines of the table.
        #[serde(default)]
        rows: Vec<BTreeMap<String, String>>,
        /// What it rests on.
        #[serde(default)]
        basis: String,
        /// Why it is changed.
        #[serde(default)]
        reason: String,
    },
    /// Submits the newest report of a profile.
    Submits {
        /// Which profile.
        profile: String,
    },
    /// Approves it; its documents are then read and looked through.
    Approves {
        /// Which profile.
        profile: String,
        /// Who approves.
        by: String,
        /// What every document must show.
        holds: Vec<String>,
        /// What none may show.
        #[serde(default)]
        lacks: Vec<String>,
        /// What the list of changes must show: lines of the page of the report.
        #[serde(default)]
        changed: Vec<u8>,
    },
    /// Hands the newest report of a profile in and records the answer.
    Delivers {
        /// Which profile.
        profile: String,
        /// `phone`, `fax`, `web`, `medium`: a person does it; `folder`, `mail`: the collector does.
        way: String,
        /// To whom.
        organisation: String,
        /// Number, page, folder or mail address.
        address: String,
        /// When a person did it.
        #[serde(default)]
        at: String,
        /// With whom they spoke.
        #[serde(default)]
        spoke_with: String,
        /// Number of the receipt.
        #[serde(default)]
        receipt: String,
    },
    /// Says that it is over.
    Closes {
        /// What was done.
        text: String,
    },
}

/// What must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Then {
    /// How the incident stands.
    pub incident: String,
    /// Duties that apply.
    pub applies: BTreeSet<String>,
    /// Duties that depend on an answer nobody has given, with the numbers of the fields or the moments they wait for.
    pub open: BTreeMap<String, BTreeSet<String>>,
    /// Duties that do not apply, with the conditions that do not hold.
    pub not_now: BTreeMap<String, BTreeSet<String>>,
    /// Profiles that are switched off or not in force on this day.
    pub off: BTreeSet<String>,
    /// Every deadline there is.
    pub deadlines: Vec<Due>,
}

/// A deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// Profile and rule, for example `jp-ppc-final/attack`.
    pub what: String,
    /// `limit`, `guide` (目安) or `promptly`.
    pub term: String,
    /// The last day, or the last moment; empty where there is no number.
    #[serde(default)]
    pub until: String,
    /// The day it would have been, had it not been moved to a working day.
    #[serde(default)]
    pub moved_from: String,
    /// From when it runs, in Japan.
    #[serde(default)]
    pub from: String,
    /// How it stands: `running`, `promptly`, `met`, `missed`, `guide_passed`, `waiting`.
    pub state: String,
}

impl Script {
    /// Reads a rehearsal.
    ///
    /// # Errors
    /// Names what does not read.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read `{}`", path.display()))?;
        toml::from_str(&text).with_context(|| format!("`{}` is not a rehearsal", path.display()))
    }
}

/// Reads a moment as the script writes it, in Japan's time.
pub(super) fn moment(text: &str) -> Result<Timestamp> {
    read_form_time(text).with_context(|| format!("`{text}` is no moment like 2022-10-31 07:05"))
}
