//! Every piece of evidence, made from what hosts, people and the book say.

mod hospital;

use shirase_shared::posture::{Look, UsbBar, UsbStorage};

use super::*;
use crate::locale::Lang;
use hospital::{Hospital, full};

const BASES: [Basis; 19] = [
    Basis::CareSystems,
    Basis::SafetyManager,
    Basis::Hosts,
    Basis::RemoteSessions,
    Basis::Administrators,
    Basis::Accounts,
    Basis::Versions,
    Basis::Guards,
    Basis::Passwords,
    Basis::SecondFactor,
    Basis::Logs,
    Basis::LogonFailures,
    Basis::ContactChart,
    Basis::Backups,
    Basis::Drills,
    Basis::RemoteTools,
    Basis::IdleAccounts,
    Basis::UsbStorage,
    Basis::Listeners,
];

#[test]
fn hosts_say_when_each_was_heard_and_what_it_runs() {
    let said = full().en(Basis::Hosts);
    assert!(said.starts_with("ehr1 OS Debian GNU/Linux 12, agent 0.1.0"), "{said}");
    assert!(said.contains("pacs1! OS") && said.contains("Silent."), "{said}");
    assert_eq!(Hospital::bare().en(Basis::Hosts), "! There is no host with an agent.");
}

#[test]
fn guards_logs_and_backups_tell_what_is_there_and_what_was_lost_without_drills() {
    let hospital = full();
    let said = hospital.en(Basis::Guards);
    assert!(said.contains("ehr1 Known antivirus or audit services: 2."), "{said}");
    assert!(said.contains("pacs1! No known antivirus"), "{said}");
    assert!(said.contains("ehr1! The protecting service av.service stopped, 2×"), "{said}");
    let said = hospital.en(Basis::Logs);
    assert!(said.contains("ehr1 The record of logons is watched."), "{said}");
    assert!(said.contains("pacs1! The record of logons cannot be seen."), "{said}");
    assert!(said.contains("pacs1! The log av.service was cut, 1×"), "{said}");
    assert!(said.contains("kept for 1096 days"), "{said}");
    let said = hospital.en(Basis::Backups);
    assert!(said.contains("“nightly” is watched (the agent says: newest file from"), "{said}");
    assert!(said.contains("ehr1! The backup “nightly” was not made, 1×"), "{said}");
    assert_eq!(Hospital::bare().en(Basis::Backups), "! No backup is watched.");
}

#[test]
fn logons_administrators_restarts_and_drills_are_counted() {
    let hospital = full();
    assert!(
        hospital
            .en(Basis::LogonFailures)
            .contains("Bursts of failed logons, 1× (from 192.0.2.7;")
    );
    let said = hospital.en(Basis::Administrators);
    assert!(
        said.contains("ehr1 Accounts with administrator's rights: 3.")
            && said.contains("pacs1! Which accounts"),
        "{said}"
    );
    assert!(said.contains("ehr1! Administrator's rights were newly given, 1×"), "{said}");
    assert!(
        hospital
            .en(Basis::RemoteSessions)
            .contains("No remote session out of hours")
    );
    let said = hospital.en(Basis::Versions);
    assert!(said.contains("ehr1 Packages (dpkg) last changed"), "{said}");
    assert!(said.contains("pacs1! Packages (dpkg) last changed"), "{said}");
    assert!(
        hospital
            .en(Basis::Versions)
            .contains("ehr1 Last seen to restart:")
    );
    assert!(
        hospital
            .en(Basis::Drills)
            .starts_with("ehr1 Drills of this system, 1×"),
        "{}",
        hospital.en(Basis::Drills)
    );
    assert!(Hospital::bare().en(Basis::Drills).starts_with("! No drill"));
}

#[test]
fn what_agents_say_of_how_hosts_are_set_up_is_told_and_a_gap_is_told_as_one() {
    let hospital = full();
    assert_eq!(
        hospital.en(Basis::Listeners),
        "ehr1 Programs other machines can connect to: smbd TCP 139 445; sshd TCP 22 …. Only from within the server: 1. Firewalls are not looked at.\n\
         pacs1! Which programs take connections cannot be seen (the agent has not told yet)."
    );
    assert!(
        hospital
            .en(Basis::RemoteTools)
            .starts_with("ehr1! Products for remote control run: AnyDesk, xrdp.")
    );
    assert!(
        hospital
            .en(Basis::IdleAccounts)
            .starts_with("ehr1! Of 4 accounts somebody can sign in to the server with, 2 were not used for 90 days (last sign-in in brackets): left (–), sato (2026-05-01).")
    );
    assert!(
        hospital.en(Basis::UsbStorage).starts_with(
            "ehr1 USB storage is kept out (its driver is disabled, group policy denies it). Attached now: 0."
        ),
        "{}",
        hospital.en(Basis::UsbStorage)
    );
    let said = hospital.en(Basis::Logs);
    assert!(said.contains("ehr1! How far back the record of logons goes cannot be seen (the agent lacks the right)."), "{said}");
}

#[test]
fn names_of_accounts_that_stayed_on_their_host_are_looked_up_there() {
    let mut hospital = full();
    for heard in hospital.heard.values_mut() {
        if let Some(posture) = &mut heard.heartbeat.posture
            && let Look::Seen(accounts) = &mut posture.accounts
        {
            accounts.named = None;
        }
    }
    let said = hospital.en(Basis::IdleAccounts);
    assert!(said.contains("2 were not used for 90 days."), "{said}");
    assert!(said.contains("`shirase-agent posture`") && !said.contains("sato"), "{said}");
}

#[test]
fn storage_that_can_be_used_or_is_attached_all_the_same_wants_to_be_looked_at() {
    let mut hospital = full();
    let mut said = |barred_by: &[UsbBar], attached| {
        let storage = UsbStorage { barred_by: barred_by.to_vec(), attached };
        for heard in hospital.heard.values_mut() {
            if let Some(posture) = &mut heard.heartbeat.posture {
                posture.usb_storage = Look::Seen(storage.clone());
            }
        }
        hospital
            .en(Basis::UsbStorage)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(said(&[], 0), "ehr1! USB storage can be used. Attached now: 0.");
    let authorized =
        "ehr1! USB storage is kept out (devices are let in one by one). Attached now: 1.";
    assert_eq!(said(&[UsbBar::DevicesAuthorized], 1), authorized);
    let virtual_machine = "ehr1 USB storage is kept out (the machine has no USB). Attached now: 0.";
    assert_eq!(said(&[UsbBar::NoUsb], 0), virtual_machine);
}

#[test]
fn people_and_book_tell_of_the_institution() {
    let hospital = full();
    assert_eq!(
        hospital.en(Basis::SecondFactor),
        "! People here with a second factor: 1 of 2. How people sign in to the records and other systems is not known."
    );
    assert!(
        hospital
            .en(Basis::Accounts)
            .contains("! People who never changed")
    );
    assert!(
        hospital
            .en(Basis::SafetyManager)
            .starts_with("! The address book names 佐藤 花子")
    );
    assert!(
        Hospital::bare()
            .en(Basis::SafetyManager)
            .starts_with("! Neither")
    );
    assert!(
        hospital
            .en(Basis::ContactChart)
            .starts_with(" Contacts on the emergency chart: 1 ")
    );
    assert!(
        Hospital::bare()
            .en(Basis::ContactChart)
            .starts_with("! The emergency chart has no")
    );
}

#[test]
fn a_vendor_sees_the_hosts_it_maintains_and_nothing_of_the_institution() {
    let hospital = full();
    let scope = Scope::Systems([CareRole::Pacs].into());
    for basis in BASES {
        for line in hospital.said(basis, &scope, Lang::En) {
            assert!(!line.starts_with("ehr1"), "{line}");
            assert!(!line.contains("People") && !line.contains("佐藤"), "{line}");
        }
    }
    let said = hospital.said(Basis::Hosts, &scope, Lang::En);
    assert!(matches!(said.as_slice(), [one] if one.starts_with("pacs1!")), "{said:?}");
}

#[test]
fn every_word_is_there_in_both_languages() {
    for hospital in [full(), Hospital::bare()] {
        for basis in BASES {
            let [ja, en] =
                [Lang::Ja, Lang::En].map(|lang| hospital.said(basis, &Scope::Institution, lang));
            assert_eq!(ja.len(), en.len());
            for (ja, en) in ja.iter().zip(&en) {
                assert!(ja != en && !en.contains("evidence-") && !ja.contains('{'), "{ja} {en}");
            }
        }
    }
}

#[test]
fn every_key_of_this_folder_has_words() {
    let words = include_str!("../../../locales/ja/checklist.ftl");
    let mut keys = 0;
    for text in [
        include_str!("hosts.rs"),
        include_str!("seen.rs"),
        include_str!("place.rs"),
        include_str!("posture.rs"),
    ] {
        for key in text.split('"').filter(|part| part.starts_with("evidence-")) {
            assert!(words.contains(&format!("\n{key} = ")), "{key}");
            keys += 1;
        }
    }
    assert!(30 < keys, "{keys}");
}
