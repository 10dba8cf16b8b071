//! An organisation among others: its collector, two people who work there, and its partners.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use shirase_shared::testing::eventually;

use crate::console::{Console, Page};
use crate::form::{Form, forms};
use crate::network::Place;
use crate::site::{FACILITY, Identity, Login, Site};

/// How long a state may take to come on a busy machine.
const STATE_DEADLINE: Duration = Duration::from_secs(120);
/// How often a draft is read again because the machine learned more meanwhile.
const SUBMIT_TRIES: usize = 10;

/// One organisation with its people.
#[derive(Debug)]
pub struct Organisation {
    /// Its collector, and its agent if it has one.
    pub site: Site,
    writer: (Login, Option<Console>),
    releaser: (Login, Option<Console>),
    administrator: (Login, Option<Console>),
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Writes drafts, messages and records.
    Writer,
    /// Releases what the other one wrote.
    Releaser,
    /// Sets up what the agents do.
    Administrator,
}

impl Organisation {
    /// Prepares an organisation, at its place in a network or on loopback, and starts its collector.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn begin(dir: &Path, identity: Identity, place: Option<Place>) -> Result<Self> {
        let mut site = Site::prepare_as(dir, identity, place).await?;
        site.start_collector().await?;
        let writer = site.add_user("writer", "作成 花子", "author")?;
        let releaser = site.add_user("releaser", "承認 一郎", "approver")?;
        let administrator = site.add_user("administrator", "管理 次郎", "administrator")?;
        Ok(Self {
            site,
            writer: (writer, None),
            releaser: (releaser, None),
            administrator: (administrator, None),
        })
    }

    /// Makes two organisations partners, each under the name the other gives it.
    ///
    /// # Errors
    /// When a card is not accepted.
    pub fn pair(&self, there: &Self, (there_is, here_is): (&str, &str)) -> Result<()> {
        self.accept(there, there_is)?;
        there.accept(self, here_is)
    }

    fn accept(&self, other: &Self, name: &str) -> Result<()> {
        let card = self.site.dir.join(format!("card-of-{name}.json"));
        let shown = other
            .site
            .collector(&["partner", "invite", FACILITY, "--out", text(&card)?], b"")?;
        let fingerprint = fingerprint(&shown)?;
        let told = ["--fingerprint", &fingerprint, "--by", "作成 花子"];
        let accept = ["partner", "accept", FACILITY, name, text(&card)?];
        self.site
            .collector(&[&accept[..], &told[..]].concat(), b"")?;
        Ok(())
    }

    /// Returns the browser of a person, signed in.
    ///
    /// # Errors
    /// When signing in does not come to an end.
    pub async fn browser(&mut self, who: Who) -> Result<&Console> {
        let (url, authority) = (self.site.console_url(), self.site.authority()?);
        let (login, console) = match who {
            Who::Writer => &mut self.writer,
            Who::Releaser => &mut self.releaser,
            Who::Administrator => &mut self.administrator,
        };
        if console.is_none() {
            *console = Some(Console::open(&url, &authority)?);
        }
        let console = console.as_ref().context("the browser was just opened")?;
        console.sign_in(login).await?;
        Ok(console)
    }

    /// Reads a page below the facility's.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn page(&mut self, who: Who, path: &str) -> Result<Page> {
        let path = below(path);
        self.browser(who).await?.get(&path).await
    }

    /// Fills in the first form on a page whose action ends with `action` and which has all the inputs, and sends it.
    ///
    /// # Errors
    /// When there is none, or it is refused.
    pub async fn fill(
        &mut self,
        who: Who,
        path: &str,
        (action, filled): (&str, &[(&str, &str)]),
    ) -> Result<Page> {
        let path = below(path);
        let console = self.browser(who).await?;
        let page = console.get(&path).await?;
        let form = with_inputs(&page, action, filled)?;
        console.send(&form, filled).await
    }

    /// Sends the first form on a page whose action ends with `action` and in which a field stands at a value.
    ///
    /// # Errors
    /// When there is none, or it is refused.
    pub async fn choose(
        &mut self,
        who: Who,
        path: &str,
        (action, field): (&str, (&str, &str)),
    ) -> Result<Page> {
        let path = below(path);
        let console = self.browser(who).await?;
        let form = console.get(&path).await?.form_with(action, field)?;
        console.send(&form, &[]).await
    }

    /// Submits a draft as its writer and approves it as the other one.
    ///
    /// # Errors
    /// When either is refused.
    pub async fn release_report(&mut self, report: &str) -> Result<()> {
        let path = format!("reports/{report}");
        for _ in 0..SUBMIT_TRIES {
            let console = self.browser(Who::Writer).await?;
            let page = console.get(&below(&path)).await?;
            if console
                .send_if_current(&page.form("/submit")?, &[])
                .await?
                .is_some()
            {
                self.fill(Who::Releaser, &path, ("/approve", &[])).await?;
                return Ok(());
            }
        }
        bail!("the draft changed {SUBMIT_TRIES} times between being read and being submitted")
    }

    /// Writes a message to a partner and has the other person release it; `reply_to` is the package it answers.
    ///
    /// # Errors
    /// When either is refused.
    pub async fn message(
        &mut self,
        (kind, partner): (&str, &str),
        reply_to: Option<&str>,
        (subject, words): (&str, &str),
    ) -> Result<()> {
        let path = match reply_to {
            Some(package) => format!("exchange/packages/{package}"),
            None => "exchange".to_owned(),
        };
        let filled = [("kind", kind), ("partner", partner), ("subject", subject), ("text", words)];
        let written = self
            .fill(Who::Writer, &path, ("/exchange/messages", &filled))
            .await?;
        let message = last(&written.path);
        let path = format!("exchange/messages/{message}");
        self.fill(Who::Releaser, &path, ("/release", &[])).await?;
        Ok(())
    }

    /// Waits for a package of a kind with a subject that came from a partner, and returns its id.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn came(&mut self, kind: &str, subject: &str) -> String {
        let what = format!("a {kind} called {subject}");
        eventually(&what, STATE_DEADLINE, || {
            let found = self.package(kind, subject);
            async move { found }
        })
        .await
    }

    fn package(&self, kind: &str, subject: &str) -> Option<String> {
        let list = self.site.list(&["exchange", "list", FACILITY]).ok()?;
        let found = list.as_array()?.iter().find(|one| {
            let manifest = &one["manifest"];
            manifest["kind"] == kind
                && one["direction"] == "in"
                && manifest["subject"]
                    .as_str()
                    .is_some_and(|text| text.contains(subject))
        });
        found?["id"].as_str().map(str::to_owned)
    }

    /// Waits until a page holds some words.
    ///
    /// # Panics
    /// When it does not in time: with the page.
    pub async fn awaits(&mut self, path: &str, words: &str) -> Page {
        let begun = std::time::Instant::now();
        loop {
            let page = self.page(Who::Writer, path).await.expect("the page");
            if page.html.contains(words) {
                return page;
            }
            assert!(begun.elapsed() < STATE_DEADLINE, "no `{words}` on {path}: {}", page.html);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Writes everything a partner does not have as files, as onto a USB stick.
    ///
    /// # Errors
    /// When the command fails.
    pub fn fill_stick(&self, partner: &str, stick: &Path) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(stick).context("failed to make the stick")?;
        let into = ["exchange", "export", FACILITY, partner, "--into", text(stick)?];
        self.site.collector(&into, b"")?;
        let mut files: Vec<PathBuf> = std::fs::read_dir(stick)
            .context("failed to read the stick")?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        files.sort();
        Ok(files)
    }

    /// Takes files from a stick in.
    ///
    /// # Errors
    /// When one is refused: with what was said.
    pub fn take_stick(&self, files: &[PathBuf]) -> Result<String> {
        let mut arguments = vec!["exchange", "import"];
        for file in files {
            arguments.push(text(file)?);
        }
        self.site.collector(&arguments, b"")
    }

    /// Returns the reports of the facility, the newest first.
    ///
    /// # Errors
    /// When the command fails.
    pub fn reports(&self) -> Result<Vec<Value>> {
        let list = self
            .site
            .list(&["report", "list", "--facility", FACILITY])?;
        Ok(list.as_array().cloned().unwrap_or_default())
    }
}

/// Returns the path of a page of the facility.
fn below(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/facilities/{FACILITY}/{path}") }
}

/// Finds the first form whose action ends so and which has one of the inputs, else the first whose action ends so: a group
/// of boxes that are not ticked sends nothing, and so is not among a form's fields.
fn with_inputs(page: &Page, action: &str, filled: &[(&str, &str)]) -> Result<Form> {
    let there = forms(&page.html);
    // A form that changes something carries a token; one that asks does not.
    let fits = |form: &&Form| form.action.ends_with(action) && form.fields.contains_key("csrf");
    let has_one = |form: &&Form| {
        filled
            .iter()
            .any(|(name, _)| form.fields.contains_key(*name))
    };
    let mut fitting = there.iter().filter(fits);
    let found = fitting.clone().find(has_one).or_else(|| fitting.next());
    found.cloned().with_context(|| {
        let actions: Vec<_> = there.iter().map(|form| &form.action).collect();
        format!("no form `…{action}` on {}, only {actions:?}", page.path)
    })
}

/// Returns the last part of a path.
#[must_use]
pub fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("`{}` is no text", path.display()))
}

/// Finds the fingerprint in what `partner invite` prints: 64 hexadecimal digits, in groups.
fn fingerprint(shown: &str) -> Result<String> {
    for line in shown.lines() {
        let digits: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        let found = digits
            .split(|c: char| !c.is_ascii_hexdigit())
            .find(|run| run.len() == 64);
        if let Some(found) = found {
            return Ok(found.to_owned());
        }
    }
    bail!("no fingerprint in {shown}")
}
