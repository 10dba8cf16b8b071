//! One hospital on one machine: a collector, an agent, a mail sink, each in its folder, all on loopback.

mod agent;
mod ground;
mod identity;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use shirase_shared::testing::eventually;
use shirase_shared::tls::Fingerprint;

use crate::mail_sink::MailSink;
use crate::network::Place;
use crate::program::{Program, output};
use crate::set_clock::SetClock;
use ground::{binary, free_port, master};

pub use ground::fill;
pub use identity::Identity;

/// How long a program may take until it answers. Generous: on a busy machine with two cores, a build may run beside it.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// The facility of every site.
pub const FACILITY: &str = "shirase-hp";

/// Where the collector of a site listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Batches and heartbeats, with client certificates.
    pub ingest: u16,
    /// Enrolment.
    pub enrolment: u16,
    /// The console.
    pub console: u16,
    /// Packages of partners, where there is such a listener.
    pub exchange: Option<u16>,
}

/// A person who can sign in, with the password that was shown once.
#[derive(Clone, Debug)]
pub struct Login {
    /// Name to sign in with.
    pub login: String,
    /// One-time password.
    pub one_time_password: String,
}

/// One hospital on this machine.
#[derive(Debug)]
pub struct Site {
    /// Everything of this site lies below.
    pub dir: PathBuf,
    /// Where the collector listens.
    pub ports: Ports,
    /// What the collector mailed.
    pub mail: MailSink,
    /// Whose collector it is.
    identity: Identity,
    /// Its place in a network, unless it is on loopback.
    place: Option<Place>,
    /// The clock the collector reads, unless it is the machine's own.
    clock: Option<SetClock>,
    collector: Option<Program>,
    agent: Option<Program>,
}

impl Site {
    /// Makes folders, configuration, facility and alert channel, and starts the mail sink. Nothing else runs yet.
    ///
    /// # Errors
    /// When the folder is not empty or a command of the collector fails.
    pub async fn prepare(dir: &Path) -> Result<Self> {
        Self::prepare_with(dir, (Identity::HOSPITAL, None), None).await
    }

    /// The same for another organisation, at its place in a network or on loopback.
    ///
    /// # Errors
    /// When the folder is not empty or a command of the collector fails.
    pub async fn prepare_as(dir: &Path, identity: Identity, place: Option<Place>) -> Result<Self> {
        Self::prepare_with(dir, (identity, place), None).await
    }

    /// The same with a collector that reads another clock than the machine's.
    ///
    /// # Errors
    /// When the folder is not empty or a command of the collector fails.
    pub async fn prepare_by(dir: &Path, clock: Option<SetClock>) -> Result<Self> {
        Self::prepare_with(dir, (Identity::HOSPITAL, None), clock).await
    }

    async fn prepare_with(
        dir: &Path,
        (identity, place): (Identity, Option<Place>),
        clock: Option<SetClock>,
    ) -> Result<Self> {
        if dir.join("collector").exists() {
            bail!("`{}` holds an earlier site; remove it or name another folder", dir.display());
        }
        for folder in ["collector", "agent", "logs", "watched", "handed-in"] {
            std::fs::create_dir_all(dir.join(folder))
                .with_context(|| format!("failed to make `{}`", dir.join(folder).display()))?;
        }
        let dir = dir
            .canonicalize()
            .context("failed to resolve the site's folder")?;
        let within = place.as_ref().map(Place::listen).transpose()?;
        let mail = MailSink::start(&dir.join("mail"), within).await?;
        let ports = Ports {
            ingest: free_port()?,
            enrolment: free_port()?,
            console: free_port()?,
            exchange: if identity.reachable { Some(free_port()?) } else { None },
        };
        let site = Self { dir, ports, mail, identity, place, clock, collector: None, agent: None };
        std::fs::write(site.collector_config(), site.collector_toml())
            .context("failed to write the collector's configuration")?;
        let made = site.collector(&["facility", "add", FACILITY], b"")?;
        std::fs::write(site.dir.join("manifest-key.txt"), made)
            .context("failed to keep the manifest key")?;
        site.collector(
            &["facility", "set", FACILITY, "--file", "-"],
            &serde_json::to_vec(&master())?,
        )?;
        site.collector(&["facility", "set", FACILITY, "--name", identity.name], b"")?;
        site.collector(
            &[
                "alert-channel",
                "add",
                FACILITY,
                "security-team",
                "--kind",
                "mail",
                "--target",
                "security@hospital.example",
            ],
            b"",
        )?;

        Ok(site)
    }

    fn collector_config(&self) -> PathBuf {
        self.dir.join("collector/collector.toml")
    }

    /// The directory the agent watches.
    #[must_use]
    pub fn watched(&self) -> PathBuf {
        self.dir.join("watched")
    }

    /// Where reports are handed in by folder: a folder in it for each addressee.
    #[must_use]
    pub fn handed_in(&self) -> PathBuf {
        self.dir.join("handed-in")
    }

    /// Where the collector keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("collector/data")
    }

    /// The console's address.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("https://{}:{}", self.address(), self.ports.console)
    }

    /// Where its collector listens.
    fn address(&self) -> Ipv4Addr {
        self.place
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST, Place::address)
    }

    fn collector_toml(&self) -> String {
        let Ports { ingest, enrolment, console, exchange } = self.ports;
        let here = self.address();
        let exchange = exchange.map_or_else(String::new, |port| format!("{here}:{port}"));
        format!(
            r#"data_dir = "{data}"
public_names = ["{here}", "localhost"]

[organisation]
kind = "{kind}"

[exchange]
listen = "{exchange}"

[ingest]
listen = "{here}:{ingest}"

[enrolment]
listen = "{here}:{enrolment}"

[console]
listen = "{here}:{console}"

[mail]
host = "127.0.0.1"
port = {mail}
tls = "none"
from = "shirase@hospital.example"

[deliver]
folder = "{handed_in}"
"#,
            kind = self.identity.kind,
            handed_in = self.handed_in().display(),
            data = self.data_dir().display(),
            mail = self.mail.address.port(),
        )
    }

    /// Runs one command of the collector on this site's data and returns what it printed.
    ///
    /// # Errors
    /// When it fails: with what it said.
    pub fn collector(&self, arguments: &[&str], stdin: &[u8]) -> Result<String> {
        let mut command = self.collector_command()?;
        command.args(arguments);
        output(command, stdin)
    }

    fn collector_command(&self) -> Result<Command> {
        let mut command = self.program("shirase-collector")?;
        command.arg("--config").arg(self.collector_config());
        if let Some(clock) = &self.clock {
            command.envs(clock.environment());
        }

        Ok(command)
    }

    /// Begins a command of one of our programs, at the site's place.
    fn program(&self, name: &str) -> Result<Command> {
        let program = binary(name)?;
        let command = match &self.place {
            Some(place) => place.command(program.as_os_str()),
            None => Command::new(program),
        };

        Ok(command)
    }

    /// Runs one listing command of the collector with `--json`.
    ///
    /// # Errors
    /// When it fails or prints something else than JSON.
    pub fn list(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.collector(&[arguments, &["--json"]].concat(), b"")?;
        serde_json::from_str(&text)
            .with_context(|| format!("{arguments:?} printed no JSON: {text}"))
    }

    /// Starts the collector and waits until it answers.
    ///
    /// # Errors
    /// When it ends instead.
    pub async fn start_collector(&mut self) -> Result<()> {
        let mut command = self.collector_command()?;
        command.arg("serve");
        let log = self.dir.join("logs/collector.log");
        let mut program = Program::start("the collector", command, &log)?;
        let console = (self.address(), self.ports.console);
        eventually("the collector's console port", START_DEADLINE, || {
            let ended = program.still_runs();
            async move {
                if ended.is_err() {
                    return Some(());
                }
                tokio::net::TcpStream::connect(console).await.ok().map(drop)
            }
        })
        .await;
        program.still_runs()?;
        self.collector = Some(program);

        Ok(())
    }

    /// Ends the collector as a power cut would.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill_collector(&mut self) -> Result<()> {
        self.collector
            .take()
            .context("the collector does not run")?
            .kill_9()
    }

    /// Takes the organisation off the network: pulls its cable or, where it has none, ends the collector as a power cut
    /// would.
    ///
    /// # Errors
    /// When there is nothing to take off.
    pub fn cut_off(&mut self) -> Result<()> {
        match &self.place {
            Some(place) => place.pull(),
            None => self.kill_collector(),
        }
    }

    /// Puts it back on the network.
    ///
    /// # Errors
    /// When that fails, or the collector ended meanwhile.
    pub async fn reconnect(&mut self) -> Result<()> {
        match &self.place {
            Some(place) => place.plug(),
            None => self.start_collector().await,
        }
    }

    /// Asks both programs to end and waits until they have.
    ///
    /// # Errors
    /// When one does not.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(agent) = self.agent.take() {
            agent.stop()?;
        }
        if let Some(collector) = self.collector.take() {
            collector.stop()?;
        }

        Ok(())
    }

    /// Whether both programs still run.
    ///
    /// # Errors
    /// When one ended: with the end of its log.
    pub fn still_runs(&mut self) -> Result<()> {
        for program in [&mut self.collector, &mut self.agent].into_iter().flatten() {
            program.still_runs()?;
        }

        Ok(())
    }

    /// Adds a person with one role at the site's facility.
    ///
    /// # Errors
    /// When the command fails.
    pub fn add_user(&self, login: &str, name: &str, role: &str) -> Result<Login> {
        let grant = format!("{FACILITY}:{role}");
        let made =
            self.collector(&["user", "add", login, "--name", name, "--role", &grant], b"")?;
        let password = made
            .split_whitespace()
            .last()
            .context("user add printed nothing")?;

        Ok(Login { login: login.to_owned(), one_time_password: password.to_owned() })
    }

    /// Returns the authority's certificate in PEM.
    ///
    /// # Errors
    /// When the collector never started.
    pub fn authority(&self) -> Result<Vec<u8>> {
        let path = self.data_dir().join("authority.pem");
        std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))
    }

    /// Returns what a person would compare over the telephone before enrolling.
    ///
    /// # Errors
    /// When the collector never started.
    pub fn authority_fingerprint(&self) -> Result<Fingerprint> {
        let pem = self.authority()?;
        let der =
            CertificateDer::from_pem_slice(&pem).context("authority.pem is no certificate")?;

        Ok(Fingerprint::of(&der))
    }
}

/// Returns a field of a JSON object as text.
///
/// # Errors
/// When it is missing or no text.
pub fn text_of(value: &Value, field: &str) -> Result<String> {
    let text = value.get(field).and_then(Value::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| anyhow!("no text `{field}` in {value}"))
}
