//! The console as browsers meet it: a real router on a real database.

mod site;
mod access;
mod approval;
mod duties;
mod signing_in;
mod pages;
mod policy;
mod official;
mod checklist;
mod contacts;
mod delivery;
mod exchange;
mod sharing;
mod taxii;
mod institutions;
mod cases;
mod sighting;
mod circulars;
