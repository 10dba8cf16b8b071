//! The configuration: one TOML file, every key documented here and in `deploy/collector.toml`.
//!
//! Always holds: a [`Config`] that [`Config::read`] returned keeps all rules of [`Checked`]; reading opens nothing but the
//! file itself; a secret is never a value here, only the path of a file that holds it.

mod tables;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shirase_shared::config::{Checked, Problem, parse};

pub use crate::correlate::CorrelateConfig;
pub use crate::deliver::DeliverConfig;
pub use crate::exchange::{ExchangeConfig, OrganisationConfig};
pub use crate::notify::mail::{MailConfig, MailTls};
pub use crate::policy::PolicyConfig;
pub use crate::retention::RetentionConfig;
pub use tables::{
    ConsoleConfig, ConsoleTls, DraftsConfig, EnrolmentConfig, IngestConfig, PdfConfig, TaxiiConfig,
};

/// The commented default, as `config` prints it and packages install it.
pub const COMMENTED_DEFAULT: &str = include_str!("../../deploy/collector.toml");

/// Most names the server certificate carries.
const PUBLIC_NAMES_MAX: usize = 50;

/// Everything an administrator can set.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Directory of everything the collector keeps: database, keys, manifests, anchors. Created with mode 0700.
    pub data_dir: PathBuf,
    /// Where the database is. Empty: SQLite in `data_dir`, which is all this version speaks.
    pub database: String,
    /// Host names and addresses under which agents and people reach this collector; the server certificate carries
    /// them. The first one makes up the addresses below that are left empty.
    pub public_names: Vec<String>,
    /// Base URL agents are told to send to. Empty: `https://<first public name>:<port of ingest.listen>`.
    pub ingest_url: String,
    /// Whom this collector serves.
    pub organisation: OrganisationConfig,
    /// Where agents send events; demands a certificate of the collector's own authority.
    pub ingest: IngestConfig,
    /// Where a new agent asks for its certificate with a one-time token.
    pub enrolment: EnrolmentConfig,
    /// Where people work.
    pub console: ConsoleConfig,
    /// How alerts reach staff by mail.
    pub mail: MailConfig,
    /// How released reports reach addressees.
    pub deliver: DeliverConfig,
    /// How packages of partners come in.
    pub exchange: ExchangeConfig,
    /// Where clients read sharing products over TAXII 2.1.
    pub taxii: TaxiiConfig,
    /// How reports become PDF files.
    pub pdf: PdfConfig,
    /// How events are put together into incidents.
    pub correlate: CorrelateConfig,
    /// How drafts are written.
    pub drafts: DraftsConfig,
    /// How long what is kept.
    pub retention: RetentionConfig,
    /// How late hosts may be with a policy.
    pub policy: PolicyConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("/var/lib/shirase-collector"),
            database: String::new(),
            public_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            ingest_url: String::new(),
            organisation: OrganisationConfig::default(),
            ingest: IngestConfig::default(),
            enrolment: EnrolmentConfig::default(),
            console: ConsoleConfig::default(),
            mail: MailConfig::default(),
            deliver: DeliverConfig::default(),
            exchange: ExchangeConfig::default(),
            taxii: TaxiiConfig::default(),
            pdf: PdfConfig::default(),
            correlate: CorrelateConfig::default(),
            drafts: DraftsConfig::default(),
            retention: RetentionConfig::default(),
            policy: PolicyConfig::default(),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "failed to read the configuration `{}`; name another one with --config, or write one with `shirase-collector config`",
        path.display()
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds mistakes.
    #[error("{}", told(path, problems))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// All of them, in the order of lines.
        problems: Vec<Problem>,
    },
}

fn told(path: &Path, problems: &[Problem]) -> String {
    let mut text = format!("`{}` has {} mistake(s)", path.display(), problems.len());
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Names every mistake with its line, its key and what to do.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;

        parse(&text).map_err(|problems| ConfigError::Invalid { path: path.to_owned(), problems })
    }

    /// Returns the URL agents send to.
    #[must_use]
    pub fn ingest_url(&self) -> String {
        self.url_or(&self.ingest_url, self.ingest.listen.port())
    }

    /// Returns the URL a new agent asks for its certificate at.
    #[must_use]
    pub fn enrolment_url(&self) -> String {
        self.url_or("", self.enrolment.listen.port())
    }

    /// Returns the URL people open, without a slash at its end.
    #[must_use]
    pub fn console_url(&self) -> String {
        self.url_or(&self.console.url, self.console.listen.port())
    }

    /// Returns the URL partners send packages to; empty where nobody listens.
    #[must_use]
    pub fn exchange_url(&self) -> String {
        match self.exchange.address() {
            Some(address) => self.url_or(&self.exchange.url, address.port()),
            None => String::new(),
        }
    }

    /// Returns the base URL TAXII clients use; empty where nobody listens.
    #[must_use]
    pub fn taxii_url(&self) -> String {
        match self.taxii.address() {
            Some(address) => self.url_or(&self.taxii.url, address.port()),
            None => String::new(),
        }
    }

    fn url_or(&self, given: &str, port: u16) -> String {
        if !given.is_empty() {
            return given.trim_end_matches('/').to_owned();
        }
        let name = self
            .public_names
            .first()
            .map_or("localhost", String::as_str);
        match name.parse() {
            Ok(std::net::IpAddr::V6(address)) => format!("https://[{address}]:{port}"),
            Ok(std::net::IpAddr::V4(_)) | Err(_) => format!("https://{name}:{port}"),
        }
    }
}

impl Checked for Config {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.data_dir.as_os_str().is_empty() || self.data_dir.is_relative() {
            problems.push(Problem::of(
                "data_dir",
                format!("`{}` is not an absolute path", self.data_dir.display()),
                "give one such as /var/lib/shirase-collector",
            ));
        }
        if !self.database.is_empty() {
            problems.push(Problem::of(
                "database",
                "this version speaks SQLite only",
                "remove the line; the database is `shirase.db` in `data_dir`. \
                 PostgreSQL's place is collector/src/store/connect.rs and collector/migrations/postgres",
            ));
        }
        self.check_public_names(&mut problems);
        self.check_ports(&mut problems);
        if !self.ingest_url.is_empty() && !self.ingest_url.starts_with("https://") {
            problems.push(Problem::of(
                "ingest_url",
                format!("`{}` does not begin with https://", self.ingest_url),
                "agents speak TLS only; give a URL such as https://collector.example.jp:8444",
            ));
        }
        problems.extend(self.console.problems());
        problems.extend(self.mail.problems());
        problems.extend(self.deliver.problems());
        problems.extend(self.exchange.problems());
        problems.extend(self.taxii.problems(self.organisation.kind));
        problems.extend(self.pdf.problems());
        problems.extend(self.correlate.problems());
        problems.extend(self.retention.problems());
        problems.extend(self.policy.problems());

        problems
    }
}

impl Config {
    fn check_public_names(&self, problems: &mut Vec<Problem>) {
        if self.public_names.is_empty() || PUBLIC_NAMES_MAX < self.public_names.len() {
            problems.push(Problem::of(
                "public_names",
                format!("holds {} names", self.public_names.len()),
                format!("give 1 to {PUBLIC_NAMES_MAX} host names or addresses agents can reach"),
            ));
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        for name in &self.public_names {
            if name.is_empty() || 253 < name.len() || !name.chars().all(legal) {
                problems.push(Problem::of(
                    "public_names",
                    format!("`{name}` is neither a host name nor an address"),
                    "give the bare name without https:// and without a port",
                ));
            }
        }
    }

    fn check_ports(&self, problems: &mut Vec<Problem>) {
        let mut listeners = vec![
            ("ingest.listen", self.ingest.listen),
            ("enrolment.listen", self.enrolment.listen),
            ("console.listen", self.console.listen),
        ];
        listeners.extend(
            self.exchange
                .address()
                .map(|address| ("exchange.listen", address)),
        );
        listeners.extend(
            self.taxii
                .address()
                .map(|address| ("taxii.listen", address)),
        );
        for (index, (key, address)) in listeners.iter().enumerate() {
            let earlier = listeners.iter().take(index);
            for (other, _) in earlier.filter(|(_, a)| a == address && a.port() != 0) {
                problems.push(Problem::of(
                    key,
                    format!("`{address}` is also the address of `{other}`"),
                    "give each listener a port of its own",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
