//! Both programs together: starts real agents and a real collector and drives them as their users do.
//!
//! ```text
//! Site ── binaries, ports, folders
//!   ├─ Program    one started binary: its log, its end, its sudden death
//!   ├─ MailSink   takes what the collector mails
//!   ├─ Console    a person's browser, without the browser
//!   ├─ Organisation  a site with its people and partners, for what goes between them
//!   ├─ Network    namespaces with cables, where organisations are apart
//!   ├─ story      the drill, from order to approved PDF, second by second
//!   └─ rehearsal  a night that happened somewhere, played hour by hour on a clock that is set
//! ```
//!
//! The quick start and the system tests use the same harness, so that what a newcomer sees is what is tested.

pub mod tls;
pub mod network;
pub mod set_clock;
pub mod site;
pub mod program;
pub mod mail_sink;
pub mod console;
pub mod form;
pub mod story;
pub mod organisation;
pub mod rehearsal;
