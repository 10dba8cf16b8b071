//! Which products for remote control or remote maintenance run.
//!
//! A list of names, because it answers "which are here?" and nothing else: detectors know no program by its name.

use std::collections::BTreeSet;

use shirase_shared::posture::{Few, Look, Unseen};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Beginning of a program's name in lower case, and the product's name. Linux shows 15 characters of a program's name. One
/// that is missing here is not shown, and no more.
const PRODUCTS: &[(&str, &str)] = &[
    ("aeroadmin", "AeroAdmin"),
    ("ammyy", "Ammyy Admin"),
    ("anydesk", "AnyDesk"),
    ("atera", "Atera"),
    ("bomgar", "BeyondTrust Remote Support"),
    ("cloudflared", "Cloudflare Tunnel"),
    ("dwagent", "DWService"),
    ("g2comm", "GoTo"),
    ("islalwayson", "ISL Online"),
    ("isllight", "ISL Online"),
    ("logmein", "LogMeIn"),
    ("lmiguardian", "LogMeIn"),
    ("meshagent", "MeshCentral"),
    ("ngrok", "ngrok"),
    ("remote_host", "Chrome Remote Desktop"),
    ("chrome-remote-d", "Chrome Remote Desktop"),
    ("remotepc", "RemotePC"),
    ("rustdesk", "RustDesk"),
    ("rutserv", "Remote Utilities"),
    ("screenconnect", "ScreenConnect"),
    ("connectwisecont", "ScreenConnect"),
    ("splashtop", "Splashtop"),
    ("srservice", "Splashtop"),
    ("supremo", "Supremo"),
    ("tailscaled", "Tailscale"),
    ("teamviewer", "TeamViewer"),
    ("tvnserver", "TightVNC"),
    ("ultraviewer", "UltraViewer"),
    ("vncserver", "VNC"),
    ("winvnc", "VNC"),
    ("x11vnc", "VNC"),
    ("xvnc", "VNC"),
    ("xtigervnc", "VNC"),
    ("xrdp", "xrdp"),
    ("zohoursservice", "Zoho Assist"),
];

pub(super) fn look() -> Look<Few<String>> {
    let Ok(mut system) = System::new() else { return Look::Unseen(Unseen::NoRecord) };
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, ProcessRefreshKind::nothing());
    let names = system
        .processes()
        .values()
        .map(|process| process.name().to_string_lossy().into_owned());

    Look::Seen(Few::of(products(names)))
}

/// Returns the products some running programs belong to, each once.
fn products(programs: impl Iterator<Item = String>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for program in programs {
        let program = program.to_lowercase();
        let product = PRODUCTS
            .iter()
            .find(|(beginning, _)| program.starts_with(beginning));
        found.extend(product.map(|(_, product)| (*product).to_owned()));
    }

    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_known_by_how_their_programs_begin() {
        let programs = ["systemd", "TeamViewer_Service.exe", "teamviewerd", "xrdp-sesman", "nginx"];
        let found = products(programs.into_iter().map(str::to_owned));
        assert_eq!(found, ["TeamViewer", "xrdp"]);
    }
}
