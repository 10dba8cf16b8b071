//! How the service is, in one value.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{DrillId, FacilityId, HostId, Sequence, StreamId};
use shirase_shared::policy::{PolicyReport, Refusal};
use shirase_shared::wire::{SensorReport, SensorState};

use crate::containment::Held;
use crate::shown::{Bytes, japan_time};

/// How the service is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// This host's identity.
    pub host: HostId,
    /// Its facility.
    pub facility: FacilityId,
    /// The configuration file.
    pub config: PathBuf,
    /// What is wrong with that file; if anything, the last good one is in force.
    pub config_problems: Vec<String>,
    /// Where events are sent.
    pub collector_url: String,
    /// When a collector last answered a heartbeat.
    pub last_answer_at: Option<Timestamp>,
    /// When a collector last stored a batch.
    pub last_ack_at: Option<Timestamp>,
    /// Why the last attempt to reach a collector failed, unless one succeeded since.
    pub last_error: Option<String>,
    /// Attempts that failed since the last success.
    pub failures_in_a_row: u32,
    /// By how many milliseconds the collector's clock is ahead of this host's, if it ever answered.
    pub clock_offset_ms: Option<i64>,
    /// Life of the buffer.
    pub stream: StreamId,
    /// The last number given out in it.
    pub last_sequence: Sequence,
    /// Records the collector has not stored yet.
    pub waiting: u64,
    /// Records set aside because the collector will never take them.
    pub set_aside: u64,
    /// Events refused by a full buffer and not told yet.
    pub refused: u64,
    /// Finished damage manifests that wait for upload.
    pub manifests_waiting: u64,
    /// When this host's certificate expires.
    pub certificate_expires: Option<Timestamp>,
    /// Bytes of the buffer in use.
    pub buffer_used_bytes: u64,
    /// Bytes it may use.
    pub buffer_limit_bytes: u64,
    /// How each sensor is.
    pub sensors: Vec<SensorReport>,
    /// The maintenance window in force.
    pub maintenance_until: Option<Timestamp>,
    /// The drill that is being carried out.
    pub drill: Option<DrillId>,
    /// Processes that are suspended.
    #[serde(default)]
    pub contained: Vec<Suspended>,
    /// What is said of the policy.
    #[serde(default)]
    pub policy: PolicyReport,
    /// Where what is in force comes from, a line a key.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// Processes that were suspended together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    /// What they are released by.
    pub id: u32,
    /// Since when.
    pub since: Timestamp,
    /// Label of the root they were harming.
    pub root: String,
    /// The program.
    pub program: String,
    /// Their numbers.
    pub processes: Vec<u32>,
}

impl From<Held> for Suspended {
    fn from(held: Held) -> Self {
        Self {
            id: held.id,
            since: held.at,
            root: held.root,
            program: held.actor.program,
            processes: held.processes.iter().map(|kin| kin.pid).collect(),
        }
    }
}

impl Status {
    fn write_policy(&self, out: &mut impl Write) -> io::Result<()> {
        let PolicyReport { taking, applied, refused, .. } = &self.policy;
        match applied {
            Some(name) => {
                let short: String = name.sha256.chars().take(12).collect();
                writeln!(out, "policy     revision {} ({short}) is in force", name.revision)?;
            }
            None if *taking => writeln!(out, "policy     none")?,
            None => writeln!(out, "policy     none is taken (`policy.take` is false)")?,
        }
        if let Some(refused) = refused {
            let why = Refusal::from_name(&refused.why).map_or("?", Refusal::in_words);
            writeln!(out, "           REFUSED revision {}: {why}", refused.name.revision)?;
        }
        for line in self
            .sources
            .iter()
            .filter(|line| !line.ends_with(": default"))
        {
            writeln!(out, "setting    {line}")?;
        }

        Ok(())
    }

    /// Writes it for a person.
    ///
    /// # Errors
    /// If the output is gone.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let since = japan_time(self.started_at);
        writeln!(out, "shirase-agent {}, running since {since}", self.version)?;
        writeln!(out, "host       {} of facility {}", self.host, self.facility)?;
        writeln!(out, "collector  {}", self.collector_url)?;
        match self.last_answer_at {
            Some(at) => writeln!(out, "           last answered at {}", japan_time(at))?,
            None => writeln!(out, "           has not answered since the service started")?,
        }
        if let Some(offset) = self.clock_offset_ms {
            writeln!(out, "           its clock differs from this one by {offset} ms")?;
        }
        if let Some(error) = &self.last_error {
            let failures = self.failures_in_a_row;
            writeln!(out, "           CANNOT BE REACHED, {failures} attempts: {error}")?;
        }
        if let Some(at) = self.last_ack_at {
            writeln!(out, "           last stored events at {}", japan_time(at))?;
        }
        if let Some(at) = self.certificate_expires {
            writeln!(out, "           certificate valid until {}", japan_time(at))?;
        }
        writeln!(
            out,
            "buffer     {} waiting, {} of {} in use, stream {}, last number {}",
            self.waiting,
            Bytes(self.buffer_used_bytes),
            Bytes(self.buffer_limit_bytes),
            self.stream,
            self.last_sequence
        )?;
        if 0 < self.set_aside + self.refused {
            let (aside, refused) = (self.set_aside, self.refused);
            writeln!(out, "           {aside} SET ASIDE, {refused} REFUSED; see `buffer verify`")?;
        }
        if 0 < self.manifests_waiting {
            writeln!(
                out,
                "           {} damage manifests wait for upload",
                self.manifests_waiting
            )?;
        }
        writeln!(out, "config     {}", self.config.display())?;
        if !self.config_problems.is_empty() {
            writeln!(out, "           IS INVALID; the last good one is in force:")?;
        }
        for problem in &self.config_problems {
            writeln!(out, "           {problem}")?;
        }
        self.write_policy(out)?;
        if let Some(until) = self.maintenance_until {
            writeln!(out, "maintenance window until {}", japan_time(until))?;
        }
        if let Some(drill) = self.drill {
            writeln!(out, "drill {drill} is being carried out (訓練)")?;
        }
        for held in &self.contained {
            let Suspended { id, since, root, program, processes } = held;
            let (count, since) = (processes.len(), japan_time(*since));
            writeln!(
                out,
                "SUSPENDED  {id}: {count} processes of `{program}`, which harmed `{root}`, since {since}"
            )?;
            writeln!(out, "           {processes:?}; `shirase-agent release {id}` lets them run")?;
        }
        for sensor in &self.sensors {
            let state = match sensor.state {
                SensorState::Well => "well    ",
                SensorState::Degraded => "DEGRADED",
                SensorState::Blind => "BLIND   ",
            };
            writeln!(out, "sensor     {state}  {}: {}", sensor.name, sensor.detail)?;
        }

        Ok(())
    }
}
