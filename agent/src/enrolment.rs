//! Makes this host known to a collector: key, certificate, configuration.
//!
//! ```text
//! GET /v1/authority (unverified) ─▶ fingerprint equal? ─▶ key on disk ─▶ POST /v1/enrol (token, CSR; TLS verified
//! against exactly that authority) ─▶ answer checked ─▶ configuration, certificate, authority, enrolment.json
//! ```
//!
//! Always holds:
//! - the token is sent to nobody but the holder of the authority with the given fingerprint;
//! - the key is on disk before the request leaves, so that a lost answer can be asked for again with the same key;
//! - an existing configuration is never overwritten.

mod answer;
mod anew;
mod exchange;
mod written;

use std::io::{self, Read as _};
use std::path::PathBuf;

use shirase_shared::clock::Clock;
use shirase_shared::ids::{FacilityId, HostId};
use shirase_shared::secret::Secret;
use shirase_shared::tls::Fingerprint;
use shirase_shared::wire::EnrolRequest;

use crate::identity::{self, Enrolment, IdentityError};
use crate::paths::{StateDir, StateDirError};
use crate::service;

pub use written::Configuration;

/// Longest token read; a larger file is not a token.
const TOKEN_MAX_BYTES: u64 = 4096;

/// What `enroll` was asked for.
#[derive(Debug)]
pub struct EnrolOrder {
    /// Base URL of the collector's enrolment listener.
    pub collector: String,
    /// The one-time token.
    pub token: Secret<String>,
    /// SHA-256 of the authority's certificate, as a person read it from the collector.
    pub fingerprint: Fingerprint,
    /// Where the configuration goes.
    pub config: PathBuf,
    /// Where the state goes.
    pub state: StateDir,
    /// Directories to watch.
    pub roots: Vec<PathBuf>,
    /// Whether an identity that is there is replaced.
    pub anew: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Enrolled {
    /// What the collector answered.
    pub enrolment: Enrolment,
    /// What became of the configuration.
    pub configuration: Configuration,
    /// Where an older identity lies now, with all that belonged to it.
    pub set_aside: Option<PathBuf>,
}

/// Why a host could not be enrolled. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// It is enrolled already.
    #[error(
        "this host is already enrolled as {host} of facility {facility} (`{}`); if it is a copy of another machine, or its \
         key may have been read, stop the service and give --anew",
        state.display()
    )]
    AlreadyEnrolled {
        /// Its identity.
        host: HostId,
        /// Its facility.
        facility: FacilityId,
        /// Where that is written.
        state: PathBuf,
    },
    /// A service uses the state directory.
    #[error(
        "the agent is running with the state directory `{}`; stop the service, then run the same command again",
        state.display()
    )]
    Running {
        /// Where its state lies.
        state: PathBuf,
    },
    /// The new identity could not be put in the place of the old one.
    #[error("failed to replace `{}`; correct that, then run the same command again: it goes on where it stopped", path.display())]
    Replace {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The token cannot be read.
    #[error(
        "failed to read the token from `{from}`; give a readable file or `-` for standard input"
    )]
    ReadToken {
        /// File or `-`.
        from: String,
        /// Why.
        source: io::Error,
    },
    /// There is no token in it.
    #[error(
        "`{from}` holds no token; it must hold the one line that `token issue` printed on the collector"
    )]
    NoToken {
        /// File or `-`.
        from: String,
    },
    /// The URL cannot be used.
    #[error(
        "`{url}` is not a usable collector address; give something like `https://collector.example.jp:8445`"
    )]
    Url {
        /// As given.
        url: String,
    },
    /// Nobody answers.
    #[error(
        "the collector at {url} cannot be reached; check the address, that the collector runs and that the firewall \
         lets this host through, then run the same command again"
    )]
    Unreachable {
        /// What was tried.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// Something answers, but it is no collector.
    #[error(
        "{url} did not answer as a collector's enrolment listener does (status {status}, {saw}); check address and port \
         (8445 unless configured otherwise) and whether a proxy stands between"
    )]
    NotACollector {
        /// What was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// What came instead.
        saw: String,
    },
    /// The authority has another fingerprint.
    #[error(
        "the authority at {url} has another fingerprint than the one given\n  given: {given}\n  found: {found}\nno token \
         was sent. Compare with what the collector itself shows (`shirase-collector token issue` prints it). If the given \
         value was mistyped, correct it; if not, someone else answers at this address"
    )]
    Fingerprint {
        /// Who was asked.
        url: String,
        /// As typed.
        given: Fingerprint,
        /// As found.
        found: Fingerprint,
    },
    /// TLS against the right authority failed.
    #[error(
        "the collector at {url} does not prove itself with a certificate of its own authority; use one of the names it \
         was set up with, and check this host's clock"
    )]
    Untrusted {
        /// Who was asked.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The collector says no.
    #[error("the collector refused this token: {words}; {remedy}")]
    Refused {
        /// In its own words.
        words: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The collector has trouble of its own.
    #[error(
        "the collector answered with trouble of its own (status {status}): {words}; run the same command again later"
    )]
    CollectorTrouble {
        /// HTTP status.
        status: u16,
        /// In its own words.
        words: String,
    },
    /// The answer cannot be used.
    #[error(
        "the collector's answer cannot be used: {why}; report this to whoever runs the collector"
    )]
    Unusable {
        /// What is wrong with it.
        why: String,
    },
    /// The identity could not be read or written.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The state directory could not be used.
    #[error(transparent)]
    State(#[from] StateDirError),
    /// The configuration could not be written.
    #[error("failed to write the configuration `{}`; check its directory, then run the same command again", path.display())]
    WriteConfig {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Reads a token from a file, or from standard input for `-`, without the white space around it.
///
/// # Errors
/// If it cannot be read or is empty.
pub fn read_token(from: &str) -> Result<Secret<String>, EnrolError> {
    let mut text = String::new();
    let read = if from == "-" {
        io::stdin()
            .lock()
            .take(TOKEN_MAX_BYTES)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(from)
            .and_then(|file| file.take(TOKEN_MAX_BYTES).read_to_string(&mut text))
    };
    read.map_err(|source| EnrolError::ReadToken { from: from.to_owned(), source })?;
    let token = text.trim();
    if token.is_empty() || token.chars().any(char::is_whitespace) {
        return Err(EnrolError::NoToken { from: from.to_owned() });
    }

    Ok(Secret::new(token.to_owned()))
}

/// Enrols this host.
///
/// # Errors
/// Each cause is its own variant and says what to do; nothing is enrolled then.
pub async fn enrol(order: EnrolOrder, clock: &dyn Clock) -> Result<Enrolled, EnrolError> {
    if order.anew {
        order.state.prepare()?;
        let _lock = anew::lock(&order.state)?;
        let place = anew::place(&order.state);
        let (enrolment, configuration) = match Enrolment::load(&place) {
            // An earlier attempt was let in and did not come to its end.
            Ok(enrolment) => {
                let configuration = written::write(&order, &enrolment)?;
                (enrolment, configuration)
            }
            Err(IdentityError::NotEnrolled { .. }) => ask(&order, &place, clock).await?,
            Err(error) => return Err(error.into()),
        };
        let set_aside = anew::take_over(&order.state, clock.now())?;
        return Ok(Enrolled { enrolment, configuration, set_aside });
    }
    match Enrolment::load(&order.state) {
        Ok(enrolment) => {
            let state = order.state.enrolment();
            let Enrolment { host, facility, .. } = enrolment;
            return Err(EnrolError::AlreadyEnrolled { host, facility, state });
        }
        Err(IdentityError::NotEnrolled { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let (enrolment, configuration) = ask(&order, &order.state, clock).await?;

    Ok(Enrolled { enrolment, configuration, set_aside: None })
}

/// Asks the collector to be let in, and writes what it answers into `state`.
async fn ask(
    order: &EnrolOrder,
    state: &StateDir,
    clock: &dyn Clock,
) -> Result<(Enrolment, Configuration), EnrolError> {
    let base = exchange::base(&order.collector)?;
    let authority = exchange::fetch_authority(&base, order.fingerprint).await?;
    state.prepare()?;
    let key = identity::key_of_host(state)?;
    let facts = service::host_facts();
    let request = EnrolRequest {
        token: order.token.clone(),
        csr_pem: identity::signing_request(&key, &facts.hostname)?,
        hostname: facts.hostname,
        os: facts.os,
    };
    let answer = exchange::ask(&base, &authority, &request).await?;
    answer::check(&answer, &authority, &key)?;
    let enrolment = Enrolment {
        host: answer.host,
        facility: answer.facility,
        order_key: answer.order_key,
        manifest_recipient: answer.manifest_recipient,
        ingest_url: answer.ingest_url,
        enrolled_at: clock.now(),
    };
    let configuration = written::write(order, &enrolment)?;
    enrolment.store(state, &answer.certificate_pem, &authority.pem)?;

    Ok((enrolment, configuration))
}
