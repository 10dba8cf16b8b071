//! `report …`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use crate::approval::{Format, ReviewOutcome};
use crate::reports::official::FormId;

/// One report of a facility.
#[derive(Debug, ClapArgs)]
pub struct OneReport {
    /// Its facility.
    pub facility: FacilityId,
    /// Its id, or the number of its incident.
    pub report: String,
    /// The profile it follows, where the incident has several reports.
    #[arg(long)]
    pub profile: Option<String>,
}

/// Who does something to a report, and what they were looking at.
#[derive(Debug, ClapArgs)]
pub struct ByPerson {
    /// The name that user signs in with.
    #[arg(long = "as", value_name = "LOGIN")]
    pub login: String,
    /// The revision that was read; a newer one is refused. Left out: the one there is now.
    #[arg(long)]
    pub revision: Option<u32>,
}

/// Drafts and reports.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Show the reports of a facility, the newest first.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show one report: its answers, who has to approve it and who did, and what became of it since.
    Show {
        /// Which.
        #[command(flatten)]
        report: OneReport,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Submit a draft as a named author: its answers are frozen and await their approval. Reads that user's password and
    /// six-digit code from the terminal or, one line each, from standard input; so do all the following.
    Submit {
        /// Which.
        #[command(flatten)]
        report: OneReport,
        /// Who.
        #[command(flatten)]
        person: ByPerson,
    },
    /// Approve a submitted report as a named approver, or as a deputy of one who is away. Where several people have to
    /// approve, the last one releases it.
    Approve {
        /// Which.
        #[command(flatten)]
        report: OneReport,
        /// Who.
        #[command(flatten)]
        person: ByPerson,
        /// Release it alone, because waiting would do harm; the facility has to allow it, the report says so, and another
        /// person has to review it afterwards.
        #[arg(long, requires = "reason")]
        emergency: bool,
        /// Why it cannot wait; with --emergency.
        #[arg(long, value_name = "TEXT", requires = "emergency")]
        reason: Option<String>,
    },
    /// Send a submitted report back to its authors.
    Reject {
        /// Which.
        #[command(flatten)]
        report: OneReport,
        /// Who.
        #[command(flatten)]
        person: ByPerson,
        /// What has to change.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take back a submitted report, or an approved one before anybody outside has it: it is a draft again.
    Withdraw {
        /// Which.
        #[command(flatten)]
        report: OneReport,
        /// Who.
        #[command(flatten)]
        person: ByPerson,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Record the look at an emergency release, as another person than the one who released it.
    Review {
        /// Which.
        #[command(flatten)]
        report: OneReport,
        /// Who.
        #[command(flatten)]
        person: ByPerson,
        /// What it came to: `in_order` or `objection`.
        #[arg(long, value_parser = parse_outcome)]
        outcome: ReviewOutcome,
        /// What has to be corrected; needed for an objection.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Write a stored, verified file of an approved report.
    Export {
        /// Its facility.
        facility: FacilityId,
        /// Its id, or the number of its incident.
        report: String,
        /// The profile it follows, where the incident has several reports.
        #[arg(long)]
        profile: Option<String>,
        /// Form of the file: pdf, docx, xlsx, html, json, eml, or one attachment: timeline-csv, hosts-csv, indicators-csv,
        /// indicators-stix, damage-csv.
        #[arg(long, default_value = "pdf", value_parser = parse_format)]
        format: Format,
        /// Where to write it; an existing file is left alone.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Write the attachments beside it, under the names the document lists with their hashes.
        #[arg(long)]
        attachments: bool,
        /// Write what is there now, with 下書き across each page, although nobody has approved it.
        #[arg(long)]
        draft: bool,
        /// Fill this official form instead; `official-form list` shows those there are.
        #[arg(long, value_name = "FORM", conflicts_with_all = ["format", "attachments"])]
        official_form: Option<FormId>,
    },
}

fn parse_format(name: &str) -> Result<Format, String> {
    Format::parse(name).ok_or_else(|| {
        let known: Vec<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
        format!("there is no kind of file `{name}`; use one of {}", known.join(", "))
    })
}

fn parse_outcome(name: &str) -> Result<ReviewOutcome, String> {
    ReviewOutcome::parse(name)
        .ok_or_else(|| format!("`{name}` is no outcome; use `in_order` or `objection`"))
}
