//! Reads the settings of Linux.

mod accounts;
mod usb;
mod journal;

use std::path::Path;

use jiff::Timestamp;
use shirase_shared::posture::{Accounts, Look, Unseen, UsbStorage};

pub(super) fn accounts(now: Timestamp, idle_days: u32) -> Look<Accounts> {
    accounts::look(Path::new("/"), now, idle_days)
}

pub(super) fn usb_storage() -> Look<UsbStorage> {
    Look::Seen(usb::look(Path::new("/")))
}

pub(super) fn logs_since() -> Look<Timestamp> {
    journal::oldest(Path::new("/")).map_or(Look::Unseen(Unseen::NoRecord), Look::Seen)
}
