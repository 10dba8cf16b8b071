//! What was written before reports had rounds is still there afterwards.

use std::str::FromStr;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

const FIRST: &str = include_str!("../../../migrations/sqlite/0001_initial.sql");
const SHEETS: &str = include_str!("../../../migrations/sqlite/0002_sheets.sql");

#[tokio::test]
async fn answers_proposals_and_reports_of_an_earlier_version_are_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("old.db").display());
    let options = SqliteConnectOptions::from_str(&url).unwrap();
    let mut conn = options
        .create_if_missing(true)
        .foreign_keys(true)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(FIRST).execute(&mut conn).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO facilities (facility_id, master_json, manifest_recipient, created_ms, updated_ms) VALUES ('handa', '{}', '', 1, 1);
         INSERT INTO reports VALUES ('handa', 'r1', 'i1', 'jp-mhlw-contact', 'approved', 5, NULL, 1, 9);
         INSERT INTO reports VALUES ('handa', 'r2', 'i2', 'jp-mhlw-contact', 'draft', 3, 'd2', 2, 8);
         INSERT INTO answers VALUES ('handa', 'r1', 3, 5, '{}', 'u', 5);
         INSERT INTO answers VALUES ('handa', 'r1', 9, 1, '{\"a\":1}', NULL, 1);
         INSERT INTO answers VALUES ('handa', 'r1', 9, 4, '{\"a\":2}', 'u', 4);
         INSERT INTO answers VALUES ('handa', 'r2', 9, 3, '{\"a\":3}', NULL, 3);
         INSERT INTO proposals VALUES ('handa', 'r1', 9, '{\"p\":1}', 6);",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    sqlx::raw_sql(SHEETS).execute(&mut conn).await.unwrap();

    let answers: Vec<(String, i64, i64, String)> = sqlx::query_as(
        "SELECT incident_id, field, revision, answer_json FROM sheet_answers ORDER BY incident_id, revision",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let own = |id: &str, revision, json: &str| (id.to_owned(), 9, revision, json.to_owned());
    let expected =
        [own("i1", 1, "{\"a\":1}"), own("i1", 4, "{\"a\":2}"), own("i2", 3, "{\"a\":3}")];
    assert_eq!(answers, expected, "the report time is in what was frozen");
    let reports: Vec<(String, String, i64, String, i64, Option<String>)> = sqlx::query_as(
        "SELECT report_id, series, round, round_kind, revision, drill_id FROM reports ORDER BY report_id",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let report = |id: &str, revision, drill: Option<&str>| {
        let (series, kind) = ("jp-mhlw".to_owned(), "preliminary".to_owned());
        (id.to_owned(), series, 1, kind, revision, drill.map(str::to_owned))
    };
    assert_eq!(reports, [report("r1", 5, None), report("r2", 3, Some("d2"))]);
    let sheets: Vec<(String, i64)> =
        sqlx::query_as("SELECT incident_id, revision FROM sheets ORDER BY incident_id")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    assert_eq!(sheets, [("i1".to_owned(), 5), ("i2".to_owned(), 3)]);
    let (proposals,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM sheet_proposals WHERE incident_id = 'i1'")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    assert_eq!(proposals, 1);
    conn.close().await.unwrap();
}
