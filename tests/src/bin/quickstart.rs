//! The quick start: the whole road once on this machine. Called by `deploy/quickstart.sh`, which builds first.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use shirase_shared::error::Chain;
use shirase_system_tests::site::{FACILITY, Site, fill};
use shirase_system_tests::story::{People, Teller, follow};

/// Starts collector, agent and a mail sink on loopback.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for everything this run makes; must not hold an earlier run.
    #[arg(default_value = "target/quickstart")]
    dir: PathBuf,
    /// Orders a drill, takes it to an approved PDF, prints what happened when, and ends.
    #[arg(long)]
    drill: bool,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this is the program's voice")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {}", Chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the addresses, the passwords and the outcome are the product"
)]
async fn run(arguments: Arguments) -> Result<()> {
    let mut say = |line: &str| println!("{line}");
    let mut teller = Teller::begin(&mut say);
    let mut site = Site::prepare(&arguments.dir).await?;
    teller.tell(&format!("state lies under {}", site.dir.display()));
    fill(&site.watched(), 6, 20).context("failed to make files to watch")?;
    let people = People {
        author: site.add_user("author", "作成 花子", "author")?,
        approver: site.add_user("approver", "承認 一郎", "approver")?,
    };
    site.start_collector().await?;
    teller.tell("collector listens");
    site.enrol()?;
    site.start_agent()?;
    site.agent_heard().await?;
    teller.tell(&format!("agent enrolled and watching {}", site.watched().display()));

    if arguments.drill {
        site.collector(&["drill", "start", FACILITY], b"")?;
        teller.tell("drill ordered");
        let pdf = site.dir.join("report.pdf");
        let outcome = follow(&mut site, &people, &pdf, &mut teller).await?;
        site.stop()?;
        teller.tell("collector and agent ended");
        println!("{}", serde_json::to_string(&outcome).context("failed to print the outcome")?);
        return Ok(());
    }

    println!("\n  console     {}", site.console_url());
    println!("  certificate {}", site.data_dir().join("authority.pem").display());
    for login in [&people.author, &people.approver] {
        println!("  {:<11} one-time password {}", login.login, login.one_time_password);
    }
    println!("  mail        {}", site.dir.join("mail").display());
    println!("\nRename files under {} and look; Ctrl-C ends it.", site.watched().display());
    tokio::signal::ctrl_c()
        .await
        .context("failed to wait for Ctrl-C")?;

    site.stop()
}
