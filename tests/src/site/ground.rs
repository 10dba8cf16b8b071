//! What a site stands on: its hospital's master data, files to watch, free ports, and the programs that were built.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Fills a folder with files like those of a department's share, each with the right first bytes.
///
/// # Errors
/// When a file cannot be written.
pub fn fill(folder: &Path, directories: usize, files_each: usize) -> Result<()> {
    for directory in 0..directories {
        let folder = folder.join(format!("部門{directory:02}"));
        std::fs::create_dir_all(&folder)?;
        for file in 0..files_each {
            let (extension, head): (_, &[u8]) = match file % 3 {
                0 => ("pdf", b"%PDF-1.7\n"),
                1 => ("docx", b"PK\x03\x04"),
                _ => ("txt", b"plain text\n"),
            };
            let mut content = head.to_vec();
            content.extend(std::iter::repeat_n(b'.', 2000));
            std::fs::write(folder.join(format!("文書{file:04}.{extension}")), content)?;
        }
    }

    Ok(())
}

/// The made-up hospital every site belongs to.
pub(super) fn master() -> Value {
    json!({
        "name": "しらせ総合病院",
        "founder": "医療法人しらせ会",
        "kind": "hospital",
        "beds": 320,
        "address": "東京都千代田区一丁目1番1号（架空）",
        "jurisdiction": "東京都",
        "people": [
            {"duty": "director", "name": "知良 瀬一", "phone": "03-0000-0001"},
            {"duty": "safety_manager", "name": "守谷 情子", "phone": "03-0000-0002", "phone_24h": "03-0000-0003"},
            {"duty": "contact", "name": "連絡 太郎", "phone": "03-0000-0004", "phone_24h": "03-0000-0005",
             "mail": "it@hospital.example"}
        ],
        "vendors": [
            {"system": "ehr", "company": "架空電子カルテ株式会社", "person": "保守 次郎",
             "phone": "03-0000-0010", "phone_24h": "03-0000-0011"}
        ]
    })
}

/// Returns a path as an argument.
pub(super) fn path_text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("`{}` is not UTF-8", path.display()))
}

/// Returns a port nobody uses at the moment.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on loopback")?;
    Ok(listener
        .local_addr()
        .context("failed to read a port")?
        .port())
}

/// Finds a binary of this workspace beside the running one.
pub(super) fn binary(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("failed to find the running program")?;
    let found = here
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join(name))
        .find(|p| p.is_file());
    found.with_context(|| {
        format!(
            "`{name}` is not built; run `cargo build --workspace` first (looked beside `{}`)",
            here.display()
        )
    })
}
