//! Puts an incident into words for people outside the console: mails, webhooks, the terminal.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::HostId;

use super::letter::{Both, Call, Place};
use crate::correlate::{Conclusion, Names, explain, headline};
use crate::facilities::{CareRole, Facility, Host, Vendor};
use crate::incidents::Incident;
use crate::locale::{Lang, Locale};
use crate::store::{Store, StoreError};

/// Most care roles named in a headline.
const HEADLINE_ROLES: usize = 2;

/// What a facility's incidents are told with: its hosts and its people by name.
pub struct Telling {
    facility: Facility,
    hosts: Vec<Host>,
    names: Names,
}

impl Telling {
    /// Reads the names of a facility, and whom its address book names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(
        store: &Store,
        facility: &Facility,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let hosts = store.hosts(&facility.id).await?;
        let names = Names {
            hosts: hosts
                .iter()
                .map(|host| (host.id, host.name.clone()))
                .collect(),
            users: store.user_names().await?,
        };

        let facility = store.with_vendors(facility, now).await?;

        Ok(Self { facility, hosts, names })
    }

    /// Returns what happened, in a few words, such as 電子カルテサーバで「ファイルの大量変更」.
    #[must_use]
    pub fn title(&self, incident: &Incident) -> Both {
        let roles: BTreeSet<CareRole> = incident.care_roles();
        both(|locale| {
            let title = locale.text(incident.rule.title_key());
            if roles.is_empty() {
                return match incident.headline() {
                    Some(conclusion) => headline(conclusion).say(locale, &self.names),
                    None => title,
                };
            }
            let first: BTreeSet<_> = roles.iter().copied().take(HEADLINE_ROLES).collect();
            let roles = role_words(&first, locale);
            locale.text_with("notify-headline", &[("roles", &roles), ("title", &title)])
        })
    }

    /// Returns why a conclusion is said.
    #[must_use]
    pub fn reason(&self, conclusion: &Conclusion) -> Both {
        both(|locale| explain(conclusion).say(locale, &self.names))
    }

    /// Returns the label of a host, or its id if it is unknown.
    #[must_use]
    pub fn host_name(&self, host: HostId) -> String {
        self.names
            .hosts
            .get(&host)
            .cloned()
            .unwrap_or_else(|| host.to_string())
    }

    /// Returns where it happened.
    #[must_use]
    pub fn places(&self, incident: &Incident) -> Vec<Place> {
        let place = |id: HostId| {
            let host = self.hosts.iter().find(|host| host.id == id);
            let roles = host.map(|host| host.roles.clone()).unwrap_or_default();
            Place { host: self.host_name(id), roles: both(|locale| role_words(&roles, locale)) }
        };
        incident.hosts().into_iter().map(place).collect()
    }

    /// Returns whom to call first: the maintenance vendor of a system concerned, at any hour if a number is known.
    #[must_use]
    pub fn call(&self, incident: &Incident) -> Option<Call> {
        let mut roles = incident.care_roles();
        for host in self
            .hosts
            .iter()
            .filter(|host| incident.hosts().contains(&host.id))
        {
            roles.extend(host.roles.iter().copied());
        }
        let concerned: Vec<&Vendor> = roles
            .iter()
            .filter_map(|role| self.facility.master.vendor(*role))
            .collect();
        let reachable = concerned.iter().find(|vendor| !number(vendor).is_empty());
        let vendor = reachable.or(concerned.first())?;

        Some(Call { company: vendor.company.clone(), phone: number(vendor).to_owned() })
    }
}

fn number(vendor: &Vendor) -> &str {
    if vendor.phone_24h.is_empty() { &vendor.phone } else { &vendor.phone_24h }
}

fn role_words(roles: &BTreeSet<CareRole>, locale: Locale) -> String {
    let words: Vec<_> = roles
        .iter()
        .map(|role| locale.text(role.label_key()))
        .collect();
    words.join(match locale.lang() {
        Lang::Ja => "・",
        Lang::En => ", ",
    })
}

fn both(say: impl Fn(Locale) -> String) -> Both {
    Both { ja: say(Locale::new(Lang::Ja)), en: say(Locale::new(Lang::En)) }
}
