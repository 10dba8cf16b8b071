//! What agents say of how hosts are set up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::posture::{
    Accounts, Few, IdleAccount, Listener, Look, Posture, Reach, Transport, Unseen, UsbBar,
    UsbStorage,
};

use super::hosts::heard;
use super::{Evidence, Known, Scope};
use crate::contacts::today;

/// What stands behind a list that was cut.
const MORE: &str = " …";

pub(super) fn listeners(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let said = |at, seen: &Few<Listener>| {
        let reach = |reach| seen.first.iter().filter(move |one| one.reach == reach);
        let more = if seen.more == 0 { "" } else { MORE };
        let list = format!("{}{more}", by_program(reach(Reach::Network)));
        let found = if list.is_empty() {
            Evidence::plain("evidence-listeners-none", at)
        } else {
            Evidence::plain("evidence-listeners", at).with("list", list)
        };
        found.with("inside", reach(Reach::Host).count())
    };
    part(known, scope, "evidence-listeners-unseen", |posture| &posture.listeners, said)
}

pub(super) fn remote_tools(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let said = |at, seen: &Few<String>| {
        if seen.first.is_empty() {
            return Evidence::plain("evidence-remote-tools-none", at);
        }
        Evidence::look("evidence-remote-tools", at).with("list", seen.first.join(", "))
    };
    part(known, scope, "evidence-remote-tools-unseen", |posture| &posture.remote_tools, said)
}

pub(super) fn idle_accounts(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let said = |at, seen: &Accounts| {
        let found = match (seen.idle, &seen.named) {
            (0, _) => Evidence::plain("evidence-idle-accounts-none", at),
            (_, None) => Evidence::look("evidence-idle-accounts", at),
            (_, Some(named)) => {
                Evidence::look("evidence-idle-accounts-named", at).with("list", names(named))
            }
        };
        found
            .with("count", seen.idle)
            .with("usable", seen.usable)
            .with("days", seen.idle_days)
    };
    part(known, scope, "evidence-idle-accounts-unseen", |posture| &posture.accounts, said)
}

pub(super) fn usb_storage(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let said = |at, seen: &UsbStorage| {
        let found = match (seen.barred_by.as_slice(), seen.attached) {
            ([], _) => Evidence::look("evidence-usb-open", at),
            (by, 0) => Evidence::plain("evidence-usb-barred", at).named("by", bars(by)),
            (by, _) => Evidence::look("evidence-usb-barred", at).named("by", bars(by)),
        };
        found.with("attached", seen.attached)
    };
    part(known, scope, "evidence-usb-unseen", |posture| &posture.usb_storage, said)
}

pub(super) fn log_reach(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let said =
        |at, since: &Timestamp| Evidence::plain("evidence-log-reach", at).dated("since", *since);
    part(known, scope, "evidence-log-reach-unseen", |posture| &posture.logs_since, said)
}

/// Says one part of each host that was ever heard, or why it was not seen.
fn part<T: 'static>(
    known: &Known<'_>,
    scope: &Scope,
    unseen: &'static str,
    choose: impl Fn(&Posture) -> &Look<T>,
    said: impl Fn(Timestamp, &T) -> Evidence,
) -> Vec<Evidence> {
    let of_host = |(host, heard): (_, &crate::records::HeartbeatSeen)| {
        let blind = |at, why| Evidence::look(unseen, at).named("why", vec![why]);
        let found = match &heard.heartbeat.posture {
            None => blind(heard.received_at, "evidence-why-never"),
            Some(posture) => match choose(posture) {
                Look::Seen(seen) => said(posture.looked_at, seen),
                Look::Unseen(why) => blind(posture.looked_at, why_key(*why)),
            },
        };
        found.of(host)
    };
    heard(known, scope).map(of_host).collect()
}

const fn why_key(why: Unseen) -> &'static str {
    match why {
        Unseen::NoRight => "evidence-why-right",
        Unseen::NoRecord => "evidence-why-record",
        Unseen::NotLookedFor => "evidence-why-system",
    }
}

fn bars(by: &[UsbBar]) -> Vec<&'static str> {
    let key = |bar: &UsbBar| match bar {
        UsbBar::NoUsb => "evidence-usb-no-usb",
        UsbBar::DriverDisabled => "evidence-usb-driver",
        UsbBar::PolicyDenied => "evidence-usb-policy",
        UsbBar::DevicesAuthorized => "evidence-usb-authorized",
        UsbBar::Other => "evidence-usb-other",
    };
    by.iter().map(key).collect()
}

/// Lists accounts, each with the day of its last sign-in: `sato (2026-05-01), left (–)`.
fn names(idle: &Few<IdleAccount>) -> String {
    let day = |last: Option<Timestamp>| {
        last.map_or_else(|| "–".to_owned(), |last| today(last).to_string())
    };
    let names: Vec<String> = idle
        .first
        .iter()
        .map(|account| format!("{} ({})", account.name, day(account.last)))
        .collect();
    let more = if idle.more == 0 { "" } else { MORE };

    format!("{}{more}", names.join(", "))
}

/// Lists programs with their ports: `smbd TCP 139 445; sshd TCP 22`.
fn by_program<'a>(listeners: impl Iterator<Item = &'a Listener>) -> String {
    let mut ports: BTreeMap<(&str, Transport), Vec<String>> = BTreeMap::new();
    for one in listeners {
        ports
            .entry((one.program.as_str(), one.transport))
            .or_default()
            .push(one.port.to_string());
    }
    let line = |((program, transport), ports): ((&str, Transport), Vec<String>)| {
        let transport = match transport {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        };
        format!("{program} {transport} {}", ports.join(" "))
    };
    let lines: Vec<String> = ports.into_iter().map(line).collect();

    lines.join("; ")
}
