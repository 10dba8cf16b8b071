//! Every format says the same, marks what it is, gives the same bytes again, and reads back.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value as Json;
use shirase_shared::testing::schema::hold;

use super::opened::{characters, mail as mail_of, text};
use super::*;
use crate::approval::Format;
use crate::reports::render::archive::unpack;
use crate::reports::render::files::all;

#[test]
fn every_format_carries_marks_hash_revision_and_approver() {
    let hash = hash_of(&answers(), None);
    for (format, bytes) in made("approved", None, &approved(OwnAnswers::None)) {
        let said = squeezed(&text(format, &bytes));
        assert!(said.contains(&hash), "{format} lacks the hash of the answers");
        assert!(!said.contains("下書き") && !said.contains("訓練"), "{format} is marked");
        if format == Format::IndicatorsStix {
            continue;
        }
        assert!(said.contains("院長半田太郎"), "{format} lacks the approver");
        if format.is_attachment() {
            assert!(said.contains(&format!("\"5\",\"{hash}\"")), "{format} lacks the revision");
        } else {
            assert!(said.contains("第5版"), "{format} lacks the revision");
        }
    }
    let drill = Some(DrillId::from_uuid(uuid(41)));
    for (format, bytes) in made("drill-draft", drill, &Stage::Submitted { at: after(5400) }) {
        let said = squeezed(&text(format, &bytes));
        for mark in ["訓練", "下書き"] {
            assert!(said.contains(mark), "{format} does not say {mark}");
        }
    }
    for (format, bytes) in made("drill", drill, &approved(OwnAnswers::Some)) {
        let said = squeezed(&text(format, &bytes));
        assert!(said.contains("訓練"), "{format} of an approved drill does not say 訓練");
    }
}

#[test]
fn an_emergency_and_a_deputy_are_told_in_every_format() {
    let signer = |by: &str, deputy_for: Option<&str>| Signer {
        by: by.to_owned(),
        at: after(6000),
        deputy_for: deputy_for.map(str::to_owned),
        own_answers: OwnAnswers::None,
    };
    let emergency = Some("院長・事務長とも連絡がとれない".to_owned());
    let alone =
        Stage::Approved {
            at: after(6000), signers: vec![signer("当直 次郎", None)], emergency
        };
    for (format, bytes) in made("emergency", None, &alone) {
        let said = squeezed(&text(format, &bytes));
        assert!(said.contains("緊急承認"), "{format} does not say that one person released it");
        assert!(said.contains("当直次郎"), "{format} lacks who");
        if !format.is_attachment() {
            assert!(said.contains("事後確認"), "{format} does not say what is left to do");
            // The text of the mail is the letter; the reason stands in the documents that go with it.
            let reason = said.contains("連絡がとれない") || format == Format::Eml;
            assert!(reason, "{format} lacks the reason");
        }
    }
    let signers = vec![signer("院長 一", None), signer("当直 二", Some("副院長 三"))];
    let two = Stage::Approved { at: after(6000), signers, emergency: None };
    for (format, bytes) in made("deputy", None, &two) {
        let said = squeezed(&text(format, &bytes));
        assert!(!said.contains("緊急承認"), "{format}");
        assert!(said.contains("院長一"), "{format} lacks the first of two");
        assert!(
            said.contains("当直二（副院長三の代行）"),
            "{format} lacks whom the deputy stood in for"
        );
    }
}

#[test]
fn what_nobody_confirmed_says_so_in_every_document() {
    // A day on which the name of the office rests on another's word.
    let at = "2026-11-22T01:00:00Z".parse().unwrap();
    for (format, bytes) in made("draft", None, &Stage::Draft { at }) {
        if !format.is_attachment() {
            let said = text(format, &bytes);
            assert!(said.contains("未確認"), "{format} does not say 未確認");
        }
    }
}

#[test]
fn the_same_document_gives_the_same_bytes_in_every_format() {
    let one = files_of(&answers(), None, &approved(OwnAnswers::None));
    let again = files_of(&answers(), None, &approved(OwnAnswers::None));
    let mut changed = answers();
    changed.insert(Field::Summary, machine(Value::text("別の概要"), AnswerStatus::Confirmed, ""));
    let other = files_of(&changed, None, &approved(OwnAnswers::None));
    let kinds = |files: &[(Format, Vec<u8>)]| files.iter().map(|(f, _)| *f).collect::<Vec<_>>();
    assert!(
        Format::DOCUMENTS
            .iter()
            .all(|format| kinds(&one).contains(format))
    );
    for (((format, one), (_, again)), (_, other)) in one.iter().zip(&again).zip(&other) {
        assert!(one == again, "{format} differs");
        assert!(one != other, "{format} does not change with the answers");
    }
}

#[test]
fn the_documents_list_the_attachments_with_their_hashes() {
    let files = files_of(&answers(), None, &approved(OwnAnswers::None));
    let attached: Vec<_> = files
        .iter()
        .filter(|(format, _)| format.is_attachment())
        .collect();
    assert!(3 <= attached.len(), "timeline, systems, damage: {}", attached.len());
    for (document, bytes) in files.iter().filter(|(format, _)| !format.is_attachment()) {
        let said = squeezed(&text(*document, bytes));
        for (format, bytes) in &attached {
            assert!(said.contains(&sha256_hex(bytes)), "{document} lacks the hash of {format}");
            assert!(said.contains(format.suffix()), "{document} lacks the name of {format}");
        }
    }
}

#[test]
fn the_xlsx_reads_back_as_texts_without_formulas() {
    let files = made("approved", None, &approved(OwnAnswers::None));
    let bytes = of(&files, Format::Xlsx);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let names = book.sheet_names();
    assert_eq!(names.first().map(String::as_str), Some("報告書"));
    assert!(names.iter().any(|name| name.contains("時系列")), "{names:?}");
    let mut all = String::new();
    for name in &names {
        assert!(book.worksheet_formula(name).unwrap().is_empty(), "a formula in {name}");
        for cell in book.worksheet_range(name).unwrap().cells() {
            if let Data::String(said) = cell.2 {
                all.push_str(said);
                all.push('\n');
            }
        }
    }
    for wanted in ["厚生労働省", "半田中央総合病院", "■ ランサムウェア", "41,208件", "推定"]
    {
        assert!(all.contains(wanted), "`{wanted}` is missing in {all}");
    }
}

#[test]
fn the_docx_is_well_formed_and_says_what_the_pdf_says() {
    let files = made("approved", None, &approved(OwnAnswers::None));
    let parts = unpack(of(&files, Format::Docx)).unwrap();
    for (name, part) in &parts {
        let xml = std::str::from_utf8(part).unwrap();
        assert!(!characters(xml).contains('\u{0}'), "{name}");
    }
    let boxes = ['■', '□'];
    let said = characters(std::str::from_utf8(&parts["word/document.xml"]).unwrap());
    let said = squeezed(&said).replace(boxes, "");
    let pdf = squeezed(&pages(of(&files, Format::Pdf)).concat()).replace(boxes, "");
    let document = made_document(&answers(), None, &approved(OwnAnswers::None));
    for item in &document.items {
        for line in said_lines(item) {
            let line = squeezed(&line).replace(boxes, "");
            let part: String = line.chars().take(5).collect();
            // A row of systems tells the titles of its columns on each line, the tables do so once.
            if !line.contains("保守事業者:") {
                assert!(said.contains(&part), "`{part}` is not in the DOCX: {said}");
                assert!(pdf.contains(&part), "`{part}` is not in the PDF");
            }
        }
    }
}

#[test]
fn the_mail_is_a_draft_with_the_pdf_in_it_and_no_sender() {
    let files = made("approved", None, &approved(OwnAnswers::None));
    let mail = mail_of(of(&files, Format::Eml));
    assert_eq!(mail.header("X-Unsent"), Some("1"));
    assert_eq!(mail.header("From"), None);
    assert_eq!(mail.header("To"), None, "nobody confirmed an address");
    let subject = mail.header("Subject").unwrap();
    assert!(subject.contains("第一報") && subject.contains("半田中央総合病院"), "{subject}");
    assert!(mail.body.contains("御中") && mail.body.contains("41,208件"), "{}", mail.body);
    let pdf = mail
        .files
        .iter()
        .find(|(name, _)| name.ends_with(".pdf"))
        .unwrap();
    assert!(pdf.1 == of(&files, Format::Pdf), "it is the same PDF");
    let attached = files.iter().filter(|(format, _)| format.is_attachment());
    for (format, bytes) in attached {
        assert!(mail.files.values().any(|file| file == bytes), "{format} is not in the mail");
    }
    let at = Stage::Draft { at: after(1) };
    let draft = files_of(&answers(), None, &at);
    let draft = mail_of(of(&draft, Format::Eml));
    assert!(draft.header("Subject").unwrap().starts_with("【下書き】"));
}

#[test]
fn indicators_become_a_table_and_a_stix_bundle() {
    let row = |kind: &str, value: &str| {
        let cells = [("kind", kind), ("value", value)];
        cells
            .map(|(code, text)| (code.to_owned(), text.to_owned()))
            .into()
    };
    let rows = vec![
        row("address", "203.0.113.5"),
        row("suffix", "locked"),
        row("other", "=侵入者が残したメモ"),
    ];
    let mut with = answers();
    let answer = person(Value::Rows { rows }, AnswerStatus::Confirmed, "");
    with.insert(Field::Indicators, answer);
    let drill = Some(DrillId::from_uuid(uuid(41)));
    let files = files_of(&with, drill, &Stage::Draft { at: after(1) });
    look("indicators", &files);
    let table = text(Format::IndicatorsCsv, of(&files, Format::IndicatorsCsv));
    assert!(table.contains("203.0.113.5") && table.contains("\"'=侵入者"), "{table}");
    let bundle: Json = serde_json::from_slice(of(&files, Format::IndicatorsStix)).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    let ids: Vec<&str> = objects
        .iter()
        .map(|object| object["id"].as_str().unwrap())
        .collect();
    for (object, id) in objects.iter().zip(&ids) {
        let (kind, uuid) = id.split_once("--").unwrap();
        assert_eq!(object["type"], kind);
        assert_eq!(uuid.parse::<uuid::Uuid>().unwrap().get_version_num(), 4);
        assert_eq!(object["spec_version"], "2.1");
        assert_eq!(object["labels"], serde_json::json!(["drill", "draft"]));
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id} is unique");
    }
    let kinds: Vec<_> = objects
        .iter()
        .map(|object| object["type"].as_str().unwrap())
        .collect();
    let suffix_known = kinds.iter().filter(|kind| **kind == "indicator").count();
    assert!(
        2 <= suffix_known && kinds.contains(&"note") && kinds.contains(&"identity"),
        "{kinds:?}"
    );
    let report = objects
        .iter()
        .find(|object| object["type"] == "report")
        .unwrap();
    for told in report["object_refs"].as_array().unwrap() {
        assert!(ids.contains(&told.as_str().unwrap()), "{told} is in the bundle");
    }
    let patterns: Vec<_> = objects
        .iter()
        .filter_map(|object| object["pattern"].as_str())
        .collect();
    assert!(patterns.contains(&"[ipv4-addr:value = '203.0.113.5']"), "{patterns:?}");
    assert!(patterns.contains(&"[file:name LIKE '%.locked']"), "{patterns:?}");
}

#[test]
fn who_reports_without_a_name_is_named_in_no_file() {
    let mut profile = profile();
    profile.body.anonymous = true;
    let text_of = profile
        .text
        .replacen("valid_from", "anonymous = true\nvalid_from", 1);
    profile.text = text_of;
    let mut answers = answers();
    let planted = "半田中央総合病院の山田課長（山田花子）が、192.168.10.5 の ehr-db1 と \\\\nas77\\share を止め、\
                   院長の半田 太郎に伝えた。通信先は203.0.113.5。";
    let note = Value::Text { text: planted.to_owned() };
    answers.insert(Field::Summary, person(note, AnswerStatus::Confirmed, "山田 花子の報告"));
    let frozen = frozen(&answers, None);
    let stage = Stage::Draft { at: after(1) };
    let document = document(&frozen, &profile, "00", &stage, Locale::new(Lang::Ja));
    let mut own: Vec<String> = frozen
        .answers
        .iter()
        .filter_map(|entry| {
            let Value::Systems { systems } = &entry.answer.value else { return None };
            Some(systems.iter().map(|system| system.name.clone()))
        })
        .flatten()
        .filter(|name| name.is_ascii())
        .collect();
    own.extend(["半田中央", "知多会", "山田", "半田 太郎", "192.168.", "nas77"].map(str::to_owned));
    for (format, bytes) in all(&document, &RENDERER).unwrap() {
        assert!(
            ![Format::HostsCsv, Format::TimelineCsv].contains(&format),
            "{format} names servers"
        );
        if format == Format::Pdf {
            continue;
        }
        let said = text(format, &bytes);
        assert!(!said.contains("handa-hp-"), "{format} names the institution in a file name");
        for name in &own {
            assert!(!said.contains(name.as_str()), "{format} names {name}: {said}");
        }
    }
    assert!(document.record.file_stem.starts_with("incident7-"), "{}", document.record.file_stem);
}

#[test]
fn the_json_keeps_the_published_schema() {
    let schema: Json = serde_json::from_str(json::SCHEMA).unwrap();
    let drill = Some(DrillId::from_uuid(uuid(41)));
    for (drill, stage) in
        [(None, approved(OwnAnswers::Some)), (drill, Stage::Draft { at: after(1) })]
    {
        let files = files_of(&answers(), drill, &stage);
        let json: Json = serde_json::from_slice(of(&files, Format::Json)).unwrap();
        let found = hold(&json, &schema);
        assert!(found.is_empty(), "{found:#?}");
        assert_eq!(json["record"]["drill"], Json::Bool(drill.is_some()));
    }
    let found = hold(&serde_json::json!({"layout": "other", "extra": 1}), &schema);
    assert!(12 <= found.len(), "the check finds faults: {found:#?}");
}

pub(super) fn of(files: &[(Format, Vec<u8>)], wanted: Format) -> &[u8] {
    &files
        .iter()
        .find(|(format, _)| *format == wanted)
        .expect("it was made")
        .1
}

pub(super) fn made_document(
    answers: &BTreeMap<Field, Answer>,
    drill: Option<DrillId>,
    stage: &Stage,
) -> Document {
    let frozen = frozen(answers, drill);
    document(&frozen, &profile(), &hash_of(answers, drill), stage, Locale::new(Lang::Ja))
}

pub(super) fn files_of(
    answers: &BTreeMap<Field, Answer>,
    drill: Option<DrillId>,
    stage: &Stage,
) -> Vec<(Format, Vec<u8>)> {
    all(&made_document(answers, drill, stage), &RENDERER).unwrap()
}

/// The same of the sample night. With `SHIRASE_LOOK=DIR` the files stay there to be looked at.
fn made(name: &str, drill: Option<DrillId>, stage: &Stage) -> Vec<(Format, Vec<u8>)> {
    let files = files_of(&answers(), drill, stage);
    look(name, &files);
    files
}

pub(super) fn look(name: &str, files: &[(Format, Vec<u8>)]) {
    let Some(dir) = std::env::var_os("SHIRASE_LOOK") else { return };
    std::fs::create_dir_all(&dir).unwrap();
    for (format, bytes) in files {
        let path = PathBuf::from(&dir).join(format!("{name}{}", format.suffix()));
        std::fs::write(path, bytes).unwrap();
    }
}
