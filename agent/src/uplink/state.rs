//! What the uplink's loops share, and what it shows to people.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use shirase_shared::clock::SharedClock;
use shirase_shared::policy::{PolicyName, SignedPolicy};
use shirase_shared::wire::SignedOrder;
use tokio::sync::{Notify, mpsc};

use super::client::{Client, ClientError, Identity};
use super::renewal;
use super::route::{Route, Upstream};
use super::{SystemLog, UplinkConfig, UplinkParts, VitalsSource};
use crate::buffer::{Buffer, BufferError};

/// How the uplink is, for `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UplinkState {
    /// When a collector last stored a batch.
    pub last_ack: Option<Timestamp>,
    /// When a collector last answered a heartbeat.
    pub last_heartbeat: Option<Timestamp>,
    /// Why the last batch was not stored; `None` once one was.
    pub last_error: Option<String>,
    /// Batches not stored since one was.
    pub failures_in_a_row: u32,
    /// Why the last heartbeat was not answered; `None` once one was.
    pub heartbeat_error: Option<String>,
    /// By how many milliseconds the collector's clock was ahead of this host's at its last answer.
    pub clock_offset_ms: Option<i64>,
    /// Address of the collector in use.
    pub upstream: String,
    /// When this host's certificate expires.
    pub certificate_expires: Option<Timestamp>,
    /// Orders dropped because they were not taken fast enough; the collector repeats them.
    pub orders_dropped: u64,
    /// Finished damage manifests that wait for upload.
    pub manifests_waiting: u64,
    /// Critical events written to the system's own log because no collector answered.
    pub written_to_system_log: u64,
}

/// Where the uplink writes how it is. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct UplinkBoard(Arc<Mutex<UplinkState>>);

impl UplinkBoard {
    /// Returns how it is now.
    #[must_use]
    pub fn read(&self) -> UplinkState {
        self.lock().clone()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut UplinkState)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, UplinkState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all loops of the uplink use.
pub(super) struct Parts {
    pub(super) config: UplinkConfig,
    pub(super) identity: Identity,
    pub(super) buffer: Buffer,
    pub(super) clock: SharedClock,
    pub(super) vitals: VitalsSource,
    pub(super) orders: mpsc::Sender<SignedOrder>,
    pub(super) policies: mpsc::Sender<(PolicyName, SignedPolicy)>,
    pub(super) manifests: std::path::PathBuf,
    pub(super) system_log: SystemLog,
    pub(super) board: UplinkBoard,
    /// Told when a look at the certificate is due at once.
    pub(super) certifier_changed: Notify,
    clients: Mutex<Clients>,
    route: Mutex<Route>,
    random: SystemRandom,
}

#[derive(Clone)]
struct Clients {
    first: Client,
    second: Option<Client>,
}

impl Clients {
    fn build(identity: &Identity, config: &UplinkConfig) -> Result<Self, ClientError> {
        let first = Client::build(identity, &config.collector_url, config)?;
        let second = match config.second_url.as_str() {
            "" => None,
            url => Some(Client::build(identity, url, config)?),
        };

        Ok(Self { first, second })
    }
}

impl Parts {
    pub(super) fn build(parts: UplinkParts) -> Result<Self, ClientError> {
        renewal::settle(&parts.identity)?;
        let clients = Clients::build(&parts.identity, &parts.config)?;
        let patience = Duration::from_secs(parts.config.second_after_secs);
        let route = Route::new(clients.second.is_some(), patience);
        let expires = renewal::validity(&parts.identity)?.map(|validity| validity.until);
        parts.board.update(|state| {
            state.upstream = clients.first.base().to_string();
            state.certificate_expires = expires;
        });

        Ok(Self {
            config: parts.config,
            identity: parts.identity,
            buffer: parts.buffer,
            clock: parts.clock,
            vitals: parts.vitals,
            orders: parts.orders,
            policies: parts.policies,
            manifests: parts.manifests,
            system_log: parts.system_log,
            board: parts.board,
            certifier_changed: Notify::new(),
            clients: Mutex::new(clients),
            route: Mutex::new(route),
            random: SystemRandom::new(),
        })
    }

    /// Makes the clients anew after the identity changed. Requests under way end with the old ones.
    pub(super) fn rebuild_clients(&self) -> Result<(), ClientError> {
        let clients = Clients::build(&self.identity, &self.config)?;
        *self.clients.lock().unwrap_or_else(PoisonError::into_inner) = clients;

        Ok(())
    }

    /// Returns the collector to use now.
    pub(super) fn chosen(&self) -> (Upstream, Client) {
        let upstream = self.lock_route().choose(self.clock.moment().monotonic_ms);
        let client = self.client(upstream);
        self.board
            .update(|state| state.upstream = client.base().to_string());

        (upstream, client)
    }

    /// Returns the client of one collector; the first if there is no second.
    pub(super) fn client(&self, upstream: Upstream) -> Client {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        match (upstream, &clients.second) {
            (Upstream::Second, Some(second)) => second.clone(),
            (Upstream::First, _) | (Upstream::Second, None) => clients.first.clone(),
        }
    }

    /// Notes that a collector answered usably.
    pub(super) fn heard(&self, upstream: Upstream) {
        match upstream {
            Upstream::First => self.lock_route().first_answered(),
            Upstream::Second => {}
        }
    }

    /// Notes that a collector did not.
    pub(super) fn unheard(&self, upstream: Upstream) {
        match upstream {
            Upstream::First => self
                .lock_route()
                .first_failed(self.clock.moment().monotonic_ms),
            Upstream::Second => {}
        }
    }

    /// Notes that a batch got a decision.
    pub(super) fn answered(&self, upstream: Upstream) {
        self.heard(upstream);
        self.board.update(|state| {
            state.failures_in_a_row = 0;
            state.last_error = None;
        });
    }

    /// Notes that a batch got none.
    pub(super) fn failed(&self, upstream: Upstream, why: &str) {
        self.unheard(upstream);
        self.board.update(|state| {
            state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
            state.last_error = Some(why.to_owned());
        });
    }

    /// Runs blocking work on the buffer where it may wait for the disk.
    pub(super) async fn with_buffer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Buffer) -> Result<T, BufferError> + Send + 'static,
    ) -> Result<T, BufferError> {
        let buffer = self.buffer.clone();
        match tokio::task::spawn_blocking(move || work(&buffer)).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down; nothing was decided.
                Err(_) => Err(BufferError::Closed),
            },
        }
    }

    /// Returns randomness for the jitter of a pause.
    pub(super) fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        match self.random.fill(&mut bytes) {
            Ok(()) => u64::from_le_bytes(bytes),
            // Without randomness the pause has no jitter, which is no reason to fail.
            Err(_) => 0,
        }
    }

    fn lock_route(&self) -> MutexGuard<'_, Route> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
