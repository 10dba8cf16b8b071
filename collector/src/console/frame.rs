//! What stands around every page: who is signed in, where they are, and how to go elsewhere.

use shirase_shared::event::Severity;
use shirase_shared::ids::FacilityId;

use super::ui::{Badge, Heading};
use crate::exchange::OrganisationKind;
use crate::locale::{Lang, Locale};
use crate::people::{Grants, Role};

/// Where in the console a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// No tab: signing in, errors.
    Nowhere,
    /// All facilities.
    Overview,
    /// Alerts of all facilities.
    Alerts,
    /// Deadlines of all incidents.
    Deadlines,
    /// One facility: its incidents.
    Incidents,
    /// Its hosts.
    Hosts,
    /// Its address book.
    Contacts,
    /// The cyber security checklist.
    Checklists,
    /// What goes between it and its partners.
    Exchange,
    /// The institutions it supervises.
    Institutions,
    /// What it looks into there.
    Cases,
    /// Sharing products.
    Sharing,
    /// Its master data.
    Settings,
    /// Its people.
    Users,
    /// Its part of the audit log.
    Audit,
}

/// The facility a page is about, and what the reader may do there.
#[derive(Clone, Debug)]
pub struct FacilityNav {
    /// Which one.
    pub id: FacilityId,
    /// Its name.
    pub name: String,
    /// Whether the reader works on incidents and reports.
    pub author: bool,
    /// Whether the reader approves.
    pub approver: bool,
    /// Whether the reader manages hosts, data and people.
    pub administrator: bool,
    /// Whether it is a municipality, which keeps a register and cases.
    pub supervises: bool,
    /// Whether it is a CEPTOAR, which makes products of products.
    pub coordinates: bool,
}

impl FacilityNav {
    /// Shows a facility to somebody.
    #[must_use]
    pub fn new(id: &FacilityId, name: &str, grants: &Grants, kind: OrganisationKind) -> Self {
        Self {
            id: id.clone(),
            name: name.to_owned(),
            author: grants.allow(id, Role::Author),
            approver: grants.allow(id, Role::Approver),
            administrator: grants.allow(id, Role::Administrator),
            supervises: kind.supervises(),
            coordinates: kind.coordinates(),
        }
    }
}

/// What the last action came to, shown once at the head of the next page.
#[derive(Clone, Debug)]
pub struct Flash {
    /// Its words.
    pub text: String,
    /// Whether it was refused.
    pub refused: bool,
}

/// What stands around a page. `f` in the templates.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The language to speak.
    pub locale: Locale,
    /// Key of the page's title.
    pub title: &'static str,
    /// Name of whoever is signed in.
    pub user: Option<String>,
    /// What every form carries.
    pub csrf: String,
    /// The facility the page is about.
    pub facility: Option<FacilityNav>,
    /// Where it stands.
    pub tab: Tab,
    /// What the last action came to.
    pub flash: Option<Flash>,
    /// The page's own address, to come back to after a change of language.
    pub path: String,
    /// When the page was made, as Japan's clocks show it.
    pub now: String,
}

impl Frame {
    /// Returns the words for a key.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.locale.text(key)
    }

    /// Returns the words for a key with one variable.
    #[must_use]
    pub fn text_with(&self, key: &str, name: &str, value: impl std::fmt::Display) -> String {
        self.locale.text_with(key, &[(name, &value)])
    }

    /// Returns a heading in both languages.
    #[must_use]
    pub fn heading(&self, key: &str) -> Heading {
        Heading(self.locale.label(key))
    }

    /// Shows a severity.
    #[must_use]
    pub fn severity(&self, severity: Severity) -> Badge {
        Badge::severity(severity, self.locale)
    }

    /// Returns the language as HTML writes it.
    #[must_use]
    pub const fn lang(&self) -> &'static str {
        self.locale.lang().as_str()
    }

    /// Returns the language the page is not in.
    #[must_use]
    pub const fn other_lang(&self) -> &'static str {
        match self.locale.lang() {
            Lang::Ja => Lang::En.as_str(),
            Lang::En => Lang::Ja.as_str(),
        }
    }

    /// Returns the mark of the present tab, for `aria-current`.
    #[must_use]
    pub fn current(&self, tab: &str) -> &'static str {
        let here = match self.tab {
            Tab::Nowhere => "",
            Tab::Overview => "overview",
            Tab::Alerts => "alerts",
            Tab::Deadlines => "deadlines",
            Tab::Incidents => "incidents",
            Tab::Hosts => "hosts",
            Tab::Contacts => "contacts",
            Tab::Checklists => "checklists",
            Tab::Exchange => "exchange",
            Tab::Institutions => "institutions",
            Tab::Cases => "cases",
            Tab::Sharing => "sharing",
            Tab::Settings => "settings",
            Tab::Users => "users",
            Tab::Audit => "audit",
        };
        if here == tab { "page" } else { "false" }
    }
}
