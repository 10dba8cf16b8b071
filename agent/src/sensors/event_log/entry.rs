//! Reads one entry of an event log as Windows renders it: XML with a head (`System`) and named values (`EventData`).
//!
//! Always holds: pure; values are whatever the outside typed, and are only ever text here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Values read of one entry at the most; those of the Security log have under fifty.
const VALUES_MAX: usize = 200;
/// Longest value that is kept, in bytes.
const VALUE_MAX_BYTES: usize = 4096;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What kind of thing happened.
    pub(crate) id: u32,
    /// Its place in the log.
    pub(crate) number: u64,
    /// When.
    pub(crate) at: Timestamp,
    values: BTreeMap<String, String>,
}

impl Entry {
    /// Reads an entry; `None` if it is none.
    pub(crate) fn read(xml: &str) -> Option<Self> {
        let mut reader = Reader::from_str(xml);
        let mut reading = Reading::default();
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => reading.begin(&tag)?,
                Event::Empty(tag) => {
                    reading.begin(&tag)?;
                    reading.end();
                }
                Event::End(_) => reading.end(),
                Event::Text(text) => reading.text(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let named = quick_xml::escape::resolve_predefined_entity(&reference);
                    let numbered = reference.resolve_char_ref().ok()?.map(String::from);
                    reading.text(&numbered.or_else(|| named.map(str::to_owned))?);
                }
                Event::CData(text) => reading.text(&text.xml10_content()),
                Event::Eof => return reading.finish(),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    /// Returns a value that says something; Windows writes `-` where it has nothing to say.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name)?.trim();
        (!value.is_empty() && value != "-").then_some(value)
    }
}

/// An entry that is being read.
#[derive(Default)]
struct Reading {
    open: Vec<String>,
    name: String,
    text: String,
    id: Option<u32>,
    number: Option<u64>,
    at: Option<Timestamp>,
    values: BTreeMap<String, String>,
}

impl Reading {
    fn begin(&mut self, tag: &BytesStart<'_>) -> Option<()> {
        let local = tag.local_name();
        let local = String::from(local.as_ref());
        self.text.clear();
        match local.as_str() {
            "Data" => self.name = attribute(tag, "Name").unwrap_or_default(),
            "TimeCreated" => self.at = attribute(tag, "SystemTime")?.parse().ok(),
            _ => {}
        }
        self.open.push(local);

        Some(())
    }

    fn text(&mut self, text: &str) {
        if self.text.len() + text.len() <= VALUE_MAX_BYTES {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) {
        let Some(ended) = self.open.pop() else { return };
        let text = std::mem::take(&mut self.text);
        let within = |name: &str| self.open.iter().any(|open| open == name);
        match ended.as_str() {
            "EventID" if within("System") => self.id = text.trim().parse().ok(),
            "EventRecordID" if within("System") => self.number = text.trim().parse().ok(),
            "Data" if !self.name.is_empty() => self.keep(text),
            // Where an entry has values of its own kind, as that of a cleared log has, their tags are their names.
            _ if within("UserData") => {
                self.name = ended;
                self.keep(text);
            }
            _ => {}
        }
    }

    fn keep(&mut self, text: String) {
        let name = std::mem::take(&mut self.name);
        if self.values.len() < VALUES_MAX {
            self.values.insert(name, text);
        }
    }

    fn finish(self) -> Option<Entry> {
        let Self { open, id, number, at, values, .. } = self;
        let whole = open.is_empty();

        whole.then_some(Entry { id: id?, number: number?, at: at?, values })
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok()??;
    Some(
        found
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()?
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = r#"<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>
        <Provider Name="Microsoft-Windows-Security-Auditing" Guid="{54849625-5478-4994-a5ba-3e3b0328c30d}"/>
        <EventID>4625</EventID><Version>0</Version><TimeCreated SystemTime="2026-02-09T01:00:00.1234567Z"/>
        <EventRecordID>1001</EventRecordID><Execution ProcessID="700" ThreadID="4"/><Channel>Security</Channel>
        <Computer>ehr-1</Computer><Security/></System><EventData>
        <Data Name="TargetUserName">a&amp;b&#x5C71;田</Data><Data Name="WorkstationName">-</Data>
        <Data Name="IpAddress">192.0.2.7</Data><Data Name="Empty"></Data><Data Name="None"/></EventData></Event>"#;

    #[test]
    fn head_and_values_are_read() {
        let entry = Entry::read(FAILED).expect("an entry");
        assert_eq!((entry.id, entry.number), (4625, 1001));
        assert_eq!(entry.at, "2026-02-09T01:00:00.1234567Z".parse().expect("a time"));
        assert_eq!(entry.value("TargetUserName"), Some("a&b山田"));
        assert_eq!(entry.value("IpAddress"), Some("192.0.2.7"));
        for nothing in ["WorkstationName", "Empty", "None", "Computer"] {
            assert_eq!(entry.value(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_value_cannot_pass_for_the_head() {
        let forged = FAILED.replace("192.0.2.7", "&lt;EventID&gt;4624&lt;/EventID&gt;");
        let entry = Entry::read(&forged).expect("an entry");
        assert_eq!(entry.id, 4625);
        assert_eq!(entry.value("IpAddress"), Some("<EventID>4624</EventID>"));
    }

    #[test]
    fn an_entry_of_another_shape_has_its_values_by_their_tags() {
        let (head, _) = FAILED.split_once("<EventData>").expect("data");
        let cleared = format!(
            r#"{head}<UserData><LogFileCleared xmlns="x"><SubjectUserName>ito</SubjectUserName></LogFileCleared></UserData></Event>"#
        );
        let entry = Entry::read(&cleared).expect("an entry");
        assert_eq!(entry.value("SubjectUserName"), Some("ito"));
    }

    #[test]
    fn what_is_cut_short_or_no_entry_is_none() {
        let ends = FAILED.char_indices().map(|(at, _)| at);
        for end in ends {
            let part = FAILED.get(..end).unwrap();
            assert_eq!(Entry::read(part), None, "{end}");
        }
        assert_eq!(Entry::read("<a/>"), None);
        assert_eq!(Entry::read(&FAILED.replace("a&amp;b", "&own;")), None);
    }
}
