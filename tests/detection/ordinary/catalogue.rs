//! Every workload, by name.

use super::{Ordinary, Stage, archives, database, files, imports, network, packages};

type Step = fn(&Stage) -> anyhow::Result<()>;

const fn work(name: &'static str, about: &'static str, prepare: Step, act: Step) -> Ordinary {
    Ordinary { name, about, needs: &[], prepare, act, short: false }
}

const fn short(name: &'static str, about: &'static str, prepare: Step, act: Step) -> Ordinary {
    Ordinary { short: true, ..work(name, about, prepare, act) }
}

impl Ordinary {
    const fn with(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }
}

/// Returns all workloads.
pub(crate) fn catalogue() -> Vec<Ordinary> {
    [of_files(), of_archives(), of_imports(), of_databases(), of_packages()].concat()
}

fn of_files() -> Vec<Ordinary> {
    use files::{
        add_prefix, copy_documents, copy_sources, edit_in_place, gunzip_logs, gzip_logs,
        have_backups, have_documents, have_documents_aside, have_doubles, have_logs, have_office,
        have_packed_logs, have_rotated_logs, have_sources, have_sources_aside, link_doubles,
        move_to_archive, quarantine, remove_sources, rename_to_bak, rotate_logs, save_documents,
        ship_logs, thin_backups,
    };
    vec![
        work("cp-a", "cp -a of 2,500 source files", have_sources_aside, copy_sources),
        short("cp-documents", "cp -a of 600 documents", have_documents_aside, copy_documents),
        work("rm-rf", "rm -rf of 2,500 source files", have_sources, remove_sources),
        work(
            "find-mv-archive",
            "find -exec mv of 600 documents into archive/",
            have_documents,
            move_to_archive,
        ),
        work(
            "batch-rename-prefix",
            "a prefix for 600 documents, each its own mv",
            have_documents,
            add_prefix,
        ),
        work("batch-rename-bak", "650 x.toml become x.bak", have_sources, rename_to_bak),
        work("dedup-hard-link", "500 doubles become hard links", have_doubles, link_doubles),
        work("sed-in-place", "sed -i on 1,250 source files", have_sources, edit_in_place),
        short("gzip-logs", "gzip of 400 logs", have_logs, gzip_logs),
        work("gunzip-logs", "gunzip of 400 logs", have_packed_logs, gunzip_logs),
        short("logrotate-compress", "logrotate of 400 logs, compressed", have_logs, rotate_logs)
            .with(&["logrotate"]),
        work(
            "logrotate-again",
            "logrotate of 400 logs that were rotated before",
            have_rotated_logs,
            rotate_logs,
        )
        .with(&["logrotate"]),
        work("log-shipping", "20 logs rotated by their program, 30 times", have_logs, ship_logs),
        work(
            "av-quarantine",
            "30 documents moved to GUID.qtn, 30 a second",
            have_documents,
            quarantine,
        ),
        short("office-save", "50 documents saved as an office does", have_office, save_documents),
        work(
            "backup-retention",
            "14 of 60 old backup archives deleted",
            have_backups,
            thin_backups,
        ),
    ]
}

fn of_archives() -> Vec<Ordinary> {
    use archives::{
        clone_and_checkout, copy_over, git_gc, have_clone, have_document_mirror_and_changes,
        have_documents_and_backups, have_documents_twice, have_folders_of_many_kinds,
        have_mirror_and_changes, have_origin, have_tarball, have_year, locked_backup, move_year,
        pack_logs, put_notes_behind, rsync, rsync_in_place, seven_zip, tar_backup, untar, zip_kept,
        zip_year,
    };
    use files::{have_documents, have_logs, have_sources_aside};
    vec![
        short("tar-extract", "tar -xzf of 3,000 files", have_tarball, untar).with(&["tar"]),
        work("tar-backup", "tar -czf of 600 documents", have_documents, tar_backup).with(&["tar"]),
        work("rsync-first", "rsync -a, first copy of 2,500 files", have_sources_aside, rsync)
            .with(&["rsync"]),
        work(
            "rsync-delete",
            "rsync --delete, 400 changed, 200 gone",
            have_mirror_and_changes,
            rsync,
        )
        .with(&["rsync"]),
        work(
            "rsync-documents",
            "rsync --delete of documents, 120 changed, 10 gone",
            have_document_mirror_and_changes,
            rsync,
        )
        .with(&["rsync"]),
        work("7z-backup", "7z a of 600 documents", have_documents, seven_zip).with(&["7z"]),
        work("zip-kept", "zip -r of 600 documents", have_documents, zip_kept).with(&["zip"]),
        work("zip-year", "zip -m of a folder of 16 documents", have_year, zip_year).with(&["zip"]),
        work(
            "move-year",
            "a folder of 16 documents moved to where nobody watches",
            have_year,
            move_year,
        ),
        work(
            "7z-locked-backup",
            "7z of 600 documents with a password, then 14 old backups deleted",
            have_documents_and_backups,
            locked_backup,
        )
        .with(&["7z"]),
        work("tar-rm-logs", "tar -czf of 400 logs, then rm", have_logs, pack_logs).with(&["tar"]),
        work(
            "folder-notes",
            "five folders renamed: .org, .bak, .旧, .v2, .2025年度",
            have_folders_of_many_kinds,
            put_notes_behind,
        ),
        work(
            "cp-over-documents",
            "cp -a of 120 documents over those that are there",
            have_documents_twice,
            copy_over,
        ),
        work(
            "rsync-in-place",
            "rsync --inplace of 120 documents over those that are there",
            have_documents_twice,
            rsync_in_place,
        )
        .with(&["rsync"]),
        work(
            "git-clone-checkout",
            "git clone of 2,000 files, another branch and back",
            have_origin,
            clone_and_checkout,
        )
        .with(&["git"]),
        work("git-gc", "git gc of it", have_clone, git_gc).with(&["git"]),
    ]
}

fn of_imports() -> Vec<Ordinary> {
    use imports::{dicom, have_folders, photographs, spool, ss_mix2};
    use network::{
        have_dicom_node, have_file_server, have_texts, save_with_office, store_images,
        work_on_share,
    };
    vec![
        short(
            "ss-mix2",
            "2,000 messages of an SS-MIX2 storage, written and renamed",
            have_folders,
            ss_mix2,
        ),
        short("dicom-import", "1,000 images, .part to .dcm", have_folders, dicom),
        work("photo-import", "500 photographs, then named by date", have_folders, photographs),
        work("spool", "600 messages through an interface engine's folders", have_folders, spool),
        work(
            "dcmtk-store",
            "120 images stored by C-STORE (storescu, storescp)",
            have_dicom_node,
            store_images,
        )
        .with(&["storescp", "storescu", "dump2dcm"]),
        work(
            "samba-client",
            "a client copies a folder and saves documents on a share",
            have_file_server,
            work_on_share,
        )
        .with(&["smbd", "smbclient"]),
        work(
            "libreoffice-save",
            "12 documents saved twice by LibreOffice",
            have_texts,
            save_with_office,
        )
        .with(&["soffice"]),
    ]
}

fn of_databases() -> Vec<Ordinary> {
    use database::{
        base_backup, drop_database, dump, fill, have_dump, have_room, have_server, have_tables,
        initdb, pgbench, restore, vacuum_and_reindex,
    };
    let all = [
        work("pg-initdb", "PostgreSQL: initdb", have_room, initdb),
        work("pgbench-init", "PostgreSQL: pgbench -i -s 10", have_server, fill),
        work("pgbench", "PostgreSQL: pgbench for 10 s", have_tables, pgbench),
        work(
            "pg-vacuum-reindex",
            "PostgreSQL: VACUUM FULL and REINDEX",
            have_tables,
            vacuum_and_reindex,
        ),
        work("pg-dump", "PostgreSQL: pg_dump -Fd -j2", have_tables, dump),
        work("pg-restore", "PostgreSQL: pg_restore -j2", have_dump, restore),
        work("pg-basebackup", "PostgreSQL: pg_basebackup", have_tables, base_backup),
        work("pg-drop-database", "PostgreSQL: DROP DATABASE", have_tables, drop_database),
    ];
    all.map(|workload| workload.with(&["initdb", "pg_ctl", "pgbench", "psql"]))
        .to_vec()
}

fn of_packages() -> Vec<Ordinary> {
    use packages::{
        build_crate, have_crate, have_debian_package, have_installed_package, have_npm_packages,
        have_npm_project, have_wheel, install_package, npm_ci, npm_install, pip_install,
        upgrade_package,
    };
    vec![
        work(
            "npm-install",
            "npm install of 150 packages, 3,900 files",
            have_npm_packages,
            npm_install,
        )
        .with(&["npm"]),
        work("npm-ci", "npm ci over it", have_npm_project, npm_ci).with(&["npm"]),
        work("pip-install", "pip install of 500 modules", have_wheel, pip_install)
            .with(&["python3"]),
        work("cargo-build", "cargo build of a small program", have_crate, build_crate)
            .with(&["cargo"]),
        work(
            "dpkg-install",
            "dpkg -i of 600 files into a folder",
            have_debian_package,
            install_package,
        )
        .with(&["dpkg", "dpkg-deb"]),
        work(
            "dpkg-upgrade",
            "dpkg -i of the next version over it",
            have_installed_package,
            upgrade_package,
        )
        .with(&["dpkg", "dpkg-deb"]),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_workload_has_a_name_of_its_own() {
        let all = catalogue();
        let names: BTreeSet<_> = all.iter().map(|workload| workload.name).collect();
        assert_eq!(names.len(), all.len());
        assert!(40 <= names.len(), "only {} workloads", names.len());
    }
}
