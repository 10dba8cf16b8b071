//! What a collection holds, and pages of it.

use jiff::SignedDuration;
use shirase_shared::testing::builders::night;

use super::super::samples::{approved, body};
use super::super::{Body, stix};
use super::*;

fn offered(body: Body, hours: i64) -> Offered {
    let added = night() + SignedDuration::from_hours(hours);
    let (tlp, drill) = (body.tlp, body.drill);
    let approved = approved(body, added);
    let file = approved.file(stix::STIX_FILE).unwrap();
    Offered { added, tlp, drill, bundle: serde_json::from_slice(&file.bytes).unwrap() }
}

fn all() -> Vec<Offered> {
    let marked = |tlp| Body { tlp, ..body() };
    vec![
        offered(marked(Tlp::Amber), 2),
        offered(marked(Tlp::Green), 1),
        offered(marked(Tlp::AmberStrict), 3),
        offered(marked(Tlp::Red), 4),
        offered(Body { drill: true, ..marked(Tlp::Green) }, 5),
    ]
}

fn ask(pairs: &[(&str, &str)]) -> Ask {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    Ask::read(&pairs).unwrap()
}

#[test]
fn a_collection_holds_nothing_narrower_and_nothing_of_an_exercise() {
    let reports = |collection| {
        let items = items(collection, all());
        let reports = items.iter().filter(|item| item.kind == "report");
        reports.map(|item| written(item.added)).collect::<Vec<_>>()
    };
    assert!(reports(Collection::Public).is_empty());
    assert_eq!(reports(Collection::Community), ["2026-02-08T17:50:00.000000Z"]);
    assert_eq!(reports(Collection::Members).len(), 2);
    let client = |reads| Client {
        facility: "ceptoar".parse().unwrap(),
        id: "jma".parse().unwrap(),
        reads,
        made_at: night(),
        revoked_at: None,
    };
    assert_eq!(client(Tlp::Clear).collections().count(), 1);
    let green = client(Tlp::Green);
    assert_eq!(green.collections().count(), 2);
    let members = Collection::Members.id(&green.facility);
    assert_eq!(
        (green.collection(&members), client(Tlp::Amber).collection(&members)),
        (None, Some(Collection::Members))
    );
}

#[test]
fn what_all_products_share_stands_once_and_pages_join_without_a_gap() {
    let items = items(Collection::Members, all());
    let identities = items.iter().filter(|item| item.kind == "identity").count();
    assert_eq!(identities, 1);
    let whole = page(&items, &ask(&[("match[version]", "all")]));
    let mut joined = Vec::new();
    let mut next = "0".to_owned();
    loop {
        let part =
            page(&items, &ask(&[("match[version]", "all"), ("limit", "3"), ("next", &next)]));
        assert!(part.items.len() <= 3);
        joined.extend(part.items.iter().map(|item| item.id.clone()));
        let envelope = envelope(&part);
        let Some(more) = envelope.get("next") else { break };
        assert_eq!(envelope["more"], true);
        more.as_str().unwrap().clone_into(&mut next);
    }
    let ids: Vec<String> = whole.items.iter().map(|item| item.id.clone()).collect();
    assert_eq!(joined, ids);
}

#[test]
fn filters_leave_what_is_asked_for() {
    let items = items(Collection::Members, all());
    let count = |pairs: &[(&str, &str)]| page(&items, &ask(pairs)).items.len();
    assert_eq!(count(&[("match[type]", "report")]), 1, "two versions of one report: the last");
    assert_eq!(count(&[("match[type]", "report"), ("match[version]", "all")]), 2);
    assert_eq!(count(&[("match[type]", "report,identity")]), 2);
    assert_eq!(count(&[("match[spec_version]", "2.0")]), 0);
    assert_eq!(count(&[("added_after", "2026-02-08T18:50:00.000000Z")]), 0);
    let after = [("added_after", "2026-02-08T17:50:00.000000Z"), ("match[type]", "report")];
    assert_eq!(count(&after), 1);
    assert_eq!(envelope(&page(&items, &ask(&[("match[id]", "report--x")]))), json!({}));
    for (name, value) in [("limit", "0"), ("limit", "x"), ("next", "x"), ("added_after", "x")] {
        assert!(Ask::read(&[(name.to_owned(), value.to_owned())]).is_err(), "{name}={value}");
    }
}
