//! A form is filled in its mapped places and nowhere else; what does not fit is refused in words.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::{
    ConditionalFormatCell, ConditionalFormatCellRule, DataValidation, DataValidationRule, Format,
    Formula, Workbook,
};
use shirase_shared::ids::DrillId;

use super::*;
use crate::approval::OwnAnswers;
use crate::reports::render::archive::{pack, unpack};
use crate::reports::render::samples::{after, answers, frozen, profile, uuid};
use crate::reports::render::{Signer, Stage, document};

const SHEET: &str = "様式2";
const MAPPING: &str = r#"
[[place]]
at = "様式2!B2"
say = "meta:facility"
[[place]]
at = "様式2!B3"
say = "field:17.choice"
words = { yes = "有", no = "無", feared = "おそれ" }
[[place]]
at = "様式2!B4"
say = "field:20.choice"
words = { yes = "あり", no = "なし", feared = "おそれあり" }
[[place]]
at = "様式2!B5"
say = "field:9"
[[place]]
at = "様式2!B7"
say = "field:8=ransomware"
ticked = "■"
unticked = "□"
[[place]]
at = "様式2!B8"
say = "field:10"
as = "date_time"
[[place]]
at = "様式2!D20"
say = "field:14.name"
[[place]]
at = "様式2!B1"
say = "meta:mark"
"#;

/// A workbook with everything an office puts into a form.
fn form() -> Vec<u8> {
    let mut book = Workbook::new();
    let open = Format::new().set_unlocked().set_text_wrap();
    let day = Format::new()
        .set_unlocked()
        .set_num_format("yyyy/mm/dd hh:mm");
    let sheet = book.add_worksheet().set_name(SHEET).unwrap();
    for (row, label) in (1_u32..).zip(["医療機関名", "支障", "漏えい", "概要"]) {
        sheet.write_string(row, 0, label).unwrap();
    }
    for row in 0..30_u32 {
        for column in 1..4_u16 {
            sheet.write_blank(row, column, &open).unwrap();
        }
    }
    sheet.merge_range(4, 1, 5, 3, "", &open).unwrap();
    sheet.write_blank(7, 1, &day).unwrap();
    sheet
        .write_formula(8, 1, Formula::new("LEN(B5)").set_result("0"))
        .unwrap();
    let list = DataValidation::new()
        .allow_list_strings(&["有", "無", "おそれ"])
        .unwrap();
    sheet.add_data_validation(2, 1, 2, 1, &list).unwrap();
    let range = DataValidation::new().allow_list_formula("選択肢!$A$1:$A$3".into());
    sheet.add_data_validation(3, 1, 3, 1, &range).unwrap();
    let length =
        DataValidation::new().allow_text_length(DataValidationRule::LessThanOrEqualTo(2_000));
    sheet.add_data_validation(4, 1, 4, 1, &length).unwrap();
    let red = ConditionalFormatCell::new()
        .set_rule(ConditionalFormatCellRule::EqualTo("有"))
        .set_format(Format::new().set_bold());
    sheet.add_conditional_format(2, 1, 2, 1, &red).unwrap();
    sheet.protect();
    sheet
        .set_paper_size(9)
        .set_landscape()
        .set_print_fit_to_pages(1, 0);
    sheet
        .set_header("&C様式2")
        .set_print_area(0, 0, 30, 5)
        .unwrap();
    let other = book.add_worksheet().set_name("選択肢").unwrap();
    for (row, word) in (0_u32..).zip(["あり", "なし", "おそれあり"]) {
        other.write_string(row, 0, word).unwrap();
    }
    book.define_name("漏えい区分", "=選択肢!$A$1:$A$3").unwrap();
    book.save_to_buffer().unwrap()
}

fn mapping(text: &str) -> Mapping {
    toml_mapping(text)
}

fn toml_mapping(text: &str) -> Mapping {
    Mapping::from_toml(text).unwrap()
}

fn approved() -> Stage {
    let (by, own_answers) = ("半田 太郎".to_owned(), OwnAnswers::None);
    let signer = Signer { by, at: after(6000), deputy_for: None, own_answers };
    Stage::Approved { at: after(6000), signers: vec![signer], emergency: None }
}

fn filled(
    kind: FormKind,
    bytes: &[u8],
    mapping: &Mapping,
    (stage, drill): (&Stage, Option<DrillId>),
) -> Result<Vec<u8>, FormError> {
    let frozen = frozen(&answers(), drill);
    let document = document(&frozen, &profile(), &"ab".repeat(32), stage, Locale::new(Lang::Ja));
    fill(kind, bytes, mapping, Filling { frozen: &frozen, document: &document })
}

fn text(parts: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(parts[name].clone()).unwrap()
}

#[test]
fn a_workbook_is_filled_in_its_mapped_cells_and_nowhere_else() {
    let form = form();
    assert_eq!(accept(&form).unwrap(), FormKind::Xlsx);
    let mapping = mapping(MAPPING);
    assert_eq!(check(FormKind::Xlsx, &form, &mapping).unwrap(), []);
    let copy = filled(FormKind::Xlsx, &form, &mapping, (&approved(), None)).unwrap();
    assert_eq!(copy, filled(FormKind::Xlsx, &form, &mapping, (&approved(), None)).unwrap());
    look("official.xlsx", &form, &copy);

    let (before, after) = (unpack(&form).unwrap(), unpack(&copy).unwrap());
    assert!(before.keys().eq(after.keys()), "no part came or went");
    let changed: Vec<_> = before
        .keys()
        .filter(|name| before[*name] != after[*name])
        .collect();
    assert_eq!(changed, ["xl/worksheets/sheet1.xml"]);
    let part = "xl/worksheets/sheet1.xml";
    let (old, new) = (text(&before, part), text(&after, part));
    let around = |xml: &str| {
        let (head, rest) = xml.split_once("<sheetData>").unwrap();
        let (_, tail) = rest.split_once("</sheetData>").unwrap();
        (head.to_owned(), tail.to_owned())
    };
    assert_eq!(around(&old), around(&new), "rules, protection, formats and print set-up stay");
    for kept in ["<mergeCell", "<dataValidation", "<conditionalFormatting", "<sheetProtection"] {
        assert_eq!(old.matches(kept).count(), new.matches(kept).count(), "{kept}");
        assert!(new.contains(kept), "the form has {kept}");
    }
    for cell in ["A2", "A3", "B9", "C10"] {
        let of = |xml: &str| {
            let at = xml.find(&format!("<c r=\"{cell}\"")).unwrap();
            xml.get(at..)
                .unwrap()
                .split_inclusive('>')
                .take(3)
                .collect::<String>()
        };
        assert_eq!(of(&old), of(&new), "{cell} is untouched");
    }

    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(&copy)).unwrap();
    let range = book.worksheet_range(SHEET).unwrap();
    let at = |row: u32, column: u32| {
        range
            .get_value((row, column))
            .cloned()
            .unwrap_or(Data::Empty)
    };
    assert!(at(1, 1).to_string().contains("半田中央総合病院"), "{:?}", at(1, 1));
    assert!(at(4, 1).to_string().contains("41,208件"), "{:?}", at(4, 1));
    assert_eq!(at(6, 1).to_string(), "■");
    assert!(at(19, 3).to_string().contains("file-sv01\nehr-db1"), "{:?}", at(19, 3));
    // 2026-02-09 01:50 in Japan.
    let moment = new.split("<c r=\"B8\"").nth(1).unwrap();
    assert!(moment.contains("<v>46062.07638889</v>"), "{moment}");
}

#[test]
fn what_does_not_fit_a_cell_is_refused_in_words() {
    refused("at = \"様式2!B3\"\nsay = \"field:9\"", "drop-down does not offer");
    refused(
        "at = \"様式2!B3\"\nsay = \"field:17.choice\"\nwords = { feared = \"恐れ\", yes = \"有り\" }",
        "有, 無, おそれ",
    );
    refused("at = \"様式2!C5\"\nsay = \"field:9\"", "map its corner B5");
    refused("at = \"様式2!B9\"\nsay = \"field:9\"", "formula");
    refused("at = \"様式2!A2\"\nsay = \"field:9\"", "locked");
    refused(
        "at = \"様式9!A2\"\nsay = \"field:9\"",
        "there is no sheet `様式9`; there are 様式2, 選択肢",
    );
    refused("at = \"B2\"\nsay = \"field:9\"", "Sheet1!C5");
    refused("at = \"様式2!B2\"\nsay = \"field:9\"\nas = \"number\"", "no number");
}

#[track_caller]
fn refused(place: &str, expected: &str) {
    let mapping = mapping(&format!("[[place]]\n{place}\n"));
    let error = filled(FormKind::Xlsx, &form(), &mapping, (&approved(), None)).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_draft_and_a_drill_need_a_place_for_their_mark() {
    let form = form();
    let unmarked = mapping("[[place]]\nat = \"様式2!B2\"\nsay = \"meta:facility\"\n");
    let drill = Some(DrillId::from_uuid(uuid(41)));
    let draft = Stage::Draft { at: after(1) };
    for (stage, drill) in [(&draft, None), (&approved(), drill)] {
        let error = filled(FormKind::Xlsx, &form, &unmarked, (stage, drill)).unwrap_err();
        assert!(error.to_string().contains("meta:mark"), "{error}");
        let copy = filled(FormKind::Xlsx, &form, &mapping(MAPPING), (stage, drill)).unwrap();
        let said = text(&unpack(&copy).unwrap(), "xl/worksheets/sheet1.xml");
        assert!(said.contains(if drill.is_some() { "訓練" } else { "下書き" }));
    }
}

#[test]
fn mistakes_of_a_mapping_are_named_with_their_place() {
    let twice =
        "[[place]]\nat = \"A!A1\"\nsay = \"field:9\"\n[[place]]\nat = \"A!A1\"\nsay = \"x\"\n";
    let told = Mapping::from_toml(twice).unwrap_err();
    let told: Vec<_> = told.iter().map(ToString::to_string).collect();
    let told = told.join("\n");
    assert!(told.contains("mapped twice") && told.contains("`x` says nothing"), "{told}");
    assert!(Mapping::from_toml("[[place]]\nwhere = 1\n").is_err());
}

#[test]
fn hostile_answers_stay_text_in_a_form() {
    let mut hostile = answers();
    let field = crate::reports::fields::Field::Summary;
    let evil = "=cmd|'/c calc'!A0 </t></is></c><c r=\"A1\"><f>1</f></c> _x0041_ \u{202e}";
    let value = crate::reports::answer::Value::text(evil);
    let status = crate::reports::answer::AnswerStatus::Confirmed;
    hostile.insert(field, crate::reports::render::samples::person(value, status, ""));
    let frozen = frozen(&hostile, None);
    let document = document(&frozen, &profile(), "00", &approved(), Locale::new(Lang::Ja));
    let filling = Filling { frozen: &frozen, document: &document };
    let mapping = mapping("[[place]]\nat = \"様式2!B5\"\nsay = \"field:9\"\n");
    let copy = fill(FormKind::Xlsx, &form(), &mapping, filling).unwrap();
    let xml = text(&unpack(&copy).unwrap(), "xl/worksheets/sheet1.xml");
    assert_eq!(xml.matches("<f>").count(), 1, "only the form's own formula");
    assert!(xml.contains("'=cmd") || xml.contains("&apos;=cmd"), "it is no formula");
    assert!(!xml.contains('\u{202e}'));
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(&copy)).unwrap();
    let said = book
        .worksheet_range(SHEET)
        .unwrap()
        .get_value((4, 1))
        .unwrap()
        .to_string();
    assert!(said.contains("</t></is></c>"), "{said}");
}

/// A letter with a control in a line, one of its own, a drop-down, a box, a bookmark and a locked one.
fn letter() -> Vec<u8> {
    let control = |properties: &str, content: &str| {
        format!(
            "<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"
        )
    };
    let body = [
        format!("<w:p><w:r><w:t>名称</w:t></w:r>{}</w:p>", control("<w:tag w:val=\"name\"/><w:showingPlcHdr/>", "<w:r><w:rPr><w:b/></w:rPr><w:t>ここに</w:t></w:r><w:r><w:t>入力</w:t></w:r>")),
        control("<w:tag w:val=\"summary\"/>", "<w:p><w:pPr/></w:p>"),
        format!("<w:p>{}</w:p>", control("<w:alias w:val=\"leak\"/><w:dropDownList><w:listItem w:displayText=\"有\" w:value=\"1\"/><w:listItem w:displayText=\"おそれ\" w:value=\"2\"/><w:listItem w:value=\"無\"/></w:dropDownList>", "<w:r><w:t>選択</w:t></w:r>")),
        format!("<w:p>{}</w:p>", control("<w:tag w:val=\"box\"/><w14:checkbox><w14:checked w14:val=\"0\"/></w14:checkbox>", "<w:r><w:t>☐</w:t></w:r>")),
        "<w:p><w:bookmarkStart w:id=\"0\" w:name=\"hash\"/><w:r><w:t>…</w:t></w:r><w:bookmarkEnd w:id=\"0\"/></w:p>".to_owned(),
        format!("<w:p>{}</w:p>", control("<w:tag w:val=\"locked\"/><w:lock w:val=\"sdtContentLocked\"/>", "<w:r><w:t>x</w:t></w:r>")),
    ];
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"w\" xmlns:w14=\"w14\"><w:body>{}<w:sectPr/></w:body></w:document>",
        body.concat()
    );
    let types = "<Types><Override ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    pack(&[
        ("[Content_Types].xml", types.as_bytes().to_vec()),
        ("word/styles.xml", b"<w:styles xmlns:w=\"w\"/>".to_vec()),
        ("word/document.xml", document.into_bytes()),
    ])
    .unwrap()
}

#[test]
fn a_letter_is_filled_in_its_controls_and_bookmarks() {
    let form = letter();
    assert_eq!(accept(&form).unwrap(), FormKind::Docx);
    let mapping = mapping(
        "[[place]]\nat = \"name\"\nsay = \"meta:facility\"\n[[place]]\nat = \"summary\"\nsay = \"field:9\"\n\
         [[place]]\nat = \"leak\"\nsay = \"field:20.choice\"\nwords = { feared = \"おそれ\" }\n\
         [[place]]\nat = \"box\"\nsay = \"field:8=ransomware\"\nticked = \"☒\"\nunticked = \"☐\"\n\
         [[place]]\nat = \"hash\"\nsay = \"meta:hash\"\n",
    );
    assert_eq!(check(FormKind::Docx, &form, &mapping).unwrap(), []);
    let copy = filled(FormKind::Docx, &form, &mapping, (&approved(), None)).unwrap();
    let (before, after) = (unpack(&form).unwrap(), unpack(&copy).unwrap());
    assert_eq!(before["word/styles.xml"], after["word/styles.xml"]);
    let xml = text(&after, "word/document.xml");
    xml::each("document", &xml, |_| Ok(())).expect("well-formed");
    assert!(
        xml.contains("<w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">"),
        "the look stays: {xml}"
    );
    assert!(xml.contains("半田中央総合病院</w:t></w:r><w:r><w:t/></w:r>"), "{xml}");
    assert!(!xml.contains("showingPlcHdr"), "it is no placeholder any more");
    assert!(xml.contains("<w:p><w:pPr/><w:r><w:t xml:space=\"preserve\">2026年2月9日"), "{xml}");
    assert!(xml.contains("<w14:checked w14:val=\"1\"/>") && xml.contains(">☒<"), "{xml}");
    assert!(xml.contains(&"ab".repeat(32)), "{xml}");
    assert!(xml.contains("locked") && xml.contains("<w:t>x</w:t>"));

    for (place, expected) in [
        ("at = \"locked\"\nsay = \"field:9\"", "locked"),
        ("at = \"leak\"\nsay = \"field:9\"", "drop-down"),
        ("at = \"nowhere\"\nsay = \"field:9\"", "name, summary, leak, box"),
    ] {
        let mapping = toml_mapping(&format!("[[place]]\n{place}\n"));
        let error = filled(FormKind::Docx, &form, &mapping, (&approved(), None)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn dangerous_uploads_are_refused_with_what_to_do() {
    let with = |name: &str, part: &str| {
        let mut parts: Vec<(String, Vec<u8>)> = unpack(&form()).unwrap().into_iter().collect();
        parts.retain(|(other, _)| other != name);
        parts.push((name.to_owned(), part.as_bytes().to_vec()));
        let parts: Vec<_> = parts
            .iter()
            .map(|(name, part)| (name.as_str(), part.clone()))
            .collect();
        pack(&parts).unwrap()
    };
    let types = text(&unpack(&form()).unwrap(), "[Content_Types].xml");
    let macros = types.replace("spreadsheetml.sheet.main+xml", "sheet.macroEnabled.main+xml");
    let outside = "<Relationships><Relationship Id=\"r1\" Type=\"http://x/externalLinkPath\" Target=\"http://evil.example/a\" TargetMode=\"External\"/></Relationships>";
    let link = "<Relationships><Relationship Id=\"r1\" Type=\"http://x/hyperlink\" Target=\"http://ministry.example\" TargetMode=\"External\"/></Relationships>";
    for (file, expected) in [
        (with("[Content_Types].xml", &macros), "macros"),
        (with("xl/vbaProject.bin", "x"), "macros"),
        (with("xl/externalLinks/externalLink1.xml", "<x/>"), "outside itself"),
        (with("xl/worksheets/_rels/sheet1.xml.rels", outside), "outside itself"),
        (with("xl/embeddings/oleObject1.bin", "x"), "embedded object"),
        (with("xl/styles.xml", "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>"), "entities"),
        (vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], "password"),
        (b"%PDF-1.7".to_vec(), "ZIP container"),
        (pack(&[("a.txt", b"x".to_vec())]).unwrap(), "neither an XLSX"),
        (vec![b'x'; UPLOAD_MAX_BYTES + 1], "bytes"),
    ] {
        let error = accept(&file).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let bomb = with("xl/media/image1.png", &"\0".repeat(40_000_000));
    assert!(accept(&bomb).unwrap_err().to_string().contains("bomb"));
    assert!(
        accept(&with("xl/worksheets/_rels/sheet1.xml.rels", link)).is_ok(),
        "a link to click is no harm"
    );
}

#[test]
fn the_page_sees_merged_cells_choices_and_what_is_closed() {
    let FormView::Workbook(sheets) = view(FormKind::Xlsx, &form()).unwrap() else {
        panic!("a workbook");
    };
    let cell = |name: &str| {
        let name: CellName = name.parse().unwrap();
        sheets[0]
            .rows
            .iter()
            .flat_map(|(_, cells)| cells)
            .find(|cell| cell.name == name)
            .unwrap()
    };
    assert_eq!(cell("B5").span, (2, 3));
    assert_eq!(cell("B3").choices, ["有", "無", "おそれ"]);
    assert_eq!(cell("B4").choices, ["あり", "なし", "おそれあり"]);
    assert_eq!(
        (cell("A2").text.as_str(), cell("A2").open, cell("B2").open),
        ("医療機関名", false, true)
    );
    let FormView::Letter(controls) = view(FormKind::Docx, &letter()).unwrap() else {
        panic!("a letter");
    };
    assert!(
        controls
            .iter()
            .any(|one| one.name == "hash" && one.is_bookmark)
    );
}

/// With `SHIRASE_LOOK=DIR` form and copy stay there to be looked at.
fn look(name: &str, form: &[u8], copy: &[u8]) {
    let Some(dir) = std::env::var_os("SHIRASE_LOOK") else { return };
    let dir = std::path::PathBuf::from(dir);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(format!("form-{name}")), form).unwrap();
    std::fs::write(dir.join(format!("filled-{name}")), copy).unwrap();
}
