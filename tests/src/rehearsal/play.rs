//! Plays a script: hour by hour, and after each looks at everything the law asks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde_json::Value;
use shirase_shared::testing::eventually;

use super::desk::Desk;
use super::host::PlayedHost;
use super::papers::{Paper, Wanted};
use super::script::{Did, Due, Hour, Script, Then, moment};
use crate::set_clock::SetClock;
use crate::site::{FACILITY, Login, Site, text_of};

/// How long the collector may take until what was told and done shows.
const STEP_DEADLINE: Duration = Duration::from_secs(60);

/// A rehearsal that went as written.
#[derive(Debug)]
pub struct Ended {
    /// The site, still running.
    pub site: Site,
    /// The incident.
    pub incident: String,
    /// The papers that were approved, in the order of time.
    pub papers: Vec<Paper>,
}

/// A night that is left to others to act in.
#[derive(Debug)]
pub struct Watched {
    /// The site, running.
    pub site: Site,
    /// Its clock.
    pub clock: SetClock,
    /// The incident.
    pub incident: String,
    /// Everybody's login by name.
    pub logins: BTreeMap<String, Login>,
}

/// Plays a script in `dir`, leaving the papers in `look` under the names of their profiles.
///
/// # Errors
/// Says at which hour something else came than the script says, and what.
pub async fn play(script: &Script, dir: &Path, look: &Path) -> Result<Ended> {
    let mut night = Night::begin(script, dir).await?;
    for hour in &script.hours {
        night
            .live(hour, look)
            .await
            .with_context(|| format!("at {}: {}", hour.at, hour.happens.en))?;
    }
    let Night { site, incident, papers, .. } = night;

    Ok(Ended { site, incident: incident.context("no incident came of it")?, papers })
}

/// Plays what the agents tell up to and with the hour that begins at `until`, and leaves it to others to do something.
///
/// # Errors
/// When no draft comes of it.
pub async fn watch(script: &Script, dir: &Path, until: &str) -> Result<Watched> {
    let mut night = Night::begin(script, dir).await?;
    for hour in script
        .hours
        .iter()
        .take_while(|hour| hour.at.as_str() <= until)
    {
        night.hear(hour).await?;
    }
    let incident = night.drafted().await?;
    let Night { site, clock, desk, .. } = night;

    Ok(Watched { site, clock, incident, logins: desk.logins() })
}

struct Night<'a> {
    script: &'a Script,
    site: Site,
    clock: SetClock,
    hosts: BTreeMap<&'a str, PlayedHost>,
    desk: Desk,
    incident: Option<String>,
    papers: Vec<Paper>,
}

impl<'a> Night<'a> {
    async fn begin(script: &'a Script, dir: &Path) -> Result<Self> {
        let first = script.hours.first().context("nothing happens")?;
        // An hour before anything happens: people make accounts and enrol servers.
        let before = moment(&first.at)? - jiff::SignedDuration::from_hours(1);
        let clock = SetClock::at(before, &dir.join("clock"))?;
        let mut site = Site::prepare_by(dir, Some(clock.clone())).await?;
        site.start_collector().await?;
        let mut hosts = BTreeMap::new();
        for server in &script.hosts {
            let host = PlayedHost::enrol(&site, server, &clock).await?;
            hosts.insert(server.name.as_str(), host);
        }
        let desk = Desk::staff(&site, &script.people, &clock)?;

        Ok(Self { script, site, clock, hosts, desk, incident: None, papers: Vec::new() })
    }

    async fn live(&mut self, hour: &Hour, look: &Path) -> Result<()> {
        self.hear(hour).await?;
        let Some(then) = &hour.then else { return self.quiet(hour) };
        let incident = self.drafted().await?;
        for did in &hour.did {
            let acted = self.desk.act(&self.site, (&incident, &hour.by), did).await;
            let paper = acted.with_context(|| format!("{} could not: {did:?}", hour.by))?;
            if let Some(paper) = paper {
                self.keep(paper, did, look)?;
            }
        }
        self.site.still_runs()?;
        self.compare(&incident, then).await
    }

    /// Nothing calls for a report: there is none, and nobody can do anything about one.
    fn quiet(&self, hour: &Hour) -> Result<()> {
        if !hour.did.is_empty() {
            bail!("people do something, and nothing is expected of it");
        }
        let reports = self
            .site
            .list(&["report", "list", "--facility", FACILITY])?;
        if reports.as_array().is_none_or(|reports| !reports.is_empty()) {
            bail!("there is a report already: {reports}");
        }

        Ok(())
    }

    /// Puts the clock to the hour and lets the agents tell what they saw.
    async fn hear(&mut self, hour: &Hour) -> Result<()> {
        let at = moment(&hour.at)?;
        self.clock.put(at)?;
        for host in self.hosts.values() {
            host.beat().await?;
        }
        let named: BTreeSet<&str> = hour.saw.iter().map(|saw| saw.host.as_str()).collect();
        for name in named {
            let own: Vec<_> = hour.saw.iter().filter(|saw| saw.host == name).collect();
            let host = self.hosts.get_mut(name);
            let host = host.with_context(|| format!("no server `{name}`"))?;
            host.tell(&own, at).await?;
        }

        Ok(())
    }

    /// Waits until an incident with a draft is there, and all that was told is a part of it.
    async fn drafted(&mut self) -> Result<String> {
        if let Some(incident) = &self.incident {
            return Ok(incident.clone());
        }
        let site = &mut self.site;
        let found = eventually("an incident with a draft", STEP_DEADLINE, || {
            let seen = site.still_runs().and_then(|()| {
                let reports = site.list(&["report", "list", "--facility", FACILITY])?;
                let first = reports.as_array().and_then(|reports| reports.first());
                first.map(|report| text_of(report, "incident")).transpose()
            });
            async move { seen.transpose() }
        })
        .await?;
        self.incident = Some(found.clone());

        Ok(found)
    }

    fn keep(&mut self, paper: Paper, did: &Did, look: &Path) -> Result<()> {
        let Did::Approves { profile, holds, lacks, .. } = did else {
            bail!("papers come from an approval");
        };
        let name = format!("{:02}-{profile}", self.papers.len() + 1);
        paper.keep(look, &name)?;
        let (planted, latin) = (&self.script.planted, &self.script.latin);
        paper.look_through(&Wanted { holds, lacks, planted, latin })?;
        self.papers.push(paper);

        Ok(())
    }

    /// Waits until everything is as the script says, or shows what is otherwise.
    async fn compare(&self, incident: &str, then: &Then) -> Result<()> {
        let mut wanted = then.clone();
        wanted.deadlines.sort();
        let begun = std::time::Instant::now();
        loop {
            let found = self.found(incident)?;
            if found == wanted {
                return Ok(());
            }
            if STEP_DEADLINE / 4 < begun.elapsed() {
                bail!("{}", difference(&wanted, &found));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn found(&self, incident: &str) -> Result<Then> {
        let mut then = Then::default();
        let shown = self.site.list(&["incident", "show", FACILITY, incident])?;
        then.incident = text_of(&shown, "status")?;
        let duties = self.site.list(&["duty", "list", FACILITY, incident])?;
        for duty in duties.as_array().into_iter().flatten() {
            let profile = text_of(duty, "profile")?;
            let set = |name: &str| -> BTreeSet<String> {
                let all = duty[name].as_array().into_iter().flatten();
                all.map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                    .collect()
            };
            match text_of(duty, "standing")?.as_str() {
                "applies" => drop(then.applies.insert(profile)),
                "open" => drop(then.open.insert(profile, set("missing"))),
                "not_now" => drop(then.not_now.insert(profile, set("reasons"))),
                "off" => drop(then.off.insert(profile)),
                other => bail!("a duty stands `{other}`"),
            }
        }
        let deadlines = self
            .site
            .list(&["deadline", "list", "--facility", FACILITY, "--all"])?;
        for deadline in deadlines.as_array().into_iter().flatten() {
            then.deadlines.push(due(deadline)?);
        }
        then.deadlines.sort();

        Ok(then)
    }
}

fn due(shown: &Value) -> Result<Due> {
    let text = |name: &str| shown[name].as_str().unwrap_or_default().to_owned();
    let japan = |name: &str| -> Result<String> {
        let Some(at) = shown[name].as_str() else { return Ok(String::new()) };
        let at: Timestamp = at.parse().with_context(|| format!("`{name}` is no time"))?;
        // The console's forms take minutes, the script gives minutes.
        let shown = shirase_collector::reports::text::form_time(at);
        Ok(shown.chars().take("2022-10-31 07:05".len()).collect())
    };
    let until = match shown["last_day"].as_str() {
        Some(day) => day.to_owned(),
        None => japan("due")?,
    };
    let late = if shown["late"] == Value::Bool(true) { " late" } else { "" };
    Ok(Due {
        what: text_of(shown, "deadline")?,
        term: text_of(shown, "term")?,
        until,
        moved_from: text("moved_from"),
        from: japan("runs_from")?,
        state: format!("{}{late}", text_of(shown, "state")?),
    })
}

/// Shows line by line what was expected (-) and what was found (+).
fn difference(wanted: &Then, found: &Then) -> String {
    let lines =
        |then: &Then| -> Vec<String> { format!("{then:#?}").lines().map(str::to_owned).collect() };
    let (wanted, found) = (lines(wanted), lines(found));
    let missing = wanted.iter().filter(|line| !found.contains(line));
    let strange = found.iter().filter(|line| !wanted.contains(line));
    let missing = missing.map(|line| format!("- {line}"));
    let strange = strange.map(|line| format!("+ {line}"));
    let all: Vec<String> = missing.chain(strange).collect();

    format!(
        "it stands otherwise than written:\n{}\nfound in full:\n{}",
        all.join("\n"),
        found.join("\n")
    )
}
