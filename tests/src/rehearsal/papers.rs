//! What an approved report is handed in as, read back as its reader would: every format, every attachment.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use shirase_collector::approval::Format;
use shirase_collector::reports::render::json::SCHEMA;
use shirase_shared::testing::schema;

use crate::console::Console;
use crate::program::output;
use crate::site::FACILITY;

/// Longest Latin word that needs no reason to stand in a Japanese document: VPN, DB, CSV.
const SHORT_LATIN: usize = 3;

/// Prints the words of an Office file, or of a mail with the texts in it.
const READ_BACK: &str = r#"
import email, email.policy, io, re, sys, zipfile, html
name, body = sys.argv[1], sys.stdin.buffer.read()
if name == "eml":
    mail = email.message_from_bytes(body, policy=email.policy.default)
    print(mail["subject"])
    for part in mail.walk():
        if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            print(part.get_content())
        elif part.get_filename():
            print(part.get_filename())
else:
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        for part in parts.namelist():
            if part.endswith(".xml") and re.search(r"document|sharedStrings|header|footer|sheet\d", part):
                text = parts.read(part).decode()
                text = re.sub(r"(?s)<w:instrText.*?</w:instrText>|<headerFooter.*?</headerFooter>", "", text)
                text = re.sub(r"</w:p>|</w:tr>|</si>|</c>|</row>", "\n", text)
                print(html.unescape(re.sub(r"<[^>]*>", "", text)))
"#;

/// All files of one approved report.
#[derive(Debug)]
pub struct Paper {
    /// The profile it follows.
    pub profile: String,
    /// Its id.
    pub report: String,
    files: Vec<(Format, Vec<u8>)>,
}

impl Paper {
    /// Downloads every file the page of the report offers.
    ///
    /// # Errors
    /// When one cannot be had.
    pub(super) async fn fetch(console: &Console, profile: &str, report: &str) -> Result<Self> {
        let mut files = Vec::new();
        let page = format!("/facilities/{FACILITY}/reports/{report}");
        let shown = console.get(&page).await?;
        for format in Format::ALL {
            let path = format!("{page}/files/{format}");
            if shown.link(&path).is_some() {
                files.push((format, console.bytes(&path).await?));
            } else if !format.is_attachment() {
                bail!("the page of {profile} offers no {format}");
            }
        }

        Ok(Self { profile: profile.to_owned(), report: report.to_owned(), files })
    }

    /// Leaves every file in a folder, to be looked at.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn keep(&self, folder: &Path, name: &str) -> Result<()> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make `{}`", folder.display()))?;
        for (format, bytes) in &self.files {
            let path = folder.join(format!("{name}{}", format.suffix()));
            std::fs::write(&path, bytes)
                .with_context(|| format!("failed to write `{}`", path.display()))?;
        }

        Ok(())
    }

    /// Looks through every file for what must and what must not stand in it.
    ///
    /// # Errors
    /// Names every file with what is wrong with it.
    pub fn look_through(&self, wanted: &Wanted<'_>) -> Result<()> {
        let mut faults = Vec::new();
        for (format, bytes) in &self.files {
            let text = words(*format, bytes)?;
            let flat = flat(&text);
            let mut fault =
                |what: String| faults.push(format!("{} {format}: {what}", self.profile));
            for name in wanted
                .planted
                .iter()
                .filter(|name| flat.contains(&self::flat(name)))
            {
                fault(format!("shows `{name}`"));
            }
            for word in ["下書き", "訓練"]
                .into_iter()
                .filter(|word| text.contains(word))
            {
                fault(format!("is marked {word}"));
            }
            if *format == Format::Json {
                let value: Value = serde_json::from_slice(bytes).context("no JSON")?;
                let published: Value = serde_json::from_str(SCHEMA).context("no schema")?;
                schema::hold(&value, &published)
                    .into_iter()
                    .for_each(&mut fault);
            }
            if format.is_attachment() || *format == Format::Eml {
                continue;
            }
            for part in wanted
                .holds
                .iter()
                .filter(|part| !flat.contains(&self::flat(part)))
            {
                fault(format!("does not say `{part}`"));
            }
            for part in wanted
                .lacks
                .iter()
                .filter(|part| flat.contains(&self::flat(part)))
            {
                fault(format!("says `{part}`"));
            }
            // What a PDF says is what DOCX and HTML say, but for words broken at the end of a line.
            if ![Format::Json, Format::Pdf].contains(format) {
                for word in latin(&text, wanted.latin) {
                    fault(format!("leaves `{word}` in another language"));
                }
            }
        }
        if !faults.is_empty() {
            bail!("{}", faults.join("\n"));
        }

        Ok(())
    }
}

/// What a paper is looked through for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What every document says.
    pub holds: &'a [String],
    /// What none says.
    pub lacks: &'a [String],
    /// Names that nothing may show.
    pub planted: &'a [String],
    /// Latin words that may stand in Japanese.
    pub latin: &'a BTreeSet<String>,
}

/// Where the papers of a rehearsal are left, below `target`.
#[must_use]
pub fn look_in(name: &str) -> std::path::PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.with_file_name("target").join("rehearsals").join(name)
}

/// Returns a mail's words as its reader sees them.
///
/// # Errors
/// When it is no mail.
pub fn mail_words(mail: &str) -> Result<String> {
    words(Format::Eml, mail.as_bytes())
}

/// Returns a file's words as its reader sees them.
fn words(format: Format, bytes: &[u8]) -> Result<String> {
    match format {
        Format::Pdf => {
            let mut command = Command::new("pdftotext");
            command.args(["-raw", "-", "-"]);
            output(command, bytes).context("pdftotext (Debian package poppler-utils)")
        }
        Format::Docx | Format::Xlsx | Format::Eml => {
            let mut command = Command::new("/usr/bin/python3");
            command.args(["-c", READ_BACK, format.as_str()]);
            output(command, bytes)
        }
        Format::Html => Ok(without_tags(&String::from_utf8(bytes.to_vec())?)),
        Format::Json | Format::IndicatorsStix => {
            let value: Value = serde_json::from_slice(bytes).context("no JSON")?;
            Ok(value.to_string())
        }
        Format::TimelineCsv | Format::HostsCsv | Format::IndicatorsCsv | Format::DamageCsv => {
            Ok(String::from_utf8(bytes.to_vec())?)
        }
    }
}

fn without_tags(page: &str) -> String {
    let body = page.split_once("<body").map_or(page, |(_, body)| body);
    let text: String = body
        .split('<')
        .filter_map(|piece| Some(piece.split_once('>')?.1))
        .collect::<Vec<_>>()
        .join(" ");
    crate::form::unescape(&text)
}

/// Lines are broken where the page ends, not where the sentence does.
fn flat(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Names of files, of profiles, of the audit log's head and of the standard the indicators follow; addresses of mail and of pages.
fn is_identifier(word: &str) -> bool {
    let begins = ["https://", "jp-", "shirase-audit", FACILITY]
        .iter()
        .any(|head| word.starts_with(head));
    begins || word.contains('@') || word == "STIX"
}

/// Finds Latin words that nobody declared: English left over in a Japanese document.
fn latin(text: &str, declared: &BTreeSet<String>) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "-_./:@?=&%".contains(c);
    text.split(|c| !word(c))
        .map(|found| found.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|found| SHORT_LATIN < found.chars().filter(char::is_ascii_alphabetic).count())
        // Hashes and ids, whole or broken at the end of a line.
        .filter(|found| !found.chars().all(|c| c.is_ascii_hexdigit() || c == '-'))
        .filter(|found| !declared.contains(*found) && !is_identifier(found))
        .map(str::to_owned)
        .collect()
}
