//! `shirase-agent posture`: how this host is set up, on the host itself and with names.

use std::io::Write;

use jiff::Timestamp;
use shirase_shared::clock::{Clock as _, SystemClock};
use shirase_shared::posture::{
    Accounts, Few, Listener, Look, Posture, Reach, Transport, Unseen, UsbBar, UsbStorage,
};

use crate::args::PostureArgs;
use crate::sensors::posture::look;
use crate::service;

/// Looks and prints one line for each thing.
pub(super) fn posture(args: &PostureArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let now = SystemClock::new(service::boot_id()).now();
    for line in lines(&look(now, args.idle_days)) {
        writeln!(out, "{line}")?;
    }

    Ok(())
}

fn lines(posture: &Posture) -> Vec<String> {
    let tools = |tools: &Few<String>| or_none(tools.first.clone());
    let parts = [
        ("listens", said(&posture.listeners, listens)),
        ("remote tools", said(&posture.remote_tools, tools)),
        ("idle accounts", said(&posture.accounts, idle)),
        ("USB storage", said(&posture.usb_storage, |storage| vec![usb(storage)])),
        ("logons since", said(&posture.logs_since, |since| vec![since.to_string()])),
    ];
    let named = |(name, said): (&str, Vec<String>)| {
        let line = move |said| format!("{name:<14} {said}");
        said.into_iter().map(line).collect::<Vec<_>>()
    };

    parts.into_iter().flat_map(named).collect()
}

fn said<T>(look: &Look<T>, say: impl Fn(&T) -> Vec<String>) -> Vec<String> {
    match look {
        Look::Seen(part) => say(part),
        Look::Unseen(why) => vec![format!("not seen: {}", why_words(*why))],
    }
}

fn or_none(said: Vec<String>) -> Vec<String> {
    if said.is_empty() { vec!["none".to_owned()] } else { said }
}

fn listens(found: &Few<Listener>) -> Vec<String> {
    let line = |one: &Listener| {
        let transport = match one.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let reach = match one.reach {
            Reach::Network => "for other machines",
            Reach::Host => "for this host alone",
        };
        format!("{} on {transport} {} {reach}", one.program, one.port)
    };
    let mut said: Vec<String> = found.first.iter().map(line).collect();
    if 0 < found.more {
        said.push(format!("and {} more", found.more));
    }
    or_none(said)
}

fn idle(accounts: &Accounts) -> Vec<String> {
    let last = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let named = accounts.named.iter().flat_map(|named| &named.first);
    let mut said = vec![format!(
        "{} of {} that can be signed in with were not for {} days",
        accounts.idle, accounts.usable, accounts.idle_days
    )];
    said.extend(named.map(|account| format!("{}, last {}", account.name, last(account.last))));
    said
}

fn usb(storage: &UsbStorage) -> String {
    let why = |bar: &UsbBar| match bar {
        UsbBar::NoUsb => "this machine has no USB",
        UsbBar::DriverDisabled => "its driver is disabled",
        UsbBar::PolicyDenied => "group policy denies it",
        UsbBar::DevicesAuthorized => "devices are let in one by one",
        UsbBar::Other => "for another reason",
    };
    let by: Vec<&str> = storage.barred_by.iter().map(why).collect();
    let state = if by.is_empty() {
        "can be used".to_owned()
    } else {
        format!("is kept out: {}", by.join(", "))
    };

    format!("{state}; {} attached", storage.attached)
}

const fn why_words(why: Unseen) -> &'static str {
    match why {
        Unseen::NoRight => "the right is missing (root, administrator)",
        Unseen::NoRecord => "this system keeps no record that can be read",
        Unseen::NotLookedFor => "not looked for on this system",
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::posture::IdleAccount;

    use super::*;

    #[test]
    fn each_part_says_what_it_saw_or_why_it_did_not() {
        let account = IdleAccount { name: "sato".to_owned(), last: None };
        let posture = Posture {
            looked_at: "2026-11-26T00:00:00Z".parse().unwrap(),
            listeners: Look::Seen(Few::of(vec![Listener {
                program: "sshd".to_owned(),
                transport: Transport::Tcp,
                port: 22,
                reach: Reach::Network,
            }])),
            remote_tools: Look::Seen(Few::of(Vec::new())),
            accounts: Look::Seen(Accounts {
                usable: 4,
                idle_days: 90,
                idle: 1,
                named: Some(Few::of(vec![account])),
            }),
            usb_storage: Look::Seen(UsbStorage { barred_by: Vec::new(), attached: 1 }),
            logs_since: Look::Unseen(Unseen::NoRight),
        };
        assert_eq!(
            lines(&posture),
            [
                "listens        sshd on tcp 22 for other machines",
                "remote tools   none",
                "idle accounts  1 of 4 that can be signed in with were not for 90 days",
                "idle accounts  sato, last never",
                "USB storage    can be used; 1 attached",
                "logons since   not seen: the right is missing (root, administrator)",
            ]
        );
    }
}
