//! Whether USB storage is kept out, by modprobe's settings (modprobe.d(5)) and by what the kernel shows of its bus.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use shirase_shared::posture::{UsbBar, UsbStorage};

/// Where modprobe's settings lie. A file hides one of the same name further down.
const SETTINGS: &[&str] = &[
    "etc/modprobe.d",
    "run/modprobe.d",
    "usr/local/lib/modprobe.d",
    "usr/lib/modprobe.d",
    "lib/modprobe.d",
];
/// The drivers of storage on USB; the second needs the first.
const DRIVERS: [&str; 2] = ["usb_storage", "uas"];
const BUS: &str = "sys/bus/usb/devices";
/// Largest file read.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// Looks below `root`, which is `/` but for tests.
pub(super) fn look(root: &Path) -> UsbStorage {
    let mut barred_by = Vec::new();
    let devices = names(&root.join(BUS));
    if devices.is_empty() {
        barred_by.push(UsbBar::NoUsb);
    }
    let loaded = root.join("sys/module/usb_storage").exists();
    if !loaded && is_disabled(&settings(root)) {
        barred_by.push(UsbBar::DriverDisabled);
    }
    if asks_for_each(root, &devices) {
        barred_by.push(UsbBar::DevicesAuthorized);
    }
    let attached = ["usb-storage", "uas"]
        .iter()
        .flat_map(|driver| names(&root.join("sys/bus/usb/drivers").join(driver)))
        // Beside the devices, `1-2:1.0`, lie the driver's own handles.
        .filter(|name| name.contains(':'))
        .count();

    UsbStorage { barred_by, attached: u32::try_from(attached).unwrap_or(u32::MAX) }
}

/// Whether every bus lets in no device by itself, as `USBGuard` sets it.
fn asks_for_each(root: &Path, devices: &[String]) -> bool {
    let mut buses = devices
        .iter()
        .filter(|name| name.starts_with("usb"))
        .map(|name| root.join(BUS).join(name).join("authorized_default"))
        .peekable();

    buses.peek().is_some() && buses.all(|file| text(&file).is_some_and(|said| said.trim() == "0"))
}

/// Whether settings keep the driver of USB storage from being loaded.
///
/// `install` with a program that does nothing stops it for good; `blacklist` only stops what is loaded for a device, and
/// the second driver takes the first along.
fn is_disabled(settings: &[String]) -> bool {
    let (mut installs, mut blacklisted) = (BTreeSet::new(), BTreeSet::new());
    for line in settings.iter().flat_map(|text| text.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["install", module, program, ..] if does_nothing(program) => {
                installs.insert(module.replace('-', "_"));
            }
            ["blacklist", module, ..] => {
                blacklisted.insert(module.replace('-', "_"));
            }
            _ => {}
        }
    }
    let [storage, _] = DRIVERS;

    installs.contains(storage)
        || DRIVERS
            .iter()
            .all(|driver| blacklisted.contains(*driver) || installs.contains(*driver))
}

fn does_nothing(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "true" | "false")
}

/// Reads modprobe's settings, each file once.
fn settings(root: &Path) -> Vec<String> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for dir in SETTINGS {
        for name in names(&root.join(dir)) {
            if Path::new(&name)
                .extension()
                .is_some_and(|ending| ending == "conf")
            {
                let path = root.join(dir).join(&name);
                files.entry(name).or_insert(path);
            }
        }
    }
    files.values().filter_map(|file| text(file)).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();

    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn text(path: &Path) -> Option<String> {
    let is_small = std::fs::metadata(path).is_ok_and(|file| file.len() <= FILE_MAX_BYTES);
    is_small
        .then(|| std::fs::read_to_string(path).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_disabled_by_what_stops_it_for_good() {
        let disabled = |lines: &str| is_disabled(&[lines.to_owned()]);
        assert!(disabled("install usb-storage /bin/false"));
        assert!(disabled("  install usb_storage   /usr/bin/true # no sticks"));
        assert!(disabled("blacklist usb-storage\nblacklist uas"));
        assert!(!disabled("blacklist usb-storage"), "the second driver takes it along");
        assert!(!disabled("# install usb-storage /bin/false"));
        assert!(!disabled("install usb-storage /sbin/modprobe --ignore-install usb-storage"));
        assert!(!disabled("install uas /bin/false"));
    }

    #[test]
    fn what_the_bus_shows_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, said: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, said).unwrap();
        };
        assert_eq!(look(dir.path()).barred_by, [UsbBar::NoUsb]);
        write("sys/bus/usb/devices/usb1/authorized_default", "1\n");
        assert_eq!(look(dir.path()), UsbStorage { barred_by: Vec::new(), attached: 0 });
        write("etc/modprobe.d/no-sticks.conf", "install usb-storage /bin/false\n");
        assert_eq!(look(dir.path()).barred_by, [UsbBar::DriverDisabled]);
        // One that is in use already is not kept out by what stops it from being loaded.
        write("sys/module/usb_storage/refcnt", "1\n");
        write("sys/bus/usb/drivers/usb-storage/1-2:1.0", "");
        write("sys/bus/usb/drivers/usb-storage/bind", "");
        assert_eq!(look(dir.path()), UsbStorage { barred_by: Vec::new(), attached: 1 });
        write("sys/bus/usb/devices/usb1/authorized_default", "0\n");
        assert_eq!(look(dir.path()).barred_by, [UsbBar::DevicesAuthorized]);
    }

    #[test]
    fn a_file_hides_one_of_its_name_further_down() {
        let dir = tempfile::tempdir().unwrap();
        for (place, said) in [("etc", ""), ("usr/lib", "install usb-storage /bin/false\n")] {
            let place = dir.path().join(place).join("modprobe.d");
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join("usb.conf"), said).unwrap();
        }
        assert!(!is_disabled(&settings(dir.path())));
    }
}
