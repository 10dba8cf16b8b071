//! The listeners: bound before anything runs, served until the collector ends.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::Parts;
use crate::config::{Config, ConsoleTls};
use crate::enrolment::Offer;
use crate::http::listener::{ClientCertificates, TlsError, TlsListener, TlsSettings, keep_fresh};
use crate::http::serving::{ProxyListener, serve_behind_proxy, serve_tls};
use crate::http::{
    AgentParts, AgentState, ConsoleState, EnrolmentParts, EnrolmentPlace, EnrolmentState,
    ExchangeState, SignInLimits, TaxiiState, agent_router, console_router, enrolment_router,
    exchange_router, prepare_manifests, taxii_router,
};
use crate::jobs::What;
use crate::release::ChecklistDesk;

/// Where the collector listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Events, from enrolled agents.
    pub ingest: SocketAddr,
    /// Enrolment, from new agents.
    pub enrolment: SocketAddr,
    /// Pages, for people.
    pub console: SocketAddr,
    /// Packages, from partners; none where files alone are exchanged.
    pub exchange: Option<SocketAddr>,
    /// Sharing products, for clients; none where nobody reads them.
    pub taxii: Option<SocketAddr>,
}

/// The listeners, bound.
pub(super) struct Listeners {
    ingest: TlsListener,
    ingest_tls: TlsSettings,
    enrolment: TlsListener,
    enrolment_tls: TlsSettings,
    console: ConsoleListener,
    exchange: Option<(TlsListener, TlsSettings)>,
    taxii: Option<(TlsListener, TlsSettings)>,
    addresses: Addresses,
}

enum ConsoleListener {
    Own(TlsListener, TlsSettings),
    Files(TlsListener),
    Proxy(ProxyListener),
}

impl Listeners {
    pub(super) async fn bind(parts: &Parts) -> Result<Self> {
        let Parts { config, authority, clock, .. } = parts;
        prepare_manifests(&config.data_dir).context("failed to make the directory of manifests")?;
        let own =
            |clients| TlsSettings::by_authority(authority, &config.public_names, clients, clock);
        let ingest_tls = own(ClientCertificates::Demanded)?;
        let ingest = bind_tls("ingest", config.ingest.listen, ingest_tls.clone()).await?;
        let enrolment_tls = own(ClientCertificates::NotAsked)?;
        let enrolment =
            bind_tls("enrolment", config.enrolment.listen, enrolment_tls.clone()).await?;
        let open = || own(ClientCertificates::NotAsked);
        let exchange = bind_maybe("exchange", config.exchange.address(), open).await?;
        let taxii = bind_maybe("taxii", config.taxii.address(), open).await?;
        let (console, console_address) = bind_console(parts, own).await?;
        let addresses = Addresses {
            ingest: ingest.address(),
            enrolment: enrolment.address(),
            console: console_address,
            exchange: exchange.as_ref().map(|(listener, _)| listener.address()),
            taxii: taxii.as_ref().map(|(listener, _)| listener.address()),
        };

        Ok(Self {
            ingest,
            ingest_tls,
            enrolment,
            enrolment_tls,
            console,
            exchange,
            taxii,
            addresses,
        })
    }

    pub(super) const fn addresses(&self) -> Addresses {
        self.addresses
    }

    pub(super) fn spawn(self, parts: &Parts, stages: &mut JoinSet<&'static str>) {
        let agents = agent_router(AgentState::new(AgentParts {
            store: parts.store.clone(),
            authority: Arc::clone(&parts.authority),
            order_key: Arc::clone(&parts.order_key),
            clock: Arc::clone(&parts.clock),
            data_dir: parts.config.data_dir.clone(),
            on_stored: {
                let nudge = parts.nudge.clone();
                Arc::new(move |facility| nudge.tell_of(facility, What::Records))
            },
        }));
        let newcomers = enrolment_router(EnrolmentState::new(EnrolmentParts {
            store: parts.store.clone(),
            authority: Arc::clone(&parts.authority),
            clock: Arc::clone(&parts.clock),
            offer: Offer {
                order_key: parts.order_key.public_base64(),
                ingest_url: parts.config.ingest_url(),
            },
        }));
        let stop = || parts.stop.clone();
        stages.spawn(stage("ingest listener", serve_tls(self.ingest, agents, stop())));
        stages.spawn(stage("enrolment listener", serve_tls(self.enrolment, newcomers, stop())));
        keep(self.ingest_tls, ClientCertificates::Demanded, parts, stages);
        keep(self.enrolment_tls, ClientCertificates::NotAsked, parts, stages);
        if let Some((listener, settings)) = self.exchange {
            let (post, nudge) = (parts.post.clone(), parts.nudge.clone());
            let partners = exchange_router(ExchangeState::new(parts.store.clone(), post, nudge));
            keep(settings, ClientCertificates::NotAsked, parts, stages);
            stages.spawn(stage("exchange listener", serve_tls(listener, partners, stop())));
        }
        if let Some((listener, settings)) = self.taxii {
            let state = TaxiiState::new(parts.store.clone(), parts.config.taxii_url());
            keep(settings, ClientCertificates::NotAsked, parts, stages);
            let served = serve_tls(listener, taxii_router(state), stop());
            stages.spawn(stage("TAXII listener", served));
        }
        let pages = console_router(console_state(parts));
        match self.console {
            ConsoleListener::Own(listener, settings) => {
                keep(settings, ClientCertificates::NotAsked, parts, stages);
                stages.spawn(stage("console listener", serve_tls(listener, pages, stop())));
            }
            ConsoleListener::Files(listener) => {
                stages.spawn(stage("console listener", serve_tls(listener, pages, stop())));
            }
            ConsoleListener::Proxy(listener) => {
                let served = serve_behind_proxy(listener, pages, stop());
                stages.spawn(stage("console listener", served));
            }
        }
    }
}

fn console_state(parts: &Parts) -> ConsoleState {
    ConsoleState {
        store: parts.store.clone(),
        clock: Arc::clone(&parts.clock),
        trusted_proxies: parts.config.console.trusted_proxies.clone().into(),
        silence: SignedDuration::from_secs(parts.config.correlate.silence_seconds.into()),
        policy_late: parts.config.policy.late_after(),
        enrolment: EnrolmentPlace {
            url: parts.config.enrolment_url(),
            fingerprint: parts.authority.fingerprint().to_string(),
        },
        order_key: Arc::clone(&parts.order_key),
        releases: parts.releases.clone(),
        checklists: ChecklistDesk {
            lists: Arc::clone(&parts.checklists),
            events_days: parts.config.retention.events_days,
            silence: SignedDuration::from_secs(parts.config.correlate.silence_seconds.into()),
        },
        post: parts.post.clone(),
        nudge: parts.nudge.clone(),
        courier: parts.courier.clone(),
        limits: SignInLimits::default(),
    }
}

async fn bind_console(
    parts: &Parts,
    own: impl Fn(ClientCertificates) -> Result<TlsSettings, TlsError>,
) -> Result<(ConsoleListener, SocketAddr)> {
    let Config { console, .. } = parts.config.as_ref();
    match console.tls {
        ConsoleTls::Own => {
            let settings = own(ClientCertificates::NotAsked)?;
            let listener = bind_tls("console", console.listen, settings.clone()).await?;
            let address = listener.address();
            Ok((ConsoleListener::Own(listener, settings), address))
        }
        ConsoleTls::Files => {
            let settings = TlsSettings::by_files(&console.certificate, &console.key, &parts.clock)?;
            let listener = bind_tls("console", console.listen, settings).await?;
            let address = listener.address();
            Ok((ConsoleListener::Files(listener), address))
        }
        ConsoleTls::Proxy => {
            let proxies = console.trusted_proxies.clone();
            let bound = ProxyListener::bind(console.listen, proxies).await;
            let listener = bound.with_context(|| refused("console", console.listen))?;
            let address = listener
                .address()
                .context("failed to read the console's address")?;
            Ok((ConsoleListener::Proxy(listener), address))
        }
    }
}

/// Binds a listener where there is an address for it.
async fn bind_maybe(
    name: &str,
    address: Option<SocketAddr>,
    settings: impl Fn() -> Result<TlsSettings, TlsError>,
) -> Result<Option<(TlsListener, TlsSettings)>> {
    let Some(address) = address else { return Ok(None) };
    let settings = settings()?;
    let listener = bind_tls(name, address, settings.clone()).await?;

    Ok(Some((listener, settings)))
}

async fn bind_tls(name: &str, address: SocketAddr, settings: TlsSettings) -> Result<TlsListener> {
    TlsListener::bind(address, settings)
        .await
        .with_context(|| refused(name, address))
}

fn refused(name: &str, address: SocketAddr) -> String {
    format!("failed to listen at {address}, named by `{name}.listen`")
}

/// Makes the listener's certificate anew before it ends.
fn keep(
    settings: TlsSettings,
    clients: ClientCertificates,
    parts: &Parts,
    stages: &mut JoinSet<&'static str>,
) {
    let whose = (Arc::clone(&parts.authority), parts.config.public_names.clone());
    let (clock, stop) = (Arc::clone(&parts.clock), parts.stop.clone());
    stages.spawn(async move {
        keep_fresh((settings, clients), whose, clock, stop).await;
        "certificate renewal"
    });
}

async fn stage(
    name: &'static str,
    served: impl Future<Output = std::io::Result<()>> + Send,
) -> &'static str {
    if let Err(error) = served.await {
        tracing::error!(%error, "the {name} failed");
    }
    name
}
