//! What comes over the network: images stored by modalities, clients of a file server, and documents converted by an office.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::stage::{Held, Stage};
use crate::attacks::Server;
use crate::command::run;
use crate::tree::Kind;

/// How long a server may take to listen.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// Images a modality stores.
const IMAGES: usize = 120;

/// Makes valid images and starts a node that stores what it is sent.
pub(super) fn have_dicom_node(stage: &Stage) -> Result<()> {
    let (sent, stored) = (stage.aside("images"), stage.watched("pacs"));
    fs::create_dir_all(&sent)?;
    fs::create_dir_all(&stored)?;
    let mut random = stage.random("images");
    for number in 0..IMAGES {
        let pixels: Vec<_> = (0..1024)
            .map(|_| format!("{:02x}", random.below(256)))
            .collect();
        let dump = format!(
            "(0002,0010) UI =LittleEndianExplicit\n(0008,0016) UI =SecondaryCaptureImageStorage\n\
             (0008,0018) UI [1.2.3.4.{}.{number}]\n(0008,0060) CS [OT]\n(0010,0010) PN [TEST^{number}]\n\
             (0010,0020) LO [{number}]\n(0020,000d) UI [1.2.3.4.5]\n(0020,000e) UI [1.2.3.4.5.{}]\n\
             (0028,0002) US 1\n(0028,0004) CS [MONOCHROME2]\n(0028,0010) US 32\n(0028,0011) US 32\n\
             (0028,0100) US 8\n(0028,0101) US 8\n(0028,0102) US 7\n(0028,0103) US 0\n(7fe0,0010) OB {}\n",
            stage.seed + 1,
            number / 20,
            pixels.join("\\")
        );
        let text = sent.join(format!("{number}.dump"));
        fs::write(&text, dump)?;
        run(Command::new("dump2dcm")
            .arg(&text)
            .arg(sent.join(format!("{number}.dcm"))))?;
        fs::remove_file(text)?;
    }
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let node = Command::new("storescp")
        .arg(port.to_string())
        .arg("-od")
        .arg(&stored)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("failed to start storescp")?;
    stage.hold(Held::Process(node));
    fs::write(stage.aside("port"), port.to_string())?;
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if START_DEADLINE < begun.elapsed() {
            bail!("storescp does not listen");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

pub(super) fn store_images(stage: &Stage) -> Result<()> {
    let port = fs::read_to_string(stage.aside("port"))?;
    run(Command::new("storescu")
        .args(["+sd", "127.0.0.1", &port])
        .arg(stage.aside("images")))
    .map(drop)
}

pub(super) fn have_file_server(stage: &Stage) -> Result<()> {
    stage.documents(&stage.aside("docs"), 6, 20)?;
    stage.hold(Held::Samba(Server::start(&stage.ground, &stage.logs)?));
    Ok(())
}

/// A client copies a folder to the share, saves documents there as an office does, and tidies up a little.
pub(super) fn work_on_share(stage: &Stage) -> Result<()> {
    let mut random = stage.random("share");
    let mut lines = vec![
        "recurse on".to_owned(),
        "prompt off".to_owned(),
        format!("lcd {}", stage.ground.aside().display()),
        "mput docs".to_owned(),
    ];
    for number in 0..15 {
        let new = stage.aside(&format!("new{number}.docx"));
        fs::write(&new, Kind::Docx.content(9_000, &mut random))?;
        lines.push(format!("put \"{}\" \"plan{number}.docx\"", new.display()));
        lines.push(format!("put \"{}\" \"~plan{number}.tmp\"", new.display()));
        lines.push(format!("rename \"plan{number}.docx\" \"~old{number}.tmp\""));
        lines.push(format!("rename \"~plan{number}.tmp\" \"plan{number}.docx\""));
        lines.push(format!("del \"~old{number}.tmp\""));
    }
    stage.with_samba(|server| {
        let mut child = server
            .client()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start smbclient")?;
        let mut input = child.stdin.take().context("smbclient takes nothing")?;
        input.write_all(lines.join("\n").as_bytes())?;
        input.write_all(b"\n")?;
        drop(input);
        child.wait().context("failed to end smbclient")?;
        Ok(())
    })?;
    let copied = stage.watched("docs");
    if !copied.is_dir() || !stage.watched("plan14.docx").is_file() {
        bail!("the client did not work on the share");
    }
    Ok(())
}

pub(super) fn have_texts(stage: &Stage) -> Result<()> {
    let (mut random, folder) = (stage.random("texts"), stage.watched("letters"));
    fs::create_dir_all(&folder)?;
    for number in 0..12 {
        let path = folder.join(format!("letter{number:02}.txt"));
        fs::write(path, Kind::Text.content(3_000, &mut random))?;
    }
    convert(stage, "docx", "txt")
}

/// Saves every document again with an office program, over the one that is there.
pub(super) fn save_with_office(stage: &Stage) -> Result<()> {
    convert(stage, "odt", "docx")?;
    convert(stage, "docx", "odt")
}

fn convert(stage: &Stage, to: &str, from: &str) -> Result<()> {
    let line = format!(
        "soffice -env:UserInstallation=file://$ASIDE/office --headless --convert-to {to} --outdir . *.{from} >/dev/null"
    );
    stage.shell(&stage.watched("letters"), &line)?;
    let made = fs::read_dir(stage.watched("letters"))?
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|found| found == to))
        .count();
    if made < 12 {
        bail!("the office program made {made} of 12 documents");
    }
    Ok(())
}
