//! The system ring: real binaries, real certificates, real files. One test binary, one module a story.

#![expect(clippy::unwrap_used, reason = "a test speaks by panicking")]

mod road;
mod faults;
mod quickstart;
mod browser;
mod rehearsals;
mod organisations;
mod authority;
mod policy;

use std::path::Path;

use shirase_system_tests::site::Site;
use tokio::sync::RwLock;

/// How long a state may take to come on a busy machine with two cores.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(120);

/// The machine's network interfaces. Who adds some holds it alone: a browser takes a change of them for the loss of its
/// connections.
static INTERFACES: RwLock<()> = RwLock::const_new(());

/// A site with both programs running and files to watch.
async fn running(dir: &Path) -> Site {
    let mut site = Site::prepare(dir).await.unwrap();
    shirase_system_tests::site::fill(&site.watched(), 6, 20).unwrap();
    site.start_collector().await.unwrap();
    site.enrol().unwrap();
    site.start_agent().unwrap();
    site.agent_heard().await.unwrap();
    site
}

/// Does to files what an encryptor does: overwrites each with noise and appends a suffix. Returns how many.
fn encrypt(folder: &Path, suffix: &str, at_most: usize) -> usize {
    let mut files: Vec<_> = walk(folder);
    files.retain(|path| !path.to_string_lossy().ends_with(suffix));
    files.sort();
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let mut done = 0;
    for path in files.into_iter().take(at_most) {
        let mut content = Vec::with_capacity(2048);
        while content.len() < 2048 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            content.extend_from_slice(&noise.to_le_bytes());
        }
        std::fs::write(&path, content).unwrap();
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        std::fs::rename(&path, name).unwrap();
        done += 1;
        // The pace of a fast family, 250 files a second; nothing waits for it.
        std::thread::sleep(std::time::Duration::from_millis(4));
    }
    done
}

/// The same for a folder that may not be there yet.
fn walk_if_there(folder: &Path) -> Vec<std::path::PathBuf> {
    if folder.is_dir() { walk(folder) } else { Vec::new() }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

/// Text of a PDF as a reader would select it, one line a line.
fn pdf_text(path: &Path) -> String {
    let output = std::process::Command::new("pdftotext")
        .args(["-layout".as_ref(), path.as_os_str(), "-".as_ref()])
        .output()
        .expect("pdftotext (Debian package poppler-utils)");
    assert!(output.status.success(), "pdftotext failed on {}", path.display());
    String::from_utf8(output.stdout).unwrap()
}
