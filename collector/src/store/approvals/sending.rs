//! How far the delivery of an approved report is.

use sqlx::SqliteConnection;

use crate::approval::Sending;
use crate::reports::Report;
use crate::store::StoreError;

/// Reads how far the delivery of a report's present revision is.
///
/// A delivery that waits counts as under way: it has to be stopped before the report can be withdrawn, so that a
/// withdrawal never races with a server.
pub(super) async fn sending(
    conn: &mut SqliteConnection,
    report: &Report,
) -> Result<Sending, StoreError> {
    let states: Vec<(String,)> = sqlx::query_as(
        "SELECT DISTINCT state FROM deliveries WHERE facility_id = ? AND report_id = ? AND revision = ?",
    )
    .bind(report.facility.as_str())
    .bind(report.id.to_string())
    .bind(i64::from(report.revision.0))
    .fetch_all(conn)
    .await?;
    let has = |wanted: &str| states.iter().any(|(state,)| state == wanted);

    Ok(match (has("delivered"), has("waiting") || has("unknown")) {
        (true, _) => Sending::Done,
        (false, true) => Sending::UnderWay,
        (false, false) => Sending::NotYet,
    })
}
