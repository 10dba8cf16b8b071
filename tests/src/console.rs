//! A person at the console: signs in with password and code, reads pages, sends their forms back.
//!
//! It sends exactly what a browser without JavaScript would send, so that the pages are proved to work without it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use reqwest::header::{ORIGIN, REFERER};
use reqwest::{Certificate, Client, Response, StatusCode};

use crate::form::{Form, attribute, form, forms};
use crate::site::Login;

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
}

impl Console {
    /// Opens a session that trusts exactly the site's authority.
    ///
    /// # Errors
    /// When the certificate does not read.
    pub fn open(base: &str, authority_pem: &[u8]) -> Result<Self> {
        shirase_shared::tls::install_crypto_provider();
        let authority = Certificate::from_pem(authority_pem).context("not a certificate")?;
        let client = Client::builder()
            .tls_certs_only([authority])
            .cookie_store(true)
            .timeout(Duration::from_secs(30))
            .build()
            .context("failed to build a client")?;

        Ok(Self { client, base: base.to_owned() })
    }

    /// Signs in for the first time: one-time password, own password, second factor, code.
    ///
    /// # Errors
    /// When the pages do not lead to the end.
    pub async fn sign_in_first(&self, login: &Login) -> Result<Page> {
        let mut page = self.get("/").await?;
        let mut secret = String::new();
        for _ in 0..SIGN_IN_STEPS {
            if let Some(found) = secret_on(&page.html) {
                secret = found;
            }
            let Some(form) = forms(&page.html).into_iter().find(is_sign_in) else {
                return Ok(page);
            };
            let answers = answers(&form, login, &secret)?;
            let answers: Vec<_> = answers
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect();
            page = self.send(&form, &answers).await?;
        }

        bail!("signing in as {} does not come to an end; last page {}", login.login, page.path)
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

    /// Sends a form as it is; `None` when what it shows was changed by somebody else in the meantime.
    ///
    /// # Errors
    /// When the answer is neither a success nor that conflict: with the text of the page.
    pub async fn send_if_current(&self, form: &Form) -> Result<Option<Page>> {
        let answer = self.answer(form, &[]).await?;
        if answer.status() == StatusCode::CONFLICT {
            return Ok(None);
        }

        page(answer).await.map(Some)
    }

    async fn answer(&self, form: &Form, filled: &[(&str, &str)]) -> Result<Response> {
        let mut fields: BTreeMap<&str, &str> = form
            .fields
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
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

/// Fills in whichever of the sign-in forms this is.
fn answers(form: &Form, login: &Login, secret: &str) -> Result<Vec<(String, String)>> {
    let mut filled = Vec::new();
    for name in form.fields.keys() {
        let value = match name.as_str() {
            "login" => login.login.clone(),
            "password" | "old" => login.one_time_password.clone(),
            "new" | "again" => CHOSEN_PASSWORD.to_owned(),
            "code" => next_code(secret)?,
            _ => continue,
        };
        filled.push((name.clone(), value));
    }

    Ok(filled)
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
fn next_code(secret: &str) -> Result<String> {
    use std::sync::Mutex;
    static USED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

    let mut used = USED
        .lock()
        .map_err(|_| anyhow::anyhow!("a sign-in panicked"))?;
    let mut step = now_secs()? / CODE_LIFETIME.as_secs();
    if used.get(secret).is_some_and(|last| step <= *last) {
        // One step ahead is within what the console accepts; waiting half a minute is not needed.
        step += 1;
    }
    used.insert(secret.to_owned(), step);

    code_at(secret, step * CODE_LIFETIME.as_secs())
}

#[expect(clippy::disallowed_methods, reason = "an authenticator app reads the real clock")]
fn now_secs() -> Result<u64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?
        .as_secs())
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
