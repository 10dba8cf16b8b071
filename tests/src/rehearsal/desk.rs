//! People at the console: each reads the page first and sends its form back, as a browser would.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use shirase_shared::testing::eventually;

use super::papers::Paper;
use super::script::{Did, Staff};
use crate::console::{Console, Page};
use crate::form::Form;
use crate::set_clock::SetClock;
use crate::site::{FACILITY, Login, Site, text_of};

/// How long the collector may take to hand a report in.
const DELIVERY_DEADLINE: Duration = Duration::from_secs(60);
/// How often in a row what a page shows may change under a person's eyes.
const TRIES: usize = 10;

/// Everybody's sessions.
pub(super) struct Desk {
    people: BTreeMap<String, (Login, Console)>,
}

impl Desk {
    /// Makes an account for everybody.
    pub(super) fn staff(site: &Site, staff: &[Staff], clock: &SetClock) -> Result<Self> {
        let mut people = BTreeMap::new();
        for one in staff {
            let login = site.add_user(&one.login, &one.name, &one.role)?;
            let console = Console::open_by(&site.console_url(), &site.authority()?, clock)?;
            people.insert(one.login.clone(), (login, console));
        }

        Ok(Self { people })
    }

    /// Returns everybody's login by name, for those who use a browser of their own.
    pub(super) fn logins(&self) -> BTreeMap<String, Login> {
        let logins = self.people.iter();
        logins
            .map(|(name, (login, _))| (name.clone(), login.clone()))
            .collect()
    }

    /// Has somebody do something; what was approved comes back as papers.
    pub(super) async fn act(
        &self,
        site: &Site,
        (incident, by): (&str, &str),
        did: &Did,
    ) -> Result<Option<Paper>> {
        let by = if let Did::Approves { by, .. } = did { by } else { by };
        let (login, console) = self
            .people
            .get(by)
            .with_context(|| format!("nobody is called `{by}`"))?;
        console.sign_in(login).await?;
        let page = format!("/facilities/{FACILITY}/incidents/{incident}");
        let on_incident = async |action: &str, filled: &[(&str, &str)]| {
            let action = format!("{page}/{action}");
            send(console, &page, |page| page.form(&action), filled).await
        };
        match did {
            Did::TakesUp => on_incident("acknowledge", &[]).await?,
            Did::Remarks { text } => on_incident("comment", &[("text", text)]).await?,
            Did::Closes { text } => on_incident("close", &[("text", text)]).await?,
            Did::CallsVendor { whom, number, at } => {
                let filled = [("whom", whom.as_str()), ("number", number), ("at", at)];
                on_incident("vendor-called", &filled).await?
            }
            Did::Notes { moment, at, text } => {
                let of = |page: &Page| page.form_with("/moment", ("moment", moment));
                send(console, &page, of, &[("at", at), ("text", text)]).await?
            }
            Did::Answers { question, choice, note, reason } => {
                let number = question.to_string();
                let of = |page: &Page| page.form_with("/interview", ("question", &number));
                let mut filled = vec![("choice", choice.as_str()), ("note", note)];
                filled.extend(reason.as_deref().map(|reason| ("reason", reason)));
                send(console, &page, of, &filled).await?
            }
            Did::Makes { profile, kind } => {
                let of = |page: &Page| {
                    let all = page.forms_with("/reports", ("profile", profile));
                    let fits = |form: &Form| form.fields.get("kind") == Some(kind);
                    all.into_iter().find(fits).with_context(|| {
                        format!("the page does not offer to make a {kind} report of {profile}")
                    })
                };
                send(console, &page, of, &[]).await?
            }
            Did::Fills { profile, field, .. } => {
                let report = report_of(site, incident, profile)?;
                let page = format!("/facilities/{FACILITY}/reports/{report}/fields/{field}");
                fill(console, &page, did).await?
            }
            Did::Submits { profile } => {
                let report = report_of(site, incident, profile)?;
                let page = format!("/facilities/{FACILITY}/reports/{report}");
                send(console, &page, |page| page.form("/submit"), &[]).await?
            }
            Did::Delivers { profile, .. } => {
                let report = report_of(site, incident, profile)?;
                let page = format!("/facilities/{FACILITY}/reports/{report}/deliveries");
                deliver(site, console, &page, did).await?;
            }
            Did::Approves { profile, changed, .. } => {
                let report = report_of(site, incident, profile)?;
                return approve(console, (profile, &report), changed)
                    .await
                    .map(Some);
            }
        };

        Ok(None)
    }
}

/// Reads a page and sends one of its forms; reads again when somebody else changed what it shows.
async fn send(
    console: &Console,
    path: &str,
    form: impl Fn(&Page) -> Result<Form>,
    filled: &[(&str, &str)],
) -> Result<()> {
    sent(console, path, form, filled).await.map(drop)
}

/// The same, with the page that follows.
async fn sent(
    console: &Console,
    path: &str,
    form: impl Fn(&Page) -> Result<Form>,
    filled: &[(&str, &str)],
) -> Result<Page> {
    for _ in 0..TRIES {
        let page = console.get(path).await?;
        if let Some(next) = console.send_if_current(&form(&page)?, filled).await? {
            return Ok(next);
        }
    }

    bail!("{path} changed {TRIES} times between being read and being sent back")
}

async fn fill(console: &Console, path: &str, did: &Did) -> Result<()> {
    let Did::Fills { field, status, choices, text, parts, rows, basis, reason, .. } = did else {
        bail!("only an answer is filled in");
    };
    for _ in 0..TRIES {
        let page = console.get(path).await?;
        let mut form = page.form(&format!("/fields/{field}"))?;
        // A person unticks what is not so any more.
        form.fields.remove("choice");
        let mut filled: Vec<(String, String)> =
            vec![("status".to_owned(), status.clone()), ("basis".to_owned(), basis.clone())];
        if form.fields.contains_key("reason") {
            filled.push(("reason".to_owned(), reason.clone()));
        }
        filled.extend(
            choices
                .iter()
                .map(|choice| ("choice".to_owned(), choice.clone())),
        );
        filled.extend(text.iter().map(|text| ("text".to_owned(), text.clone())));
        filled.extend(
            parts
                .iter()
                .map(|(name, part)| (format!("p-{name}"), part.clone())),
        );
        let first = first_empty_row(&form);
        for (index, row) in rows.iter().enumerate() {
            filled.extend(
                row.iter()
                    .map(|(column, part)| (format!("p-{}-{column}", first + index), part.clone())),
            );
        }
        for (name, _) in &filled {
            if name != "choice" && !form.fields.contains_key(name) && !radio(name) {
                bail!("{path} has no input `{name}`, only {:?}", form.fields.keys());
            }
        }
        let filled: Vec<(&str, &str)> = filled
            .iter()
            .map(|(name, part)| (name.as_str(), part.as_str()))
            .collect();
        if console.send_if_current(&form, &filled).await?.is_some() {
            return Ok(());
        }
    }

    bail!("{path} changed {TRIES} times between being read and being sent back")
}

/// Approves a report whose list of changes names these fields, and takes its papers.
async fn approve(
    console: &Console,
    (profile, report): (&str, &str),
    changed: &[u8],
) -> Result<Paper> {
    let page = format!("/facilities/{FACILITY}/reports/{report}");
    let read = console.get(&page).await?;
    for field in changed {
        let row = format!("class=\"answer change\"><h3><a href=\"#field-{field}\"");
        if !read.html.contains(&row) {
            bail!("the approver does not see that field {field} changed since the report before");
        }
    }
    send(console, &page, |page| page.form("/approve"), &[]).await?;

    Paper::fetch(console, profile, report).await
}

/// Chooses a way, and then either records what a person did or waits until the collector has done it.
async fn deliver(site: &Site, console: &Console, path: &str, did: &Did) -> Result<()> {
    let Did::Delivers { way, organisation, address, at, spoke_with, receipt, .. } = did else {
        bail!("only a report is delivered");
    };
    if way == "folder" {
        let folder = site.handed_in().join(address);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("failed to make `{}`", folder.display()))?;
    }
    let filled = [
        ("way", way.as_str()),
        ("organisation", organisation),
        ("address", address),
        ("purpose", "report"),
    ];
    let chosen = sent(console, path, |page| page.form("/deliveries"), &filled).await?;
    let own = chosen.path;
    if ["folder", "mail"].contains(&way.as_str()) {
        let done = eventually("a delivery by the collector", DELIVERY_DEADLINE, || async {
            match console.get(&own).await {
                Ok(page) => page.form("/receipt").is_ok().then_some(Ok(())),
                Err(error) => Some(Err(error)),
            }
        });
        return done.await;
    }
    let filled = [
        ("outcome", "delivered"),
        ("at", at.as_str()),
        ("spoke_with", spoke_with),
        ("receipt", receipt),
    ];
    send(console, &own, |page| page.form("/record"), &filled).await
}

/// Radio buttons are not in a form while none is chosen.
fn radio(name: &str) -> bool {
    name == "status"
}

fn first_empty_row(form: &Form) -> usize {
    let index = |name: &str| {
        name.strip_prefix("p-")?
            .split_once('-')?
            .0
            .parse::<usize>()
            .ok()
    };
    let filled = form
        .fields
        .iter()
        .filter(|(_, part)| !part.trim().is_empty());
    filled
        .filter_map(|(name, _)| index(name))
        .max()
        .map_or(0, |last| last + 1)
}

/// Finds the newest report of a profile.
fn report_of(site: &Site, incident: &str, profile: &str) -> Result<String> {
    let reports = site.list(&["report", "list", "--facility", FACILITY])?;
    let mut own: Vec<_> = reports
        .as_array()
        .into_iter()
        .flatten()
        .filter(|report| report["incident"] == incident && report["profile"] == profile)
        .collect();
    own.sort_by_key(|report| report["round"].as_u64());
    let newest = own
        .pop()
        .with_context(|| format!("there is no report of {profile}"))?;

    text_of(newest, "id")
}
