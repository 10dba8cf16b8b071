//! Gives signs of life, and takes what their answers bring: orders, word of a policy, and of a buffer that is an older
//! copy.

use jiff::Timestamp;
use shirase_shared::error::Chain;
use shirase_shared::ids::StreamId;
use shirase_shared::policy::PolicyName;
use shirase_shared::wire::{Heartbeat, HeartbeatAnswer, SignedOrder};
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::client::ClientError;
use super::route::Upstream;
use super::state::Parts;
use super::trust;
use crate::buffer::Buffer;

enum Wake {
    Stop,
    Due,
}

/// When the host was looked at whose posture a collector has from this run. It is sent once, not with every sign of life.
#[derive(Default)]
struct Told {
    first: Option<Timestamp>,
    second: Option<Timestamp>,
}

impl Told {
    const fn of(&mut self, upstream: Upstream) -> &mut Option<Timestamp> {
        match upstream {
            Upstream::First => &mut self.first,
            Upstream::Second => &mut self.second,
        }
    }
}

pub(super) async fn run(parts: &Parts, stop: &CancellationToken) {
    let mut beats = tokio::time::interval(parts.config.heartbeat());
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::default();
    loop {
        let wake = tokio::select! {
            biased;
            () = stop.cancelled() => Wake::Stop,
            _ = beats.tick() => Wake::Due,
        };
        match wake {
            Wake::Stop => return,
            Wake::Due => tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = beat(parts, &mut told) => {}
            },
        }
    }
}

async fn beat(parts: &Parts, told: &mut Told) {
    // Always the first: this is how its return is noticed.
    let first = ask(parts, told, Upstream::First).await;
    let (asked, outcome) = match (first, parts.chosen().0) {
        (Err(_), Upstream::Second) => (Upstream::Second, ask(parts, told, Upstream::Second).await),
        (outcome, Upstream::First | Upstream::Second) => (Upstream::First, outcome),
    };
    match outcome {
        Ok((sent, mut answer)) => {
            let announced = answer.desired_policy.take();
            let authorities = answer.authorities_pem.take();
            take(parts, sent, answer).await;
            if let Some(authorities) = authorities {
                trust::take(parts, asked, &authorities).await;
            }
            if let Some(announced) = announced {
                fetch_policy(parts, asked, announced).await;
            }
        }
        Err(error) => {
            let text = Chain(&error).to_string();
            tracing::debug!(error = text, "sign of life not answered");
            parts
                .board
                .update(|state| state.heartbeat_error = Some(text));
        }
    }
    if let Err(error) = parts.with_buffer(Buffer::tend).await {
        tracing::warn!(error = %Chain(&error), "buffer not tended; trying again at the next sign of life");
    }
}

async fn ask(
    parts: &Parts,
    told: &mut Told,
    upstream: Upstream,
) -> Result<(StreamId, HeartbeatAnswer), ClientError> {
    let mut heartbeat = heartbeat(parts);
    let told = told.of(upstream);
    heartbeat.posture = heartbeat
        .posture
        .filter(|posture| *told != Some(posture.looked_at));
    match parts.client(upstream).heartbeat(&heartbeat).await {
        Ok(answer) => {
            parts.heard(upstream);
            if let Some(posture) = &heartbeat.posture {
                *told = Some(posture.looked_at);
            }
            Ok((heartbeat.stream, answer))
        }
        Err(error) => {
            parts.unheard(upstream);
            Err(error)
        }
    }
}

pub(super) fn heartbeat(parts: &Parts) -> Heartbeat {
    let vitals = (parts.vitals)();
    let level = parts.buffer.level();

    Heartbeat {
        stream: parts.buffer.stream(),
        last_sequence: parts.buffer.last_sequence(),
        buffer_used_bytes: level.used_bytes,
        buffer_limit_bytes: level.limit_bytes,
        waiting: level.waiting,
        sensors: vitals.sensors,
        version: vitals.version,
        hostname: vitals.hostname,
        os: vitals.os,
        sent: parts.clock.moment(),
        config_problems: vitals.config_problems,
        maintenance_until: vitals.maintenance_until,
        policy: Some(vitals.policy),
        authorities: trust::prints(&parts.identity),
        posture: vitals.posture,
    }
}

async fn take(parts: &Parts, sent: StreamId, answer: HeartbeatAnswer) {
    let now = parts.clock.now();
    parts.board.update(|state| {
        state.last_heartbeat = Some(now);
        let ahead = answer.now.duration_since(now).as_millis();
        state.clock_offset_ms = i64::try_from(ahead).ok();
        state.heartbeat_error = None;
    });
    // Asked again after the answer: a batch may have been stored meanwhile, but never one that is not on this disk.
    let ours = parts.buffer.last_sequence();
    if let Some(theirs) = answer.stored_through
        && sent == parts.buffer.stream()
        && ours < theirs
    {
        match parts.with_buffer(Buffer::begin_stream).await {
            Ok(stream) => tracing::warn!(
                "the collector has records of this stream up to {theirs}, this disk up to {ours}: it is an older copy; \
                 began stream {stream}"
            ),
            Err(error) => tracing::warn!(error = %Chain(&error), "no new stream could be begun"),
        }
    }
    for order in answer.orders {
        pass_on(parts, order);
    }
}

/// Asks for a policy that is news here. What goes wrong is tried again at the next sign of life.
async fn fetch_policy(parts: &Parts, upstream: Upstream, announced: PolicyName) {
    if !(parts.vitals)().policy.wants(&announced) {
        return;
    }
    match parts.client(upstream).policy().await {
        Ok(signed) => {
            // Full only while an earlier one is judged, closed only while the agent stops.
            if parts.policies.try_send((announced, signed)).is_err() {
                tracing::debug!("a policy was dropped; the collector announces it again");
            }
        }
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "policy {} was announced and not given", announced.revision);
        }
    }
}

fn pass_on(parts: &Parts, order: SignedOrder) {
    match parts.orders.try_send(order) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => {
            parts.board.update(|state| state.orders_dropped += 1);
            tracing::warn!(
                "an order was dropped because earlier ones still wait; the collector repeats it"
            );
        }
        Err(TrySendError::Closed(_)) => tracing::debug!("nobody takes orders any more"),
    }
}
