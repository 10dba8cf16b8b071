//! Renders a document to DOCX (Office Open XML, ECMA-376), part by part.
//!
//! Written by hand: the document has one look, a library would bring an image stack along and dates and ids of its own,
//! and official DOCX files are patched on the level of their XML all the same.
//!
//! Always holds: text enters the XML in one function, [`escaped`]; no date, id or order but the document's own.

mod parts;

use quick_xml::escape::escape;

use super::archive::{ArchiveError, pack};
use super::{Annex, Block, Document, Item};

/// Width between the margins of A4, in twentieths of a point: 210 mm less 20 mm and 18 mm.
const TEXT_WIDTH: u32 = 9_750;
/// Widths of the columns of items, in the same unit.
const ITEM_WIDTHS: [u32; 4] = [620, 1_980, 6_150, 1_000];
/// Room a table within an item has.
const INNER_WIDTH: u32 = 5_900;
/// Width of a column that holds a moment.
const TIME_WIDTH: u32 = 2_550;
/// Colours: of a warning, of what stands back, and of a head.
const WARNING: &str = "AA1414";
const FAINT: &str = "595959";
const HEAD_FILL: &str = "ECECEC";

/// Renders a document to DOCX.
///
/// # Errors
/// When it is larger than the container can hold.
pub fn render(document: &Document) -> Result<Vec<u8>, ArchiveError> {
    pack(&[
        ("[Content_Types].xml", parts::CONTENT_TYPES.as_bytes().to_vec()),
        ("_rels/.rels", parts::RELATIONS.as_bytes().to_vec()),
        ("docProps/core.xml", parts::core(document).into_bytes()),
        ("docProps/app.xml", parts::APP.as_bytes().to_vec()),
        ("word/_rels/document.xml.rels", parts::DOCUMENT_RELATIONS.as_bytes().to_vec()),
        ("word/styles.xml", parts::styles(document).into_bytes()),
        ("word/settings.xml", parts::SETTINGS.as_bytes().to_vec()),
        ("word/header1.xml", parts::header(document).into_bytes()),
        ("word/footer1.xml", parts::footer(document).into_bytes()),
        ("word/document.xml", body(document).into_bytes()),
    ])
}

/// Makes text safe inside XML: as character data and within quotes.
fn escaped(text: &str) -> String {
    escape(text).into_owned()
}

/// How a run of text looks.
#[derive(Clone, Copy, Default)]
struct Look {
    /// Half points; 0 is the style's own.
    size: u32,
    bold: bool,
    colour: &'static str,
}

impl Look {
    const fn size(size: u32) -> Self {
        Self { size, bold: false, colour: "" }
    }

    const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    const fn colour(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }

    fn properties(self) -> String {
        let mut inner = String::new();
        if self.bold {
            inner.push_str("<w:b/><w:bCs/>");
        }
        if !self.colour.is_empty() {
            inner += &["<w:color w:val=\"", self.colour, "\"/>"].concat();
        }
        if 0 < self.size {
            let size = self.size.to_string();
            inner += &["<w:sz w:val=\"", &size, "\"/><w:szCs w:val=\"", &size, "\"/>"].concat();
        }
        if inner.is_empty() { inner } else { format!("<w:rPr>{inner}</w:rPr>") }
    }
}

/// One run; line ends in the text become line breaks.
fn run(text: &str, look: Look) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("<w:t xml:space=\"preserve\">{}</w:t>", escaped(line)))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("<w:r>{}{}</w:r>", look.properties(), lines.join("<w:br/>"))
}

/// One paragraph of finished runs. `style` and `align` may be empty.
fn paragraph(style: &str, align: &str, runs: &str) -> String {
    let mut properties = String::new();
    if !style.is_empty() {
        properties += &["<w:pStyle w:val=\"", style, "\"/>"].concat();
    }
    if !align.is_empty() {
        properties += &["<w:jc w:val=\"", align, "\"/>"].concat();
    }
    format!("<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>")
}

fn body(document: &Document) -> String {
    let letter = &document.letter;
    let mut out = String::from(parts::DOCUMENT_HEAD);
    for line in &letter.date {
        out.push_str(&paragraph("Letter", "right", &run(line, Look::default())));
    }
    for (index, line) in letter.addressee.iter().enumerate() {
        let look = if index == 0 { Look::size(22) } else { Look::size(16).colour(WARNING) };
        out.push_str(&paragraph("Letter", "", &run(line, look)));
    }
    for line in &letter.sender {
        out.push_str(&paragraph("Letter", "right", &run(line, Look::size(21))));
    }
    out.push_str(&paragraph("Heading1", "", &run(&document.title, Look::default())));
    out.push_str(&paragraph("Opening", "both", &run(&letter.opening, Look::default())));
    out.push_str(&paragraph("Marker", "center", &run(&letter.marker, Look::default())));
    out.push_str(&items(document));
    out.push_str(&paragraph("", "", ""));
    for (label, said) in &letter.duty {
        let label = run(&format!("{label}　"), Look::size(17).bold());
        out.push_str(&paragraph("Small", "", &(label + &run(said, Look::size(17)))));
    }
    for (index, annex) in document.annexes.iter().enumerate() {
        if index == 0 {
            out.push_str("<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>");
        }
        out.push_str(&self::annex(annex));
    }
    out.push_str(parts::SECTION);
    out.push_str("</w:body></w:document>");
    out
}

fn items(document: &Document) -> String {
    let mut out = table_head(&ITEM_WIDTHS, "Grid");
    let titles: String = document
        .columns
        .iter()
        .zip(ITEM_WIDTHS)
        .map(|(title, width)| {
            let said = paragraph("Cell", "center", &run(title, Look::size(18).bold()));
            cell(width, HEAD_FILL, &said)
        })
        .collect();
    out.push_str(&head_row(&titles));
    for item in &document.items {
        if !item.heading.is_empty() {
            out.push_str(&heading_row(&item.heading));
        }
        out.push_str(&item_row(item));
    }
    out.push_str("</w:tbl>");
    out
}

/// An addressee's heading over the whole width.
fn heading_row(heading: &str) -> String {
    let width: u32 = ITEM_WIDTHS.iter().sum();
    let said = paragraph("Cell", "", &run(heading, Look::size(19).bold()));
    let cell = cell(width, "F6F6F6", &said);
    let spanning = cell.replacen("<w:shd", "<w:gridSpan w:val=\"4\"/><w:shd", 1);
    format!("<w:tr><w:trPr><w:cantSplit/></w:trPr>{spanning}</w:tr>")
}

fn item_row(item: &Item) -> String {
    let [place, label, said, status] = ITEM_WIDTHS;
    let text = |align: &str, text: &str, look: Look| paragraph("Cell", align, &run(text, look));
    let mut content: String = item.blocks.iter().map(block).collect();
    if !item.basis.is_empty() {
        content.push_str(&text("", &item.basis, Look::size(14).colour(FAINT)));
    }
    // A cell ends with a paragraph; an inner table alone would make the file invalid.
    if content.is_empty() || content.ends_with("</w:tbl>") {
        content.push_str(&paragraph("Cell", "", ""));
    }
    let (fill, ink) = match item.status_code {
        "estimated" => ("E1E1E1", ""),
        "unknown" | "investigating" => ("464646", "FFFFFF"),
        _ => ("", ""),
    };
    let cells = [
        cell(place, "", &text("center", &item.place.to_string(), Look::size(18))),
        cell(label, "", &text("", &item.label, Look::size(18).bold())),
        cell(said, "", &content),
        cell(status, fill, &text("center", &item.status, Look::size(17).bold().colour(ink))),
    ];
    format!("<w:tr>{}</w:tr>", cells.concat())
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph { text } => paragraph("Cell", "", &run(text, Look::default())),
        Block::Choices { choices } => {
            let runs: String = choices
                .iter()
                .map(|(label, ticked)| {
                    if *ticked {
                        run(&format!("■ {label}　"), Look::default().bold())
                    } else {
                        run(&format!("□ {label}　"), Look::default().colour(FAINT))
                    }
                })
                .collect();
            paragraph("Cell", "", &runs)
        }
        Block::Table { widths, head, rows } => inner_table(widths, head, rows),
    }
}

fn inner_table(widths: &[u8], head: &[String], rows: &[Vec<String>]) -> String {
    let widths = shares(widths, INNER_WIDTH);
    let small = Look::size(17);
    let mut out = table_head(&widths, "Inner");
    if !head.is_empty() {
        out.push_str(&head_row(&cells(head, &widths, "", Look::size(15).colour(FAINT))));
    }
    for row in rows {
        out.push_str(&plain_row(&cells(row, &widths, "", small)));
    }
    out.push_str("</w:tbl>");
    out
}

fn annex(annex: &Annex) -> String {
    let mut out = paragraph("Heading2", "", &run(&annex.title, Look::default()));
    if !annex.intro.is_empty() {
        out.push_str(&paragraph("Small", "", &run(&annex.intro, Look::size(17))));
    }
    let widths = shares(&annex.widths, TEXT_WIDTH);
    out.push_str(&table_head(&widths, "Grid"));
    out.push_str(&head_row(&cells(&annex.head, &widths, HEAD_FILL, Look::size(17).bold())));
    for row in &annex.rows {
        out.push_str(&plain_row(&cells(row, &widths, "", Look::size(17))));
    }
    out.push_str("</w:tbl>");
    out.push_str(&paragraph("", "", ""));
    out
}

/// Turns shares into widths; a share of 0 holds a moment.
fn shares(shares: &[u8], whole: u32) -> Vec<u32> {
    let fixed = shares.iter().filter(|share| **share == 0).count();
    let fixed = TIME_WIDTH * u32::try_from(fixed).unwrap_or(0);
    let sum: u32 = shares.iter().map(|&share| u32::from(share)).sum();
    let width = |share: u8| match share {
        0 => TIME_WIDTH,
        share => whole.saturating_sub(fixed) * u32::from(share) / sum.max(1),
    };
    shares.iter().map(|&share| width(share)).collect()
}

fn table_head(widths: &[u32], style: &str) -> String {
    let columns: String = widths
        .iter()
        .map(|width| format!("<w:gridCol w:w=\"{width}\"/>"))
        .collect();
    let whole: u32 = widths.iter().sum();
    format!(
        "<w:tbl><w:tblPr><w:tblStyle w:val=\"{style}\"/><w:tblW w:w=\"{whole}\" w:type=\"dxa\"/>\
         <w:tblLayout w:type=\"fixed\"/></w:tblPr><w:tblGrid>{columns}</w:tblGrid>"
    )
}

/// A row that is repeated at the head of every page the table goes on.
fn head_row(cells: &str) -> String {
    format!("<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{cells}</w:tr>")
}

fn plain_row(cells: &str) -> String {
    format!("<w:tr>{cells}</w:tr>")
}

fn cells(texts: &[String], widths: &[u32], fill: &str, look: Look) -> String {
    texts
        .iter()
        .zip(widths)
        .map(|(text, width)| cell(*width, fill, &paragraph("Cell", "", &run(text, look))))
        .collect()
}

fn cell(width: u32, fill: &str, content: &str) -> String {
    let shade = if fill.is_empty() {
        String::new()
    } else {
        format!("<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"{fill}\"/>")
    };
    format!("<w:tc><w:tcPr><w:tcW w:w=\"{width}\" w:type=\"dxa\"/>{shade}</w:tcPr>{content}</w:tc>")
}
