//! The central collector: stores what agents saw and drafts the report.

pub mod store;

pub mod people;
pub mod audit;

pub mod locale;
