//! Copies, archives and versions: rsync, tar, zip, 7z, git.

use std::path::Path;

use anyhow::Result;

use super::files::{have_backups, have_documents, thin_backups};
use super::stage::Stage;

pub(super) fn have_tarball(stage: &Stage) -> Result<()> {
    stage.sources(&stage.aside("project"), 50, 60)?;
    stage.shell(&stage.ground.aside(), "tar -czf project.tar.gz project")
}

pub(super) fn untar(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "tar -xzf \"$ASIDE/project.tar.gz\"")
}

pub(super) fn rsync(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "rsync -a --delete \"$ASIDE/project/\" mirror/")
}

pub(super) fn have_mirror_and_changes(stage: &Stage) -> Result<()> {
    stage.sources(&stage.aside("project"), 50, 50)?;
    rsync(stage)?;
    let line = "ls -d project/*/*.py | head -n 400 | while read f; do echo changed >> \"$f\"; done; \
                ls -d project/*/*.md | head -n 200 | while read f; do rm \"$f\"; done";
    stage.shell(&stage.ground.aside(), line)
}

pub(super) fn have_document_mirror_and_changes(stage: &Stage) -> Result<()> {
    stage.documents(&stage.aside("project"), 20, 30)?;
    rsync(stage)?;
    let line = "ls -d project/*/*.txt project/*/*.csv | while read f; do echo changed >> \"$f\"; done; \
                ls -d project/*/*.pdf | head -n 10 | while read f; do rm \"$f\"; done";
    stage.shell(&stage.ground.aside(), line)
}

pub(super) fn seven_zip(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "7z a -bd backup.7z docs")
}

pub(super) fn zip_kept(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "zip -qr backup.zip docs")
}

pub(super) fn tar_backup(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "tar -czf backup.tar.gz docs")
}

pub(super) fn have_year(stage: &Stage) -> Result<()> {
    stage.documents(&stage.watched("2019"), 1, 16).map(drop)
}

pub(super) fn zip_year(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "zip -qmr 2019.zip 2019")
}

pub(super) fn move_year(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "mv 2019 \"$ASIDE/2019\"")
}

pub(super) fn have_documents_and_backups(stage: &Stage) -> Result<()> {
    have_documents(stage)?;
    have_backups(stage)
}

pub(super) fn locked_backup(stage: &Stage) -> Result<()> {
    let line = "7z a -bd -mhe=on -pnoise backup/ehr-20261101.7z docs";
    stage.shell(&stage.ground.watched(), line)?;
    thin_backups(stage)
}

pub(super) fn pack_logs(stage: &Stage) -> Result<()> {
    let line = "tar -czf log-2026.tar.gz log; rm log/*.log";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn have_folders_of_many_kinds(stage: &Stage) -> Result<()> {
    for name in ["web", "conf", "data", "app", "reports"] {
        stage.documents(&stage.watched(name), 2, 20)?;
    }
    Ok(())
}

pub(super) fn put_notes_behind(stage: &Stage) -> Result<()> {
    let line = "mv web web.org; mv conf conf.bak; mv data data.旧; mv app app.v2; mv reports reports.2025年度";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn have_documents_twice(stage: &Stage) -> Result<()> {
    stage.documents(&stage.watched("docs"), 10, 12)?;
    stage.documents(&stage.aside("docs"), 10, 12)?;
    let line = "for f in docs/*/*.txt docs/*/*.csv; do echo changed >> $f; done";
    stage.shell(&stage.ground.aside(), line)
}

pub(super) fn copy_over(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "cp -a \"$ASIDE/docs\" .")
}

pub(super) fn rsync_in_place(stage: &Stage) -> Result<()> {
    stage.shell(&stage.ground.watched(), "rsync -a --inplace --ignore-times \"$ASIDE/docs/\" docs/")
}

const AS_SOMEBODY: &str =
    "git config user.name x; git config user.email x@example.com; git config gc.auto 0";

fn have_repository(stage: &Stage, folder: &Path) -> Result<()> {
    stage.sources(folder, 50, 40)?;
    let line = format!(
        "git init -q -b main; {AS_SOMEBODY}; git add .; git commit -qm one; git checkout -qb other; \
         for f in */*.py; do echo other >> $f; done; git rm -q */module03.*; git commit -qam two; git checkout -q main"
    );
    stage.shell(folder, &line)
}

pub(super) fn have_origin(stage: &Stage) -> Result<()> {
    have_repository(stage, &stage.aside("origin"))
}

pub(super) fn clone_and_checkout(stage: &Stage) -> Result<()> {
    let line = "git clone -q \"$ASIDE/origin\" clone; cd clone; git checkout -q other; git checkout -q main";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn have_clone(stage: &Stage) -> Result<()> {
    have_repository(stage, &stage.watched("clone"))
}

pub(super) fn git_gc(stage: &Stage) -> Result<()> {
    stage.shell(&stage.watched("clone"), "git gc -q --prune=now")
}
