//! A notice to two hospitals: one reads it, the other is reminded.

use super::*;
use crate::exchange::circular::Reach;
use crate::post::NewCircular;

/// A city with two hospitals.
async fn three() -> (Place, Place, Place) {
    let (city, first) = paired().await;
    let second = Place::new("tokoname", "常滑病院", OrganisationKind::Hospital).await;
    city.accept("tokoname-hp", &second.card().await)
        .await
        .unwrap();
    second.accept("city", &city.card().await).await.unwrap();

    (city, first, second)
}

fn notice(city: &Place, partners: &[&str]) -> NewCircular {
    NewCircular {
        facility: city.facility.clone(),
        kind: PackageKind::Notice,
        subject: "VPN装置の脆弱性について".to_owned(),
        text: "至急、更新してください。".to_owned(),
        tlp: Tlp::Green,
        drill: false,
        files: vec![file("別紙.pdf", b"%PDF-1.7")],
        partners: partners.iter().map(|id| id.parse().unwrap()).collect(),
        by: writer(),
    }
}

#[tokio::test]
async fn the_sender_sees_who_read_it_and_reminds_the_others_alone() {
    let (city, first, second) = three().await;
    let new = notice(&city, &["handa-hp", "tokoname-hp"]);
    let id = city.post.circulate(new).await.unwrap();
    let here = &city.facility;
    let own = city.post.release_circular(here, id, &writer()).await;
    assert!(matches!(own, Err(PostError::Message(MessageError::OwnMessage))));
    let out = city
        .post
        .release_circular(here, id, &releaser())
        .await
        .unwrap();
    assert_eq!((out.released, out.failed.len()), (2, 0));
    let reaches = async |id| {
        let circular = city.store.circular(here, id).await.unwrap();
        circular
            .recipients
            .iter()
            .map(|one| one.reach())
            .collect::<Vec<_>>()
    };
    assert_eq!(reaches(id).await, [Reach::Underway, Reach::Underway]);

    for (hospital, (here, city_is)) in
        [(&first, ("handa-hp", "handa-city")), (&second, ("tokoname-hp", "city"))]
    {
        let files = city.files(here).await;
        let taken = hospital.take(&files[0]).await.unwrap();
        if city_is == "handa-city" {
            let by = person(7, "半田 太郎");
            assert!(
                hospital
                    .post
                    .read(&hospital.facility, &taken.id, &by)
                    .await
                    .unwrap()
            );
        }
        for ack in hospital.files(city_is).await {
            city.take(&ack).await.unwrap();
        }
    }
    assert_eq!(reaches(id).await, [Reach::Read, Reach::Arrived]);

    let words = ("確認のお願い".to_owned(), "お読みください。".to_owned());
    let reminder = city
        .post
        .remind((here, id), words.clone(), writer())
        .await
        .unwrap();
    let reminding = city.store.circular(here, reminder).await.unwrap();
    assert_eq!(reminding.reminds, Some(id));
    let to: Vec<_> = reminding
        .recipients
        .iter()
        .map(|one| one.partner.as_str())
        .collect();
    assert_eq!(to, ["tokoname-hp"], "who read it hears nothing more");
    city.post
        .release_circular(here, reminder, &releaser())
        .await
        .unwrap();
    let taken = second
        .take(&city.files("tokoname-hp").await[0])
        .await
        .unwrap();
    let stored = second
        .store
        .package(&second.facility, &taken.id)
        .await
        .unwrap();
    assert!(stored.manifest.reply_to.is_some(), "in the thread of the notice");
}

#[tokio::test]
async fn a_circular_to_nobody_or_to_a_stranger_is_kept_nowhere() {
    let (city, ..) = three().await;
    let nobody = city.post.circulate(notice(&city, &[])).await;
    assert!(matches!(nobody, Err(PostError::Text { part: "addressees", .. })));
    let stranger = city
        .post
        .circulate(notice(&city, &["handa-hp", "nowhere"]))
        .await;
    assert!(matches!(stranger, Err(PostError::Store(_))), "{stranger:?}");
    assert!(
        city.store
            .circulars(&city.facility)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_cannot_go_waits_and_the_rest_goes() {
    let (city, ..) = three().await;
    let id = city
        .post
        .circulate(notice(&city, &["handa-hp", "tokoname-hp"]))
        .await
        .unwrap();
    let gone: PartnerId = "tokoname-hp".parse().unwrap();
    city.post
        .revoke((&city.facility, &gone), "鍵を失った", BY)
        .await
        .unwrap();
    let out = city
        .post
        .release_circular(&city.facility, id, &releaser())
        .await
        .unwrap();
    assert_eq!((out.released, out.failed.len()), (1, 1));
    let circular = city.store.circular(&city.facility, id).await.unwrap();
    assert_eq!(circular.count(Reach::Waiting), 1);
    let by = releaser();
    let back = city
        .post
        .send_circular_back(&city.facility, id, (&by, "取消済み"))
        .await;
    assert_eq!(back.unwrap(), 1);
}

#[tokio::test]
async fn an_exercise_shows_who_answered_and_counts_no_real_report() {
    let (city, first, _second) = three().await;
    let invitation = NewCircular {
        kind: PackageKind::DrillInvitation,
        drill: true,
        ..notice(&city, &["handa-hp", "tokoname-hp"])
    };
    let real = NewCircular { drill: false, ..invitation.clone() };
    let refused = city.post.circulate(real).await;
    assert!(matches!(refused, Err(PostError::Message(MessageError::Drill))));
    let id = city.post.circulate(invitation).await.unwrap();
    city.post
        .release_circular(&city.facility, id, &releaser())
        .await
        .unwrap();
    let invited = first.take(&city.files("handa-hp").await[0]).await.unwrap();
    first.clock.advance(SignedDuration::from_mins(5));
    city.clock.advance(SignedDuration::from_mins(5));
    let answer = first.message("handa-city", PackageKind::Answer, Some(&invited.id));
    first.send(Message { drill: true, ..answer }).await;
    for file in first.files("handa-city").await {
        city.take(&file).await.unwrap();
    }
    let circular = city.store.circular(&city.facility, id).await.unwrap();
    let found = city.post.participations(&circular).await.unwrap();
    assert_eq!(found[0].answered_at, Some(city.clock.now()));
    assert_eq!((found[0].reported_at, found[1].answered_at), (None, None));
}
