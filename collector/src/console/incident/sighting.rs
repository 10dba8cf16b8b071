//! The form in which a person writes down what was noticed.

use askama::Template;

use crate::console::frame::Frame;
use crate::console::settings::Choice;
use crate::correlate::{
    SIGHTING_LINE_MAX_CHARS, SIGHTING_TEXT_MAX_CHARS, SightingWay, SightingWeight,
};
use crate::facilities::{CareRole, Host};
use crate::reports::fields::Field;

/// What was sent with the form, or what it begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SightingInputs {
    /// One line.
    pub subject: String,
    /// How the institution came to know.
    pub way: String,
    /// Who noticed it.
    pub noticed_by: String,
    /// When, as the form takes it.
    pub noticed_at: String,
    /// What was noticed.
    pub what: String,
    /// What it is taken for; empty when nobody can say.
    pub kind: String,
    /// How much it matters.
    pub weight: String,
    /// Servers it is about.
    pub hosts: Vec<String>,
    /// What the systems concerned do for care.
    pub roles: Vec<String>,
    /// Whether it is an exercise.
    pub drill: bool,
    /// Names this form, so that sending it twice opens one incident.
    pub once: String,
}

/// The form.
#[derive(Template)]
#[template(path = "sighting.html")]
pub struct SightingPage {
    /// What stands around it.
    pub f: Frame,
    /// What it holds.
    pub sent: SightingInputs,
    /// Ways of coming to know.
    pub ways: Vec<Choice>,
    /// How much it can matter.
    pub weights: Vec<Choice>,
    /// What it can be taken for.
    pub kinds: Vec<Choice>,
    /// Servers with an agent.
    pub hosts: Vec<Choice>,
    /// What systems do for care.
    pub roles: Vec<Choice>,
    /// Now, as a form for date and time takes it.
    pub now_field: String,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

impl SightingPage {
    /// Shows the form.
    #[must_use]
    pub fn of(
        f: Frame,
        hosts: &[Host],
        sent: SightingInputs,
        (now_field, problem): (String, Option<String>),
    ) -> Self {
        let locale = f.locale;
        let choice =
            |code: &str, text: String, chosen: bool| Choice { code: code.to_owned(), text, chosen };
        let ways = SightingWay::ALL.iter().map(|way| {
            choice(way.as_str(), locale.text(way.label_key()), way.as_str() == sent.way)
        });
        let weights = SightingWeight::ALL.iter().map(|one| {
            choice(one.as_str(), locale.text(one.label_key()), one.as_str() == sent.weight)
        });
        let kinds = Field::Kind.choices().iter().map(|&code| {
            choice(code, locale.text(&Field::Kind.choice_key(code)), code == sent.kind)
        });
        let servers = hosts.iter().map(|host| {
            let id = host.id.to_string();
            choice(&id, host.name.clone(), sent.hosts.contains(&id))
        });
        let roles = CareRole::ALL.into_iter().map(|role| {
            let chosen = sent.roles.iter().any(|sent| sent == role.as_str());
            choice(role.as_str(), locale.text(role.label_key()), chosen)
        });
        Self {
            ways: ways.collect(),
            weights: weights.collect(),
            kinds: kinds.collect(),
            hosts: servers.collect(),
            roles: roles.collect(),
            now_field,
            problem,
            sent,
            f,
        }
    }

    fn line_max(&self) -> usize {
        SIGHTING_LINE_MAX_CHARS
    }

    fn text_max(&self) -> usize {
        SIGHTING_TEXT_MAX_CHARS
    }
}
