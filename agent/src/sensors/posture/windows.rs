//! Reads the settings of Windows.

mod accounts;
mod registry;

use jiff::Timestamp;
use shirase_shared::posture::{Accounts, Look, Unseen, UsbBar, UsbStorage};

use crate::sensors::event_log::{Entry, oldest};

/// The log of logons.
const LOG: &str = "Security";
/// The drivers of storage on USB; of the first `Start` says whether it may be loaded, of both `Enum` what is attached.
const DRIVER: &str = r"SYSTEM\CurrentControlSet\Services\USBSTOR";
const SECOND_DRIVER: &str = r"SYSTEM\CurrentControlSet\Services\UASPStor";
/// `Start` of a driver that is disabled.
const DISABLED: u32 = 4;
/// Where the policy “Removable Storage Access” is kept, below it that for removable disks.
const STORAGE_POLICY: &str = r"SOFTWARE\Policies\Microsoft\Windows\RemovableStorageDevices";
const DISKS: &str = "{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}";
/// Where the policy “Prevent installation of removable devices” is kept.
const INSTALL_POLICY: &str = r"SOFTWARE\Policies\Microsoft\Windows\DeviceInstall\Restrictions";

pub(super) fn accounts(now: Timestamp, idle_days: u32) -> Look<Accounts> {
    match accounts::usable(now) {
        Ok(usable) => Look::Seen(super::idle::accounts(usable, now, idle_days)),
        Err(error) => Look::Unseen(why(&error)),
    }
}

pub(super) fn usb_storage() -> Look<UsbStorage> {
    let is_set = |key: &str, value: &str| registry::number(key, value) == Some(1);
    let mut barred_by = Vec::new();
    if registry::number(DRIVER, "Start") == Some(DISABLED) {
        barred_by.push(UsbBar::DriverDisabled);
    }
    let disks = format!(r"{STORAGE_POLICY}\{DISKS}");
    // One that may be read and not written is not kept out.
    if is_set(STORAGE_POLICY, "Deny_All")
        || is_set(&disks, "Deny_Read") && is_set(&disks, "Deny_Write")
        || is_set(INSTALL_POLICY, "DenyRemovableDevices")
    {
        barred_by.push(UsbBar::PolicyDenied);
    }
    let attached = [DRIVER, SECOND_DRIVER]
        .iter()
        .filter_map(|driver| registry::number(&format!(r"{driver}\Enum"), "Count"))
        .fold(0, u32::saturating_add);

    Look::Seen(UsbStorage { barred_by, attached })
}

pub(super) fn logs_since() -> Look<Timestamp> {
    match oldest(LOG) {
        Ok(entry) => entry
            .and_then(|xml| Entry::read(&xml))
            .map_or(Look::Unseen(Unseen::NoRecord), |entry| Look::Seen(entry.at)),
        Err(error) => Look::Unseen(why(&error)),
    }
}

fn why(error: &std::io::Error) -> Unseen {
    let is_denied = error.kind() == std::io::ErrorKind::PermissionDenied;
    if is_denied { Unseen::NoRight } else { Unseen::NoRecord }
}
