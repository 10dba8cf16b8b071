//! A root that asks for more than telling: decoys, and processes that are suspended. It needs the rights of the service.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::service::{Service, eventually};
use super::{DEADLINE, err, out};

/// Overwrites and renames each file, by programs that live for a moment each.
const ENCRYPTOR: &str = "for f in *.csv; do head -c 9000 /dev/urandom > $f; mv $f $f.x9; sleep 0.02; done; sleep 60 & wait";

#[test]
fn a_script_that_encrypts_is_suspended_survives_a_restart_and_is_released() {
    let files = 600;
    // What is new when it is harmed is nobody's loss yet, so they are there before the service is.
    let service = Service::start_with(|dir| {
        for number in 0..files {
            let path = dir.join(format!("share/{number:03}.csv"));
            std::fs::write(path, "1,2,3\n".repeat(2000)).unwrap();
        }
        "contain = 'suspend'\n".to_owned()
    });
    if let Err(why) = can_act(&service) {
        return println!("not tried: {why}");
    }
    let share = service.path("share");
    let script = Script::start(&share);
    let contained = eventually("somebody to be suspended", DEADLINE, || {
        let mut events = service.waiting().into_iter();
        events.find(|event| event["evidence"]["state"] == "contained")
    });
    assert_eq!(contained["severity"], "high");
    assert!(contained["reason"].as_str().unwrap().contains("suspended"), "{contained}");
    eventually("the script to stand still", DEADLINE, || (script.state() == "T").then_some(()));
    let harmed = script.harmed();
    assert!(harmed < files, "all {harmed} files were harmed");

    let said = out(&service.ask(&["status"]));
    assert!(said.contains("SUSPENDED  1:") && said.contains("shirase-agent release 1"), "{said}");
    let service = service.restart();
    let status = service.status().unwrap();
    assert_eq!(status["contained"][0]["id"], 1, "{status}");
    assert_eq!(status["contained"][0]["processes"][0], script.0.id());
    assert_eq!((script.state().as_str(), script.harmed()), ("T", harmed));

    let unknown = service.ask(&["release", "7"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("nobody is suspended as 7"), "{}", err(&unknown));
    let released = service.ask(&["release", "1"]);
    assert!(released.status.success(), "{}", err(&released));
    // Whom an administrator released goes on, whatever it does.
    eventually("the script to come to its end", 2 * DEADLINE, || {
        (script.harmed() == files).then_some(())
    });
    service.has_agent_event("released", DEADLINE);
    assert_eq!(service.status().unwrap()["contained"], serde_json::json!([]));
}

#[test]
fn decoys_come_with_the_configuration_and_go_with_it() {
    let service = Service::start_with(|_| "canaries = 4\n".to_owned());
    let detail = |status: &Value| {
        let sensors = status["sensors"].as_array().unwrap();
        let canaries = sensors.iter().find(|sensor| sensor["name"] == "canaries");
        canaries.map(|canaries| canaries["detail"].as_str().unwrap().to_owned())
    };
    let told = eventually("four decoys", DEADLINE, || {
        let told = service.status().and_then(|status| detail(&status));
        told.filter(|told| told.starts_with("4 of 4 in place"))
    });
    assert!(told.contains("canaries.txt"), "{told}");
    let listed = out(&service.ask(&["canaries"]));
    let share = service.path("share");
    let decoys: Vec<_> = listed
        .lines()
        .filter(|line| Path::new(line).starts_with(&share))
        .collect();
    assert_eq!(decoys.len(), 4, "{listed}");
    assert!(decoys.iter().all(|decoy| Path::new(decoy).is_file()));
    assert!(listed.contains("見張り用") && listed.contains("decoys"), "{listed}");
    let refused = service.ask(&["canaries", "--remove"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("canaries = 0"), "{}", err(&refused));
    assert!(
        service
            .waiting()
            .iter()
            .all(|event| event["kind"] == "agent" || event["kind"] == "loss")
    );

    let config = std::fs::read_to_string(service.config()).unwrap();
    std::fs::write(service.config(), config.replace("canaries = 4", "canaries = 0")).unwrap();
    service.hang_up();
    eventually("the decoys to be gone", DEADLINE, || {
        decoys
            .iter()
            .all(|decoy| !Path::new(decoy).exists())
            .then_some(())
    });
    assert!(out(&service.ask(&["canaries"])).contains("There are none"));
}

/// Whether this service may suspend anybody, by its own words.
fn can_act(service: &Service) -> Result<(), String> {
    let detail = eventually("containment on the board", DEADLINE, || {
        let status = service.status()?;
        let sensors = status["sensors"].as_array()?;
        let has = |name: &str| {
            sensors
                .iter()
                .find(|sensor| sensor["name"] == name)
                .cloned()
        };
        has("files")?;
        has("containment").filter(|found| found["state"] == "well" || !is_root())
    });
    if detail["state"] == "well" { Ok(()) } else { Err(detail["detail"].to_string()) }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A shell that encrypts a directory.
struct Script(Child, std::path::PathBuf);

impl Script {
    fn start(share: &Path) -> Self {
        let child = Command::new("sh")
            .args(["-c", ENCRYPTOR])
            .current_dir(share)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child, share.to_owned())
    }

    fn harmed(&self) -> usize {
        let entries = std::fs::read_dir(&self.1).unwrap().flatten();
        entries
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "x9")
            })
            .count()
    }

    fn state(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("State:"));
        line.unwrap().trim().chars().take(1).collect()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
