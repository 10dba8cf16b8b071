//! How a host is set up, as far as a checklist asks: what listens, who may come in from afar, whose accounts lie idle,
//! whether USB storage is kept out, how far back its logs go.
//!
//! Always holds: it says what a host's own settings say and never what the host works with: no path, no address, no
//! content; names of accounts, which are people's, only where the host's configuration lets them. Each part is bounded, and
//! says by itself why it could not be seen.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// Most things named of one kind; what is beyond is counted.
pub const NAMED_MAX: usize = 48;
/// Longest name, in characters.
pub const NAME_MAX_CHARS: usize = 64;

/// How a host was set up when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// When it was looked at, by the host's own clock.
    pub looked_at: Timestamp,
    /// Programs that wait for others to connect.
    #[serde(default)]
    pub listeners: Look<Few<Listener>>,
    /// Products for remote control or remote maintenance that run, by their own names.
    #[serde(default)]
    pub remote_tools: Look<Few<String>>,
    /// Accounts somebody can sign in with.
    #[serde(default)]
    pub accounts: Look<Accounts>,
    /// Whether USB storage is kept out.
    #[serde(default)]
    pub usb_storage: Look<UsbStorage>,
    /// The oldest entry the system's own log of logons still holds.
    #[serde(default)]
    pub logs_since: Look<Timestamp>,
}

/// Reads a posture, and nothing where it says what this version does not understand.
///
/// # Errors
/// When what stands there is no JSON.
pub fn if_readable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Posture>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;

    Ok(serde_json::from_value(value).ok())
}

/// One part, or why it was not seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look<T> {
    /// It was seen.
    Seen(T),
    /// It was not.
    Unseen(Unseen),
}

/// Why a part was not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// The agent lacks the right.
    NoRight,
    /// The system keeps no record of it, or none the agent can read.
    NoRecord,
    /// The agent does not look for it on this system, or is of a version that does not.
    #[default]
    #[serde(other)]
    NotLookedFor,
}

impl<T> Default for Look<T> {
    fn default() -> Self {
        Self::Unseen(Unseen::default())
    }
}

/// The first of a list, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Few<T> {
    /// At most [`NAMED_MAX`].
    pub first: Vec<T>,
    /// How many were left out.
    #[serde(default)]
    pub more: u32,
}

impl<T> Few<T> {
    /// Keeps the first of a list.
    #[must_use]
    pub fn of(mut list: Vec<T>) -> Self {
        let more = list.len().saturating_sub(NAMED_MAX);
        list.truncate(NAMED_MAX);
        Self { first: list, more: u32::try_from(more).unwrap_or(u32::MAX) }
    }

    /// Returns how many there are, named or not.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.first.len())
            .unwrap_or(u32::MAX)
            .saturating_add(self.more)
    }
}

/// A program that waits for others to connect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listener {
    /// Name of the program, without its path.
    pub program: String,
    /// How it is spoken to.
    pub transport: Transport,
    /// Where.
    pub port: u16,
    /// From where.
    pub reach: Reach,
}

/// How a port is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// From where a port can be reached, as far as the host itself decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// From other machines.
    Network,
    /// From the host itself alone.
    Host,
}

/// Accounts of the host's own somebody can sign in with: neither locked nor without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// How many there are.
    pub usable: u32,
    /// Days without a logon after which one counts as idle.
    pub idle_days: u32,
    /// How many nobody signed in with for so long.
    pub idle: u32,
    /// Those, where the host's configuration lets their names leave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<Few<IdleAccount>>,
}

/// An account nobody signs in with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IdleAccount {
    /// Its name.
    pub name: String,
    /// When somebody last did; `None` if the system knows of no time.
    pub last: Option<Timestamp>,
}

/// Whether USB storage is kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsbStorage {
    /// What keeps it out. Nothing: it can be used.
    pub barred_by: Vec<UsbBar>,
    /// How many are attached.
    pub attached: u32,
}

/// What keeps USB storage out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsbBar {
    /// There is no USB on this machine, as on most virtual ones.
    NoUsb,
    /// The driver may not be loaded: `install usb-storage /bin/false` on Linux, `Start` of `USBSTOR` on Windows.
    DriverDisabled,
    /// A policy denies it: removable storage access on Windows.
    PolicyDenied,
    /// New devices are let in one by one: `USBGuard`, or `authorized_default` of the kernel.
    DevicesAuthorized,
    /// Something a later version knows.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_says_is_understood_as_far_as_it_goes() {
        let line = r#"{"looked_at":"2026-11-26T00:00:00Z","usb_storage":{"seen":{"barred_by":["no_usb","hypervisor"],"attached":0}},
            "accounts":{"unseen":"no_moon"},"ports":7}"#;
        let posture: Posture = serde_json::from_str(line).unwrap();
        let storage = UsbStorage { barred_by: vec![UsbBar::NoUsb, UsbBar::Other], attached: 0 };
        assert_eq!(posture.usb_storage, Look::Seen(storage));
        assert_eq!(posture.accounts, Look::Unseen(Unseen::NotLookedFor));
        assert_eq!(posture.listeners, Look::Unseen(Unseen::NotLookedFor));
    }

    #[test]
    fn one_that_cannot_be_read_is_none_and_costs_nothing() {
        let read = |text: &str| {
            let mut from = serde_json::Deserializer::from_str(text);
            if_readable(&mut from).unwrap()
        };
        let door = r#"{"looked_at":"2026-11-26T00:00:00Z","listeners":{"seen":{"first":[{"program":"a","transport":"KIND","port":1,"reach":"host"}]}}}"#;
        assert!(read(&door.replace("KIND", "tcp")).is_some());
        assert_eq!(read(&door.replace("KIND", "quic")), None);
        assert_eq!(read("null"), None);
    }

    #[test]
    fn a_list_is_cut_and_says_by_how_much() {
        let few = Few::of((0..NAMED_MAX + 3).collect());
        assert_eq!((few.first.len(), few.more), (NAMED_MAX, 3));
        assert_eq!(few.count() as usize, NAMED_MAX + 3);
        assert_eq!(Few::of(vec![1]).more, 0);
    }
}
