//! Asks systemd over D-Bus how a unit is.

use std::time::Duration;

use shirase_shared::error::Chain;
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use super::Answer;
use crate::observation::Presence;

/// What the sensor sees with.
pub(super) const NAME: &str = "systemd";
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// systemd's name on the bus.
const SYSTEMD: &str = "org.freedesktop.systemd1";
/// The interface of a unit.
const UNIT: &str = "org.freedesktop.systemd1.Unit";

/// A connection to the system bus, opened when first needed and again after it broke.
#[derive(Default)]
pub(super) struct Manager(Option<Connection>);

impl Manager {
    pub(super) async fn state(&mut self, service: &str) -> Result<Answer, String> {
        let asked = tokio::time::timeout(PATIENCE, self.ask(service)).await;
        match asked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.0 = None;
                Err(format!("systemd does not answer: {}", Chain(&error)))
            }
            Err(_) => {
                self.0 = None;
                Err(format!("systemd did not answer within {} s", PATIENCE.as_secs()))
            }
        }
    }

    async fn ask(&mut self, service: &str) -> zbus::Result<Answer> {
        let connection = match &self.0 {
            Some(connection) => connection.clone(),
            None => self.0.insert(Connection::system().await?).clone(),
        };
        let (path, manager) = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");
        // Loads the unit if need be, also one that does not exist, so that there is always an object to ask.
        let loaded = connection
            .call_method(Some(SYSTEMD), path, Some(manager), "LoadUnit", &service)
            .await?;
        let unit: OwnedObjectPath = loaded.body().deserialize()?;
        let active = property(&connection, &unit, "ActiveState").await?;
        let sub = property(&connection, &unit, "SubState").await?;
        let load = property(&connection, &unit, "LoadState").await?;

        Ok(answer(&active, &sub, &load))
    }
}

async fn property(bus: &Connection, unit: &OwnedObjectPath, name: &str) -> zbus::Result<String> {
    let interface = Some("org.freedesktop.DBus.Properties");
    let told = bus
        .call_method(Some(SYSTEMD), unit, interface, "Get", &(UNIT, name))
        .await?;
    let value: OwnedVariant = told.body().deserialize()?;

    String::try_from(&*value)
}

/// Puts systemd's three words into one answer.
fn answer(active: &str, sub: &str, load: &str) -> Answer {
    let presence = match active {
        "active" | "reloading" => Presence::Up,
        _ => Presence::Down,
    };
    let detail = match load {
        "loaded" => format!("{active} ({sub})"),
        _ => format!("{active} ({sub}), unit {load}"),
    };

    Answer { presence, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemds_words_become_one_answer() {
        let told = |active, sub, load| {
            let answer = answer(active, sub, load);
            (answer.presence, answer.detail)
        };
        assert_eq!(
            told("active", "running", "loaded"),
            (Presence::Up, "active (running)".to_owned())
        );
        assert_eq!(
            told("failed", "failed", "loaded"),
            (Presence::Down, "failed (failed)".to_owned()),
        );
        assert_eq!(
            told("inactive", "dead", "not-found"),
            (Presence::Down, "inactive (dead), unit not-found".to_owned()),
        );
        assert_eq!(told("activating", "auto-restart", "loaded").0, Presence::Down);
    }
}
