//! The page for people.

use super::Gathered;
use super::goals::{Cell, GoalRow};
use super::summary::AttackSum;
use crate::agent::{Backend, Build};
use crate::attacks;
use crate::cost;
use crate::machine::Machine;
use crate::ordinary;

const INTRODUCTION: &str = "\
This page says how well `shirase-agent` sees ransomware and wipers, how often it calls ordinary work an attack, and what it costs
the server it runs on. Everything on it was measured by the harness in `tests/detection` on the machine named below; anybody can
repeat it (the commands are at the end). No malware was used: an attack is a program that does to files the harness made itself
what an encryptor or a wiper does, with noise in the place of ciphertext.

How to read it:

- **Files harmed before the alert**: files whose content or name was changed, or was being changed, when the first event of severity
  *high* or *critical* came out of the agent. The attackers keep a journal; the moment of the alert is when another process received it.
- **Time to alert**: from the first harm to that moment.
- **Missed**: no such event came until six seconds after the last harm.
- **fanotify** is the agent as a service on Linux; **notify** is the agent without any rights (inotify); **windows** is the Windows
  build, under wine unless the page says otherwise. Each column is what that one can see, no more.
- **met** / **not met** is against the goal in the same row; an empty cell was not measured.
";

const BLIND: &str = "
## What each cannot see

- **fanotify**: through which of its names a file was changed, if that name is gone before it is looked at; partial overwriting of
  Office and PDF files that leaves their head and their end.
- **notify**: which process or user did it, so that nothing is scored by process and nothing can be suspended; what is written
  through a hard link outside the watched directory; the files of a directory that is moved out whole. The files of a new
  directory are listed 300 ms after it appeared.
- **windows**: which process or user did it. Under wine there is no change journal, so that the column shows
  ReadDirectoryChangesW as wine makes it from inotify; what only a real machine shows stands in `deploy/windows/results`.
";

const COMMANDS: &str = "\
```text
cargo run --locked -p shirase-system-tests --bin detection -- --short             about a minute, debug build
cargo run --locked -p shirase-system-tests --bin detection -- --long --release    everything, as root; goes on where it was broken off
  --part attacks|ordinary|days|cost    one part            --only A03*,gzip-logs    some scenarios
  --backend fanotify|notify            one column          --report-only            this page from what is kept
  --windows-agent FILE                 the Windows build under wine; tests/windows.sh --harness brings all of that
```
";

pub(super) fn page(
    gathered: &Gathered,
    goals: &[GoalRow],
    build: &Build,
    machine: &Machine,
) -> String {
    let mut page = String::from("# How the detectors do\n\n");
    page.push_str(INTRODUCTION);
    put(&mut page, format_args!("\n## What was measured, and where\n\n"));
    let profile = build.profile.folder();
    put(
        &mut page,
        format_args!(
            "| | |\n|---|---|\n| agent | {}, commit {}, {profile} build, SHA-256 {} |\n",
            build.version, build.commit, build.sha256
        ),
    );
    put(
        &mut page,
        format_args!(
            "| machine | {} × {}, {} MiB of memory |\n| system | {}, {} |\n| load when this was written | {} |\n\
             | written | {} |\n",
            machine.processors,
            machine.processor,
            machine.memory_mib,
            machine.system,
            machine.kernel,
            machine.load,
            machine.written_at
        ),
    );
    if profile == "debug" {
        page.push_str("\n**A debug build: times, processor and memory figures say nothing about the program people install.**\n");
    }
    table_of_goals(&mut page, goals);
    page.push_str(BLIND);
    page.push_str("\n![Files harmed before the alert, each dot one run](harmed.svg)\n");
    table_of_attacks(&mut page, &gathered.attack_sums());
    table_of_ordinary(&mut page, gathered);
    days(&mut page, gathered);
    table_of_cost(&mut page, gathered);
    page.push_str("\n## How to repeat it\n\n");
    page.push_str(COMMANDS);
    page
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.push_str(&text.to_string());
}

fn table_of_goals(page: &mut String, goals: &[GoalRow]) {
    page.push_str("\n## Goals\n\n| goal | fanotify | | notify | | windows | |\n|---|---|---|---|---|---|---|\n");
    for GoalRow { goal, cells } in goals {
        let cells = cells.iter().map(|Cell { measured, met, .. }| {
            let met = match met {
                Some(true) => "met",
                Some(false) => "**not met**",
                None => "",
            };
            format!("{} | {met}", escaped(measured))
        });
        put(page, format_args!("| {goal} | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
    }
}

fn table_of_attacks(page: &mut String, sums: &[AttackSum]) {
    page.push_str(
        "\n## Attacks\n\n| attack | what it does | seen with | runs | detected | files harmed: median / 95 % / most | \
         time to alert, median / most (ms) | files/s | runs with losses told | goal | |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for sum in sums {
        let harmed = sum.harmed.map_or_else(
            || "all".to_owned(),
            |harmed| format!("{} / {} / {}", harmed.median, harmed.p95, harmed.most),
        );
        let time = sum.to_alert_ms.map_or_else(
            || "never".to_owned(),
            |time| format!("{:.0} / {:.0}", time.median, time.most),
        );
        let met = match sum.met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "",
        };
        put(
            page,
            format_args!(
                "| {} | {} | {} | {} | {} | {harmed} | {time} | {:.1} | {} | {} | {met} |\n",
                sum.name,
                sum.about,
                sum.backend.name(),
                sum.runs,
                sum.detected,
                sum.rate,
                sum.with_losses,
                sum.goal.words(),
            ),
        );
    }
    let tried: Vec<_> = sums.iter().map(|sum| sum.name).collect();
    let untried = attacks::catalogue().into_iter().map(|attack| attack.name);
    let untried: Vec<_> = untried.filter(|name| !tried.contains(name)).collect();
    if !untried.is_empty() {
        put(page, format_args!("\nNot run: {}.\n", untried.join(", ")));
    }
}

fn table_of_ordinary(page: &mut String, gathered: &Gathered) {
    page.push_str(
        "\n## Ordinary work\n\nAfter each, files of a second watched root are renamed as an encryptor does: silence counts only where that \
         was told.\n\n| workload | what it is | seen with | seconds | agent's processor time (ms) | loudest word | |\n|---|---|---|---|---|---|---|\n",
    );
    for workload in ordinary::catalogue() {
        for backend in Backend::ALL {
            let runs = gathered.ordinary.get(&(workload.name, backend));
            let Some(run) = runs.and_then(|runs| runs.last()) else { continue };
            let (name, about, eyes) = (workload.name, workload.about, backend.name());
            if let Some(why) = &run.not_run {
                put(page, format_args!("| {name} | {about} | {eyes} | | | | not run: {why} |\n"));
                continue;
            }
            let loudest = run.alerts.first().or_else(|| run.quieter.first());
            let loudest = loudest.map_or_else(|| "silent".to_owned(), |told| escaped(told));
            let verdict = match (run.alerts.is_empty(), run.still_seeing) {
                (true, true) => "quiet",
                (false, _) => "**false alarm**",
                (true, false) => "**saw nothing any more**",
            };
            put(
                page,
                format_args!(
                    "| {name} | {about} | {eyes} | {:.1} | {} | {loudest} | {verdict} |\n",
                    run.secs, run.cpu_ms
                ),
            );
        }
    }
}

fn days(page: &mut String, gathered: &Gathered) {
    if gathered.days.is_empty() {
        return;
    }
    page.push_str(
        "\n## Mixed days\n\nRecordings of the ordinary work above, laid into thirty days at times drawn from a seed, many of them more than \
         once a day, and run through the detectors (`shirase-agent replay`).\n\n| day | recordings | observations | high or critical |\n\
         |---|---|---|---|\n",
    );
    for day in &gathered.days {
        let alerts = match day.alerts.first() {
            None => "none".to_owned(),
            Some(first) => format!("**{}**: {}", day.alerts.len(), escaped(first)),
        };
        put(
            page,
            format_args!(
                "| {} | {} | {} | {alerts} |\n",
                day.day, day.recordings, day.observations
            ),
        );
    }
}

fn table_of_cost(page: &mut String, gathered: &Gathered) {
    page.push_str("\n## Cost\n\n| measurement | seen with | figures | how |\n|---|---|---|---|\n");
    for measurement in cost::catalogue() {
        for backend in Backend::ALL {
            let runs = gathered.cost.get(&(measurement.name, backend));
            let Some(run) = runs.and_then(|runs| runs.last()) else { continue };
            let figures = run
                .figures
                .iter()
                .map(|(name, value)| format!("{name} {value:.3}"));
            let figures = match &run.not_run {
                Some(why) => format!("not run: {}", escaped(why)),
                None => figures.collect::<Vec<_>>().join("<br>"),
            };
            put(
                page,
                format_args!(
                    "| {}: {} | {} | {figures} | {} |\n",
                    measurement.name,
                    measurement.about,
                    backend.name(),
                    escaped(&run.how)
                ),
            );
        }
    }
    page.push_str(
        "\n`nobody`, `reader` and `agent` are microseconds an operation takes with nothing watching, with a bare reader of the kernel's \
         queue (`tests/detection/cost/reader.c`) and with the agent; `agent_over_…` are the medians of the differences within a round. \
         `held` is anonymous and kernel memory of the agent's control group together. Per cent are of one processor core.\n",
    );
}

/// Text inside a cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
