//! What people answered about an incident that became a part of another.

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, IncidentId};
use sqlx::SqliteConnection;

use super::rows::{answers_in_force, set_sheet_revision, sheet_revision, write_answer};
use crate::store::connect::StoreError;

/// Carries people's answers over to the incident that goes on, where nobody has answered there.
pub(in crate::store) async fn take_over_answers(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    (from, into): (IncidentId, IncidentId),
    now: Timestamp,
) -> Result<(), StoreError> {
    let given = answers_in_force(&mut *conn, (facility, from)).await?;
    let there = answers_in_force(&mut *conn, (facility, into)).await?;
    let next = sheet_revision(&mut *conn, (facility, into)).await?.next();
    let mut any = false;
    for (field, answer) in given {
        let is_taken = there
            .get(&field)
            .is_some_and(|answer| answer.source.user().is_some());
        if answer.source.user().is_none() || is_taken {
            continue;
        }
        write_answer(&mut *conn, (facility, into), (field, &answer), next, now).await?;
        any = true;
    }
    if any {
        set_sheet_revision(&mut *conn, (facility, into), next, now).await?;
    }

    Ok(())
}
