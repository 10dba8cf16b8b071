//! Work with many files: copying, renaming, deleting, rotating, saving.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::stage::{Stage, program};
use crate::tree::{self, Kind};

pub(super) fn have_sources(stage: &Stage) -> Result<()> {
    stage.sources(&stage.watched("project"), 50, 50)
}

pub(super) fn have_sources_aside(stage: &Stage) -> Result<()> {
    stage.sources(&stage.aside("project"), 50, 50)
}

pub(super) fn have_documents(stage: &Stage) -> Result<()> {
    stage.documents(&stage.watched("docs"), 20, 30).map(drop)
}

pub(super) fn have_documents_aside(stage: &Stage) -> Result<()> {
    stage.documents(&stage.aside("docs"), 20, 30).map(drop)
}

pub(super) fn have_logs(stage: &Stage) -> Result<()> {
    stage.logs_in(&stage.watched("log"), 400)
}

pub(super) fn have_packed_logs(stage: &Stage) -> Result<()> {
    have_logs(stage)?;
    stage.shell(&stage.watched("log"), "gzip service-*.log")
}

pub(super) fn remove_sources(stage: &Stage) -> Result<()> {
    program("rm", &[Path::new("-rf"), &stage.watched("project")])
}

pub(super) fn copy_sources(stage: &Stage) -> Result<()> {
    program("cp", &[Path::new("-a"), &stage.aside("project"), &stage.watched("copy")])
}

pub(super) fn copy_documents(stage: &Stage) -> Result<()> {
    program("cp", &[Path::new("-a"), &stage.aside("docs"), &stage.watched("copy")])
}

pub(super) fn move_to_archive(stage: &Stage) -> Result<()> {
    let line = "mkdir -p archive; find docs -type f -exec sh -c 'd=archive/$(basename $(dirname \"$1\")); mkdir -p $d; \
                mv \"$1\" $d/' sh {} \\;";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn add_prefix(stage: &Stage) -> Result<()> {
    let line =
        "for f in docs/*/*; do mv \"$f\" \"$(dirname \"$f\")/2026-$(basename \"$f\")\"; done";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn rename_to_bak(stage: &Stage) -> Result<()> {
    let line = "for f in project/*/*.toml; do mv \"$f\" \"${f%.toml}.bak\"; done";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn have_doubles(stage: &Stage) -> Result<()> {
    stage.documents(&stage.watched("docs"), 20, 25)?;
    program("cp", &[Path::new("-a"), &stage.watched("docs"), &stage.watched("twice")])
}

pub(super) fn link_doubles(stage: &Stage) -> Result<()> {
    let line = "cd docs; for f in */*; do ln \"$f\" \"../twice/$f.dedup\"; mv \"../twice/$f.dedup\" \"../twice/$f\"; done";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn edit_in_place(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "sed -i 's/a/o/g' project/*/*.toml project/*/*.md")
}

pub(super) fn gzip_logs(stage: &Stage) -> Result<()> {
    stage.shell(&stage.watched("log"), "gzip service-*.log")
}

pub(super) fn gunzip_logs(stage: &Stage) -> Result<()> {
    stage.shell(&stage.watched("log"), "gunzip service-*.log.gz")
}

pub(super) fn rotate_logs(stage: &Stage) -> Result<()> {
    let settings = format!(
        "{}/*.log {{\n  rotate 4\n  size 1\n  compress\n  missingok\n  su root root\n}}\n",
        stage.watched("log").display()
    );
    fs::write(stage.aside("logrotate.conf"), settings)?;
    let line = "logrotate --force --state \"$ASIDE/rotated\" \"$ASIDE/logrotate.conf\"";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn have_rotated_logs(stage: &Stage) -> Result<()> {
    have_logs(stage)?;
    rotate_logs(stage)?;
    have_logs(stage)
}

/// An application's own rotation: app.log.2 becomes app.log.3, and so on, then a new file.
pub(super) fn ship_logs(stage: &Stage) -> Result<()> {
    let folder = stage.watched("log");
    for round in 0..30 {
        for number in 0..20 {
            let log = folder.join(format!("service-{number:03}.log"));
            for age in (1..=round.min(5)).rev() {
                let of = |age| folder.join(format!("service-{number:03}.log.{age}"));
                if of(age).exists() {
                    fs::rename(of(age), of(age + 1))?;
                }
            }
            fs::rename(&log, folder.join(format!("service-{number:03}.log.1")))?;
            fs::write(&log, format!("round {round} begins\n"))?;
        }
    }
    Ok(())
}

/// A virus scanner takes thirty documents away, each under a name of its own.
pub(super) fn quarantine(stage: &Stage) -> Result<()> {
    let mut random = stage.random("quarantine");
    let folder = stage.watched("quarantine");
    fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    for department in fs::read_dir(stage.watched("docs"))? {
        for file in fs::read_dir(department?.path())? {
            files.push(file?.path());
        }
    }
    files.sort();
    random.shuffle(&mut files);
    for (number, file) in files.iter().take(30).enumerate() {
        let name = format!("{}-{number:04}.qtn", random.word(8));
        fs::rename(file, folder.join(name))?;
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    Ok(())
}

/// What an office program does when a document is saved: the new one beside, the old one aside, swap, clean up.
pub(super) fn save_documents(stage: &Stage) -> Result<()> {
    let mut random = stage.random("saves");
    let folder = stage.watched("office");
    for number in 0..50 {
        let document = folder.join(format!("document{number:02}.docx"));
        let (new, old) = (
            folder.join(format!("~WRD{number:04}.tmp")),
            folder.join(format!("~WRL{number:04}.tmp")),
        );
        let lock = folder.join(format!("~$document{number:02}.docx"));
        fs::write(&lock, "user")?;
        fs::write(&new, Kind::Docx.content(12_000, &mut random))?;
        fs::rename(&document, &old)?;
        fs::rename(&new, &document)?;
        fs::remove_file(&old)?;
        fs::remove_file(&lock)?;
    }
    Ok(())
}

pub(super) fn have_office(stage: &Stage) -> Result<()> {
    let (mut random, folder) = (stage.random("office"), stage.watched("office"));
    fs::create_dir_all(&folder)?;
    for number in 0..50 {
        let path = folder.join(format!("document{number:02}.docx"));
        tree::leaf(&path, Kind::Docx, 12_000, &mut random)?;
    }
    Ok(())
}

/// Old backups are thinned out: a few large archives go.
pub(super) fn have_backups(stage: &Stage) -> Result<()> {
    let (mut random, folder) = (stage.random("backups"), stage.watched("backup"));
    fs::create_dir_all(&folder)?;
    for day in 0..60 {
        let path = folder.join(format!("ehr-2026{:02}{:02}.zip", 9 + day / 30, 1 + day % 30));
        let packed = tree::zip(&[("dump.sql", &random.bytes(40_000))]);
        fs::write(path, packed)?;
    }
    Ok(())
}

pub(super) fn thin_backups(stage: &Stage) -> Result<()> {
    // By a program of its own, as a job does: what this process does here and in the proof is one doer's work.
    stage.shell(&stage.watched("backup"), "rm ehr-2026090?.zip ehr-2026091[0-4].zip")
}
