//! Prints what the detectors raise, for `watch` and `replay`: a line for a person, or one JSON object a line.

use std::io::Write;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use shirase_shared::event::{Anomaly, Event, Phase, Severity};
use shirase_shared::ids::BurstId;

/// One event as it is printed.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Event(EventLine<'a>),
    Loss(EventLine<'a>),
}

#[derive(Serialize)]
struct EventLine<'a> {
    kind: &'static str,
    phase: Phase,
    burst: Option<BurstId>,
    severity: Severity,
    detected_at: Timestamp,
    first_change_at: Option<Timestamp>,
    root: Option<&'a str>,
    files_affected: u64,
    reason: &'a str,
    evidence: Box<RawValue>,
}

/// Prints lines and hands each on at once.
pub(crate) struct Printer<'a, W: Write> {
    /// Where to.
    pub(crate) out: &'a mut W,
    /// Whether as JSON.
    pub(crate) json: bool,
}

impl<W: Write> Printer<'_, W> {
    /// Prints an event.
    pub(crate) fn event(&mut self, event: &Event) -> anyhow::Result<()> {
        if !self.json {
            let root = event.root.as_deref().unwrap_or("-");
            let phase = format!("{:?}", event.phase).to_lowercase();
            let (at, severity, kind) = (event.detected_at, event.severity, event.anomaly.kind());
            return self.text(&format!("{at} {severity} {kind} {phase} [{root}] {}", event.reason));
        }
        let line = EventLine {
            kind: event.anomaly.kind(),
            phase: event.phase,
            burst: event.burst,
            severity: event.severity,
            detected_at: event.detected_at,
            first_change_at: event.first_change_at,
            root: event.root.as_deref(),
            files_affected: event.files_affected,
            reason: &event.reason,
            evidence: evidence(&event.anomaly)?,
        };
        match event.anomaly {
            Anomaly::Loss(_) => self.line(&Line::Loss(line)),
            Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Pressure(_)
            | Anomaly::Logon(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Stops(_)
            | Anomaly::Print(_)
            | Anomaly::Agent(_) => self.line(&Line::Event(line)),
        }
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn line(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        self.text(&serde_json::to_string(line)?)
    }

    /// Prints a line of text.
    pub(crate) fn text(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.out, "{text}").context("failed to write to the output")?;
        self.out.flush().context("failed to write to the output")
    }
}

fn evidence(anomaly: &Anomaly) -> anyhow::Result<Box<RawValue>> {
    let raw = match anomaly {
        Anomaly::MassChange(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Outage(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Pressure(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Loss(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Logon(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Protection(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Backup(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Stops(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Print(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Agent(evidence) => serde_json::value::to_raw_value(evidence),
    };

    raw.context("failed to put an event into JSON")
}
