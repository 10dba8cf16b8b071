//! The agent of a site: enrolled, started, heard, killed.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use shirase_shared::testing::eventually;

use super::ground::path_text;
use super::{FACILITY, START_DEADLINE, Site, text_of};
use crate::program::{Program, output};

impl Site {
    /// The agent's configuration file.
    #[must_use]
    pub fn agent_config(&self) -> PathBuf {
        self.dir.join("agent/agent.toml")
    }

    /// Runs one command of the agent.
    ///
    /// # Errors
    /// When it fails: with what it said.
    pub fn agent(&self, arguments: &[&str], stdin: &[u8]) -> Result<String> {
        let mut command = self.program("shirase-agent")?;
        command.args(arguments);
        output(command, stdin)
    }

    /// Enrols the agent with a fresh token and gives its host the roles of an EHR file server.
    ///
    /// # Errors
    /// When a command fails.
    pub fn enrol(&self) -> Result<()> {
        let token = self.collector(&["token", "issue", FACILITY, "--bare"], b"")?;
        let fingerprint = self.authority_fingerprint()?.to_string();
        let url = format!("https://{}:{}", self.address(), self.ports.enrolment);
        let config = self.agent_config();
        let state = self.dir.join("agent/state");
        let watched = self.watched();
        self.agent(
            &[
                "enroll",
                "--collector",
                &url,
                "--token-file",
                "-",
                "--ca-fingerprint",
                &fingerprint,
                "--config",
                path_text(&config)?,
                "--state",
                path_text(&state)?,
                "--root",
                path_text(&watched)?,
            ],
            token.as_bytes(),
        )?;
        self.hurry()?;
        let hosts = self.list(&["host", "list", "--facility", FACILITY])?;
        let host = hosts
            .as_array()
            .and_then(|hosts| hosts.last())
            .context("no host enrolled")?;
        self.collector(
            &[
                "host",
                "set",
                FACILITY,
                &text_of(host, "id")?,
                "--role",
                "ehr",
                "--role",
                "file_share",
            ],
            b"",
        )?;

        Ok(())
    }

    /// Makes the agent give a sign of life every five seconds, so that nobody waits half a minute for an order, and lets
    /// it pass over logons: who comes and goes on this machine, or that it has no log, is no part of the story.
    fn hurry(&self) -> Result<()> {
        let path = self.agent_config();
        let text =
            std::fs::read_to_string(&path).context("failed to read the agent's configuration")?;
        let hurried = text.replace("heartbeat_secs = 30", "heartbeat_secs = 5");
        if hurried == text {
            bail!("`{}` sets no heartbeat of 30 seconds", path.display());
        }
        let alone = hurried.replace("source = \"auto\"", "source = \"off\"");
        if alone == hurried {
            bail!("`{}` does not say where logons are read", path.display());
        }

        std::fs::write(&path, alone).context("failed to write the agent's configuration")
    }

    /// Starts the agent's service.
    ///
    /// # Errors
    /// When the binary is missing.
    pub fn start_agent(&mut self) -> Result<()> {
        let mut command = self.program("shirase-agent")?;
        command.arg("run").arg("--config").arg(self.agent_config());
        let log = self.dir.join("logs/agent.log");
        self.agent = Some(Program::start("the agent", command, &log)?);

        Ok(())
    }

    /// Waits until the collector heard from the agent.
    ///
    /// # Errors
    /// When the agent ended instead.
    pub async fn agent_heard(&mut self) -> Result<()> {
        eventually("the agent's first heartbeat", START_DEADLINE, || {
            let hosts = self.list(&["host", "list", "--facility", FACILITY]);
            let ended = self.agent.as_mut().map_or(Ok(()), Program::still_runs);
            async move {
                let hosts = match (ended, hosts) {
                    (Err(error), _) | (_, Err(error)) => return Some(Err(error)),
                    (Ok(()), Ok(hosts)) => hosts,
                };
                let host = hosts.as_array()?.last()?;
                host.get("last_heartbeat")
                    .filter(|at| !at.is_null())
                    .map(|_| Ok(()))
            }
        })
        .await
    }

    /// Ends the agent as a power cut would.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill_agent(&mut self) -> Result<()> {
        self.agent
            .take()
            .context("the agent does not run")?
            .kill_9()
    }
}
