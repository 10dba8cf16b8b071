//! Documents say what they must, on every page, and hostile text stays text.

mod formats;
mod hostile;
mod opened;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use shirase_shared::ids::DrillId;
use shirase_shared::tls::sha256_hex;

use super::fonts::{FontError, named};
use super::pdf::PdfRenderer;
use super::samples::{after, answers, choice, frozen, line, machine, person, profile, uuid};
use super::*;
use crate::reports::answer::{AnswerStatus, Flood, Range, RoundKind, System, Value};

static RENDERER: LazyLock<PdfRenderer> =
    LazyLock::new(|| PdfRenderer::load(None).expect("a Japanese font"));

#[test]
fn a_draft_says_so_on_every_page_and_tells_what_it_rests_on() {
    let mut draft = answers();
    draft.remove(&Field::ReportedAt);
    // A day on which the name of the office rests on another's word.
    let at = "2026-11-22T01:00:00Z".parse().unwrap();
    let pages = render("draft", &draft, None, &Stage::Draft { at });
    assert!(3 <= pages.len(), "{} pages", pages.len());
    for page in &pages {
        assert!(page.contains("下書き") && page.contains("未承認"), "{page}");
        assert!(!page.contains("訓練"), "{page}");
    }
    let all = pages.concat();
    for wanted in [
        "厚生労働省",
        "御中",
        "宛先の名称は未確認です",
        "半田中央総合病院",
        "ランサムウェア",
        "推定",
        "調査中",
        "不明",
        "提出時に記入されます",
        "41,208件",
        "根拠とした記録",
        "速やかに",
        "（未確認のため空欄）",
    ] {
        assert!(squeezed(&all).contains(&squeezed(wanted)), "`{wanted}` is missing in {all}");
    }
}

#[test]
fn an_approved_report_names_approver_hash_and_revision_on_every_page() {
    let pages = render("approved", &answers(), None, &approved(OwnAnswers::None));
    let hash = hash_of(&answers(), None);
    for (index, page) in pages.iter().enumerate() {
        let page = squeezed(page);
        assert!(!page.contains("下書き") && !page.contains("訓練"), "{page}");
        assert!(page.contains(&squeezed("承認 院長 半田 太郎")), "{page}");
        assert!(page.contains(&hash), "no full hash on page {}: {page}", index + 1);
        assert!(page.contains(&squeezed(&short_hash(&hash))), "{page}");
        assert!(page.contains("第5版"), "{page}");
        assert!(page.contains(&format!("{}/{}", index + 1, pages.len())), "{page}");
    }
    let own = render("own", &answers(), None, &approved(OwnAnswers::Some)).concat();
    assert!(squeezed(&own).contains("作成者本人による承認"), "{own}");
}

#[test]
fn a_drill_is_marked_on_every_page_even_when_approved() {
    let drill = Some(DrillId::from_uuid(uuid(41)));
    for (name, stage) in [
        ("drill-draft", Stage::Submitted { at: after(5400) }),
        ("drill", approved(OwnAnswers::None)),
    ] {
        for page in render(name, &answers(), drill, &stage) {
            // Once in the header, once across the page.
            let (kun, ren) = (page.matches('訓').count(), page.matches('練').count());
            assert!(2 <= kun.min(ren) && page.contains("【訓練】"), "{page}");
        }
    }
}

#[test]
fn no_english_word_is_left_over_in_the_japanese_document() {
    let pages = render("words", &answers(), None, &approved(OwnAnswers::None)).concat();
    for word in [
        "mass_change",
        "outage",
        "draft",
        "approved",
        "confirmed",
        "estimated",
        "unknown",
        "field-",
        "choice-",
        "basis",
        "Revision",
        "page",
    ] {
        assert!(!pages.contains(word), "`{word}` in {pages}");
    }
}

#[test]
fn hostile_text_stays_text_and_hides_nothing() {
    let evil = "#panic(\"x\") #read(\"/etc/passwd\") $x^2$ *太字* _下線_ `code` = 見出し\n@label <b>&amp;</b> \\ \" \u{202e}gpj.exe\u{2066}\u{0}\u{7}\u{200b}\u{feff} 😀 \u{f8ff}";
    let long = "A".repeat(3000);
    let mut hostile: BTreeMap<Field, Answer> = BTreeMap::new();
    for &field in Field::ALL {
        use crate::reports::fields::Kind;
        let value = match field.kind() {
            Kind::Text => Value::text(format!("{evil}{long}")),
            Kind::DateTime => Value::DateTime { at: after(0) },
            Kind::Dated(_) => Value::Dated {
                chosen: Some("<script>".to_owned()),
                at: Some(after(1)),
                note: evil.to_owned(),
            },
            Kind::People => Value::People {
                confirmed: Some(1),
                maximum: Some(130_000),
                basis: format!("{evil}{long}"),
            },
            Kind::Round => Value::Round { kind: RoundKind::Final, number: 3 },
            Kind::Flood(_) => Value::Flood {
                flood: Flood {
                    kinds: vec!["<script>".to_owned()],
                    minutes: Some(Range { low: 1, high: 2 }),
                    mitigation: evil.to_owned(),
                    ..Flood::default()
                },
            },
            Kind::Rows(columns) => {
                let cells = columns
                    .iter()
                    .map(|column| (column.code.to_owned(), evil.to_owned()));
                Value::Rows { rows: vec![cells.collect()] }
            }
            Kind::One(_) | Kind::Any(_) => choice(&["<script>", "yes"], evil),
            Kind::Lines => {
                Value::Lines { lines: vec![line(Some(1), evil, &long), line(None, &long, evil)] }
            }
            Kind::Systems => Value::Systems {
                systems: vec![System {
                    name: evil.into(),
                    role: long.clone(),
                    os: evil.into(),
                    vendor: evil.into(),
                    damage: long.clone(),
                    ..System::default()
                }],
            },
        };
        hostile.insert(field, person(value, AnswerStatus::Confirmed, evil));
    }
    let pages = render("hostile", &hostile, None, &Stage::Draft { at: after(1) });
    let all = pages.concat();
    assert!(squeezed(&all).contains("#read(\"/etc/passwd\")"), "{all}");
    assert!(!all.contains("root:"), "a file was read");
    assert!(squeezed(&all).contains("<b>&amp;</b>"), "{all}");
    assert!(!all.contains(['\u{202e}', '\u{2066}', '\u{0}', '\u{7}', '\u{feff}']));
    assert!(all.contains('〓'), "a character the font lacks has its mark");
    assert!(
        30 < pages
            .iter()
            .map(|page| page.matches("AAAAAAAA").count())
            .sum::<usize>()
    );
}

#[test]
fn the_same_document_gives_the_same_bytes_and_another_one_others() {
    let one = bytes(&answers(), None, &approved(OwnAnswers::None));
    assert_eq!(one, bytes(&answers(), None, &approved(OwnAnswers::None)));
    let mut other = answers();
    other.insert(Field::Summary, machine(Value::text("別の概要"), AnswerStatus::Confirmed, ""));
    assert_ne!(one, bytes(&other, None, &approved(OwnAnswers::None)));
    let head = String::from_utf8_lossy(&one).into_owned();
    assert!(head.contains("pdfaid:part"), "it declares PDF/A");
}

#[test]
fn an_english_document_is_english() {
    let document = document(
        &frozen(&answers(), None),
        &profile(),
        &hash_of(&answers(), None),
        &Stage::Draft { at: after(1) },
        Locale::new(Lang::En),
    );
    assert_eq!(document.title, "Cyber security incident: first contact");
    assert!(document.items.iter().all(|item| item.label.is_ascii()), "{:?}", document.items);
    assert_eq!(document.marks, ["DRAFT"]);
}

#[test]
fn without_a_usable_font_the_error_names_the_file_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("font.ttf");
    assert!(matches!(PdfRenderer::load(Some(&path)), Err(FontError::Read { .. })));
    std::fs::write(&path, b"no font").unwrap();
    let error = PdfRenderer::with_files(&named(&path)).unwrap_err();
    assert!(matches!(error, FontError::NotJapanese { .. }));
    assert!(error.to_string().contains("pdf.font"), "{error}");
    let latin = PathBuf::from("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf");
    if latin.exists() {
        let error = PdfRenderer::with_files(&named(&latin)).unwrap_err();
        assert!(matches!(error, FontError::NotJapanese { .. }));
    }
}

fn approved(own_answers: OwnAnswers) -> Stage {
    let by = "院長 半田 太郎".to_owned();
    let signer = Signer { by, at: after(6000), deputy_for: None, own_answers };
    Stage::Approved { at: after(6000), signers: vec![signer], emergency: None }
}

fn hash_of(answers: &BTreeMap<Field, Answer>, drill: Option<DrillId>) -> String {
    sha256_hex(frozen(answers, drill).canonical().unwrap().as_bytes())
}

fn bytes(answers: &BTreeMap<Field, Answer>, drill: Option<DrillId>, stage: &Stage) -> Vec<u8> {
    let hash = hash_of(answers, drill);
    let frozen = frozen(answers, drill);
    let document = document(&frozen, &profile(), &hash, stage, Locale::new(Lang::Ja));
    RENDERER.render(&document, "a test", stage.at()).unwrap()
}

/// Renders and returns the text of each page. With `SHIRASE_LOOK=DIR` the file stays there to be looked at.
fn render(
    name: &str,
    answers: &BTreeMap<Field, Answer>,
    drill: Option<DrillId>,
    stage: &Stage,
) -> Vec<String> {
    let bytes = bytes(answers, drill, stage);
    if let Some(dir) = std::env::var_os("SHIRASE_LOOK") {
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(PathBuf::from(dir).join(format!("{name}.pdf")), &bytes).unwrap();
    }
    pages(&bytes)
}

pub(crate) fn pages(pdf: &[u8]) -> Vec<String> {
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftotext, of the Debian package poppler-utils");
    let mut stdin = child.stdin.take().unwrap();
    let pdf = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split('\u{c}')
        .filter(|page| !page.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '\u{200b}')
        .collect()
}
