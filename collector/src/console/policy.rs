//! Fleet policy: the text in force and its editor, what came before it, and how each host stands.

use std::collections::BTreeMap;

use askama::Template;
use shirase_shared::ids::{HostId, UserId};
use shirase_shared::policy::PolicyRevision;

use super::frame::Frame;
use super::ui::{Badge, Tone};
use crate::audit::Actor;
use crate::facilities::Host;
use crate::locale::{Locale, japan_time, visible};
use crate::policy::{Line, Mistake, Revision, Scope, Standing, State, Turn, refusal_key};

/// What a text may look like; shown where there is none yet.
pub const EXAMPLE: &str = include_str!("../../../deploy/policy-example.toml");

/// The policy of a facility or of one host.
#[derive(Template)]
#[template(path = "policy.html")]
pub struct PolicyPage {
    /// What stands around it.
    pub f: Frame,
    /// The host it is of, with its name; `None` for the whole facility.
    pub host: Option<(HostId, String)>,
    /// Where its forms go.
    pub address: String,
    /// Accepted indicators of sharing products that are not in it.
    pub adds: Vec<String>,
    /// What is in the editor.
    pub text: String,
    /// Why it is saved.
    pub reason: String,
    /// The newest revision the reader saw; empty if there is none.
    pub seen: String,
    /// What is wrong with what is in the editor.
    pub mistakes: Vec<Mistake>,
    /// Whether the reason is missing.
    pub reasonless: bool,
    /// What would change, if somebody asked to see that.
    pub preview: Option<Vec<LineView>>,
    /// Whether somebody else saved one in the meantime.
    pub stale: bool,
    /// What was saved so far, the newest first.
    pub history: Vec<RevisionView>,
    /// How hosts stand.
    pub hosts: Vec<HostStandingView>,
    /// An example, where nothing was saved.
    pub example: Option<&'static str>,
    /// How long a host may take, in minutes.
    pub late_minutes: i64,
}

/// One saved text, and what differs from another.
#[derive(Template)]
#[template(path = "policy_revision.html")]
pub struct RevisionPage {
    /// What stands around it.
    pub f: Frame,
    /// Which.
    pub revision: RevisionView,
    /// The text.
    pub text: String,
    /// The one it is compared with.
    pub before: Option<PolicyRevision>,
    /// Others of the same hosts it can be compared with, and whether it is.
    pub others: Vec<(PolicyRevision, bool)>,
    /// What differs.
    pub lines: Vec<LineView>,
    /// Where the policy itself is.
    pub back: String,
}

/// A line of a difference.
pub struct LineView {
    /// Its class.
    pub class: &'static str,
    /// The sign before it.
    pub sign: &'static str,
    /// What the sign means, for those who hear the page.
    pub said: String,
    /// Its words.
    pub text: String,
}

/// Shows a difference.
#[must_use]
pub fn line_views(lines: &[Line], locale: Locale) -> Vec<LineView> {
    let view = |line: &Line| {
        let (class, sign, said) = match line.turn {
            Turn::Same => ("same", " ", String::new()),
            Turn::Gone => ("gone", "−", locale.text("policy-line-gone")),
            Turn::New => ("new", "+", locale.text("policy-line-new")),
        };
        LineView { class, sign, said, text: visible(&line.text) }
    };
    lines.iter().map(view).collect()
}

/// A saved text in a list.
pub struct RevisionView {
    /// Its number.
    pub number: PolicyRevision,
    /// Of whom it speaks: a host's name, or nothing.
    pub of: Option<String>,
    /// Who saved it.
    pub who: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
    /// Whether it is the newest of its hosts.
    pub current: bool,
    /// Whether it takes back what was said.
    pub empty: bool,
}

impl RevisionView {
    /// Shows a saved text.
    #[must_use]
    pub fn of(
        revision: &Revision,
        current: bool,
        (hosts, names): (&[Host], &BTreeMap<UserId, String>),
        locale: Locale,
    ) -> Self {
        let of = revision.scope.host().map(|id| {
            let host = hosts.iter().find(|host| host.id == id);
            host.map_or_else(|| id.to_string(), |host| host.name.clone())
        });
        let who = match revision.set_by {
            Actor::User(id) => names.get(&id).cloned().unwrap_or_else(|| id.to_string()),
            Actor::Machine => locale.text("who-machine"),
            Actor::CommandLine => locale.text("who-command-line"),
        };
        Self {
            number: revision.number,
            of,
            who,
            at: japan_time(revision.set_at),
            reason: revision.reason.clone(),
            current,
            empty: revision.text.trim().is_empty(),
        }
    }
}

/// How one host stands, as it is shown.
pub struct HostStandingView {
    /// The host.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// What it should have in force; empty if nothing.
    pub desired: String,
    /// What it says is in force; empty if nothing.
    pub actual: String,
    /// Both in words.
    pub versions: String,
    /// What that comes to.
    pub state: Badge,
    /// Why, where it refused.
    pub why: Option<String>,
    /// Since when it has been behind.
    pub behind: Option<String>,
    /// Keys of which its own file says something else.
    pub drift: Vec<&'static str>,
    /// Whether there are more.
    pub more_drift: bool,
    /// Whether it has a text of its own.
    pub own: bool,
}

impl HostStandingView {
    /// Shows a host.
    #[must_use]
    pub fn of(host: &Host, standing: &Standing, revisions: &[Revision], locale: Locale) -> Self {
        let number = |revision: Option<PolicyRevision>| {
            revision.map_or_else(String::new, |revision| revision.to_string())
        };
        let (tone, key) = match standing.state {
            State::Nothing => (Tone::Quiet, "policy-state-nothing"),
            State::Applied => (Tone::Well, "policy-state-applied"),
            State::Waiting => (Tone::Low, "policy-state-waiting"),
            State::Refused(_) => (Tone::High, "policy-state-refused"),
            State::NotTaking => (Tone::Quiet, "policy-state-not-taking"),
            State::TooOld => (Tone::Medium, "policy-state-too-old"),
            State::NeverHeard => (Tone::Quiet, "policy-state-never-heard"),
            State::Ahead => (Tone::High, "policy-state-ahead"),
        };
        let why = match standing.state {
            State::Refused(refusal) => Some(locale.text(refusal_key(refusal))),
            State::Ahead => Some(locale.text("policy-state-ahead-why")),
            State::NotTaking => Some(locale.text("policy-state-not-taking-why")),
            State::TooOld => Some(locale.text("policy-state-too-old-why")),
            State::Nothing | State::Applied | State::Waiting | State::NeverHeard => None,
        };
        let is_late = standing.late && tone == Tone::Low;
        let behind = standing.behind_since.map(japan_time);
        let own = revisions
            .iter()
            .find(|revision| revision.scope == Scope::Host(host.id))
            .is_some_and(|revision| !revision.text.trim().is_empty());

        let (desired, actual) = (number(standing.desired), number(standing.actual));
        let shown = if actual.is_empty() { "–" } else { &actual };
        let versions =
            locale.text_with("host-policy-versions", &[("desired", &desired), ("actual", &shown)]);

        Self {
            id: host.id,
            name: host.name.clone(),
            versions,
            desired,
            actual,
            state: Badge {
                tone: if is_late { Tone::Medium } else { tone },
                text: locale.text(if is_late { "policy-state-late" } else { key }),
            },
            why,
            behind,
            drift: standing.drift.iter().map(|key| key.as_str()).collect(),
            more_drift: standing.more_drift,
            own,
        }
    }
}
