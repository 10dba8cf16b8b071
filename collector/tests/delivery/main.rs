//! Released reports reach addressees: over a real SMTP server, into folders, by hand; never twice by themselves.

#![expect(clippy::unwrap_used, reason = "a test speaks by panicking")]

#[path = "../support/released.rs"]
mod released;
#[path = "../support/python.rs"]
mod python;
#[path = "../support/smtp_play.rs"]
mod smtp_play;
#[path = "../support/terminal.rs"]
mod terminal;
#[path = "../support/ward.rs"]
mod ward;
#[path = "../support/webhook_server.rs"]
mod webhook_server;

mod by_hand;
mod commands;
mod folder;
mod killed;
mod partner;
mod smtp;
mod staff;
