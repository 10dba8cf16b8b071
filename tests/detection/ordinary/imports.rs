//! What arrives: messages, images, photographs, spool files.

use std::fs;

use anyhow::Result;

use super::stage::Stage;
use crate::tree::Kind;

/// Makes the folders everything arrives in.
pub(super) fn have_folders(stage: &Stage) -> Result<()> {
    for name in ["ss-mix2", "pacs", "photos", "spool/in", "spool/done"] {
        fs::create_dir_all(stage.watched(name))?;
    }
    Ok(())
}

/// Messages of an SS-MIX2 storage: written under a temporary name, then given their seven-part name.
pub(super) fn ss_mix2(stage: &Stage) -> Result<()> {
    let mut random = stage.random("ss-mix2");
    for number in 0..2000 {
        let (first, second) = ("001", format!("{:03}", number / 8));
        let patient = format!("0000{first}{second}");
        let folder = stage
            .watched("ss-mix2")
            .join(first)
            .join(&second)
            .join(&patient)
            .join("20261101/OMP-01");
        fs::create_dir_all(&folder)?;
        let name = format!("{patient}_20261101_OMP-01_{number:015}_20261101080000000_01_1");
        let unfinished = folder.join(format!("{name}.tmp"));
        fs::write(&unfinished, Kind::Hl7.content(1_500, &mut random))?;
        fs::rename(unfinished, folder.join(name))?;
    }
    Ok(())
}

pub(super) fn dicom(stage: &Stage) -> Result<()> {
    let mut random = stage.random("dicom");
    for number in 0..1000 {
        let folder = stage
            .watched("pacs")
            .join(format!("series{:02}", number / 50));
        fs::create_dir_all(&folder)?;
        let part = folder.join(format!("IM{number:06}.part"));
        fs::write(&part, Kind::Dicom.content(8_000, &mut random))?;
        fs::rename(&part, folder.join(format!("IM{number:06}.dcm")))?;
    }
    Ok(())
}

/// Photographs come from a camera and are then named after their date.
pub(super) fn photographs(stage: &Stage) -> Result<()> {
    let (mut random, folder) = (stage.random("photos"), stage.watched("photos"));
    fs::create_dir_all(&folder)?;
    for number in 0..500 {
        let path = folder.join(format!("DSC{number:05}.JPG"));
        fs::write(path, Kind::Jpeg.content(12_000, &mut random))?;
    }
    for number in 0..500 {
        let to = format!("20261101_{:06}.jpg", number * 7);
        fs::rename(folder.join(format!("DSC{number:05}.JPG")), folder.join(to))?;
    }
    Ok(())
}

/// An interface engine: a message is dropped, read, and moved to what is done.
pub(super) fn spool(stage: &Stage) -> Result<()> {
    let mut random = stage.random("spool");
    let (inbox, done) = (stage.watched("spool/in"), stage.watched("spool/done"));
    for number in 0..600 {
        let name = format!("msg{number:06}.hl7");
        fs::write(inbox.join(&name), Kind::Hl7.content(1_200, &mut random))?;
        if number % 2 == 0 {
            fs::rename(inbox.join(&name), done.join(format!("{name}.done")))?;
        } else {
            fs::remove_file(inbox.join(&name))?;
        }
    }
    Ok(())
}
