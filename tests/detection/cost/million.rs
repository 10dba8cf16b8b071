//! The service with a million files under watch, in a file system of their own: does it cost more than with a few?

use anyhow::{Context, Result};

use super::{Bench, Figures, service};
use crate::attacks::approximately;
use crate::ground::{Ground, Volume};
use crate::load::{self, Kind};

/// Files in one directory.
const EACH: u64 = 1000;

pub(super) fn service(bench: &Bench<'_>) -> Result<Figures> {
    let files = bench.effort.many_files;
    let parent = tempfile::Builder::new()
        .prefix("shirase-detection-many-")
        .tempdir()
        .context("failed to make a folder for the image")?;
    // 256 bytes an inode, a block a directory page, and room for the load.
    let mib = 512 + files / 1024;
    let volume = Volume::mount(parent.path(), "many", mib, files + files / 10 + 20_000)?;
    let ground = Ground::make(volume.dir(), "ground")?;
    let root = ground.watched();
    for directory in 0..files.div_ceil(EACH) {
        let folder = root.join(format!("{directory:05}"));
        std::fs::create_dir(&folder).context("failed to make the large tree")?;
        for file in 0..EACH.min(files - directory * EACH) {
            std::fs::File::create(folder.join(format!("{file:05}.pdf")))
                .context("failed to make the large tree")?;
        }
    }
    load::prepare(&ground, Kind::Mixed, 0)?;
    let mut figures = service::service_on(bench, &ground)?;
    figures.set("files", approximately(files));

    Ok(figures)
}
