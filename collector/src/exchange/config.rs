//! What an administrator can set about the exchange with partners.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;

/// How packages of partners come in.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeConfig {
    /// Address and port of the listener that takes packages. Empty: none; packages then come and go as files alone, or go
    /// to partners who have a listener.
    pub listen: String,
    /// Base URL partners send to; it stands on this collector's card. Empty: `https://<first public name>:<port of
    /// listen>`, and no address while `listen` is empty.
    pub url: String,
}

impl ExchangeConfig {
    /// Returns where to listen; none while nothing is set.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }

    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.listen.is_empty() && self.address().is_none() {
            problems.push(Problem::of(
                "exchange.listen",
                format!("`{}` is no address with a port", self.listen),
                "write one such as \"0.0.0.0:8446\", or \"\" for no listener",
            ));
        }
        if !self.url.is_empty() && !self.url.starts_with("https://") {
            problems.push(Problem::of(
                "exchange.url",
                format!("`{}` does not begin with https://", self.url),
                "partners speak TLS only; give the https:// address they reach this collector at",
            ));
        }
        if !self.url.is_empty() && self.listen.is_empty() {
            problems.push(Problem::of(
                "exchange.url",
                "is given but nobody listens",
                "set `exchange.listen`, or remove the line",
            ));
        }
        problems
    }
}
