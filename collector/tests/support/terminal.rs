//! A person at a terminal: with a password, a second factor, and the collector's own program.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use shirase_collector::audit::Actor;
use shirase_collector::people::{Grants, NewUser, Role, User, change_password, create_user};
use shirase_shared::secret::Secret;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::ward::Ward;

pub(crate) const PASSWORD: &str = "kaede-no-ha-ga-chiru-made-27";
/// Base32 of 20 bytes.
const TOTP_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A person who changed the password and set up the second factor.
pub(crate) async fn person(ward: &Ward, login: &str, role: Role) -> User {
    let grants = Grants::default().with(&ward.facility, role);
    let new = NewUser { login: login.to_owned(), name: format!("{login} さん"), grants };
    let made = create_user(&ward.store, new, Actor::CommandLine, &*ward.clock)
        .await
        .unwrap();
    let (user, one_time) = made;
    let new = Secret::new(PASSWORD.to_owned());
    change_password(&ward.store, &user, (&one_time, &new), &*ward.clock)
        .await
        .unwrap();
    let file = SqliteConnectOptions::new().filename(ward.dir.path().join("shirase.db"));
    let database = SqlitePool::connect_with(file).await.unwrap();
    sqlx::query("UPDATE users SET totp_secret = ? WHERE user_id = ?")
        .bind(TOTP_SECRET)
        .bind(user.id.to_string())
        .execute(&database)
        .await
        .unwrap();
    user
}

/// Returns the code an app shows `steps` half minutes from now.
#[expect(clippy::disallowed_methods, reason = "an authenticator app reads the real clock")]
pub(crate) fn code(steps: u64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let secret = totp_rs::Secret::try_from_base32(TOTP_SECRET).unwrap();
    let totp = totp_rs::Builder::new()
        .with_secret(secret)
        .build_noncompliant();
    totp.generate(now + 30 * steps).to_string()
}

/// Runs a command on the ward's data and returns whether it was done, and all it said.
pub(crate) fn run(ward: &Ward, arguments: &[&str], stdin: &str) -> (bool, String) {
    let config = ward.dir.path().join("collector.toml");
    let text = format!("data_dir = \"{}\"\n", ward.dir.path().display());
    std::fs::write(&config, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_shirase-collector"))
        .arg("--config")
        .arg(config)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = [stdout, stderr].concat();
    (status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// What somebody types who proves who they are: the password and a code that was not used yet.
pub(crate) fn proof(steps: u64) -> String {
    format!("{PASSWORD}\n{}\n", code(steps))
}
