//! Asks systemd over D-Bus for all its services at once, and which of them start with the system.

use std::collections::BTreeMap;
use std::time::Duration;

use shirase_shared::error::Chain;
use zbus::connection::Builder;
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use super::{Bus, Jobs, Listing, Unit};

/// What the sensor sees with.
pub(super) const NAME: &str = "systemd";
/// Where systemd leaves a trace of being there.
const SYSTEMD_RUNS: &str = "/run/systemd/system";
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// systemd's name on the bus.
const SYSTEMD: &str = "org.freedesktop.systemd1";
/// Its object.
const PATH: &str = "/org/freedesktop/systemd1";
/// The interface of the manager.
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
/// The interface of a unit.
const UNIT: &str = "org.freedesktop.systemd1.Unit";
/// In whatever state.
const ANY_STATE: &[&str] = &[];
/// What is listed.
const PATTERNS: &[&str] = &["*.service", "*.target"];

/// The number of no job.
const NO_JOB: u32 = 0;

/// A unit as systemd lists it: name, description, load, active and sub state, followed unit, its object, and its job.
type Listed =
    (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// Whether systemd is this system's service manager.
pub(super) fn is_there() -> bool {
    std::path::Path::new(SYSTEMD_RUNS).exists()
}

/// A connection to the bus, opened when first needed and again after it broke.
pub(super) struct Manager {
    bus: Bus,
    connection: Option<Connection>,
}

impl Manager {
    pub(super) const fn new(bus: Bus) -> Self {
        Self { bus, connection: None }
    }

    /// Lists the services and targets systemd has loaded.
    pub(super) async fn list(&mut self) -> Result<Listing, String> {
        let connection = self.connection().await?;
        self.patiently(async {
            // Slices: an array would travel as a structure.
            let asked = (ANY_STATE, PATTERNS);
            let told = call(&connection, "ListUnitsByPatterns", &asked).await?;
            let listed: Vec<Listed> = told.body().deserialize()?;
            let system = property(&connection, PATH, MANAGER, "SystemState").await?;
            let unit = |(name, _, _, active, sub, ..): Listed| (name, Unit { active, sub });
            Ok(Listing { system, units: listed.into_iter().map(unit).collect() })
        })
        .await
    }

    /// Returns those of the names that are installed, with systemd's word for whether they start with the system.
    pub(super) async fn installed(
        &mut self,
        names: &[String],
    ) -> Result<BTreeMap<String, String>, String> {
        let connection = self.connection().await?;
        self.patiently(async {
            let asked = (ANY_STATE, names);
            let told = call(&connection, "ListUnitFilesByPatterns", &asked).await?;
            let files: Vec<(String, String)> = told.body().deserialize()?;
            let named = |(path, state): (String, String)| {
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                (name, state)
            };
            Ok(files.into_iter().map(named).collect())
        })
        .await
    }

    /// Returns the service this process belongs to, if it is one.
    pub(super) async fn own_service(&mut self) -> Result<Option<String>, String> {
        let connection = self.connection().await?;
        self.patiently(async {
            let told = call(&connection, "GetUnitByPID", &std::process::id()).await?;
            let unit: OwnedObjectPath = told.body().deserialize()?;
            let id = property(&connection, unit.as_str(), UNIT, "Id").await?;
            Ok(Some(id).filter(|id| id.ends_with(".service")))
        })
        .await
    }

    /// Lists what systemd is about to do, to this process's service and to the system.
    pub(super) async fn jobs(&mut self) -> Result<Jobs, String> {
        // A process that is no service has none.
        let own = self.own_service().await.ok().flatten();
        let connection = self.connection().await?;
        self.patiently(async {
            let asked = (ANY_STATE, PATTERNS);
            let told = call(&connection, "ListUnitsByPatterns", &asked).await?;
            let listed: Vec<Listed> = told.body().deserialize()?;
            let system = property(&connection, PATH, MANAGER, "SystemState").await?;
            let job = |(name, _, _, _, _, _, _, number, kind, _): Listed| {
                (number != NO_JOB).then_some((name, kind))
            };
            Ok(Jobs { system, own, jobs: listed.into_iter().filter_map(job).collect() })
        })
        .await
    }

    async fn connection(&mut self) -> Result<Connection, String> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let opening = async {
            match &self.bus {
                Bus::System => Connection::system().await,
                Bus::At(address) => Builder::address(address.as_str()).build().await,
            }
        };
        let opened = match tokio::time::timeout(PATIENCE, opening).await {
            Ok(opened) => opened.map_err(|error| unanswered(&error))?,
            Err(_) => return Err(silent()),
        };

        Ok(self.connection.insert(opened).clone())
    }

    async fn patiently<T>(
        &mut self,
        asking: impl Future<Output = zbus::Result<T>>,
    ) -> Result<T, String> {
        let failed = match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => unanswered(&error),
            Err(_) => silent(),
        };
        self.connection = None;

        Err(failed)
    }
}

fn unanswered(error: &zbus::Error) -> String {
    format!("systemd does not answer: {}", Chain(error))
}

fn silent() -> String {
    format!("systemd did not answer within {} s", PATIENCE.as_secs())
}

async fn call<B>(bus: &Connection, method: &str, body: &B) -> zbus::Result<zbus::Message>
where
    B: serde::Serialize + zbus::zvariant::DynamicType,
{
    bus.call_method(Some(SYSTEMD), PATH, Some(MANAGER), method, body)
        .await
}

async fn property(bus: &Connection, path: &str, of: &str, name: &str) -> zbus::Result<String> {
    let interface = Some("org.freedesktop.DBus.Properties");
    let told = bus
        .call_method(Some(SYSTEMD), path, interface, "Get", &(of, name))
        .await?;
    let value: OwnedVariant = told.body().deserialize()?;

    String::try_from(&*value)
}
