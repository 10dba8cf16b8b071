//! People of a facility and what they may do there.

use askama::Template;

use shirase_shared::ids::{FacilityId, UserId};

use super::frame::Frame;
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::locale::Locale;
use crate::people::{Grants, Role, User};

/// The people of one facility.
#[derive(Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    /// What stands around it.
    pub f: Frame,
    /// Who holds a role here.
    pub users: Vec<UserView>,
    /// Roles to choose from for a new person.
    pub roles: Vec<Choice>,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

/// One person as shown.
pub struct UserView {
    /// Who it is.
    pub id: UserId,
    /// What they type to sign in.
    pub login: String,
    /// Their name.
    pub name: String,
    /// What they may do here, in words.
    pub roles: String,
    /// How their account is.
    pub state: Badge,
    /// The same roles as choices.
    pub choices: Vec<Choice>,
    /// Whether this administrator may reset or disable the account.
    pub managed: bool,
}

impl UserView {
    /// Shows a person to an administrator of `facility`; `None` if they hold no role there.
    #[must_use]
    pub fn of(
        (user, grants): &(User, Grants),
        facility: &FacilityId,
        administrator: &Grants,
        locale: Locale,
    ) -> Option<Self> {
        let held: Vec<Role> = grants.roles(facility).collect();
        if held.is_empty() {
            return None;
        }
        let words: Vec<_> = held
            .iter()
            .map(|role| locale.text(role_key(*role)))
            .collect();
        let (tone, text) = if user.disabled.is_some() {
            (Tone::Quiet, locale.text("user-disabled"))
        } else if user.must_change || !user.second_factor {
            (Tone::Medium, locale.text("user-not-ready"))
        } else {
            (Tone::Well, locale.text("user-ready"))
        };

        Some(Self {
            id: user.id,
            login: user.login.clone(),
            name: user.name.clone(),
            roles: words.join(" / "),
            state: Badge { tone, text },
            choices: role_choices(locale, |role| held.contains(&role)),
            managed: manages(administrator, grants),
        })
    }
}

/// Whether somebody administers every facility at which another holds a role.
///
/// Only then may they reset or disable that account: otherwise an administrator of one hospital could take over an
/// approver of another.
#[must_use]
pub fn manages(administrator: &Grants, other: &Grants) -> bool {
    other
        .facilities()
        .all(|facility| administrator.allow(facility, Role::Administrator))
}

/// Offers every role.
#[must_use]
pub fn role_choices(locale: Locale, chosen: impl Fn(Role) -> bool) -> Vec<Choice> {
    let offer = |role: Role| Choice {
        code: role.as_str().to_owned(),
        text: locale.text(role_key(role)),
        chosen: chosen(role),
    };
    Role::ALL.into_iter().map(offer).collect()
}

const fn role_key(role: Role) -> &'static str {
    match role {
        Role::Viewer => "role-viewer",
        Role::Author => "role-author",
        Role::Approver => "role-approver",
        Role::Administrator => "role-administrator",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_manages_only_people_of_facilities_they_administer() {
        let (here, there): (FacilityId, FacilityId) =
            ("here".parse().unwrap(), "there".parse().unwrap());
        let administrator = Grants::default()
            .with(&here, Role::Administrator)
            .with(&there, Role::Viewer);
        let local = Grants::default().with(&here, Role::Approver);
        assert!(manages(&administrator, &local));
        assert!(!manages(&administrator, &local.with(&there, Role::Approver)));
    }
}
