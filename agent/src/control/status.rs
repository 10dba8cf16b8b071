//! How the service is, in one value.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{DrillId, FacilityId, HostId, Sequence, StreamId};
use shirase_shared::wire::{SensorReport, SensorState};

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
    /// When the collector last answered in a way that could be understood.
    pub last_answer_at: Option<Timestamp>,
    /// By how many milliseconds the collector's clock is ahead of this host's, if it ever answered.
    pub clock_offset_ms: Option<i64>,
    /// Life of the buffer.
    pub stream: StreamId,
    /// The last number given out in it.
    pub last_sequence: Sequence,
    /// Records the collector has not stored yet.
    pub waiting: u64,
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
}

impl Status {
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
        writeln!(
            out,
            "buffer     {} waiting, {} of {} in use, stream {}, last number {}",
            self.waiting,
            Bytes(self.buffer_used_bytes),
            Bytes(self.buffer_limit_bytes),
            self.stream,
            self.last_sequence
        )?;
        writeln!(out, "config     {}", self.config.display())?;
        if !self.config_problems.is_empty() {
            writeln!(out, "           IS INVALID; the last good one is in force:")?;
        }
        for problem in &self.config_problems {
            writeln!(out, "           {problem}")?;
        }
        if let Some(until) = self.maintenance_until {
            writeln!(out, "maintenance window until {}", japan_time(until))?;
        }
        if let Some(drill) = self.drill {
            writeln!(out, "drill {drill} is being carried out (訓練)")?;
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
