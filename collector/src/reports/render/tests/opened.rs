//! Opens a rendered file of any kind and returns every text in it, the hidden corners included.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::archive::unpack;
use super::pages;
use crate::approval::Format;

/// Returns everything a reader or a program could find in a file.
pub(super) fn text(format: Format, bytes: &[u8]) -> String {
    match format {
        Format::Pdf => pages(bytes).concat() + &String::from_utf8_lossy(bytes),
        Format::Docx | Format::Xlsx => {
            let parts = unpack(bytes).expect("a container");
            let shown = parts.iter().map(|(name, part)| {
                let raw = String::from_utf8_lossy(part);
                format!("{name}\n{}\n{raw}\n", characters(&raw))
            });
            shown.collect()
        }
        Format::Html
        | Format::Json
        | Format::TimelineCsv
        | Format::HostsCsv
        | Format::IndicatorsCsv
        | Format::IndicatorsStix
        | Format::DamageCsv => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        Format::Eml => mail(bytes).text(),
    }
}

/// The character data of an XML part, which also shows that it is well-formed.
pub(super) fn characters(xml: &str) -> String {
    let mut reader = Reader::from_str(xml);
    let mut out = String::new();
    let mut depth = 0_i32;
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => break,
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Text(text) => out.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => {
                let name = name.xml10_content().into_owned();
                out.push_str(&quick_xml::escape::unescape(&format!("&{name};")).expect("known"));
            }
            Event::Empty(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
    assert_eq!(depth, 0, "every element ends");
    out
}

/// A mail taken apart.
pub(super) struct Mail {
    /// Its header lines, folded ones joined, encoded words decoded.
    pub(super) headers: Vec<(String, String)>,
    /// The text.
    pub(super) body: String,
    /// The files in it by name.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl Mail {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} stands twice");
        Some(value)
    }

    fn text(&self) -> String {
        let mut all: String = self
            .headers
            .iter()
            .map(|(n, v)| format!("{n}: {v}\n"))
            .collect();
        all.push_str(&self.body);
        for (name, bytes) in &self.files {
            all.push_str(name);
            // The PDF in it is the one that is opened on its own.
            if !name.ends_with(".pdf") {
                all.push_str(&String::from_utf8_lossy(bytes));
            }
        }
        all
    }
}

pub(super) fn mail(bytes: &[u8]) -> Mail {
    let whole = std::str::from_utf8(bytes).expect("a mail of ASCII lines");
    assert!(whole.is_ascii(), "everything beyond ASCII is encoded");
    assert!(whole.lines().all(|line| line.len() <= 998), "no line is too long");
    let (head, rest) = whole.split_once("\r\n\r\n").expect("a head");
    let headers = headers(head);
    let kind = &headers
        .iter()
        .find(|(n, _)| n == "Content-Type")
        .expect("a type")
        .1;
    let boundary = kind.split("boundary=\"").nth(1).expect("a boundary");
    let boundary = format!("--{}", boundary.trim_end_matches('"'));
    let mut mail = Mail { headers: headers.clone(), body: String::new(), files: BTreeMap::new() };
    for part in rest
        .split(&boundary)
        .skip(1)
        .filter(|part| !part.starts_with("--"))
    {
        let (head, content) = part.trim_start().split_once("\r\n\r\n").expect("a part");
        let own = self::headers(head);
        let of = |name: &str| own.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let content = decoded(content, of("Content-Transfer-Encoding").unwrap_or("7bit"));
        match of("Content-Disposition").and_then(|v| v.split("filename=\"").nth(1)) {
            Some(name) => {
                mail.files
                    .insert(name.trim_end_matches('"').to_owned(), content);
            }
            None => mail.body = String::from_utf8(content).expect("UTF-8"),
        }
    }
    mail
}

fn headers(head: &str) -> Vec<(String, String)> {
    let joined = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header");
        let words: Vec<String> = value.split(' ').map(word).collect();
        let encoded = value.contains("=?utf-8?b?");
        (name.to_owned(), words.join(if encoded { "" } else { " " }))
    };
    joined
        .split("\r\n")
        .filter(|l| !l.is_empty())
        .map(line)
        .collect()
}

fn word(text: &str) -> String {
    match text
        .strip_prefix("=?utf-8?b?")
        .and_then(|rest| rest.strip_suffix("?="))
    {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap(),
        None => text.to_owned(),
    }
}

fn decoded(content: &str, encoding: &str) -> Vec<u8> {
    let content = content.trim_end();
    match encoding {
        "base64" => STANDARD
            .decode(content.replace("\r\n", ""))
            .expect("base64"),
        "quoted-printable" => {
            let joined = content.replace("=\r\n", "");
            let mut out = Vec::new();
            let mut bytes = joined.bytes();
            while let Some(byte) = bytes.next() {
                if byte == b'=' {
                    let hex: String = [bytes.next(), bytes.next()]
                        .map(|b| char::from(b.unwrap()))
                        .iter()
                        .collect();
                    out.push(u8::from_str_radix(&hex, 16).unwrap());
                } else {
                    out.push(byte);
                }
            }
            out
        }
        _ => content.as_bytes().to_vec(),
    }
}
