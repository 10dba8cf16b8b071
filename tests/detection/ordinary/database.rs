//! A PostgreSQL cluster inside the watched directory: the worst place for it, since nothing of it is ignored there.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::stage::{Held, Stage};
use crate::command::{run, which};

/// Where Debian keeps the server's programs.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Returns where a program of PostgreSQL lies; of several versions the newest.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).ok()?;
    let mut folders: Vec<_> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)))
        .filter(|file| file.is_file())
        .collect();
    folders.sort();
    folders.pop().or_else(|| which(name))
}

/// Runs a program of PostgreSQL as somebody who is not root: its server refuses root.
fn postgres(stage: &Stage, name: &str, arguments: &[&str]) -> Result<Command> {
    let program = find(name).with_context(|| format!("{name} is not installed"))?;
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .args(arguments)
        .env("PGHOST", socket(stage))
        .env("PGUSER", "postgres")
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/");

    Ok(command)
}

fn on_cluster(stage: &Stage, name: &str, arguments: &[&str]) -> Result<()> {
    run(&mut postgres(stage, name, arguments)?).map(drop)
}

/// A short path: sockets have little room for one.
fn socket(stage: &Stage) -> PathBuf {
    stage.aside("s")
}

fn give_away(stage: &Stage, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    stage.ground.check(folder)?;
    if rustix::process::geteuid().is_root() {
        // nobody and nogroup, as in every Debian.
        chown(folder, Some(65_534), Some(65_534))?;
        for above in [stage.ground.dir(), &stage.ground.watched(), &stage.ground.aside()] {
            std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

pub(super) fn have_room(stage: &Stage) -> Result<()> {
    give_away(stage, &stage.watched("db"))?;
    give_away(stage, &stage.watched("dump"))?;
    give_away(stage, &socket(stage))
}

pub(super) fn initdb(stage: &Stage) -> Result<()> {
    let data = stage.watched("db/data");
    let data = data.to_str().context("a path that is no UTF-8")?;
    on_cluster(stage, "initdb", &["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"])
}

pub(super) fn have_server(stage: &Stage) -> Result<()> {
    have_room(stage)?;
    initdb(stage)?;
    let (data, log) = (stage.watched("db/data"), socket(stage).join("log"));
    let (data, log) = (data.to_str().unwrap_or_default(), log.to_str().unwrap_or_default());
    let options = format!("-c listen_addresses='' -c fsync=off -k {}", socket(stage).display());
    let arguments = ["-D", data, "-l", log, "-w", "-o", &options, "start"];
    on_cluster(stage, "pg_ctl", &arguments)?;
    stage.hold(Held::Cluster(postgres(stage, "pg_ctl", &["-D", data, "-m", "immediate", "stop"])?));
    on_cluster(stage, "createdb", &["ehr"])
}

pub(super) fn have_tables(stage: &Stage) -> Result<()> {
    have_server(stage)?;
    fill(stage)
}

pub(super) fn fill(stage: &Stage) -> Result<()> {
    on_cluster(stage, "pgbench", &["-i", "-q", "-s", "10", "ehr"])
}

pub(super) fn pgbench(stage: &Stage) -> Result<()> {
    on_cluster(stage, "pgbench", &["-c", "4", "-j", "2", "-T", "10", "ehr"])
}

pub(super) fn vacuum_and_reindex(stage: &Stage) -> Result<()> {
    on_cluster(stage, "psql", &["-qc", "VACUUM FULL", "ehr"])?;
    on_cluster(stage, "psql", &["-qc", "REINDEX DATABASE ehr", "ehr"])
}

pub(super) fn dump(stage: &Stage) -> Result<()> {
    let to = stage.watched("dump/ehr");
    let to = to.to_str().unwrap_or_default();
    on_cluster(stage, "pg_dump", &["-Fd", "-j2", "-f", to, "ehr"])
}

pub(super) fn have_dump(stage: &Stage) -> Result<()> {
    have_tables(stage)?;
    dump(stage)?;
    on_cluster(stage, "createdb", &["restored"])
}

pub(super) fn restore(stage: &Stage) -> Result<()> {
    let from = stage.watched("dump/ehr");
    on_cluster(stage, "pg_restore", &["-j2", "-d", "restored", from.to_str().unwrap_or_default()])
}

pub(super) fn base_backup(stage: &Stage) -> Result<()> {
    let to = stage.watched("dump/base");
    let to = to.to_str().unwrap_or_default();
    on_cluster(stage, "pg_basebackup", &["-D", to, "-c", "fast"])
}

pub(super) fn drop_database(stage: &Stage) -> Result<()> {
    on_cluster(stage, "dropdb", &["ehr"])
}
