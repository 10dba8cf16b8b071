//! A made-up list of the year after, for tests: nobody has read the real one.

use super::list::BUILT_IN;

/// A list of the year after, made up for this test: one item reworded, two put together, one new, one gone.
pub(crate) fn next_year() -> String {
    let text = jp_2025()
        .replace("jp-2025", "jp-2026")
        .replace("fiscal_year = 2025", "fiscal_year = 2026")
        .replace("\"2026-03-31\"", "\"2027-03-31\"")
        .replace("\"2025-04-01\"", "\"2026-04-01\"")
        .replace("有無を事業者に確認した。", "有無を事業者に確認している。")
        .replace("id = \"2-7\"", "id = \"passwords\"\nfollows = [\"2-7\", \"2-8\"]");
    let gone =
        |part: &&str| !part.starts_with("\nid = \"2-8\"") && !part.starts_with("\nid = \"2-9\"");
    let parts: Vec<&str> = text.split("[[items]]").filter(gone).collect();
    let text = parts.join("[[items]]");
    text + "\n[[items]]\nid = \"mail\"\nnumber = \"9-①\"\ngroup = \"4\"\ntext.ja = \"試験用の項目\"\ntext.en = \"Made up\"\nwording = \"unread\"\nsheets = [\"institution\"]\nfollows = []\n"
}

/// Text of the built-in list.
pub(super) fn jp_2025() -> &'static str {
    BUILT_IN.first().expect("it is built in").1
}
