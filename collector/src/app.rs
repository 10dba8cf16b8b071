//! The collector as a service: every stage wired together, nothing decided.
//!
//! ```text
//! Config ─build─▶ data directory, keys, store, listeners ─run(shutdown)─▶ drain ─▶ end
//! ```
//!
//! Always holds:
//! - whatever can fail at a start fails in [`Collector::build`], before anybody is answered;
//! - a stage that panics or ends by itself stops the process: state is on disk, the service manager starts it anew;
//! - asked to end, it takes nothing new, finishes what is open, and gives up after a deadline.

mod data_dir;
mod listeners;
mod logging;
mod manager;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::backup::refuse_half_restored;
use crate::checklist::Checklists;
use crate::config::Config;
use crate::enrolment::authority::Authority;
use crate::enrolment::authority::rollover::take_next;
use crate::http::MANIFESTS_DIR;
use crate::ingest::listening;
use crate::jobs::correlate::CorrelateJob;
use crate::jobs::deadlines::DeadlinesJob;
use crate::jobs::deliver::DeliverJob;
use crate::jobs::draft_reports::DraftReportsJob;
use crate::jobs::exchange::ExchangeJob;
use crate::jobs::matters::MattersJob;
use crate::jobs::notify::NotifyJob;
use crate::jobs::retention::RetentionJob;
use crate::jobs::silence::SilenceJob;
use crate::jobs::{self, Job, Nudge};
use crate::keys::{ORDER_KEY_FILE, REPORT_KEY_FILE, SigningKey};
use crate::locale::Locale;
use crate::notify::courier::Courier;
use crate::notify::mail::Patience;
use crate::post::Post;
use crate::release::{Releases, read_checklists, read_profiles};
use crate::store::Store;

pub use data_dir::{SERVE_LOCK_FILE, ServeLock, make_data_dir};
pub use listeners::Addresses;
use listeners::Listeners;
pub use logging::LogFormat;

/// How long open requests may take once the collector was asked to end. Live pages never end by themselves.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// A collector with everything open, ready to run.
pub struct Collector {
    parts: Parts,
    listeners: Listeners,
    /// Held for as long as the collector lives.
    _lock: ServeLock,
}

/// What the stages share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    pub(crate) clock: SharedClock,
    pub(crate) nudge: Nudge,
    pub(crate) authority: Arc<Authority>,
    pub(crate) releases: Releases,
    pub(crate) checklists: Arc<Checklists>,
    pub(crate) post: Post,
    pub(crate) order_key: Arc<SigningKey>,
    pub(crate) courier: Courier,
    pub(crate) stop: CancellationToken,
}

/// Runs the service until the system asks it to end.
///
/// # Errors
/// When it cannot start, or a stage ended by itself.
pub async fn serve(path: &Path, format: LogFormat, clock: SharedClock) -> Result<()> {
    logging::begin(format)?;
    let config = Config::read(path)?;
    let asked_to_end = end_signal()?;
    let collector = Collector::build(config, clock).await?;
    tracing::info!(config.path = %path.display(), "configuration read from {}", path.display());

    collector.run(asked_to_end).await
}

impl Collector {
    /// Opens everything that can fail: data directory, keys, database, listeners.
    ///
    /// # Errors
    /// Says what could not be opened.
    pub async fn build(config: Config, clock: SharedClock) -> Result<Self> {
        let data_dir = config.data_dir.clone();
        make_data_dir(&data_dir)?;
        refuse_half_restored(&data_dir)?;
        let lock = ServeLock::take(&data_dir)?;
        if let Some(former) = take_next(&data_dir)? {
            tracing::warn!(
                authority.former = %former, "a new authority is in force; {former} is trusted beside it until `authority retire`"
            );
        }
        let authority = Authority::open(&data_dir, clock.now())
            .context("failed to open the collector's authority")?;
        let report_key = SigningKey::load_or_create(&data_dir.join(REPORT_KEY_FILE))?;
        let order_key = SigningKey::load_or_create(&data_dir.join(ORDER_KEY_FILE))?;
        let store = Store::open(&data_dir).await?;
        if let Some(head) = store.audit_head().await? {
            // Commands that ran while the collector was down wrote to no system log.
            tracing::info!(audit.entry = head.n, "the audit log stands at {head}");
        }
        let report_key = Arc::new(report_key);
        let releases = make_releases(&config, &store, &clock, Arc::clone(&report_key))?;
        let checklists = Arc::new(read_checklists(&data_dir)?);
        let post = Post::new(&config, (&store, &clock), &authority, report_key);
        match releases.find_font().await {
            Ok(family) => tracing::info!(font.family = family, "reports are set in {family}"),
            Err(error) => {
                tracing::error!(error = %Chain(&error), "no report can be approved until there is a font");
            }
        }
        let courier = Courier::new(&config.mail).context("failed to set up alerts")?;
        let parts = Parts {
            config: Arc::new(config),
            store,
            clock,
            nudge: Nudge::default(),
            authority: Arc::new(authority),
            releases,
            checklists,
            post,
            order_key: Arc::new(order_key),
            courier,
            stop: CancellationToken::new(),
        };
        let listeners = Listeners::bind(&parts).await?;

        Ok(Self { parts, listeners, _lock: lock })
    }

    /// Returns where it listens; with port 0 in the configuration, where it came to listen.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        self.listeners.addresses()
    }

    /// Runs until `shutdown` completes, then finishes what is open.
    ///
    /// # Errors
    /// When a stage ended before that.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let Self { parts, listeners, _lock } = self;
        announce(&parts, listeners.addresses());
        let stop = parts.stop.clone();
        let mut stages = JoinSet::new();
        listeners.spawn(&parts, &mut stages);
        spawn_jobs(&parts, &mut stages);
        spawn_carriers(&parts, &mut stages);
        let alive = manager::keep_alive(parts.store.clone(), stop.clone());
        stages.spawn(async move {
            alive.await;
            "watchdog"
        });
        manager::tell_ready();

        let ended_early = tokio::select! {
            () = shutdown => None,
            ended = stages.join_next() => ended,
        };
        manager::tell_stopping();
        stop.cancel();
        let drained = async { while stages.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_DEADLINE, drained).await.is_err() {
            tracing::warn!("open requests took longer than {DRAIN_DEADLINE:?} and were cut off");
        }
        match ended_early {
            None => {
                tracing::info!("ended as asked");
                Ok(())
            }
            Some(ended) => {
                bail!("{}; the collector stops, so that it is started anew", told(ended))
            }
        }
    }
}

/// Gathers what releasing a report needs, for the service and for the command line alike.
///
/// # Errors
/// When a profile of the hospital's own cannot be read.
pub(crate) fn make_releases(
    config: &Config,
    store: &Store,
    clock: &SharedClock,
    report_key: Arc<SigningKey>,
) -> Result<Releases> {
    let profiles = Arc::new(read_profiles(&config.data_dir)?);
    let (store, clock) = (store.clone(), Arc::clone(clock));

    Ok(Releases::new(store, clock, profiles, report_key, &config.pdf.font))
}

/// Starts what draws conclusions from what is stored, and what removes what was kept long enough.
fn spawn_jobs(parts: &Parts, stages: &mut JoinSet<&'static str>) {
    let Parts { config, store, clock, nudge, .. } = parts;
    let rules = &config.correlate;
    spawn_job(
        CorrelateJob::new(store.clone(), Arc::clone(clock), nudge.clone(), rules.clone()),
        parts,
        stages,
    );
    spawn_job(
        SilenceJob::new(store.clone(), Arc::clone(clock), nudge.clone(), rules.clone()),
        parts,
        stages,
    );
    let locale = Locale::new(config.drafts.language);
    spawn_job(
        DraftReportsJob::new(store.clone(), Arc::clone(clock), nudge.clone(), locale),
        parts,
        stages,
    );
    let noting = listening::keep_noting(store.clone(), Arc::clone(clock), parts.stop.clone());
    stages.spawn(async move {
        noting.await;
        "listening"
    });
    spawn_job(
        RetentionJob {
            store: store.clone(),
            manifests: config.data_dir.join(MANIFESTS_DIR),
            config: config.retention.clone(),
            clock: Arc::clone(clock),
        },
        parts,
        stages,
    );
}

/// Starts what tells people and brings reports and packages away.
fn spawn_carriers(parts: &Parts, stages: &mut JoinSet<&'static str>) {
    let Parts { config, store, clock, nudge, .. } = parts;
    spawn_job(
        DeadlinesJob {
            store: store.clone(),
            profiles: parts.releases.shared_profiles(),
            courier: parts.courier.clone(),
            clock: Arc::clone(clock),
            console_url: config.console_url(),
            nudge: nudge.clone(),
        },
        parts,
        stages,
    );
    spawn_job(
        DeliverJob {
            store: store.clone(),
            releases: parts.releases.clone(),
            post: parts.post.clone(),
            mail: config.mail.clone(),
            config: config.deliver.clone(),
            patience: Patience::default(),
            clock: Arc::clone(clock),
            nudge: nudge.clone(),
        },
        parts,
        stages,
    );
    spawn_job(
        ExchangeJob {
            store: store.clone(),
            post: parts.post.clone(),
            clock: Arc::clone(clock),
            nudge: nudge.clone(),
        },
        parts,
        stages,
    );
    spawn_job(
        MattersJob {
            store: store.clone(),
            profiles: parts.releases.shared_profiles(),
            courier: parts.courier.clone(),
            clock: Arc::clone(clock),
            console_url: config.console_url(),
        },
        parts,
        stages,
    );
    spawn_job(
        NotifyJob {
            store: store.clone(),
            courier: parts.courier.clone(),
            clock: Arc::clone(clock),
            console_url: config.console_url(),
            nudge: nudge.clone(),
        },
        parts,
        stages,
    );
}

fn spawn_job<J: Job + 'static>(job: J, parts: &Parts, stages: &mut JoinSet<&'static str>) {
    let (nudge, stop) = (parts.nudge.clone(), parts.stop.clone());
    stages.spawn(async move {
        jobs::run(job, nudge, stop).await;
        J::NAME
    });
}

fn told(ended: Result<&'static str, JoinError>) -> String {
    match ended {
        Ok(stage) => format!("the stage `{stage}` ended by itself"),
        Err(error) => format!("a stage failed: {error}"),
    }
}

/// Says once where everything is.
fn announce(parts: &Parts, addresses: Addresses) {
    let Addresses { ingest, enrolment, console, exchange, taxii } = addresses;
    let config = &parts.config;
    tracing::info!(
        data.path = %config.data_dir.display(), "data directory {}", config.data_dir.display()
    );
    tracing::info!(
        listener.address = %ingest, "agents send to {ingest} and are told {}", config.ingest_url()
    );
    tracing::info!(
        listener.address = %enrolment, "new agents enrol at {enrolment}, {}", config.enrolment_url()
    );
    tracing::info!(
        listener.address = %console, "people work at {console}, {}", config.console_url()
    );
    let kind = config.organisation.kind;
    match exchange {
        Some(address) => tracing::info!(
            listener.address = %address, organisation.kind = %kind,
            "partners of this {kind} send packages to {address} and are told {}", config.exchange_url()
        ),
        None => tracing::info!(
            organisation.kind = %kind,
            "this {kind} takes packages of partners as files alone; `exchange.listen` is empty"
        ),
    }
    if let Some(address) = taxii {
        tracing::info!(
            listener.address = %address,
            "TAXII clients read sharing products at {address}, {}/taxii2/", config.taxii_url()
        );
    }
    let fingerprint = parts.authority.fingerprint();
    tracing::info!(
        authority.fingerprint = %fingerprint, "the authority's fingerprint is {fingerprint}"
    );
    if config.mail.host.is_empty() {
        tracing::warn!("no mail server is configured; alerts by mail wait until there is one");
    } else {
        let (host, port) = (&config.mail.host, config.mail.port);
        tracing::info!(mail.host = host, mail.port = port, "alerts by mail go over {host}:{port}");
    }
}

/// Returns what completes when the system asks the program to end.
fn end_signal() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("failed to watch SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("failed to watch SIGINT")?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "failed to watch Ctrl-C");
            std::future::pending::<()>().await;
        }
    })
}
