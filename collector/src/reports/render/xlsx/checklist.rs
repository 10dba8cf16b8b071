//! Writes a filled checklist: a sheet for each of its sheets, one for the evidence, one for what changed, one for the chart.

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use super::{A4, FONT, Looks, Names, Pen, columns, rows};
use crate::checklist::{Paper, PaperChange, PaperSheet};
use crate::contacts::{ChartLine, ChartSheet};
use crate::locale::{Lang, Locale, japan};

/// Widths of the columns of a sheet, in characters: number, item, answer, checked, target, note, by.
const SHEET_WIDTHS: [f64; 7] = [7.0, 52.0, 11.0, 12.0, 14.0, 30.0, 30.0];
/// Widths of the evidence: sheet, number, host, words, moment, mark.
const EVIDENCE_WIDTHS: [f64; 6] = [24.0, 8.0, 18.0, 70.0, 24.0, 10.0];
/// Widths of what changed: sheet, number, item, then, now, what became of it.
const CHANGE_WIDTHS: [f64; 6] = [24.0, 14.0, 56.0, 11.0, 11.0, 28.0];
/// Widths of the chart: who calls or answers for it, whom, by day, at night, when somebody made sure.
const CHART_WIDTHS: [f64; 5] = [34.0, 46.0, 18.0, 18.0, 36.0];
/// Most characters at the head and at the foot of a page.
const EDGE_MAX: usize = 90;

/// Renders a filled checklist.
///
/// # Errors
/// When it is larger than the format can hold.
pub fn render(paper: &Paper, now: Timestamp) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(paper, now)?);
    let looks = Looks::new();
    let locale = Locale::new(Lang::read(paper.lang));
    let mut names = Names::default();

    for sheet in &paper.sheets {
        let wanted =
            if sheet.company.is_empty() { sheet.title.clone() } else { sheet.company.clone() };
        let name = names.take(&wanted);
        one_sheet(workbook.add_worksheet(), (paper, sheet), (&looks, &name))?;
    }
    let name = names.take(&paper.heads.evidence);
    evidence(workbook.add_worksheet(), paper, (&looks, &name), locale)?;
    if let Some(changes) = &paper.changes {
        let name = names.take(&changes.title);
        let widths = &CHANGE_WIDTHS;
        let sheet = workbook.add_worksheet();
        let mut pen = begin(sheet, paper, (&changes.title, &name), (&looks, widths))?;
        pen.across(&changes.intro, &looks.plain, widths.iter().sum())?;
        let head: Vec<String> = std::iter::once(locale.text("checklist-sheet"))
            .chain(changes.head.iter().cloned())
            .collect();
        let of_sheet = |(title, lines): &(String, Vec<PaperChange>)| {
            lines
                .iter()
                .map(|line| change_row(title, line))
                .collect::<Vec<_>>()
        };
        let lines: Vec<Vec<String>> = changes.sheets.iter().flat_map(of_sheet).collect();
        rows(&mut pen, (&head, &lines), widths, &looks)?;
    }
    let name = names.take(&paper.chart.title);
    chart(workbook.add_worksheet(), paper, (&looks, &name))?;

    workbook.save_to_buffer()
}

fn properties(paper: &Paper, now: Timestamp) -> Result<DocProperties, XlsxError> {
    let at = japan()
        .to_datetime(now)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string();
    Ok(DocProperties::new()
        .set_title(format!("{} {}", paper.title, paper.facility))
        .set_author(paper.facility.as_str())
        .set_creation_datetime(&ExcelDateTime::parse_from_str(&at)?))
}

/// Sets what every sheet has, and writes what stands at its head.
fn begin<'a>(
    sheet: &'a mut Worksheet,
    paper: &Paper,
    (title, name): (&str, &str),
    (looks, widths): (&Looks, &[f64]),
) -> Result<Pen<'a>, XlsxError> {
    // `&` begins a code there; two of them are one.
    let safe = |text: &str| {
        text.chars()
            .take(EDGE_MAX)
            .collect::<String>()
            .replace('&', "&&")
    };
    sheet.set_name(name)?;
    sheet.set_paper_size(A4);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.5, 0.5, 0.7, 0.7, 0.3, 0.3);
    sheet.set_header(format!(
        "&L&\"{FONT},Bold\"&9 {}&R&8 {}",
        safe(&paper.title),
        safe(&paper.facility)
    ));
    sheet.set_footer(format!("&L&7 {}&R&8&P / &N", safe(&paper.made)));
    columns(sheet, widths)?;
    let last = u16::try_from(widths.len().saturating_sub(1)).unwrap_or(0);
    let chars: f64 = widths.iter().sum();
    let mut pen = Pen { sheet, row: 0, last };
    pen.across(&format!("{} {}", paper.title, paper.facility), &looks.label_plain(), chars)?;
    pen.across(title, &looks.title, chars / 1.6)?;
    pen.across(&paper.made, &looks.faint, chars)?;
    Ok(pen)
}

fn one_sheet(
    worksheet: &mut Worksheet,
    (paper, sheet): (&Paper, &PaperSheet),
    (looks, name): (&Looks, &str),
) -> Result<(), XlsxError> {
    let title = format!("{} {}", sheet.title, sheet.company);
    let mut pen = begin(worksheet, paper, (title.trim(), name), (looks, &SHEET_WIDTHS))?;
    let chars: f64 = SHEET_WIDTHS.iter().sum();
    pen.across(&sheet.tally, &looks.plain, chars)?;
    for note in std::iter::once(&sheet.note)
        .chain(&paper.notes)
        .filter(|note| !note.is_empty())
    {
        pen.across(note, &looks.faint, chars)?;
    }
    let heads = &paper.heads;
    let head = [
        &heads.number,
        &heads.item,
        &heads.answer,
        &heads.checked,
        &heads.target,
        &heads.note,
        &heads.by,
    ];
    let head: Vec<String> = head.into_iter().cloned().collect();
    let first = pen.row;
    pen.cells(&head, &SHEET_WIDTHS, &looks.head)?;
    pen.sheet.set_repeat_rows(first, first)?;
    pen.sheet.set_freeze_panes(first + 1, 0)?;
    for group in &sheet.groups {
        pen.across(&group.heading, &looks.label, chars)?;
        for item in &group.items {
            let cells = [
                item.number.clone(),
                joined(&[&item.text, &item.doubt, &item.reworded], "\n"),
                item.answer.clone(),
                item.checked.clone(),
                joined(&[&item.target, &item.target_mark], "\n"),
                item.note.clone(),
                item.by.clone(),
            ];
            pen.cells(&cells, &SHEET_WIDTHS, &looks.cell)?;
        }
    }
    Ok(())
}

fn evidence(
    worksheet: &mut Worksheet,
    paper: &Paper,
    (looks, name): (&Looks, &str),
    locale: Locale,
) -> Result<(), XlsxError> {
    let heads = &paper.heads;
    let mut pen = begin(worksheet, paper, (&heads.evidence, name), (looks, &EVIDENCE_WIDTHS))?;
    pen.across(&paper.evidence_note, &looks.plain, EVIDENCE_WIDTHS.iter().sum())?;
    let head = vec![
        locale.text("checklist-sheet"),
        heads.number.clone(),
        heads.host.clone(),
        heads.evidence.clone(),
        heads.at.clone(),
        locale.text("evidence-look"),
    ];
    let mut lines = Vec::new();
    for sheet in &paper.sheets {
        let title = joined(&[&sheet.title, &sheet.company], " ");
        for item in sheet.groups.iter().flat_map(|group| &group.items) {
            for one in &item.evidence {
                lines.push(vec![
                    title.clone(),
                    item.number.clone(),
                    one.host.clone(),
                    one.words.clone(),
                    one.at.clone(),
                    one.mark.clone(),
                ]);
            }
        }
    }
    rows(&mut pen, (&head, &lines), &EVIDENCE_WIDTHS, looks)
}

fn change_row(sheet: &str, line: &PaperChange) -> Vec<String> {
    let PaperChange { number, text, then, now, turn, look: _ } = line;
    [sheet, number, text, then, now, turn]
        .map(str::to_owned)
        .to_vec()
}

fn chart(
    worksheet: &mut Worksheet,
    paper: &Paper,
    (looks, name): (&Looks, &str),
) -> Result<(), XlsxError> {
    let chart = &paper.chart;
    let chars: f64 = CHART_WIDTHS.iter().sum();
    let mut pen = begin(worksheet, paper, (&chart.title, name), (looks, &CHART_WIDTHS))?;
    for said in [&chart.flagged, &chart.missing, &chart.empty]
        .into_iter()
        .flatten()
    {
        pen.across(said, &looks.mark_small(), chars)?;
    }
    let ChartSheet { heads, .. } = chart;
    let head = |first: &str| {
        [first, &heads.to, &heads.day, &heads.night, &heads.checked].map(str::to_owned)
    };
    for (title, steps) in [(&heads.inside, &chart.chain), (&heads.called_in, &chart.called_in)] {
        if steps.is_empty() {
            continue;
        }
        pen.cells(&head(title), &CHART_WIDTHS, &looks.head)?;
        for step in steps {
            let duty = joined(&[&step.number, &step.duty], " ");
            for line in &step.people {
                pen.cells(&line_cells(&duty, line), &CHART_WIDTHS, &looks.cell)?;
            }
        }
    }
    if !chart.outside.is_empty() {
        pen.cells(&head(&heads.outside), &CHART_WIDTHS, &looks.head)?;
    }
    for group in &chart.outside {
        for line in &group.lines {
            let who = joined(&[&group.caller, &line.kind], "\n");
            pen.cells(&line_cells(&who, line), &CHART_WIDTHS, &looks.cell)?;
        }
    }
    Ok(())
}

fn line_cells(first: &str, line: &ChartLine) -> [String; 5] {
    let more = line.more.join("\n");
    [
        first.to_owned(),
        joined(&[&line.name, &more], "\n"),
        line.day.clone(),
        line.night.clone(),
        joined(&[&line.flag, &line.checked], "\n"),
    ]
}

/// Joins the texts that are not empty.
fn joined(texts: &[&str], between: &str) -> String {
    let said: Vec<&str> = texts
        .iter()
        .copied()
        .filter(|text| !text.is_empty())
        .collect();
    said.join(between)
}
