//! The smaller tables of the configuration, each with the rules its values keep.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;

use crate::exchange::OrganisationKind;
use crate::locale::Lang;

/// Where agents send events.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestConfig {
    /// Address and port. `0.0.0.0` listens on every address of the machine; port 0 takes any free one.
    pub listen: SocketAddr,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self { listen: every_address(8444) }
    }
}

/// Where a new agent asks for its certificate.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnrolmentConfig {
    /// Address and port, as for `ingest`.
    pub listen: SocketAddr,
}

impl Default for EnrolmentConfig {
    fn default() -> Self {
        Self { listen: every_address(8445) }
    }
}

const fn every_address(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), port)
}

/// Where clients read sharing products over TAXII 2.1.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaxiiConfig {
    /// Address and port of the listener. Empty: none. Only a CEPTOAR has one.
    pub listen: String,
    /// Base URL clients reach it at. Empty: `https://<first public name>:<port of listen>`.
    pub url: String,
}

impl TaxiiConfig {
    /// Returns where to listen; none while nothing is set.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }

    /// Returns every rule the values break at an organisation of a kind.
    pub(super) fn problems(&self, organisation: OrganisationKind) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.listen.is_empty() && self.address().is_none() {
            problems.push(Problem::of(
                "taxii.listen",
                format!("`{}` is no address with a port", self.listen),
                "write one such as \"0.0.0.0:8447\", or \"\" for no listener",
            ));
        }
        if !self.listen.is_empty() && !organisation.coordinates() {
            problems.push(Problem::of(
                "taxii.listen",
                format!("is set, but this collector serves a {organisation}"),
                "set `organisation.kind` to \"ceptoar\" if it serves one, or remove the line",
            ));
        }
        if !self.url.is_empty() && (!self.url.starts_with("https://") || self.listen.is_empty()) {
            problems.push(Problem::of(
                "taxii.url",
                format!("`{}` is no https:// address somebody listens at", self.url),
                "give the https:// address clients reach `taxii.listen` at, or remove the line",
            ));
        }
        problems
    }
}

/// Where the console's certificate comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleTls {
    /// From the collector's own authority.
    #[default]
    Own,
    /// From two files the hospital provides.
    Files,
    /// From a proxy on the same machine, which speaks plain HTTP to the collector.
    Proxy,
}

/// Where people work.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// Address and port. With `tls = "proxy"` a loopback address.
    pub listen: SocketAddr,
    /// Base URL people open; links in mails begin with it. Empty: `https://<first public name>:<port>`.
    pub url: String,
    /// Where the certificate comes from: `own`, `files` or `proxy`.
    pub tls: ConsoleTls,
    /// PEM file with the certificate chain, for `tls = "files"` only.
    pub certificate: PathBuf,
    /// PEM file with its private key, for `tls = "files"` only.
    pub key: PathBuf,
    /// Addresses of the proxies whose `X-Forwarded-For` is believed, for `tls = "proxy"` only.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            listen: every_address(8443),
            url: String::new(),
            tls: ConsoleTls::Own,
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl ConsoleConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.url.is_empty() && !self.url.starts_with("https://") {
            problems.push(Problem::of(
                "console.url",
                format!("`{}` does not begin with https://", self.url),
                "people sign in there; give the https:// address, the proxy's if there is one",
            ));
        }
        let files = [("console.certificate", &self.certificate), ("console.key", &self.key)];
        for (key, path) in files {
            let given = !path.as_os_str().is_empty();
            match (self.tls, given) {
                (ConsoleTls::Files, false) => problems.push(Problem::of(
                    key,
                    "is missing",
                    "`tls = \"files\"` needs the path of a PEM file here",
                )),
                (ConsoleTls::Own | ConsoleTls::Proxy, true) => problems.push(Problem::of(
                    key,
                    "is given but not used",
                    "write `tls = \"files\"` or remove the line",
                )),
                (ConsoleTls::Files, true) | (ConsoleTls::Own | ConsoleTls::Proxy, false) => {}
            }
        }
        match self.tls {
            ConsoleTls::Proxy => problems.extend(self.proxy_problems()),
            ConsoleTls::Own | ConsoleTls::Files if !self.trusted_proxies.is_empty() => {
                problems.push(Problem::of(
                    "console.trusted_proxies",
                    "is given but no proxy is declared",
                    "write `tls = \"proxy\"` or remove the line",
                ));
            }
            ConsoleTls::Own | ConsoleTls::Files => {}
        }

        problems
    }

    fn proxy_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.listen.ip().is_loopback() {
            problems.push(Problem::of(
                "console.listen",
                format!("`{}` would carry passwords without encryption", self.listen),
                "with `tls = \"proxy\"` listen on 127.0.0.1 or ::1",
            ));
        }
        if self.trusted_proxies.is_empty() {
            problems.push(Problem::of(
                "console.trusted_proxies",
                "is empty",
                "`tls = \"proxy\"` needs the proxy's address, for example [\"127.0.0.1\"]",
            ));
        }
        if self.url.is_empty() {
            problems.push(Problem::of(
                "console.url",
                "is empty",
                "`tls = \"proxy\"` needs the https:// address people open",
            ));
        }
        problems
    }
}

/// How reports become PDF files.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PdfConfig {
    /// TTF or OTF file with Japanese letters. Empty: one is looked for among the system's fonts.
    pub font: PathBuf,
}

impl PdfConfig {
    pub(super) fn problems(&self) -> Option<Problem> {
        let relative = !self.font.as_os_str().is_empty() && self.font.is_relative();
        relative.then(|| {
            Problem::of(
                "pdf.font",
                format!("`{}` is not an absolute path", self.font.display()),
                "give the full path of a font file, or remove the line",
            )
        })
    }
}

/// How drafts are written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DraftsConfig {
    /// Language of answers the machine fills in: `ja` or `en`.
    pub language: Lang,
}
