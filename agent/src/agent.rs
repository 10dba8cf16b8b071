//! Joins the stages and takes them down in order. Decides nothing.
//!
//! ```text
//! sensing ─observation▶ detect ─event▶ keep ─▶ buffer ─▶ uplink ═▶ collector
//!    ▲                    ▲     ▲                          │
//!    └── configuration ───┴─────┴── own health, orders ◀───┘
//! ```
//!
//! Always holds:
//! - `build` opens everything that can fail; `run` meets only faults of the running time;
//! - at the end each stage finishes what it holds before the next one sees the end; what the uplink could not send by
//!   then stays in the buffer;
//! - one agent per state directory.

mod alive;
mod counters;
mod containing;
mod detect;
mod farewell;
mod keep;
mod ordering;
mod record;
mod reload;
mod sending;
mod sensing;
mod shared;
mod stages;

use std::fs::File;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::event::{AgentState, Event};
use shirase_shared::tls::install_crypto_provider;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::buffer::{Buffer, Opened};
use crate::canaries::Watchlist;
use crate::condition::Condition;
use crate::config::Config;
use crate::containment::Hold;
use crate::control;
use crate::drill::{Drill, Ledger};
use crate::identity::{self, Enrolment};
use crate::manifest::Recorder;
use crate::orders::OrderBook;
use crate::own_events;
use crate::paths::StateDir;
use crate::policy::PolicyBook;
use crate::sensors::{CHANGES_CAPACITY, OBSERVATIONS_CAPACITY, SensorBoard};
use crate::service::{self, Reloads};
use crate::uplink::UplinkBoard;

use alive::{Alive, Before};
use containing::ALARMS_CAPACITY;
pub(crate) use counters::Counters;
use detect::{NOTICES_CAPACITY, Notice, Seen};
use ordering::Ordering;
use reload::InForce;
use shared::Shared;
use stages::Stages;

/// Events waiting for the buffer. When full, those who raise them wait; nothing is dropped.
const EVENTS_CAPACITY: usize = 256;
/// Orders waiting to be judged. When full, the uplink drops an order; the collector repeats it.
const ORDERS_CAPACITY: usize = 16;
/// Policies waiting to be judged. When full, the uplink drops a policy; the collector announces it again.
const POLICIES_CAPACITY: usize = 1;
/// How long the stages may take to drain before the process ends without them.
const DRAIN_DEADLINE: Duration = Duration::from_secs(20);
/// How long the uplink may go on sending once everything is in the buffer.
const LAST_SEND: Duration = Duration::from_secs(3);

/// A service that was built and can run.
pub struct Agent {
    config_path: PathBuf,
    in_force: InForce,
    state: StateDir,
    clock: SharedClock,
    enrolment: Enrolment,
    before: Before,
    leftovers: Vec<Drill>,
    buffer: Buffer,
    book: OrderBook,
    policies: PolicyBook,
    redaction_key: Vec<u8>,
    recorder: Recorder,
    listener: control::Listener,
    reloads: Reloads,
    hold: Hold,
    lock: File,
}

impl Agent {
    /// Opens everything a service needs.
    ///
    /// # Errors
    /// Says what cannot be opened and what to do.
    pub async fn build(config_path: &Path) -> anyhow::Result<Self> {
        install_crypto_provider();
        let mut in_force = reload::load_at_start(config_path)?;
        let state = in_force.config.agent.state();
        state.prepare()?;
        let lock = lock(&state)?;
        reload::settle(&in_force, &state);
        // Whatever was begun with the package before, it is here.
        drop(std::fs::remove_file(state.leaving()));
        let enrolment = Enrolment::load(&state)?;
        let mut policies = PolicyBook::open(&enrolment, &state)?;
        in_force.lay(&mut policies, &enrolment)?;
        let clock: SharedClock = Arc::new(SystemClock::new(service::boot_id()));
        let before = Alive::new(&state, Arc::clone(&clock)).before();
        let leftovers = Ledger::new(&state)
            .clear_leftovers()
            .unwrap_or_else(|error| {
                tracing::error!(%error, "an earlier drill's files were not removed");
                Vec::new()
            });
        let buffer = open_buffer(&state, &in_force.config, &clock).await?;
        let book = OrderBook::open(&enrolment, &state, clock.now())?;
        let redaction_key = identity::redaction_key(&state)?;
        let recorder = Recorder::open(&state.manifests(), &enrolment.manifest_recipient)?;
        let listener = control::Listener::bind(&state.control_socket())
            .with_context(|| format!("failed to listen at {}", state.control_socket().display()))?;
        let reloads = Reloads::listen().context("failed to take over signals")?;
        let hold = Hold::open(&state, clock.moment().boot).with_context(|| {
            format!("failed to read who is suspended from `{}`", state.contained().display())
        })?;
        let config_path = std::path::absolute(config_path)?;

        Ok(Self {
            config_path,
            in_force,
            state,
            clock,
            enrolment,
            before,
            leftovers,
            buffer,
            book,
            policies,
            redaction_key,
            recorder,
            listener,
            reloads,
            hold,
            lock,
        })
    }
}

impl Agent {
    /// Runs until `shutdown` completes, then drains the stages from left to right.
    ///
    /// # Errors
    /// If a stage ends before that; everything kept is on disk, and the service manager starts the agent anew.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let (mut pipeline, leftovers, before) = self.start();
        pipeline.shared.announce();
        pipeline.tell_start(&leftovers, before).await;
        service::notify_ready();
        let ended_early = pipeline.until(shutdown).await;
        service::notify_stopping();
        pipeline.drain().await;
        match ended_early {
            Some(stage) => anyhow::bail!("the stage `{stage}` ended before shutdown"),
            None => Ok(()),
        }
    }

    /// Starts every stage.
    fn start(self) -> (Pipeline, Vec<Drill>, Before) {
        let stop = CancellationToken::new();
        let stop_sending = CancellationToken::new();
        let (observed, observations) = mpsc::channel(OBSERVATIONS_CAPACITY);
        let (changed, changes) = mpsc::channel(CHANGES_CAPACITY);
        let (raised, events) = mpsc::channel(EVENTS_CAPACITY);
        let (notices, noticed) = mpsc::channel(NOTICES_CAPACITY);
        let (ordered, orders) = mpsc::channel(ORDERS_CAPACITY);
        let (given, policies) = mpsc::channel(POLICIES_CAPACITY);
        let (put_in_force, in_force) = watch::channel(Arc::new(self.in_force.config));
        let shared = Shared {
            config_path: self.config_path,
            enrolment: self.enrolment,
            state: self.state,
            clock: self.clock,
            board: SensorBoard::default(),
            uplink: UplinkBoard::default(),
            condition: Condition::default(),
            buffer: self.buffer,
            in_force,
            watchlist: Watchlist::default(),
            hold: self.hold,
        };
        shared.condition.note_config(self.in_force.problems);
        shared
            .condition
            .note_policy(self.policies.report(), self.in_force.sources);
        if let Some(window) = ordering::window_in_force(&shared.state, shared.clock.now()) {
            shared.condition.note_maintenance(window.until);
            // The channel is fresh, so there is room.
            drop(notices.try_send(Notice::Maintenance { until: window.until }));
        }

        let mut sources = Stages::default();
        let sensing = shared.sensing((observed, changed), raised.clone(), self.before.last_alive);
        sources.add("sensors", sensing.run(stop.clone()));
        let keeping = shared
            .keeper_of_canaries()
            .run(shared.in_force.clone(), stop.clone());
        sources.add("canaries", keeping);
        let laid = (self.policies, self.in_force.text);
        let reloading = shared.reloading(laid, raised.clone(), put_in_force);
        sources.add("configuration", reloading.run(self.reloads, policies, stop.clone()));
        let ordering =
            Ordering { book: self.book, following: shared.following(raised.clone(), notices) };
        sources.add("orders", ordering.run(orders, stop.clone()));
        sources.add("own health", shared.own_health(raised.clone()).run(stop.clone()));
        sources.add("sign of life", shared.alive().after(self.before).run(stop.clone()));
        sources.add("watchdog", watchdog(stop.clone()));
        sources.add(
            "control",
            control::serve(self.listener, shared.desk(raised.clone()), stop.clone()),
        );
        let mut detectors = Stages::default();
        let (alarmed, alarms) = mpsc::channel(ALARMS_CAPACITY);
        detectors.add("containment", shared.containing(raised.clone()).run(alarms));
        let detecting =
            shared.detecting(self.redaction_key, self.recorder, raised.clone(), alarmed);
        let seen = Seen { observations, changes };
        detectors.add_apart("detectors", detecting.run(seen, noticed));
        let mut keepers = Stages::default();
        keepers.add("buffer", shared.keeping().run(events));
        let mut senders = Stages::default();
        senders.add("uplink", shared.sending(ordered, given).run(stop_sending.clone()));

        let pipeline = Pipeline {
            shared,
            raised,
            sources,
            detectors,
            keepers,
            senders,
            stop,
            stop_sending,
            _lock: self.lock,
        };
        (pipeline, self.leftovers, self.before)
    }
}

/// The running stages, left to right.
struct Pipeline {
    shared: Shared,
    raised: mpsc::Sender<Event>,
    sources: Stages,
    detectors: Stages,
    keepers: Stages,
    senders: Stages,
    stop: CancellationToken,
    stop_sending: CancellationToken,
    _lock: File,
}

impl Pipeline {
    /// Raises the events a start has to tell.
    async fn tell_start(&self, leftovers: &[Drill], before: Before) {
        let at = self.shared.clock.moment();
        let started = AgentState::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            after_reboot: before.after_reboot,
            last_alive: before.last_alive,
        };
        let mut events = vec![own_events::agent(started, at)];
        if before.killed {
            tracing::warn!("the agent's last life ended by force, or it broke off");
            events.push(own_events::killed(before.last_alive, at));
        }
        let ended = |drill: &Drill| {
            let files = u64::from(drill.files);
            own_events::in_drill(AgentState::DrillEnded { files }, drill.id, at)
        };
        events.extend(leftovers.iter().map(ended));
        let problems = self.shared.condition.config_problems();
        if !problems.is_empty() {
            events.push(own_events::agent(AgentState::ConfigInvalid { problems }, at));
        }
        for event in events {
            // Closed only if the buffer's stage ended, which `until` reports.
            drop(self.raised.send(event).await);
        }
    }

    /// Waits for `shutdown`, or for the first stage that ends before it, and names it.
    async fn until(&mut self, shutdown: impl Future<Output = ()>) -> Option<&'static str> {
        tokio::select! {
            () = shutdown => None,
            stage = self.sources.first_end() => Some(stage),
            stage = self.detectors.first_end() => Some(stage),
            stage = self.keepers.first_end() => Some(stage),
            stage = self.senders.first_end() => Some(stage),
        }
    }

    /// Stops the stages one after the other, so that each finishes what it holds before the next sees the end.
    async fn drain(self) {
        let Self {
            shared,
            raised,
            sources,
            detectors,
            keepers,
            senders,
            stop,
            stop_sending,
            _lock,
        } = self;
        tracing::info!("stopping");
        let asking = tokio::spawn(farewell::cause(shared.state.clone()));
        stop.cancel();
        let drained = async {
            sources.drain().await;
            detectors.drain().await;
            // A question that broke off counts as unanswered.
            let cause = asking.await.unwrap_or_default();
            let stopping = own_events::agent(AgentState::Stopping { cause }, shared.clock.moment());
            // Closed only if the buffer's stage is gone already.
            drop(raised.send(stopping).await);
            drop(raised);
            keepers.drain().await;
            shared.wait_until_sent(LAST_SEND).await;
            stop_sending.cancel();
            senders.drain().await;
        };
        if tokio::time::timeout(DRAIN_DEADLINE, drained).await.is_err() {
            tracing::warn!("the stages did not end in time; unsent events stay in the buffer");
        }
    }
}

/// Tells the service manager's watchdog that the runtime turns, if it asked for that.
async fn watchdog(stop: CancellationToken) {
    let Some(interval) = service::watchdog_interval() else {
        return stop.cancelled().await;
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => service::notify_alive(),
        }
    }
}

fn lock(state: &StateDir) -> anyhow::Result<File> {
    let path = state.lock();
    match service::lock_file(&path) {
        Ok(lock) => Ok(lock),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => anyhow::bail!(
            "another agent runs with the state directory `{}`; stop it first, or give this one a directory of its own",
            state.dir().display()
        ),
        Err(error) => Err(error).with_context(|| format!("failed to lock `{}`", path.display())),
    }
}

async fn open_buffer(
    state: &StateDir,
    config: &Config,
    clock: &SharedClock,
) -> anyhow::Result<Buffer> {
    let (dir, config, clock) = (state.buffer(), config.buffer.clone(), Arc::clone(clock));
    let opening = tokio::task::spawn_blocking(move || Buffer::open(&dir, &config, clock));
    let Opened { buffer, replaced } = opening.await?.context("failed to open the buffer")?;
    if let Some(loss) = replaced {
        tracing::error!(
            "the buffer did not open and was set aside, a new one began: {}",
            loss.detail
        );
    }

    Ok(buffer)
}
