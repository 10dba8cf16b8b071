//! The central collector: stores what agents saw and drafts the report.
//!
//! ```text
//! agents ══▶ http ─▶ ingest ─▶ store ─▶ correlate ─▶ incidents ─▶ reports ─▶ approval ─▶ deliver   notify ─▶ staff
//!                                └──────────── jobs move it on, app wires them ─────────────────────────┘
//! people ══▶ http ─▶ console (pages)                         administrators ─▶ cli (commands)
//! ```

pub mod args;
pub mod config;

// What comes in.
pub mod keys;
pub mod facilities;
pub mod tables;
pub mod contacts;
pub mod checklist;
pub mod records;
pub mod enrolment;
pub mod ingest;
pub mod orders;
pub mod policy;

// What it is kept in.
pub mod store;
pub mod retention;

// What it means, and what is said of it.
pub mod correlate;
pub mod incidents;
pub mod reports;
pub mod approval;
pub mod release;
pub mod deliver;
pub mod exchange;
pub mod sharing;
pub mod post;
pub mod institutions;
pub mod cases;
pub mod duties;
pub mod notify;
pub mod jobs;

// Who works with it, and what they see.
pub mod people;
pub mod audit;
pub mod backup;
pub mod locale;
pub mod console;
pub mod http;

// How it runs.
pub mod cli;
pub mod app;
