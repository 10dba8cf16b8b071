//! Asks what must answer whether it does, each at its own interval and in its own language.
//!
//! ```text
//! name ─▶ connection ─▶ TLS ─▶ question ─▶ answer judged ─▶ Fact::Target     (tcp · url · hl7 · dicom · postgres)
//!                        └─ end of the certificate ───────▶ Fact::Certificate
//! ```
//!
//! Always holds:
//! - a question, from the look-up of the name to the last byte, takes no longer than its timeout: who accepts and
//!   never answers is down, and so is who answers without end;
//! - a probe asks one question at a time, and one that hangs holds up no other;
//! - what a peer said is passed on in one short line without control characters;
//! - a probe that cannot ask (no message file, no trusted certificates) is blind, and its target is not called down.

mod config;
mod net;
mod tls;

mod tcp;
mod http;
mod hl7;
mod dicom;
mod postgres;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::{LossKind, Target, WatchedAs};
use shirase_shared::wire::SensorState;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::SensorBoard;
use crate::observation::{CertificateSeen, Fact, Lost, Observation, Presence, TargetSeen};
use net::{Address, Peer, Progress, Stage};
use tls::Secured;

pub use config::{ProbeConfig, problems};
pub use hl7::Acknowledgement;
pub use tls::{Certificate, Tls};

/// Longest text a probe passes on of what it saw, in characters.
const DETAIL_MAX_CHARS: usize = 200;
/// Probes begin spread over their interval, but none waits longer than this for its first question.
const FIRST_PAUSE_MAX: Duration = Duration::from_secs(10);

/// How one question ended: what was seen if it was answered as it should be.
type Asked = Result<String, Failure>;

/// Why there is no good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Failure {
    /// The target is not there or not well.
    Down(String),
    /// The question could not be asked.
    Unable(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Down(why)
    }
}

/// How a target was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is there.
    pub presence: Presence,
    /// What was seen, one short line.
    pub detail: String,
    /// Until when its certificate is valid, where it showed one.
    pub not_after: Option<Timestamp>,
    /// Time the question took, in milliseconds.
    pub took_ms: u64,
}

/// A probe that keeps what it needs from question to question.
pub struct Prober {
    question: Question,
    progress: Progress,
    clock: SharedClock,
    timeout_secs: u64,
}

/// What is asked.
enum Question {
    Tcp(Peer),
    Web(http::Web),
    Hl7(hl7::Interface),
    Dicom(dicom::Node),
    Postgres(postgres::Server),
}

impl Prober {
    /// Prepares a probe without problems; opens nothing.
    ///
    /// # Errors
    /// Why it cannot ask on this system.
    pub fn new(probe: &ProbeConfig, clock: SharedClock) -> Result<Self, String> {
        let progress = Progress::default();
        let (way, place) = probe.asks().ok_or("it is not clear what to ask")?;
        let or = |text: &Option<String>, default: &str| {
            text.clone().unwrap_or_else(|| default.to_owned())
        };
        let question = match way {
            WatchedAs::Http => {
                let wanted = http::Wanted {
                    url: place,
                    status: probe.expect_status,
                    text: probe.expect_text.as_deref(),
                    certificate: probe.certificate.unwrap_or_default(),
                };
                Question::Web(http::Web::new(&wanted, &progress)?)
            }
            WatchedAs::Hl7 => {
                let header = hl7::Header {
                    sending_application: or(&probe.sending_application, "SHIRASE"),
                    sending_facility: or(&probe.sending_facility, ""),
                    receiving_application: or(&probe.receiving_application, ""),
                    receiving_facility: or(&probe.receiving_facility, ""),
                    acknowledgement: probe.acknowledgement.unwrap_or_default(),
                };
                let message = match &probe.message_file {
                    Some(path) => hl7::Message::File(path.clone()),
                    None => hl7::Message::BuiltIn(header),
                };
                let peer = peer(probe, place)?;
                Question::Hl7(hl7::Interface { peer, message, clock: clock.clone() })
            }
            WatchedAs::Dicom => Question::Dicom(dicom::Node {
                peer: peer(probe, place)?,
                called: or(&probe.called_ae, "ANY-SCP"),
                calling: or(&probe.calling_ae, "SHIRASE"),
            }),
            WatchedAs::Postgres => Question::Postgres(postgres::Server {
                peer: peer(probe, place)?,
                user: or(&probe.user, "shirase"),
                database: or(&probe.database, "postgres"),
                password_file: probe.password_file.clone(),
            }),
            WatchedAs::Tcp | WatchedAs::Service | WatchedAs::Process => {
                Question::Tcp(peer(probe, place)?)
            }
        };

        Ok(Self { question, progress, clock, timeout_secs: probe.timeout_secs })
    }

    /// Asks once.
    ///
    /// # Errors
    /// Why the question could not be asked; that says nothing about the target.
    pub async fn ask(&mut self) -> Result<Answer, String> {
        let begun = self.clock.moment();
        self.progress.enter(Stage::Asking);
        let patience = Duration::from_secs(self.timeout_secs);
        let asked = tokio::time::timeout(patience, self.question()).await;
        let asked = asked.unwrap_or_else(|_| Err(self.progress.late(self.timeout_secs).into()));
        let (presence, detail) = match asked {
            Ok(detail) => (Presence::Up, detail),
            Err(Failure::Down(detail)) => (Presence::Down, detail),
            Err(Failure::Unable(why)) => return Err(cleaned(&why)),
        };
        let ended = self.clock.moment();

        Ok(Answer {
            presence,
            detail: cleaned(&detail),
            not_after: self.secured().and_then(Secured::take_not_after),
            took_ms: ended.monotonic_ms.saturating_sub(begun.monotonic_ms),
        })
    }

    async fn question(&self) -> Asked {
        let progress = &self.progress;
        match &self.question {
            Question::Tcp(peer) => tcp::ask(peer, progress).await,
            Question::Web(web) => web.ask(progress).await,
            Question::Hl7(interface) => interface.ask(progress).await,
            Question::Dicom(node) => node.ask(progress).await,
            Question::Postgres(server) => server.ask(progress).await,
        }
    }

    fn secured(&self) -> Option<&Secured> {
        match &self.question {
            Question::Web(web) => Some(&web.secured),
            Question::Tcp(peer)
            | Question::Hl7(hl7::Interface { peer, .. })
            | Question::Dicom(dicom::Node { peer, .. })
            | Question::Postgres(postgres::Server { peer, .. }) => peer.secured.as_ref(),
        }
    }
}

fn peer(probe: &ProbeConfig, place: &str) -> Result<Peer, String> {
    let address: Address = place.parse().map_err(|why| format!("`{place}` {why}"))?;
    let secured = match probe.tls.unwrap_or_default() {
        Tls::Off => None,
        Tls::On => Some(Secured::new(probe.certificate.unwrap_or_default())?),
    };

    Ok(Peer::new(address, secured))
}

/// Asks at intervals until `stop`.
pub async fn run(
    probe: ProbeConfig,
    clock: SharedClock,
    out: mpsc::Sender<Observation>,
    board: SensorBoard,
    stop: CancellationToken,
) {
    let sensor = format!("probe {}", probe.name);
    let interval = Duration::from_secs(probe.interval_secs);
    let mut prober = None;
    let mut blind = false;
    let mut pause = part_of(interval.min(FIRST_PAUSE_MAX), random());
    loop {
        let asking = async {
            tokio::time::sleep(pause).await;
            let prober = match &mut prober {
                Some(prober) => prober,
                none => none.insert(Prober::new(&probe, clock.clone())?),
            };
            prober.ask().await
        };
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = asking => asked,
        };
        let facts = match asked {
            Ok(answer) => {
                blind = false;
                board.set(&sensor, SensorState::Well, "asks");
                facts(&probe, answer)
            }
            Err(why) => {
                board.set(&sensor, SensorState::Blind, why.as_str());
                let detail = format!("the probe `{}` cannot ask: {why}", probe.name);
                let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
                let told = std::mem::replace(&mut blind, true);
                if told { Vec::new() } else { vec![Fact::Lost(lost)] }
            }
        };
        for fact in facts {
            let observation = Observation { at: clock.moment(), fact };
            if out.send(observation).await.is_err() {
                return;
            }
        }
        // A tenth more or less, so that probes with one interval drift apart.
        pause = interval.mul_f64(0.9) + part_of(interval.mul_f64(0.2), random());
    }
}

fn facts(probe: &ProbeConfig, answer: Answer) -> Vec<Fact> {
    let Some((watched_as, _)) = probe.asks() else { return Vec::new() };
    let target = Target { watched_as, name: probe.name.clone() };
    let certificate = answer
        .not_after
        .map(|not_after| Fact::Certificate(CertificateSeen { target: target.clone(), not_after }));
    let seen = Fact::Target(TargetSeen {
        target,
        presence: answer.presence,
        detail: answer.detail,
        grace_secs: probe.grace_secs,
    });

    std::iter::once(seen).chain(certificate).collect()
}

/// Returns a random share of a span.
fn part_of(span: Duration, random: u32) -> Duration {
    span.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

fn random() -> u32 {
    // The last 32 bits of a random UUID are random.
    u32::try_from(Uuid::new_v4().as_u128() & u128::from(u32::MAX)).unwrap_or(0)
}

/// Makes one short line of what somebody else wrote: no control characters, none that turn the direction of writing.
fn cleaned(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() || turns(c) { ' ' } else { c })
        .collect();
    let words: Vec<_> = plain.split_whitespace().collect();

    words.join(" ").chars().take(DETAIL_MAX_CHARS).collect()
}

/// Reads a file the configuration names, if it is not larger than `most` bytes.
fn read_file(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let failed = |error| format!("`{shown}` cannot be read: {error}");
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if most < bytes.len() {
        return Err(format!("`{shown}` is larger than {most} bytes"));
    }

    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_becomes_one_short_plain_line() {
        let said = "\u{1b}[2J no\r\n\tdisk\u{0} \u{202e}left\u{2028}  ";
        assert_eq!(cleaned(said), "[2J no disk left");
        assert_eq!(cleaned(&"長".repeat(500)).chars().count(), DETAIL_MAX_CHARS);
    }

    #[test]
    fn probes_with_one_interval_do_not_begin_together() {
        let span = Duration::from_secs(10);
        assert_eq!(part_of(span, 0), Duration::ZERO);
        assert_eq!(part_of(span, u32::MAX), span);
        let firsts: std::collections::BTreeSet<_> = (0..50)
            .map(|_| part_of(span, random()).as_millis())
            .collect();
        assert!(40 < firsts.len(), "{firsts:?}");
    }
}
