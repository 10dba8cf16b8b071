//! Renders a document to XLSX: a sheet for the letter, one for each annex and each attached table. The only file that
//! knows `rust_xlsxwriter`.
//!
//! Always holds:
//! - every cell is a number of ours or a text; no formula, no link is ever written, and a text that begins like a formula
//!   is marked as quoted, so that it stays one when somebody edits it;
//! - every sheet says at its head what it is, and on paper every page does;
//! - no date but the document's own.

pub mod checklist;
pub mod figures;

use std::collections::BTreeSet;

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
};

pub use rust_xlsxwriter::XlsxError;

use super::clean::no_formula;
use super::flat::said_lines;
use super::{Annex, Document, Item, Table};
use crate::locale::{Lang, Locale};

/// Paper A4 in the numbering of the format.
const A4: u8 = 9;
/// Most characters of a cell; the format allows 32,767.
const CELL_MAX: usize = 32_000;
/// Most characters of a page's foot; the format allows 255 with its codes.
const FOOT_MAX: usize = 220;
/// Most characters of a sheet's name.
const NAME_MAX: usize = 31;
/// Widths of the columns of the letter, in characters: number, item, content, status, source.
const LETTER_WIDTHS: [f64; 5] = [5.5, 19.0, 58.0, 8.5, 27.0];
/// What all columns of another sheet share.
const SHEET_WIDTH: f64 = 118.0;
/// Height of a line, in points.
const LINE: f64 = 15.5;
/// Highest a row can be.
const ROW_MAX: f64 = 400.0;
/// Typeface of everything; a spreadsheet program without it takes another Japanese one.
const FONT: &str = "BIZ UDPゴシック";

/// Renders a document to XLSX.
///
/// # Errors
/// When it is larger than the format can hold.
pub fn render(document: &Document) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(document)?);
    let looks = Looks::new();
    let locale = Locale::new(Lang::read(document.lang));
    let mut names = Names::default();

    letter(workbook.add_worksheet(), document, &looks, &names.take(&locale.text("sheet-letter")))?;
    for one in &document.annexes {
        let name = names.take(&one.title);
        annex(workbook.add_worksheet(), document, one, (&looks, &name))?;
    }
    let tables = document
        .attachments
        .iter()
        .filter_map(|file| Some((&file.title, file.table.as_ref()?)));
    for (title, table) in tables {
        let name = names.take(&format!("{}_{title}", locale.text("sheet-files")));
        let sheet = workbook.add_worksheet();
        attached(sheet, document, (title, table), (&looks, &name))?;
    }

    workbook.save_to_buffer()
}

fn properties(document: &Document) -> Result<DocProperties, XlsxError> {
    let at = document
        .record
        .dated_at
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string();
    let marks: String = document
        .marks
        .iter()
        .map(|mark| format!("【{mark}】"))
        .collect();
    let author = document.letter.sender.first().cloned().unwrap_or_default();
    Ok(DocProperties::new()
        .set_title(format!("{marks}{}", document.title))
        .set_author(author)
        .set_comment(document.footer.hash.as_str())
        .set_creation_datetime(&ExcelDateTime::parse_from_str(&at)?))
}

/// Gives each sheet a name the format allows and no other sheet has.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn take(&mut self, wanted: &str) -> String {
        let plain: String = wanted
            .chars()
            .map(|c| if "[]:*?/\\'".contains(c) { ' ' } else { c })
            .collect();
        let mut number = 1;
        loop {
            let end = if number == 1 { String::new() } else { format!(" {number}") };
            let room = NAME_MAX - end.chars().count();
            let name: String = plain.trim().chars().take(room).chain(end.chars()).collect();
            if !name.is_empty() && self.0.insert(name.to_lowercase()) {
                return name;
            }
            number += 1;
        }
    }
}

/// How cells look.
struct Looks {
    plain: Format,
    right: Format,
    title: Format,
    mark: Format,
    faint: Format,
    head: Format,
    cell: Format,
    centre: Format,
    label: Format,
    small: Format,
}

impl Looks {
    fn new() -> Self {
        let plain = || {
            Format::new()
                .set_font_name(FONT)
                .set_font_size(10)
                .set_text_wrap()
                .set_align(FormatAlign::Top)
        };
        let boxed = || plain().set_border(FormatBorder::Thin);
        let warning = Color::RGB(0xaa_1414);
        Self {
            plain: plain(),
            right: plain().set_align(FormatAlign::Right),
            title: plain()
                .set_font_size(15)
                .set_bold()
                .set_align(FormatAlign::Center),
            mark: plain().set_font_size(13).set_bold().set_font_color(warning),
            faint: plain()
                .set_font_size(8)
                .set_font_color(Color::RGB(0x59_5959)),
            head: boxed()
                .set_bold()
                .set_background_color(Color::RGB(0xec_ecec))
                .set_align(FormatAlign::Center),
            cell: boxed(),
            centre: boxed().set_align(FormatAlign::Center),
            label: boxed().set_bold(),
            small: boxed()
                .set_font_size(8)
                .set_font_color(Color::RGB(0x59_5959)),
        }
    }
}

/// Writes sheet after sheet from the top.
struct Pen<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
    last: u16,
}

impl Pen<'_> {
    /// Writes one text into one cell of the current row. What begins like a formula is marked as quoted.
    fn put(&mut self, column: u16, text: &str, look: &Format) -> Result<(), XlsxError> {
        let text: String = text.chars().take(CELL_MAX).collect();
        let quoted = no_formula(&text) != text;
        let own = if quoted { look.clone().set_quote_prefix() } else { look.clone() };
        self.sheet
            .write_string_with_format(self.row, column, text, &own)?;
        Ok(())
    }

    /// Writes one text over the whole width and goes to the next row.
    fn across(&mut self, text: &str, look: &Format, chars: f64) -> Result<(), XlsxError> {
        let lines = lines_in(text, chars);
        if 0 < self.last {
            self.sheet
                .merge_range(self.row, 0, self.row, self.last, "", look)?;
        }
        self.put(0, text, look)?;
        self.sheet
            .set_row_height(self.row, (lines * LINE + 2.0).min(ROW_MAX))?;
        self.row += 1;
        Ok(())
    }

    /// Writes a row of cells and goes to the next. Without a height of its own a row would show one line only.
    fn cells(&mut self, texts: &[String], widths: &[f64], look: &Format) -> Result<(), XlsxError> {
        for (text, column) in texts.iter().zip(0_u16..) {
            self.put(column, text, look)?;
        }
        self.high(texts.iter().map(String::as_str).zip(widths.iter().copied()))
    }

    /// Makes the row as high as its highest cell needs and goes to the next.
    fn high<'t>(&mut self, cells: impl Iterator<Item = (&'t str, f64)>) -> Result<(), XlsxError> {
        let lines = cells.map(|(text, width)| lines_in(text, width - 1.0));
        let most = lines.fold(1.0, f64::max);
        self.sheet
            .set_row_height(self.row, (most * LINE + 2.0).min(ROW_MAX))?;
        self.row += 1;
        Ok(())
    }
}

/// How many lines a text takes where `chars` characters fit on one; a Japanese character takes two.
fn lines_in(text: &str, chars: f64) -> f64 {
    let wide = |c: char| if c.is_ascii() { 1.0 } else { 2.0 };
    let lines = text.lines().map(|line| {
        let width: f64 = line.chars().map(wide).sum();
        (width / chars).ceil().max(1.0)
    });
    lines.sum::<f64>().max(1.0)
}

/// Sets what every sheet has on paper: A4, one page wide, marks at the head, record and hash at the foot.
fn page(sheet: &mut Worksheet, document: &Document, name: &str) -> Result<(), XlsxError> {
    // `&` begins a code there; two of them are one.
    let safe = |text: &str| text.replace('&', "&&");
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    sheet.set_name(name)?;
    sheet.set_paper_size(A4);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.6, 0.5, 0.9, 0.9, 0.4, 0.4);
    let (left, right) = (cut(&document.header.left, 60), cut(&document.header.right, 60));
    sheet.set_header(format!("&L&8 {}&R&\"{FONT},Bold\"&9{}", safe(&left), safe(&right)));
    let hash = &document.record.answers_sha256;
    let foot = cut(&document.footer.record, FOOT_MAX - 30 - hash.len());
    sheet.set_footer(format!("&L&6 {}\n{hash}&R&8&P / &N", safe(&foot)));
    Ok(())
}

/// What stands at the head of every sheet on the screen.
fn head(
    pen: &mut Pen<'_>,
    document: &Document,
    looks: &Looks,
    chars: f64,
) -> Result<(), XlsxError> {
    if !document.header.right.is_empty() {
        pen.across(&document.header.right, &looks.mark, chars / 1.4)?;
    }
    pen.across(&document.header.left, &looks.faint, chars)
}

fn letter(
    sheet: &mut Worksheet,
    document: &Document,
    looks: &Looks,
    name: &str,
) -> Result<(), XlsxError> {
    page(sheet, document, name)?;
    columns(sheet, &LETTER_WIDTHS)?;
    let chars: f64 = LETTER_WIDTHS.iter().sum();
    let mut pen = Pen { sheet, row: 0, last: 4 };
    head(&mut pen, document, looks, chars)?;
    let said = &document.letter;
    for line in &said.date {
        pen.across(line, &looks.right, chars)?;
    }
    for line in &said.addressee {
        pen.across(line, &looks.plain, chars)?;
    }
    for line in &said.sender {
        pen.across(line, &looks.right, chars)?;
    }
    pen.row += 1;
    pen.across(&document.title, &looks.title, chars / 1.6)?;
    pen.row += 1;
    pen.across(&said.opening, &looks.plain, chars)?;
    pen.across(&said.marker, &looks.centre_without_box(), chars)?;
    let locale = Locale::new(Lang::read(document.lang));
    let mut titles = document.columns.clone();
    titles.push(locale.text("column-source"));
    let first = pen.row;
    pen.cells(&titles, &LETTER_WIDTHS, &looks.head)?;
    pen.sheet.set_repeat_rows(first, first)?;
    for one in &document.items {
        if !one.heading.is_empty() {
            pen.across(&one.heading, &looks.label, chars)?;
        }
        item(&mut pen, one, looks)?;
    }
    pen.row += 1;
    for (label, text) in &said.duty {
        pen.across(&format!("{label}: {text}"), &looks.plain, chars)?;
    }
    pen.across(&document.footer.record, &looks.faint, chars)?;
    if !document.footer.audit.is_empty() {
        pen.across(&document.footer.audit, &looks.faint, chars)?;
    }
    pen.across(&document.footer.hash, &looks.faint, chars)
}

/// One row for each line of an item, so that each can be filtered and copied; number and label stand on every one.
fn item(pen: &mut Pen<'_>, item: &Item, looks: &Looks) -> Result<(), XlsxError> {
    let lines = said_lines(item);
    let lines = if lines.is_empty() { vec![String::new()] } else { lines };
    let parts = lines.iter().flat_map(|line| pieces(line));
    for (index, line) in parts.enumerate() {
        let basis = if index == 0 { item.basis.as_str() } else { "" };
        pen.sheet
            .write_number_with_format(pen.row, 0, number(item.place), &looks.centre)?;
        pen.put(1, &item.label, &looks.label)?;
        pen.put(2, &line, &looks.cell)?;
        pen.put(3, &item.status, &looks.centre)?;
        pen.put(4, basis, &looks.small)?;
        let [_, label, content, _, source] = LETTER_WIDTHS;
        // The source is set smaller, so more of it fits on a line.
        let cells = [(item.label.as_str(), label), (&line, content), (basis, source * 1.25)];
        pen.high(cells.into_iter())?;
    }
    Ok(())
}

/// Cuts a text into parts a cell can hold.
fn pieces(text: &str) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    if all.is_empty() {
        return vec![String::new()];
    }
    all.chunks(CELL_MAX)
        .map(|part| part.iter().collect())
        .collect()
}

fn number(place: usize) -> f64 {
    u32::try_from(place).map_or(0.0, f64::from)
}

fn annex(
    sheet: &mut Worksheet,
    document: &Document,
    annex: &Annex,
    (looks, name): (&Looks, &str),
) -> Result<(), XlsxError> {
    page(sheet, document, name)?;
    let sum: f64 = annex.widths.iter().map(|&share| f64::from(share)).sum();
    let width = |share: &u8| f64::from(*share) / sum.max(1.0) * SHEET_WIDTH;
    let widths: Vec<f64> = annex.widths.iter().map(width).collect();
    columns(sheet, &widths)?;
    let last = u16::try_from(annex.head.len().saturating_sub(1)).unwrap_or(0);
    let mut pen = Pen { sheet, row: 0, last };
    head(&mut pen, document, looks, SHEET_WIDTH)?;
    pen.across(&annex.title, &looks.title, SHEET_WIDTH / 1.6)?;
    if !annex.intro.is_empty() {
        pen.across(&annex.intro, &looks.plain, SHEET_WIDTH)?;
    }
    rows(&mut pen, (&annex.head, &annex.rows), &widths, looks)
}

fn columns(sheet: &mut Worksheet, widths: &[f64]) -> Result<(), XlsxError> {
    for (width, column) in widths.iter().zip(0_u16..) {
        sheet.set_column_width(column, *width)?;
    }
    Ok(())
}

fn attached(
    sheet: &mut Worksheet,
    document: &Document,
    (title, table): (&str, &Table),
    (looks, name): (&Looks, &str),
) -> Result<(), XlsxError> {
    page(sheet, document, name)?;
    let count = u16::try_from(table.head.len()).unwrap_or(1).max(1);
    let widths = vec![SHEET_WIDTH / f64::from(count); usize::from(count)];
    columns(sheet, &widths)?;
    let mut pen = Pen { sheet, row: 0, last: count - 1 };
    head(&mut pen, document, looks, SHEET_WIDTH)?;
    pen.across(title, &looks.title, SHEET_WIDTH / 1.6)?;
    rows(&mut pen, (&table.head, &table.rows), &widths, looks)
}

fn rows(
    pen: &mut Pen<'_>,
    (head, rows): (&[String], &[Vec<String>]),
    widths: &[f64],
    looks: &Looks,
) -> Result<(), XlsxError> {
    let first = pen.row;
    pen.cells(head, widths, &looks.head)?;
    pen.sheet.set_repeat_rows(first, first)?;
    pen.sheet.set_freeze_panes(first + 1, 0)?;
    for row in rows {
        pen.cells(row, widths, &looks.cell)?;
    }
    Ok(())
}

impl Looks {
    fn centre_without_box(&self) -> Format {
        self.plain.clone().set_align(FormatAlign::Center)
    }

    fn label_plain(&self) -> Format {
        self.plain.clone().set_bold()
    }

    fn mark_small(&self) -> Format {
        self.mark.clone().set_font_size(10)
    }
}
