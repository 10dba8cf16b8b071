//! Hostile text is harmless in every format, and no format tells of a patient.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};

use super::formats::{files_of, look, of};
use super::opened::{mail, text};
use super::*;
use crate::approval::Format;
use crate::reports::fields::Kind;
use crate::reports::render::LEFT_OUT;
use crate::reports::render::archive::unpack;

/// Texts as an attacker, a careless agent or a pasted screen could bring them.
const HOSTILE: &[&str] = &[
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>",
    "]]><!--&<x:y/>",
    "</w:t></w:r><w:r><w:fldSimple w:instr=\"DDE\"/>",
    "{{7*7}} #read(\"/etc/passwd\")",
    "&L&G&P",
    "_x0041_",
    "a\r\nBcc: all@evil.example\r\n\r\nbody",
    "\u{202e}gpj.exe\u{2066}\u{0}\u{7}\u{1b}[31m\u{200b}\u{feff}",
    "x\u{2028}y\u{85}z\u{fffe}",
    "sheet'!:*?[]/\\name",
];

/// What would tell who a patient is.
const PATIENTS: &[&str] = &[
    "00471199",
    "高橋秀吉",
    "/ssmix/004/711/00471199/20260209/OMP-01/00471199_20260209_OMP-01_000000000000012_20260209015000000_01_1",
    "00471199_-_ADT-00_999_20260209015000000_-_1.locked",
    "D:\\SSMIX2\\004\\711\\00471199\\-\\PPR-01",
];

#[test]
fn hostile_text_is_harmless_in_every_format() {
    let files = files_of(&everywhere(HOSTILE), None, &Stage::Draft { at: after(1) });
    look("hostile-all", &files);
    for (format, bytes) in &files {
        if *format != Format::Pdf {
            let said = text(*format, bytes);
            for hidden in
                ['\u{202e}', '\u{2066}', '\u{0}', '\u{7}', '\u{1b}', '\u{200b}', '\u{2028}']
            {
                assert!(!said.contains(hidden), "{format} holds U+{:04X}", u32::from(hidden));
            }
            assert!(!said.contains("root:"), "a file was read");
        }
    }
    let html = text(Format::Html, of(&files, Format::Html));
    for harm in ["<script", "<img", "onerror=alert(2)>", "<link", "<x:y"] {
        assert!(!html.contains(harm), "{harm} in the HTML");
    }
    assert!(html.contains("alert(1)"), "it was shown");
    for format in [Format::TimelineCsv, Format::HostsCsv, Format::DamageCsv] {
        for cell in csv_cells(&text(format, of(&files, format))) {
            let first = cell.chars().next();
            let bad = first.is_some_and(|c| "=+-@\t\r\n＝＋－＠|".contains(c));
            assert!(!bad, "{format} has the cell {cell}");
        }
    }
    check_office(&files);
    let mail = mail(of(&files, Format::Eml));
    assert_eq!(mail.header("Bcc"), None);
    assert!(mail.body.contains("Bcc: all@evil.example"), "it is text of the body");
    assert!(
        !mail
            .headers
            .iter()
            .any(|(_, value)| value.contains(['\r', '\n']))
    );
}

/// No field, formula, link or macro came into being in the Office files, and every text is still there.
fn check_office(files: &[(Format, Vec<u8>)]) {
    for format in [Format::Docx, Format::Xlsx] {
        for (name, part) in unpack(of(files, format)).unwrap() {
            let xml = String::from_utf8(part).unwrap();
            for harm in ["<f>", "<f ", "<hyperlink", "<w:fldSimple", "DDE\"/>", "External"] {
                assert!(!xml.contains(harm), "{harm} in {name} of the {format}");
            }
            assert!(!name.contains("vba") && !name.contains("external"), "{name}");
        }
    }
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(of(files, Format::Xlsx))).unwrap();
    let mut all = Vec::new();
    for name in book.sheet_names() {
        assert!(book.worksheet_formula(&name).unwrap().is_empty());
        let range = book.worksheet_range(&name).unwrap();
        all.extend(range.cells().filter_map(|(_, _, cell)| match cell {
            Data::String(said) => Some(said.clone()),
            Data::Int(_)
            | Data::Float(_)
            | Data::Bool(_)
            | Data::DateTime(_)
            | Data::DateTimeIso(_)
            | Data::DurationIso(_)
            | Data::Error(_)
            | Data::Empty => None,
        }));
    }
    for wanted in ["=cmd|'/c calc'!A0", "_x0041_", "@SUM(1+1)"] {
        assert!(all.iter().any(|said| said.contains(wanted)), "{wanted} reads back");
    }
    let styles = &unpack(of(files, Format::Xlsx)).unwrap()["xl/styles.xml"];
    assert!(String::from_utf8_lossy(styles).contains("quotePrefix=\"1\""));
}

#[test]
fn no_format_tells_who_a_patient_is() {
    let said: Vec<String> = PATIENTS
        .iter()
        .map(|planted| match *planted {
            "00471199" => "患者ID：00471199 の記録が開けない".to_owned(),
            "高橋秀吉" => "患者の高橋秀吉様、患者氏名：高橋秀吉".to_owned(),
            path => format!("端末に {path} と表示された"),
        })
        .collect();
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    for stage in [Stage::Draft { at: after(1) }, approved(OwnAnswers::None)] {
        for (format, bytes) in files_of(&everywhere(&said), None, &stage) {
            let shown = text(format, &bytes);
            let squeezed = squeezed(&shown);
            for planted in PATIENTS
                .iter()
                .chain(&["ssmix", "SSMIX2", "OMP-01", "ADT-00"])
            {
                assert!(!squeezed.contains(planted), "{format} tells {planted}");
            }
            if format != Format::IndicatorsStix {
                assert!(
                    squeezed.contains(LEFT_OUT),
                    "{format} does not say that it left something out"
                );
            }
        }
    }
}

/// Every field full of the given texts, and the basis of every answer too.
fn everywhere(texts: &[&str]) -> BTreeMap<Field, Answer> {
    let joined = texts.join("\n");
    let line_of = |text: &&str| line(Some(1), text, text);
    let fields = Field::ALL.iter().map(|&field| {
        let value = match field.kind() {
            Kind::Text => Value::text(joined.clone()),
            Kind::DateTime => Value::DateTime { at: after(0) },
            Kind::One(_) | Kind::Any(_) => choice(&["<script>", "yes"], &joined),
            Kind::Dated(_) => {
                Value::Dated { chosen: Some("<script>".into()), at: None, note: joined.clone() }
            }
            Kind::People => {
                Value::People { confirmed: None, maximum: Some(9), basis: joined.clone() }
            }
            Kind::Round => Value::Round { kind: RoundKind::Final, number: 2 },
            Kind::Flood(_) => {
                let flood = Flood { mitigation: joined.clone(), ..Flood::default() };
                Value::Flood { flood }
            }
            Kind::Rows(columns) => {
                let row = |text: &&str| {
                    let cells = columns.iter().map(|column| column.code.to_owned());
                    cells.map(|code| (code, (*text).to_owned())).collect()
                };
                Value::Rows { rows: texts.iter().map(row).collect() }
            }
            Kind::Lines => Value::Lines { lines: texts.iter().map(line_of).collect() },
            Kind::Systems => Value::Systems {
                systems: texts
                    .iter()
                    .map(|&text| System {
                        name: text.into(),
                        role: text.into(),
                        os: text.into(),
                        vendor: text.into(),
                        damage: text.into(),
                        ..System::default()
                    })
                    .collect(),
            },
        };
        (field, person(value, AnswerStatus::Confirmed, &joined))
    });
    fields.collect()
}

/// The cells of a CSV in which every cell is quoted.
fn csv_cells(csv: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = csv.trim_start_matches('\u{feff}');
    while let Some(quoted) = rest.strip_prefix('"') {
        let mut cell = String::new();
        let mut chars = quoted.char_indices().peekable();
        let mut end = quoted.len();
        while let Some((at, c)) = chars.next() {
            if c != '"' {
                cell.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
                cell.push('"');
                chars.next();
            } else {
                end = at + 1;
                break;
            }
        }
        cells.push(cell);
        rest = quoted
            .get(end..)
            .unwrap()
            .trim_start_matches([',', '\r', '\n']);
    }
    assert!(rest.is_empty(), "the rest of the CSV is {rest:?}");
    cells
}
