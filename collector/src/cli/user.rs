//! `user add|reset|list`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;
use shirase_shared::ids::{FacilityId, UserId};

use super::Desk;
use super::table::{self, Row};
use crate::args::UserCommand;
use crate::audit::Actor;
use crate::locale::japan_time;
use crate::people::{self, Grants, NewUser, Role, User};

#[derive(Serialize)]
struct UserRow {
    id: UserId,
    login: String,
    name: String,
    roles: BTreeMap<String, Vec<&'static str>>,
    second_factor: bool,
    one_time_password: bool,
    created_at: jiff::Timestamp,
    disabled_at: Option<jiff::Timestamp>,
}

impl Row for UserRow {
    const HEADS: &'static [&'static str] =
        &["LOGIN", "NAME", "SECOND FACTOR", "SINCE", "STATE", "ROLES"];

    fn cells(&self) -> Vec<String> {
        let state = match (self.disabled_at, self.one_time_password) {
            (Some(_), _) => "disabled",
            (None, true) => "one-time password",
            (None, false) => "active",
        };
        let roles: Vec<_> = self
            .roles
            .iter()
            .map(|(at, roles)| format!("{at}:{}", roles.join("+")))
            .collect();
        vec![
            self.login.clone(),
            self.name.clone(),
            if self.second_factor { "set up" } else { "not yet" }.to_owned(),
            japan_time(self.created_at),
            state.to_owned(),
            roles.join(" "),
        ]
    }
}

impl From<(User, Grants)> for UserRow {
    fn from((user, grants): (User, Grants)) -> Self {
        let roles = grants
            .0
            .iter()
            .map(|(at, roles)| (at.to_string(), roles.iter().map(|role| role.as_str()).collect()))
            .collect();
        Self {
            id: user.id,
            login: user.login,
            name: user.name,
            roles,
            second_factor: user.second_factor,
            one_time_password: user.must_change,
            created_at: user.created,
            disabled_at: user.disabled,
        }
    }
}

impl Desk<'_> {
    pub(super) async fn user(mut self, command: UserCommand) -> Result<()> {
        match command {
            UserCommand::Add { login, name, roles } => self.add_user(login, name, &roles).await,
            UserCommand::Reset { login } => self.reset_user(&login).await,
            UserCommand::List(list) => {
                let users = people::list(&self.store).await?;
                let rows: Vec<_> = users.into_iter().map(UserRow::from).collect();
                table::print(&rows, list, self.terminal)
            }
        }
    }

    async fn add_user(&mut self, login: String, name: String, roles: &[String]) -> Result<()> {
        let mut grants = Grants::default();
        for text in roles {
            let (facility, role) = parse_grant(text)?;
            self.one_facility(&facility).await?;
            grants = grants.with(&facility, role);
        }
        let new = NewUser { login, name, grants };
        let (user, password) =
            people::create_user(&self.store, new, Actor::CommandLine, &*self.clock).await?;

        self.show_password(&user.login, password.reveal())
    }

    async fn reset_user(&mut self, login: &str) -> Result<()> {
        let found = self.store.user_of_login(&login.to_lowercase()).await?;
        let user = found.with_context(|| {
            format!("nobody signs in as `{login}`; `user list` shows those who can")
        })?;
        let password =
            people::reset_user(&self.store, user.id, Actor::CommandLine, &*self.clock).await?;

        self.show_password(&user.login, password.reveal())
    }

    /// The password comes last, so that a script can take the last word.
    fn show_password(&mut self, login: &str, password: &str) -> Result<()> {
        let url = self.config.console_url();
        self.terminal
            .line(&format!("{login} can sign in at {url}"))?;
        self.terminal
            .line("This password is shown once and must be changed at the first sign-in:")?;
        self.terminal.line(password)
    }
}

fn parse_grant(text: &str) -> Result<(FacilityId, Role)> {
    let (facility, role) = text.split_once(':').with_context(|| {
        format!("`{text}` is no grant; write FACILITY:ROLE, for example handa-hp:approver")
    })?;

    Ok((facility.parse()?, role.parse()?))
}
