//! Says what an intruder does around the files.

use shirase_shared::event::{
    Anomaly, BackupKind, BackupLoss, Logon, LogonKind, PrintBurst, Protection, ProtectionKind,
    Stops,
};

use super::{Arg, LIST_MAX, Text};

/// Says what an event about logons, protection, backups, stops or printing tells; `None` for other kinds.
#[must_use]
pub fn explain_intrusion(anomaly: &Anomaly) -> Option<Text> {
    match anomaly {
        Anomaly::Logon(logon) => Some(explain_logon(logon)),
        Anomaly::Protection(protection) => Some(explain_protection(protection)),
        Anomaly::Backup(backup) => Some(explain_backup(backup)),
        Anomaly::Stops(stops) => Some(explain_stops(stops)),
        Anomaly::Print(print) => Some(explain_print(print)),
        Anomaly::MassChange(_)
        | Anomaly::Outage(_)
        | Anomaly::Pressure(_)
        | Anomaly::Loss(_)
        | Anomaly::Agent(_) => None,
    }
}

fn explain_logon(logon: &Logon) -> Text {
    let key = match logon.what {
        LogonKind::FailureBurst => "why-logon-failures",
        LogonKind::SuccessAfterFailures => "why-logon-success",
        LogonKind::NewAdministrator => "why-logon-administrator",
        LogonKind::RemoteOutOfHours => "why-logon-hours",
    };
    let sources = match logon.sources.is_empty() {
        true => Arg::Key("source-unknown"),
        false => plain(&logon.sources),
    };
    Text::new(key)
        .with("count", Arg::Number(logon.count))
        .with("sources", sources)
}

fn explain_protection(protection: &Protection) -> Text {
    let key = match protection.what {
        ProtectionKind::GuardStopped => "why-guard-stopped",
        ProtectionKind::GuardRemoved => "why-guard-removed",
        ProtectionKind::LogTruncated => "why-log-truncated",
        ProtectionKind::LogRemoved => "why-log-removed",
        ProtectionKind::OwnFilesTouched => "why-own-files",
        ProtectionKind::OwnServiceTouched => "why-own-service",
        ProtectionKind::OwnServiceKilled => "why-own-service-killed",
    };
    Text::new(key).with("name", Arg::Plain(protection.name.clone()))
}

fn explain_backup(backup: &BackupLoss) -> Text {
    let key = match backup.what {
        BackupKind::TreeHarmed => "why-backup-harmed",
        BackupKind::SnapshotsRemoved => "why-backup-snapshots",
        BackupKind::JobOverdue => "why-backup-overdue",
    };
    Text::new(key)
        .with("name", Arg::Plain(backup.name.clone()))
        .with("count", Arg::Number(backup.count))
        .with("last", backup.last_good.map_or(Arg::Key("time-unknown"), Arg::Time))
}

fn explain_stops(stops: &Stops) -> Text {
    Text::new("why-stops")
        .with("count", Arg::Number(stops.count))
        .with("seconds", Arg::Number(stops.window_secs))
        .with("names", plain(&stops.names))
}

fn explain_print(print: &PrintBurst) -> Text {
    let key = if 1 < print.same_title { "why-print-same" } else { "why-print" };
    Text::new(key)
        .with("jobs", Arg::Number(print.jobs))
        .with("printers", Arg::Number(print.printers))
        .with("same", Arg::Number(print.same_title))
        .with("seconds", Arg::Number(print.window_secs))
}

fn plain(words: &[String]) -> Arg {
    let shown = words.iter().take(LIST_MAX);
    Arg::List(
        shown
            .map(|word| Text::new("list-word").with("word", Arg::Plain(word.clone())))
            .collect(),
    )
}
