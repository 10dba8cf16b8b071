//! What happens to a delivery: attempts of the machine, what a person did by hand, what a person decides.

use jiff::Timestamp;
use shirase_shared::ids::{DeliveryId, FacilityId, UserId};
use sqlx::SqliteConnection;

use super::rows::{end_attempt, insert_attempt, put_state, read, read_attempts};
use super::{Begun, DeliveryError, Ended, entry, still_stands};
use crate::audit::Actor;
use crate::deliver::{
    Attempt, Carrier, Choice, Decided, Delivery, Outcome, Record, Refusal, State, Wanted, after,
    broken_off, line,
};
use crate::store::append_audit;
use crate::store::connect::{Store, StoreError, from_ms, parsed, to_ms, touched};
use crate::store::reports::rows::read_report;

impl Store {
    /// Begins an attempt of the machine: it is committed before anything leaves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_delivery_attempt(
        &self,
        facility: &FacilityId,
        id: DeliveryId,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        let mut tx = self.change().await?;
        let mut delivery = read(&mut tx, facility, id).await?;
        if delivery.state != State::Waiting || is_running(&mut tx, &delivery).await? {
            return Ok(Begun::NotAnyMore);
        }
        let report = read_report(&mut tx, facility, delivery.report).await?;
        if let Err(refusal) = still_stands(&report, &delivery) {
            delivery.state = State::Stopped;
            delivery.next_at = None;
            delivery.note = refusal.to_string();
            put_state(&mut tx, &delivery, now).await?;
            let entry = entry(&delivery, Actor::Machine, "delivery.stopped", now)
                .with("reason", &delivery.note);
            append_audit(&mut tx, &entry).await?;
            self.commit_audited(tx).await?;
            return Ok(Begun::NotAnyMore);
        }
        delivery.attempts += 1;
        let attempt = Attempt {
            number: delivery.attempts,
            begun_at: now,
            handing_over_at: None,
            ended_at: None,
            outcome: None,
            answer: String::new(),
            by: None,
        };
        insert_attempt(&mut tx, &delivery, &attempt).await?;
        put_state(&mut tx, &delivery, now).await?;
        tx.commit().await?;
        let number = delivery.attempts;

        Ok(Begun::Attempt(Box::new(delivery), number))
    }

    /// Notes that the text of an attempt is about to leave; from here on an end nobody saw is unknown.
    ///
    /// # Errors
    /// When the attempt does not run any more, somebody took the report back meanwhile, or the database fails.
    pub async fn handing_over(
        &self,
        (facility, id, attempt): (&FacilityId, DeliveryId, u32),
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let mut tx = self.change().await?;
        let delivery = read(&mut tx, facility, id).await?;
        let report = read_report(&mut tx, facility, delivery.report).await?;
        still_stands(&report, &delivery)?;
        let done = sqlx::query(
            "UPDATE delivery_attempts SET handing_over_ms = ?
             WHERE facility_id = ? AND delivery_id = ? AND attempt = ? AND ended_ms IS NULL",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.to_string())
        .bind(i64::from(attempt))
        .execute(&mut *tx)
        .await?;
        touched(done.rows_affected(), "running attempt")?;
        tx.commit().await?;

        Ok(())
    }

    /// Stores how an attempt of the machine ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_delivery_attempt(
        &self,
        (facility, id): (&FacilityId, DeliveryId),
        ended: &Ended,
        now: Timestamp,
    ) -> Result<Delivery, StoreError> {
        let mut tx = self.change().await?;
        let mut delivery = read(&mut tx, facility, id).await?;
        end(&mut tx, &mut delivery, ended, now).await?;
        self.commit_audited(tx).await?;

        Ok(delivery)
    }

    /// Ends every attempt of the machine that is still open, as after a kill: only one collector serves a data
    /// directory, and it calls this while it sends nothing. Returns the deliveries concerned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_broken_off_attempts(
        &self,
        attempts_max: u32,
        now: Timestamp,
    ) -> Result<Vec<Delivery>, StoreError> {
        let open: Vec<(String, String)> = sqlx::query_as(
            "SELECT facility_id, delivery_id FROM delivery_attempts WHERE ended_ms IS NULL AND who IS NULL",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut concerned = Vec::new();
        for (facility, id) in open {
            let facility: FacilityId = parsed("facility id", &facility)?;
            let id: DeliveryId = parsed("delivery id", &id)?;
            let mut tx = self.change().await?;
            let mut delivery = read(&mut tx, &facility, id).await?;
            let attempts = read_attempts(&mut tx, &facility, id).await?;
            let running = attempts
                .iter()
                .filter(|attempt| attempt.ended_at.is_none() && attempt.by.is_none());
            for attempt in running {
                let outcome = broken_off(delivery.way, attempt);
                let state = after(outcome, delivery.failures + 1, attempts_max);
                let ended = Ended {
                    attempt: attempt.number,
                    outcome,
                    state,
                    answer: "the collector ended in the middle of this attempt".to_owned(),
                    next_at: (state == State::Waiting).then_some(now),
                    there_since: None,
                };
                end(&mut tx, &mut delivery, &ended, now).await?;
            }
            self.commit_audited(tx).await?;
            concerned.push(delivery);
        }

        Ok(concerned)
    }

    /// Stores what a person did by hand.
    ///
    /// # Errors
    /// Refuses a delivery the machine carries out, a time that cannot be, and a report that is not released any more.
    pub async fn record_delivery(
        &self,
        record: &Record,
        now: Timestamp,
    ) -> Result<Delivery, DeliveryError> {
        let mut tx = self.change().await?;
        let mut delivery = read(&mut tx, &record.facility, record.delivery).await?;
        let report = read_report(&mut tx, &record.facility, delivery.report).await?;
        still_stands(&report, &delivery)?;
        record.check(&delivery, released_at(&mut tx, &delivery).await?, now)?;
        delivery.attempts += 1;
        let said = [record.spoke_with.trim(), record.answer.trim()];
        let said: Vec<_> = said.into_iter().filter(|text| !text.is_empty()).collect();
        let attempt = Attempt {
            number: delivery.attempts,
            begun_at: record.at,
            handing_over_at: (record.outcome == Outcome::Delivered).then_some(record.at),
            ended_at: Some(now),
            outcome: Some(record.outcome),
            answer: said.join(": "),
            by: Some(record.by),
        };
        insert_attempt(&mut tx, &delivery, &attempt).await?;
        delivery.state = record.leads_to();
        if delivery.state == State::Delivered {
            delivery.delivered_at = Some(record.at);
            delivery.delivered_by = Some(record.by);
        }
        if !record.receipt.trim().is_empty() {
            record.receipt.trim().clone_into(&mut delivery.receipt);
        }
        put_state(&mut tx, &delivery, now).await?;
        let entry = entry(&delivery, Actor::User(record.by), "delivery.recorded", now)
            .with("outcome", record.outcome.as_str())
            .with("at", record.at)
            .with("answer", &attempt.answer)
            .with("receipt", &delivery.receipt);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(delivery)
    }

    /// Stores a person's decision on a delivery.
    ///
    /// # Errors
    /// Refuses what does not fit how it stands, and anything while an attempt runs.
    pub async fn decide_delivery(
        &self,
        decided: &Decided,
        now: Timestamp,
    ) -> Result<Delivery, DeliveryError> {
        let mut tx = self.change().await?;
        let mut delivery = read(&mut tx, &decided.facility, decided.delivery).await?;
        decided.check()?;
        if is_running(&mut tx, &delivery).await? {
            return Err(Refusal::Running.into());
        }
        let before = delivery.state;
        let state = decided.choice.on(before)?;
        let report = read_report(&mut tx, &decided.facility, delivery.report).await?;
        if decided.choice == Choice::Again {
            still_stands(&report, &delivery)?;
        }
        delivery.state = state;
        delivery.failures = 0;
        delivery.next_at = None;
        match decided.choice {
            Choice::Delivered => {
                // The moment the text left is when the addressee got it, if they did.
                let attempts = read_attempts(&mut tx, &delivery.facility, delivery.id).await?;
                let handed = attempts
                    .iter()
                    .rev()
                    .find_map(|attempt| attempt.handing_over_at);
                delivery.delivered_at = Some(handed.unwrap_or(now));
                delivery.delivered_by = Some(decided.by);
            }
            Choice::Again if delivery.way.carrier() == Carrier::Machine => {
                delivery.next_at = Some(now);
            }
            Choice::Again | Choice::Stop => {}
        }
        decided.note.trim().clone_into(&mut delivery.note);
        if !decided.receipt.trim().is_empty() {
            decided.receipt.trim().clone_into(&mut delivery.receipt);
        }
        put_state(&mut tx, &delivery, now).await?;
        let entry = entry(&delivery, Actor::User(decided.by), "delivery.decided", now)
            .with("choice", decided.choice.as_str())
            .with("before", before)
            .with("note", &delivery.note)
            .with("receipt", &delivery.receipt);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(delivery)
    }

    /// Stores the addressee's 受付番号, which may come later.
    ///
    /// # Errors
    /// Refuses it for a delivery that did not arrive.
    pub async fn note_receipt(
        &self,
        (facility, id): (&FacilityId, DeliveryId),
        receipt: &str,
        by: UserId,
        now: Timestamp,
    ) -> Result<Delivery, DeliveryError> {
        line("receipt", receipt, Wanted::Yes)?;
        let mut tx = self.change().await?;
        let mut delivery = read(&mut tx, facility, id).await?;
        if delivery.state != State::Delivered {
            return Err(Refusal::NotNow(delivery.state).into());
        }
        let before = std::mem::replace(&mut delivery.receipt, receipt.trim().to_owned());
        put_state(&mut tx, &delivery, now).await?;
        let entry = entry(&delivery, Actor::User(by), "delivery.receipt", now)
            .with("receipt", &delivery.receipt)
            .with("before", before);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(delivery)
    }
}

/// Writes the end of an attempt and what follows from it.
async fn end(
    conn: &mut SqliteConnection,
    delivery: &mut Delivery,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), StoreError> {
    end_attempt(conn, delivery, ended.attempt, (ended.outcome, &ended.answer), now).await?;
    delivery.state = ended.state;
    delivery.next_at = ended.next_at;
    delivery.failures = if ended.outcome == Outcome::NotYet { delivery.failures + 1 } else { 0 };
    ended.answer.clone_into(&mut delivery.note);
    if ended.state == State::Delivered {
        delivery.delivered_at = Some(ended.there_since.unwrap_or(now));
        delivery.delivered_by = None;
    }
    put_state(conn, delivery, now).await?;
    let entry = entry(delivery, Actor::Machine, "delivery.attempted", now)
        .with("attempt", ended.attempt)
        .with("outcome", ended.outcome.as_str())
        .with("state", ended.state)
        .with("answer", &ended.answer);
    append_audit(conn, &entry).await
}

async fn is_running(conn: &mut SqliteConnection, delivery: &Delivery) -> Result<bool, StoreError> {
    let attempts = read_attempts(conn, &delivery.facility, delivery.id).await?;
    Ok(attempts.iter().any(|attempt| attempt.ended_at.is_none()))
}

/// Returns when the revision that is delivered was released: with the last approval, where several people had to.
async fn released_at(
    conn: &mut SqliteConnection,
    delivery: &Delivery,
) -> Result<Timestamp, StoreError> {
    let (found,): (Option<i64>,) = sqlx::query_as(
        "SELECT MAX(decided_ms) FROM decisions WHERE facility_id = ? AND report_id = ? AND revision = ? AND decision = 'approved'",
    )
    .bind(delivery.facility.as_str())
    .bind(delivery.report.to_string())
    .bind(i64::from(delivery.revision.0))
    .fetch_one(conn)
    .await?;
    from_ms(found.ok_or(StoreError::Missing("approval of this report"))?)
}
