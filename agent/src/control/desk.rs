//! Answers the questions put to the running service.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::event::{AgentState, Event};
use tokio::sync::mpsc;

use super::explain::{Explanation, Wanted};
use super::status::Suspended;
use super::{Answer, Question, Status};
use crate::buffer::{Buffer, BufferError};
use crate::condition::Condition;
use crate::containment::{Hold, Which};
use crate::identity::Enrolment;
use crate::own_events;
use crate::sensors::SensorBoard;
use crate::uplink::UplinkBoard;

/// What the desk needs to know its answers.
pub(crate) struct DeskParts {
    pub(crate) enrolment: Enrolment,
    pub(crate) config: PathBuf,
    pub(crate) started_at: Timestamp,
    pub(crate) clock: SharedClock,
    pub(crate) buffer: Buffer,
    pub(crate) board: SensorBoard,
    pub(crate) condition: Condition,
    pub(crate) uplink: UplinkBoard,
    pub(crate) manifests: PathBuf,
    pub(crate) hold: Hold,
    pub(crate) events: mpsc::Sender<Event>,
}

/// Answers questions.
pub(crate) struct Desk(Arc<DeskParts>);

impl Desk {
    /// Opens the desk.
    pub(crate) fn new(parts: DeskParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Sends the whole answer to one question; gives up when the client is gone.
    pub(super) async fn answer(&self, question: Question, out: &mpsc::Sender<Answer>) {
        let parts = Arc::clone(&self.0);
        let lines = LineSender(out.clone());
        let outcome = match question {
            Question::Status => {
                // A client that is gone needs no answer.
                drop(out.send(Answer::Status(Box::new(self.0.status()))).await);
                Ok(())
            }
            Question::BufferVerify => blocking(move || parts.verify(&lines)).await,
            Question::BufferExport => blocking(move || parts.export(lines)).await,
            Question::Release { id } => blocking(move || parts.release(id, &lines)).await,
            Question::Explain { event } => blocking(move || parts.explain(&event, &lines)).await,
        };
        let last = match outcome {
            Ok(()) => Answer::End,
            Err(error) => Answer::Failed { error },
        };
        drop(out.send(last).await);
    }
}

impl DeskParts {
    fn status(&self) -> Status {
        let level = self.buffer.level();
        let uplink = self.uplink.read();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            host: self.enrolment.host,
            facility: self.enrolment.facility.clone(),
            config: self.config.clone(),
            config_problems: self.condition.config_problems(),
            collector_url: uplink.upstream,
            last_answer_at: uplink.last_heartbeat,
            last_ack_at: uplink.last_ack,
            last_error: uplink.last_error.or(uplink.heartbeat_error),
            failures_in_a_row: uplink.failures_in_a_row,
            clock_offset_ms: uplink.clock_offset_ms,
            set_aside: level.set_aside,
            refused: level.refused,
            manifests_waiting: uplink.manifests_waiting,
            certificate_expires: uplink.certificate_expires,
            stream: self.buffer.stream(),
            last_sequence: self.buffer.last_sequence(),
            waiting: level.waiting,
            buffer_used_bytes: level.used_bytes,
            buffer_limit_bytes: level.limit_bytes,
            sensors: self.board.reports(),
            maintenance_until: self.condition.maintenance_until(self.clock.now()),
            drill: self.condition.drill(),
            policy: self.condition.policy(),
            sources: self.condition.sources(),
            contained: self.hold.held().into_iter().map(Suspended::from).collect(),
        }
    }

    fn release(&self, id: Option<u32>, out: &LineSender) -> Result<(), String> {
        let which = id.map_or(Which::All, Which::Id);
        let released = self.hold.release(which).map_err(|error| {
            format!("they run again, but that could not be written down: {error}")
        })?;
        if released.is_empty() {
            return Err(match id {
                Some(id) => {
                    format!("nobody is suspended as {id}; `shirase-agent status` lists who is")
                }
                None => "nobody is suspended".to_owned(),
            });
        }
        for (held, processes) in released {
            let (id, program) = (held.id, &held.actor.program);
            let detail = format!("{id}, `{program}`, released on this host's command line");
            tracing::warn!(
                containment.id = id,
                processes,
                "released {processes} processes of `{program}`"
            );
            let state = AgentState::Released { processes, detail };
            let event = own_events::agent(state, self.clock.moment());
            // Closed only while the agent ends.
            drop(self.events.blocking_send(event));
            out.send(format!("{processes} processes of `{program}` run again"))
                .map_err(|error| error.to_string())?;
        }

        Ok(())
    }

    fn verify(&self, out: &LineSender) -> Result<(), String> {
        let found = self
            .buffer
            .verify()
            .map_err(|error| Chain(&error).to_string())?;
        let text = serde_json::to_string_pretty(&found).map_err(|error| error.to_string())?;
        for line in text.lines() {
            out.send(line.to_owned())
                .map_err(|error| error.to_string())?;
        }
        if !found.damaged.is_empty() {
            let count = found.damaged.len();
            return Err(format!(
                "{count} records are damaged and will not be sent; look at the disk under the state directory"
            ));
        }

        Ok(())
    }

    fn export(&self, out: LineSender) -> Result<(), String> {
        let mut lines = Lines::new(move |line| out.send(line));
        match self.buffer.export(&mut lines) {
            Ok(_) => Ok(()),
            Err(error @ BufferError::Export(_)) => Err(format!("{} was cut short", Chain(&error))),
            Err(error) => Err(Chain(&error).to_string()),
        }
    }

    fn explain(&self, event: &str, out: &LineSender) -> Result<(), String> {
        let wanted: Wanted = event.parse()?;
        let mut explanation = Explanation::new(wanted);
        let mut lines = Lines::new(|line| {
            explanation.offer_waiting(&line);
            Ok(())
        });
        self.buffer
            .export(&mut lines)
            .map_err(|error| Chain(&error).to_string())?;
        drop(lines);
        for record in self.condition.recent() {
            explanation.offer_recent(record);
        }
        for line in explanation.tell(&self.manifests)? {
            out.send(line).map_err(|error| error.to_string())?;
        }

        Ok(())
    }
}

/// Hands lines to the client from a thread that may wait.
struct LineSender(mpsc::Sender<Answer>);

impl LineSender {
    fn send(&self, line: String) -> io::Result<()> {
        self.0
            .blocking_send(Answer::Line { line })
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Cuts what is written into lines.
struct Lines<F> {
    rest: Vec<u8>,
    each: F,
}

impl<F: FnMut(String) -> io::Result<()>> Lines<F> {
    fn new(each: F) -> Self {
        Self { rest: Vec::new(), each }
    }
}

impl<F: FnMut(String) -> io::Result<()>> Write for Lines<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if self.rest.last() == Some(&b'\n') {
                self.rest.pop();
                let line = String::from_utf8_lossy(&self.rest).into_owned();
                self.rest.clear();
                (self.each)(line)?;
            }
        }

        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn blocking(
    work: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Result<(), String> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
}
