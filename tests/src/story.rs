//! The whole road, told second by second: something happens to files, and in the end an approved PDF lies there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shirase_shared::testing::eventually;

use crate::console::{Console, Page};
use crate::site::{FACILITY, Login, Site, text_of};

/// How long any one step of the road may take.
const STEP_DEADLINE: Duration = Duration::from_secs(90);

/// How often in a row a draft may change under an author's eyes.
const SUBMIT_TRIES: usize = 10;

/// The two people every report needs.
#[derive(Clone, Debug)]
pub struct People {
    /// Corrects and submits.
    pub author: Login,
    /// Approves.
    pub approver: Login,
}

/// What happened when, in milliseconds from the first changed file. Printed as one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The agent's detector decided.
    pub detected_ms: i64,
    /// The collector had the event on disk.
    pub at_collector_ms: i64,
    /// The mail about it was in the mail server's hands.
    pub mail_ms: i64,
    /// The draft was there, filled in.
    pub draft_ms: i64,
    /// The incident's id.
    pub incident: String,
    /// The report's id.
    pub report: String,
    /// Where the approved document lies.
    pub pdf: PathBuf,
}

/// Says what happened, with the seconds since the story began.
pub struct Teller<'a> {
    begun: Instant,
    say: &'a mut dyn FnMut(&str),
}

impl<'a> Teller<'a> {
    /// Begins a story that is told through `say`.
    pub fn begin(say: &'a mut dyn FnMut(&str)) -> Self {
        Self { begun: Instant::now(), say }
    }

    /// Tells one line.
    pub fn tell(&mut self, what: &str) {
        let line = format!("{:7.1} s  {what}", self.begun.elapsed().as_secs_f64());
        (self.say)(&line);
    }
}

/// Follows an incident from the first event to the approved PDF at `pdf`, through the console's own pages.
///
/// # Errors
/// When a step does not come: with what was awaited.
pub async fn follow(
    site: &mut Site,
    people: &People,
    pdf: &Path,
    teller: &mut Teller<'_>,
) -> Result<Outcome> {
    let incident = wait_for(site, "an open incident", open_incident).await?;
    let id = text_of(&incident, "id")?;
    let first = time_of(&incident, "first_at")?;
    teller.tell(&format!("incident open: {}", text_of(&incident, "title")?));
    let mail = eventually("a mail about the incident", STEP_DEADLINE, || {
        let found = site.mail.messages().len();
        async move { (0 < found).then_some(found) }
    })
    .await;
    teller.tell(&format!("{mail} mail(s) in the mail server"));
    let report = wait_for(site, "a draft report", |site| report_of(site, &id)).await?;
    let report_id = text_of(&report, "id")?;
    teller.tell("draft report filled in");

    let author = Console::open(&site.console_url(), &site.authority()?)?;
    author.sign_in(&people.author).await?;
    teller.tell(&format!(
        "{} signed in: password changed, second factor set up",
        people.author.login
    ));
    let path = format!("/facilities/{FACILITY}/reports/{report_id}");
    let page = submit(&author, &path).await?;
    teller.tell("author submitted the draft: answers frozen");

    let approver = Console::open(&site.console_url(), &site.authority()?)?;
    approver.sign_in(&people.approver).await?;
    let approved = approve(&approver, &page.path).await?;
    teller.tell("a second person approved it");
    let link = approved
        .link("/pdf")
        .context("no link to the PDF on the approved report")?;
    let document = approver.bytes(&link).await?;
    std::fs::write(pdf, &document)
        .with_context(|| format!("failed to write `{}`", pdf.display()))?;
    teller.tell(&format!("{} bytes of PDF at {}", document.len(), pdf.display()));

    let told = site.list(&["incident", "show", FACILITY, &id])?;
    let (detected, stored) = first_mass_change(&told)?;
    Ok(Outcome {
        detected_ms: since(first, detected),
        at_collector_ms: since(first, stored),
        mail_ms: since(first, first_mail(&told)?),
        draft_ms: since(first, time_of(&report, "created_at")?),
        incident: id,
        report: report_id,
        pdf: pdf.to_owned(),
    })
}

/// Submits what the page shows; reads again when the machine learned more in between, as a person would.
async fn submit(author: &Console, path: &str) -> Result<Page> {
    for _ in 0..SUBMIT_TRIES {
        let page = author.get(path).await?;
        if let Some(submitted) = author.send_if_current(&page.form("/submit")?, &[]).await? {
            return Ok(submitted);
        }
    }

    bail!("the draft changed {SUBMIT_TRIES} times between being read and being submitted")
}

async fn approve(approver: &Console, path: &str) -> Result<Page> {
    let page = approver.get(path).await?;
    approver.send(&page.form("/approve")?, &[]).await
}

/// Asks until the site shows what is awaited, as long as both programs run.
///
/// # Errors
/// When a program ended.
pub async fn wait_for<T>(
    site: &mut Site,
    what: &str,
    mut look: impl FnMut(&Site) -> Result<Option<T>>,
) -> Result<T> {
    eventually(what, STEP_DEADLINE, || {
        let seen = site.still_runs().and_then(|()| look(site)).transpose();
        async move { seen }
    })
    .await
}

fn open_incident(site: &Site) -> Result<Option<Value>> {
    let incidents = site.list(&["incident", "list", "--facility", FACILITY])?;
    let open = incidents
        .as_array()
        .into_iter()
        .flatten()
        .find(|i| i["status"] == "open");
    Ok(open.cloned())
}

fn report_of(site: &Site, incident: &str) -> Result<Option<Value>> {
    let reports = site.list(&["report", "list", "--facility", FACILITY])?;
    let found = reports
        .as_array()
        .into_iter()
        .flatten()
        .find(|r| r["incident"] == incident);
    Ok(found.cloned())
}

fn first_mass_change(told: &Value) -> Result<(Timestamp, Timestamp)> {
    let records = told["records"]
        .as_array()
        .context("the incident shows no records")?;
    let first = records
        .iter()
        .filter(|record| record["kind"] == "mass_change")
        .min_by_key(|record| record["sequence"].as_u64())
        .context("the incident has no mass change")?;

    Ok((time_of(first, "detected_at")?, time_of(first, "received_at")?))
}

fn first_mail(told: &Value) -> Result<Timestamp> {
    let sent = told["notifications"]
        .as_array()
        .context("the incident shows no notifications")?;
    let times: Result<Vec<_>> = sent
        .iter()
        .filter(|one| !one["sent_at"].is_null())
        .map(|one| time_of(one, "sent_at"))
        .collect();
    times?.into_iter().min().context("no notification was sent")
}

fn time_of(value: &Value, field: &str) -> Result<Timestamp> {
    let text = text_of(value, field)?;
    text.parse()
        .with_context(|| format!("`{field}` is no time: {text}"))
}

fn since(first: Timestamp, then: Timestamp) -> i64 {
    then.as_millisecond() - first.as_millisecond()
}
