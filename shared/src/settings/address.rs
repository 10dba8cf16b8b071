//! A host with a port, as settings write it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A host with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

/// Why a text is not a host with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It ends before the port.
    #[error("has no port")]
    NoPort,
    /// Its port is none.
    #[error("has a port that is not a number from 1 to 65535")]
    BadPort,
    /// What stands before the port is none.
    #[error("has no host, or one that is neither a name nor an address")]
    BadHost,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bare: Result<Ipv6Addr, _> = text.trim_matches(['[', ']']).parse();
        if bare.is_ok() {
            return Err(AddressError::NoPort);
        }
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
        let port: u16 = port.parse().map_err(|_| AddressError::BadPort)?;
        if port == 0 {
            return Err(AddressError::BadPort);
        }
        let bracketed = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let good = match bracketed {
            // A zone may follow: `fe80::1%eth0`.
            Some(inner) => inner
                .split('%')
                .next()
                .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
            None => {
                let legal = |c: char| c.is_alphanumeric() || ".-_".contains(c);
                !host.is_empty() && host.chars().all(legal)
            }
        };
        if !good {
            return Err(AddressError::BadHost);
        }

        Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_a_port() {
        let good = ["127.0.0.1:5432", "[::1]:104", "[fe80::1%eth0]:104", "db.example:1", "病院:2"];
        for text in good {
            assert_eq!(text.parse::<Address>().map(|a| a.to_string()), Ok(text.to_owned()));
        }
        let bad = [
            ("nowhere", AddressError::NoPort),
            ("::1", AddressError::NoPort),
            ("[::1]", AddressError::NoPort),
            ("fe80::1:104", AddressError::NoPort),
            ("host:", AddressError::BadPort),
            ("host:0", AddressError::BadPort),
            ("host:65536", AddressError::BadPort),
            (":1", AddressError::BadHost),
            ("[host]:1", AddressError::BadHost),
            ("a b:1", AddressError::BadHost),
            ("http://x:1", AddressError::BadHost),
        ];
        for (text, why) in bad {
            assert_eq!(text.parse::<Address>(), Err(why), "{text}");
        }
    }
}
