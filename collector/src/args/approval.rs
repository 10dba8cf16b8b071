//! `approval …`.

use clap::Subcommand;
use shirase_shared::ids::FacilityId;

use super::SelfApprovalArg;

/// Who has to approve reports.
#[derive(Debug, Subcommand)]
pub enum ApprovalCommand {
    /// Show the rule in force, with where each part of it comes from, and who is away.
    Show {
        /// Whose.
        facility: FacilityId,
        /// For this profile; left out, the facility's own and every profile's.
        #[arg(long)]
        profile: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change parts of the facility's rule, or with --profile of the one for that profile; what is left out stays.
    Set {
        /// Whose.
        facility: FacilityId,
        /// For this profile alone.
        #[arg(long)]
        profile: Option<String>,
        /// How many people have to approve, 1 to 9.
        #[arg(long)]
        approvers: Option<u8>,
        /// Somebody who approves, with deputies, for example `incho:fuku-incho,jimucho`; repeat for more. Replaces those
        /// there are.
        #[arg(long = "approver", value_name = "LOGIN[:DEPUTY,…]", conflicts_with = "everybody")]
        named: Vec<String>,
        /// Everybody in the role may approve.
        #[arg(long)]
        everybody: bool,
        /// Minutes after the submission from which deputies may approve although nobody is away; 0 is never.
        #[arg(long, value_name = "MINUTES")]
        deputies_after_mins: Option<u32>,
        /// Whether an author may approve; the report then says so.
        #[arg(long, value_name = "allowed|refused")]
        self_approval: Option<SelfApprovalArg>,
        /// Whether one person may release a report in an emergency; the report then says so.
        #[arg(long, value_name = "allowed|refused")]
        emergency: Option<SelfApprovalArg>,
    },
    /// Take back what was set for one profile, so that its file and the facility's rule count again.
    Reset {
        /// Whose.
        facility: FacilityId,
        /// For which profile.
        #[arg(long)]
        profile: String,
    },
    /// Note that an approver is away, so that deputies may approve.
    Away {
        /// Where.
        facility: FacilityId,
        /// The name the approver signs in with.
        login: String,
        /// From when, for example 2026-11-26T17:00 in Japan time; now if left out.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until when, in the same form.
        #[arg(long, value_name = "TIME")]
        until: String,
    },
    /// End every absence of an approver that is on or to come.
    Back {
        /// Where.
        facility: FacilityId,
        /// The name the approver signs in with.
        login: String,
    },
}
