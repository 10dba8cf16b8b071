//! The parts around the body: look, page, header with its marks, footer with the hash, and what the file says of itself.

use super::{Document, FAINT, Look, WARNING, escaped, paragraph, run};

pub(super) const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/word/settings.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"/><Override PartName="/word/header1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"/><Override PartName="/word/footer1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/><Override PartName="/docProps/app.xml" ContentType="application/vnd.openxmlformats-officedocument.extended-properties+xml"/></Types>"#;

pub(super) const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/extended-properties" Target="docProps/app.xml"/></Relationships>"#;

pub(super) const APP: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Application>Shirase</Application></Properties>"#;

pub(super) const DOCUMENT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/settings" Target="settings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/header" Target="header1.xml"/><Relationship Id="rId4" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer1.xml"/></Relationships>"#;

pub(super) const SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:settings xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:zoom w:percent="100"/><w:defaultTabStop w:val="840"/><w:characterSpacingControl w:val="compressPunctuation"/><w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>"#;

pub(super) const DOCUMENT_HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body>"#;

/// A4 upright with the margins of the PDF.
pub(super) const SECTION: &str = r#"<w:sectPr><w:headerReference w:type="default" r:id="rId3"/><w:footerReference w:type="default" r:id="rId4"/><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1304" w:right="1021" w:bottom="1474" w:left="1134" w:header="567" w:footer="510" w:gutter="0"/></w:sectPr>"#;

const NAMESPACES: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w10="urn:schemas-microsoft-com:office:word""#;
/// Typeface of everything; a word processor without it takes another Japanese one.
const FONT: &str = "BIZ UDPゴシック";

/// What the file says of itself.
pub(super) fn core(document: &Document) -> String {
    let at = document.record.dated_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let author = document.letter.sender.first().cloned().unwrap_or_default();
    let marks: String = document
        .marks
        .iter()
        .map(|mark| format!("【{mark}】"))
        .collect();
    let said = |text: &str| escaped(text);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<cp:coreProperties \
         xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>{}</dc:title>\
         <dc:creator>{}</dc:creator><dc:description>{}</dc:description><dc:language>{}</dc:language>\
         <dcterms:created xsi:type=\"dcterms:W3CDTF\">{at}</dcterms:created>\
         <dcterms:modified xsi:type=\"dcterms:W3CDTF\">{at}</dcterms:modified></cp:coreProperties>",
        said(&format!("{marks}{}", document.title)),
        said(&author),
        said(&document.footer.hash),
        said(document.lang),
    )
}

/// Styles of the document.
pub(super) fn styles(document: &Document) -> String {
    let lang = if document.lang == "ja" { "ja-JP" } else { "en-GB" };
    let defaults = format!(
        "<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=\"{FONT}\" w:hAnsi=\"{FONT}\" \
         w:eastAsia=\"{FONT}\" w:cs=\"{FONT}\"/><w:sz w:val=\"19\"/><w:szCs w:val=\"19\"/>\
         <w:lang w:val=\"{lang}\" w:eastAsia=\"ja-JP\"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>\
         <w:spacing w:after=\"60\" w:line=\"300\" w:lineRule=\"auto\"/></w:pPr></w:pPrDefault></w:docDefaults>"
    );
    let paragraph = |id: &str, name: &str, properties: &str, runs: &str| {
        format!(
            "<w:style w:type=\"paragraph\" w:styleId=\"{id}\"><w:name w:val=\"{name}\"/>\
             <w:basedOn w:val=\"Normal\"/><w:pPr>{properties}</w:pPr><w:rPr>{runs}</w:rPr></w:style>"
        )
    };
    let styles = [
        "<w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name w:val=\"Normal\"/></w:style>".to_owned(),
        paragraph("Letter", "Letter", "<w:spacing w:after=\"20\"/>", ""),
        paragraph(
            "Heading1",
            "heading 1",
            "<w:keepNext/><w:spacing w:before=\"320\" w:after=\"260\"/><w:jc w:val=\"center\"/><w:outlineLvl w:val=\"0\"/>",
            "<w:b/><w:bCs/><w:sz w:val=\"31\"/><w:szCs w:val=\"31\"/>",
        ),
        paragraph(
            "Heading2",
            "heading 2",
            "<w:keepNext/><w:spacing w:before=\"240\" w:after=\"120\"/><w:outlineLvl w:val=\"1\"/>",
            "<w:b/><w:bCs/><w:sz w:val=\"24\"/><w:szCs w:val=\"24\"/>",
        ),
        paragraph("Opening", "Opening", "<w:ind w:firstLineChars=\"100\" w:firstLine=\"190\"/>", ""),
        paragraph("Marker", "Marker", "<w:spacing w:before=\"160\" w:after=\"160\"/>", ""),
        paragraph("Cell", "Cell", "<w:spacing w:after=\"40\" w:line=\"264\" w:lineRule=\"auto\"/>", ""),
        paragraph("Small", "Small", "<w:spacing w:after=\"40\" w:line=\"264\" w:lineRule=\"auto\"/>", "<w:sz w:val=\"17\"/>"),
        table_style("Grid", "808080", true),
        table_style("Inner", "C8C8C8", false),
    ];
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:styles \
         xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">{defaults}{}</w:styles>",
        styles.concat()
    )
}

fn table_style(id: &str, colour: &str, outer: bool) -> String {
    let line = |side: &str, is_drawn: bool| {
        let kind = if is_drawn { "single" } else { "nil" };
        format!("<w:{side} w:val=\"{kind}\" w:sz=\"4\" w:space=\"0\" w:color=\"{colour}\"/>")
    };
    let lines: String = [
        line("top", outer),
        line("left", outer),
        line("bottom", outer),
        line("right", outer),
        line("insideH", true),
        line("insideV", outer),
    ]
    .concat();
    format!(
        "<w:style w:type=\"table\" w:styleId=\"{id}\"><w:name w:val=\"{id}\"/><w:tblPr><w:tblBorders>{lines}\
         </w:tblBorders><w:tblCellMar><w:top w:w=\"50\" w:type=\"dxa\"/><w:left w:w=\"85\" w:type=\"dxa\"/>\
         <w:bottom w:w=\"30\" w:type=\"dxa\"/><w:right w:w=\"85\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr></w:style>"
    )
}

/// The head of every page, with the marks across it.
pub(super) fn header(document: &Document) -> String {
    let left = run(&document.header.left, Look::size(16).colour(FAINT));
    let right = run(&document.header.right, Look::size(16).bold().colour(WARNING));
    let line = format!(
        "<w:p><w:pPr><w:pBdr><w:bottom w:val=\"single\" w:sz=\"4\" w:space=\"2\" w:color=\"AAAAAA\"/></w:pBdr>\
         <w:tabs><w:tab w:val=\"right\" w:pos=\"9750\"/></w:tabs></w:pPr>{left}<w:r><w:tab/></w:r>{right}</w:p>"
    );
    // Two shapes would lie on each other: not every program moves a centred one aside.
    let marks =
        if document.marks.is_empty() { String::new() } else { mark(&document.marks.join("　")) };
    let across = if marks.is_empty() { marks } else { paragraph("Letter", "", &marks) };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:hdr {NAMESPACES}>{line}{across}</w:hdr>"
    )
}

/// Words across the page, the way Word itself draws a watermark.
fn mark(words: &str) -> String {
    let letters = words.chars().count().max(1);
    let height = (520 / letters).min(130);
    let width = height * letters;
    let words = escaped(words);
    format!(
        "<w:r><w:pict>{SHAPE_TYPE}<v:shape id=\"mark\" o:spid=\"_x0000_s2049\" type=\"#_x0000_t136\" \
         style=\"position:absolute;margin-left:0;margin-top:0;width:{width}pt;height:{height}pt;\
         rotation:308;z-index:-251658752;mso-position-horizontal:center;\
         mso-position-horizontal-relative:margin;mso-position-vertical:center;\
         mso-position-vertical-relative:margin\" fillcolor=\"#f3d2d2\" stroked=\"f\">\
         <v:textpath style=\"font-family:&quot;{FONT}&quot;;font-size:1pt;font-weight:bold\" \
         string=\"{words}\"/></v:shape></w:pict></w:r>"
    )
}

const SHAPE_TYPE: &str = r#"<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/><v:f eqn="mid @5 @6"/><v:f eqn="mid @8 @5"/><v:f eqn="mid @7 @8"/><v:f eqn="mid @6 @7"/><v:f eqn="sum @6 0 @5"/></v:formulas><v:path textpathok="t" o:connecttype="custom" o:connectlocs="@9,0;@10,10800;@11,21600;@12,10800" o:connectangles="270,180,90,0"/><v:textpath on="t" fitshape="t"/></v:shapetype>"#;

/// The foot of every page: revision, approver, hash, and the page's number.
pub(super) fn footer(document: &Document) -> String {
    let look = Look::size(13).colour(FAINT);
    let field = |name: &str| {
        format!(
            "<w:r>{0}<w:fldChar w:fldCharType=\"begin\"/></w:r><w:r>{0}<w:instrText xml:space=\"preserve\"> {name} \
             </w:instrText></w:r><w:r>{0}<w:fldChar w:fldCharType=\"separate\"/></w:r><w:r>{0}<w:t>1</w:t></w:r>\
             <w:r>{0}<w:fldChar w:fldCharType=\"end\"/></w:r>",
            Look::size(16).colour(FAINT).properties()
        )
    };
    let pages = format!(
        "{}{}{}",
        field("PAGE"),
        run(" / ", Look::size(16).colour(FAINT)),
        field("NUMPAGES")
    );
    let record = run(&document.footer.record, look);
    let first = format!(
        "<w:p><w:pPr><w:pStyle w:val=\"Letter\"/><w:pBdr><w:top w:val=\"single\" w:sz=\"4\" w:space=\"2\" w:color=\"AAAAAA\"/>\
         </w:pBdr><w:tabs><w:tab w:val=\"right\" w:pos=\"9750\"/></w:tabs></w:pPr>{record}<w:r><w:tab/></w:r>{pages}</w:p>"
    );
    let hash = paragraph("Letter", "", &run(&document.footer.hash, look));
    let audit = match document.footer.audit.as_str() {
        "" => String::new(),
        said => paragraph("Letter", "", &run(said, look)),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:ftr {NAMESPACES}>{first}{hash}{audit}</w:ftr>"
    )
}
