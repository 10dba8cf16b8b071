//! By hand: a call sheet, a record with person and time, and the deadline that is met by it.

use jiff::SignedDuration;
use shirase_collector::deliver::by_hand::call_sheet;
use shirase_collector::deliver::{Outcome, Purpose, Record, Refusal, State, Way, Wish};
use shirase_collector::duties::duties;
use shirase_collector::jobs::Outcome as Worked;
use shirase_collector::notify::mail::MailConfig;
use shirase_collector::reports::AnswerChange;
use shirase_collector::reports::answer::{AnswerStatus, Value};
use shirase_collector::reports::deadline::{Deadline, MetWith};
use shirase_collector::reports::fields::Field;
use shirase_collector::store::DeliveryError;
use shirase_shared::event::Severity;
use shirase_shared::ids::DeliveryId;

use crate::released::worker;
use crate::ward::Ward;

#[tokio::test]
async fn a_recorded_call_meets_the_deadline_and_an_approval_or_a_copy_does_not() {
    let mut ward = Ward::open("しらせ総合病院").await;
    ward.burst(Severity::Critical).await;
    let report = ward.drafted().await;
    for (field, choice) in [(Field::DataLeak, "feared"), (Field::CareHindered, "yes")] {
        answer(&ward, report.incident, field, choice).await;
    }
    let report = ward.approve(&report).await;
    let contact = deadline(&ward, report.incident).await;
    assert_eq!(contact.met_at, None, "an approval meets nothing");

    ward.clock.advance(SignedDuration::from_mins(30));
    let wish = ward.wish(&report, Way::Phone, "052-000-0000");
    let copy = Wish { purpose: Purpose::Copy, ..wish.clone() };
    let copy = ward.store.create_delivery(&copy, ward.now()).await.unwrap();
    record(&ward, copy.id, Outcome::Delivered).await.unwrap();
    assert_eq!(deadline(&ward, report.incident).await.met_at, None, "a copy meets nothing");

    let call = ward.choose(&report, Way::Phone, "03-0000-0000").await;
    assert_eq!(ward.deliver(&MailConfig::default()).await, Worked::NothingToDo, "a person calls");
    record(&ward, call, Outcome::NotYet).await.unwrap();
    let (delivery, attempts) = ward.delivery(call).await;
    assert_eq!((delivery.state, attempts.len()), (State::Waiting, 1), "nobody answered");
    ward.clock.advance(SignedDuration::from_mins(10));
    let told_at = ward.now();
    record(&ward, call, Outcome::Delivered).await.unwrap();
    let contact = deadline(&ward, report.incident).await;
    assert_eq!(contact.met_at, Some(told_at));
    let Some(MetWith::Delivery(handover)) = contact.met_with else {
        panic!("{:?}", contact.met_with)
    };
    assert_eq!((handover.delivery, handover.receipt.as_str()), (call, "R8-123"));
    assert_eq!(handover.organisation, "厚生労働省 医政局");

    let (delivery, attempts) = ward.delivery(call).await;
    assert_eq!(delivery.delivered_by, Some(worker().user));
    assert_eq!(attempts[1].by, Some(worker().user));
    assert!(attempts[1].answer.contains("当直 鈴木様"), "{}", attempts[1].answer);
    let refused = record(&ward, call, Outcome::Delivered).await;
    let not_now = Refusal::NotNow(State::Delivered);
    assert!(matches!(refused, Err(DeliveryError::Refused(why)) if why == not_now));
}

#[tokio::test]
async fn the_call_sheet_says_what_was_released() {
    let (ward, report) = Ward::released().await;
    let id = ward.choose(&report, Way::Phone, "03-0000-0000").await;
    let parcel = ward
        .releases()
        .parcel(&ward.facility, report.id, None)
        .await
        .unwrap();
    let (delivery, _) = ward.delivery(id).await;
    let sheet = call_sheet(&delivery, &parcel).unwrap();
    assert_eq!((sheet.sender.0.as_str(), sheet.incident_number), ("しらせ総合病院", 1));
    assert_eq!(sheet.say.len(), sheet.profile.body.fields.len());
    let frozen = parcel.approved.frozen();
    for (field, answer) in &sheet.say {
        assert_eq!(frozen.answer(*field), answer.as_ref());
    }
    assert!(
        sheet
            .say
            .iter()
            .filter(|(_, answer)| answer.is_some())
            .count()
            > 8
    );
}

async fn record(ward: &Ward, delivery: DeliveryId, outcome: Outcome) -> Result<(), DeliveryError> {
    let record = Record {
        facility: ward.facility.clone(),
        delivery,
        outcome,
        at: ward.now(),
        spoke_with: "当直 鈴木様".to_owned(),
        answer: "受け付けました".to_owned(),
        receipt: "R8-123".to_owned(),
        by: worker().user,
    };
    ward.store
        .record_delivery(&record, ward.now())
        .await
        .map(|_| ())
}

/// Returns how the ministry's deadline stands.
async fn deadline(ward: &Ward, incident: shirase_shared::ids::IncidentId) -> Deadline {
    let incident = ward
        .store
        .incident(&ward.facility, incident)
        .await
        .unwrap()
        .unwrap();
    let releases = ward.releases();
    let found = duties(&ward.store, releases.profiles(), &incident, ward.now()).await;
    let deadlines = found.unwrap().unwrap().overview.deadlines;
    let keys: Vec<_> = deadlines.iter().map(Deadline::key).collect();
    deadlines
        .into_iter()
        .find(|deadline| deadline.key() == "jp-mhlw-contact/contact")
        .unwrap_or_else(|| panic!("{keys:?}"))
}

async fn answer(
    ward: &Ward,
    incident: shirase_shared::ids::IncidentId,
    field: Field,
    choice: &str,
) {
    let sheet = ward
        .store
        .incident_sheet(&ward.facility, incident)
        .await
        .unwrap();
    let change = AnswerChange {
        facility: ward.facility.clone(),
        incident,
        report: None,
        field,
        value: Value::Choices { chosen: vec![choice.to_owned()], note: String::new() },
        status: AnswerStatus::Confirmed,
        basis: String::new(),
        reason: String::new(),
        by: worker(),
        expected: sheet.revision,
    };
    ward.store.set_answer(&change, ward.now()).await.unwrap();
}
