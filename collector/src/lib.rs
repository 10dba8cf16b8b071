//! The central collector: stores what agents saw and drafts the report.

pub mod keys;
pub mod facilities;
pub mod records;
pub mod enrolment;
pub mod ingest;
pub mod orders;

pub mod store;

pub mod correlate;
pub mod incidents;

pub mod reports;
pub mod approval;

pub mod jobs;

pub mod people;
pub mod audit;

pub mod notify;

pub mod locale;
pub mod config;
pub mod args;
pub mod console;
pub mod http;
