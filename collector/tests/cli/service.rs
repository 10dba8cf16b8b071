//! The service: its start and its end.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::place::{Place, mode, signal};

#[test]
fn the_service_starts_once_ends_as_asked_and_starts_again_after_a_kill() {
    let place = Place::new();
    let mut first = place.serve();
    for key in ["authority.key", "authority.pem", "order.key", "report.key"] {
        assert_eq!(mode(&place.data().join(key)), 0o600, "{key}");
    }
    let authority = std::fs::read(place.data().join("authority.pem")).unwrap();
    assert!(
        place
            .logged()
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    assert!(
        place
            .refused(&["serve"], "")
            .contains("another collector serves")
    );
    // Commands work beside the service.
    place.ok(&["facility", "add", "handa-hp"]);
    signal(&first, "-TERM");
    assert!(first.wait().unwrap().success(), "{}", place.logged());
    assert!(place.logged().contains("ended as asked"));

    let mut second = place.serve();
    signal(&second, "-KILL");
    second.wait().unwrap();
    let mut third = place.serve();
    assert_eq!(place.list(&["facility", "list"]).len(), 1);
    assert_eq!(std::fs::read(place.data().join("authority.pem")).unwrap(), authority);
    signal(&third, "-INT");
    assert!(third.wait().unwrap().success());
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
}

#[test]
fn a_key_others_can_read_stops_the_start() {
    let place = Place::new();
    place.ok(&["token", "list"]);
    let key = place.data().join("order.key");
    std::fs::write(&key, "x").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = place.refused(&["serve"], "");
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn postgresql_is_refused_with_the_place_where_it_will_stand() {
    let place = Place::new();
    let text = std::fs::read_to_string(place.config()).unwrap();
    std::fs::write(place.config(), format!("database = \"postgres://db/x\"\n{text}")).unwrap();
    let said = place.refused(&["migrate"], "");
    assert!(said.contains("SQLite only") && said.contains("store/connect.rs"), "{said}");
}
