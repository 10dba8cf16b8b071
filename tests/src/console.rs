//! A person at the console: signs in with password and code, reads pages, sends their forms back.
//!
//! It sends exactly what a browser without JavaScript would send, so that the pages are proved to work without it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::{ORIGIN, REFERER};
use reqwest::{Client, Response, StatusCode};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

use crate::form::{Form, attribute, form, forms};
use crate::set_clock::SetClock;
use crate::site::Login;
use crate::tls;

/// The password a person chooses at first sign-in.
const CHOSEN_PASSWORD: &str = "kaede-no-ha-ga-chiru-made-27";
/// How often in a row one form may lead to the next while signing in.
const SIGN_IN_STEPS: usize = 8;
/// A code is good once; the next one comes within this time.
const CODE_LIFETIME: Duration = Duration::from_secs(30);

/// A page as it arrived.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its path.
    pub path: String,
    /// Its HTML.
    pub html: String,
}

impl Page {
    /// Returns the first form whose action ends with `action`.
    ///
    /// # Errors
    /// When there is none: with the actions that are there.
    pub fn form(&self, action: &str) -> Result<Form> {
        form(&self.html, action).with_context(|| {
            let there: Vec<_> = forms(&self.html)
                .into_iter()
                .map(|form| form.action)
                .collect();
            format!("no form `…{action}` on {}, only {there:?}", self.path)
        })
    }

    /// Returns the forms whose action ends with `action` and in which a field stands at `value`.
    #[must_use]
    pub fn forms_with(&self, action: &str, (name, value): (&str, &str)) -> Vec<Form> {
        let fits = |form: &Form| {
            form.action.ends_with(action) && form.fields.get(name).is_some_and(|v| v == value)
        };
        forms(&self.html).into_iter().filter(fits).collect()
    }

    /// Returns the first of them.
    ///
    /// # Errors
    /// When there is none.
    pub fn form_with(&self, action: &str, (name, value): (&str, &str)) -> Result<Form> {
        let found = self.forms_with(action, (name, value)).into_iter().next();
        found.with_context(|| {
            format!("no form `…{action}` with `{name}` at `{value}` on {}", self.path)
        })
    }

    /// Returns the first link whose target contains `part`.
    #[must_use]
    pub fn link(&self, part: &str) -> Option<String> {
        self.html
            .split("<a ")
            .skip(1)
            .filter_map(|tag| attribute(&format!(" {}", tag.split('>').next()?), "href"))
            .find(|target| target.contains(part))
    }
}

/// One person's session.
#[derive(Debug)]
pub struct Console {
    client: Client,
    base: String,
    clock: Arc<dyn TimeProvider>,
    memory: Mutex<Memory>,
}

/// What a person remembers between two visits.
#[derive(Debug, Default)]
struct Memory {
    /// The one-time password was replaced.
    chose_password: bool,
    /// What the authenticator app holds.
    secret: String,
}

impl Console {
    /// Opens a session that trusts exactly the site's authority.
    ///
    /// # Errors
    /// When the certificate does not read.
    pub fn open(base: &str, authority_pem: &[u8]) -> Result<Self> {
        Self::by(base, authority_pem, Arc::new(DefaultTimeProvider))
    }

    /// The same for a person who lives by another clock.
    ///
    /// # Errors
    /// When the certificate does not read.
    pub fn open_by(base: &str, authority_pem: &[u8], clock: &SetClock) -> Result<Self> {
        Self::by(base, authority_pem, Arc::new(clock.clone()))
    }

    fn by(base: &str, authority_pem: &[u8], clock: Arc<dyn TimeProvider>) -> Result<Self> {
        shirase_shared::tls::install_crypto_provider();
        let tls = tls::config(authority_pem, clock.clone())?.with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .cookie_store(true)
            .timeout(Duration::from_secs(30))
            .build()
            .context("failed to build a client")?;

        Ok(Self { client, base: base.to_owned(), clock, memory: Mutex::default() })
    }

    /// Signs in as far as need be: for the first time with the one-time password, an own password, a second factor and its
    /// code; later with what was chosen then; not at all while the session counts.
    ///
    /// # Errors
    /// When the pages do not lead to the end.
    pub async fn sign_in(&self, login: &Login) -> Result<Page> {
        let mut page = self.get("/").await?;
        for _ in 0..SIGN_IN_STEPS {
            if let Some(found) = secret_on(&page.html) {
                self.remember().secret = found;
            }
            let Some(form) = forms(&page.html).into_iter().find(is_sign_in) else {
                return Ok(page);
            };
            let answers = self.answers(&form, login)?;
            let answers: Vec<_> = answers
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect();
            page = self.send(&form, &answers).await?;
        }

        bail!("signing in as {} does not come to an end; last page {}", login.login, page.path)
    }

    /// Fills in whichever of the sign-in forms this is.
    fn answers(&self, form: &Form, login: &Login) -> Result<Vec<(String, String)>> {
        let mut filled = Vec::new();
        let mut memory = self.remember();
        let changes = form.fields.contains_key("new");
        for name in form.fields.keys() {
            let value = match name.as_str() {
                "login" => login.login.clone(),
                "password" if memory.chose_password => CHOSEN_PASSWORD.to_owned(),
                "password" | "old" => login.one_time_password.clone(),
                "new" | "again" => CHOSEN_PASSWORD.to_owned(),
                "code" => next_code(&memory.secret, self.clock.as_ref())?,
                _ => continue,
            };
            filled.push((name.clone(), value));
        }
        memory.chose_password |= changes;

        Ok(filled)
    }

    fn remember(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a page.
    ///
    /// # Errors
    /// When the answer is not a success.
    pub async fn get(&self, path: &str) -> Result<Page> {
        let answer = self.client.get(self.url(path)).send().await;
        page(answer.with_context(|| format!("failed to read {path}"))?).await
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the answer is not a success.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        let answer = self.client.get(self.url(path)).send().await;
        let answer = answer.with_context(|| format!("failed to read {path}"))?;
        if !answer.status().is_success() {
            bail!("{path} answered {}", answer.status());
        }

        Ok(answer.bytes().await.context("the file broke off")?.to_vec())
    }

    /// Sends a form with some fields filled in, and returns the page that follows.
    ///
    /// # Errors
    /// When the answer is not a success: with the text of the page.
    pub async fn send(&self, form: &Form, filled: &[(&str, &str)]) -> Result<Page> {
        page(self.answer(form, filled).await?).await
    }

    /// Sends a form with some fields filled in; `None` when what it shows was changed by somebody else in the meantime.
    ///
    /// # Errors
    /// When the answer is neither a success nor that conflict: with the text of the page.
    pub async fn send_if_current(
        &self,
        form: &Form,
        filled: &[(&str, &str)],
    ) -> Result<Option<Page>> {
        let answer = self.answer(form, filled).await?;
        if answer.status() == StatusCode::CONFLICT {
            return Ok(None);
        }

        page(answer).await.map(Some)
    }

    async fn answer(&self, form: &Form, filled: &[(&str, &str)]) -> Result<Response> {
        // A field that is filled in several times is a group of boxes.
        let untouched = form.fields.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let mut fields: Vec<(&str, &str)> = untouched
            .filter(|(name, _)| filled.iter().all(|(other, _)| name != other))
            .collect();
        fields.extend(filled.iter().copied());
        let answer = self
            .client
            .post(self.url(&form.action))
            .header(ORIGIN, &self.base)
            .header(REFERER, &self.base)
            .header("Sec-Fetch-Site", "same-origin")
            .form(&fields)
            .send()
            .await;
        answer.with_context(|| format!("failed to send {}", form.action))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

async fn page(answer: Response) -> Result<Page> {
    let (status, path) = (answer.status(), answer.url().path().to_owned());
    let html = answer.text().await.context("the page broke off")?;
    if !status.is_success() {
        bail!("{path} answered {status}: {html}");
    }

    Ok(Page { path, html })
}

fn is_sign_in(form: &Form) -> bool {
    ["password", "new", "code"]
        .iter()
        .any(|name| form.fields.contains_key(*name))
}

/// Reads the second factor's secret from the page that shows it for an app without a camera.
fn secret_on(html: &str) -> Option<String> {
    let shown = html.split("class=\"once mono\"").nth(1)?.split_once('>')?.1;
    let text: String = shown
        .split('<')
        .next()?
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();

    (!text.is_empty()).then_some(text)
}

/// Returns the code of this half minute, or of the next one if the same secret was used in this one already.
fn next_code(secret: &str, clock: &dyn TimeProvider) -> Result<String> {
    static USED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

    let mut used = USED
        .lock()
        .map_err(|_| anyhow::anyhow!("a sign-in panicked"))?;
    let now = clock.current_time().context("the clock is before 1970")?;
    let mut step = now.as_secs() / CODE_LIFETIME.as_secs();
    if used.get(secret).is_some_and(|last| step <= *last) {
        // One step ahead is within what the console accepts; waiting half a minute is not needed.
        step += 1;
    }
    used.insert(secret.to_owned(), step);

    code_at(secret, step * CODE_LIFETIME.as_secs())
}

/// Returns the code an authenticator app shows at `seconds` since 1970.
fn code_at(secret: &str, seconds: u64) -> Result<String> {
    let secret = totp_rs::Secret::try_from_base32(secret)
        .map_err(|error| anyhow::anyhow!("the second factor's secret is no base32: {error}"))?;
    let totp = totp_rs::Builder::new()
        .with_secret(secret)
        .build_noncompliant();

    Ok(totp.generate(seconds).to_string())
}
