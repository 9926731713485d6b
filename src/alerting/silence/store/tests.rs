#![allow(clippy::unwrap_used)]

use super::*;
use crate::matcher::{Matcher, Op};

const RETENTION: Duration = Duration::from_secs(7200);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn draft(team: &str, start: i64, end: i64) -> SilenceDraft {
    SilenceDraft {
        id: None,
        matchers: vec![Matcher::new(Op::Equal, "team", team).unwrap()],
        starts_at: Some(at(start)),
        ends_at: at(end),
        created_by: "me".into(),
        comment: "why".into(),
        annotations: BTreeMap::new(),
    }
}

fn set(silences: &mut Silences, now: i64, draft: SilenceDraft) -> Result<Changed, SilenceError> {
    let next = SilenceId(format!("id-{}", silences.len()).into());
    silences.set(at(now), draft, SilenceLimits::default(), RETENTION, || next)
}

#[test]
fn an_active_silence_is_extended_in_place() {
    let mut silences = Silences::default();
    let made = set(&mut silences, 10, draft("db", 0, 100)).unwrap();
    assert_eq!(silences.get(&made.id).unwrap().starts_at, at(10), "a start in the past becomes now");
    let longer = SilenceDraft { id: Some(made.id.clone()), ..draft("db", 10, 500) };
    let changed = set(&mut silences, 20, longer).unwrap();
    assert_eq!((changed.id, changed.what, silences.len()), (made.id, "updated", 1));
}

#[test]
fn other_matchers_make_a_new_one_and_end_the_old() {
    let mut silences = Silences::default();
    let made = set(&mut silences, 10, draft("db", 10, 100)).unwrap();
    let other = SilenceDraft { id: Some(made.id.clone()), ..draft("web", 10, 100) };
    let changed = set(&mut silences, 20, other).unwrap();
    assert_ne!(changed.id, made.id);
    assert_eq!(changed.versions.len(), 2);
    assert_eq!(silences.get(&made.id).unwrap().state_at(at(21)), SilenceState::Expired);
}

#[test]
fn an_expired_one_is_never_revived() {
    let mut silences = Silences::default();
    let made = set(&mut silences, 10, draft("db", 10, 100)).unwrap();
    silences.expire(at(50), &made.id, RETENTION).unwrap();
    let again = SilenceDraft { id: Some(made.id.clone()), ..draft("db", 10, 900) };
    assert_ne!(set(&mut silences, 60, again).unwrap().id, made.id);
    assert_eq!(silences.expire(at(61), &made.id, RETENTION).unwrap().versions, []);
}

#[test]
fn nonsense_is_refused_with_the_references_words() {
    let mut silences = Silences::default();
    let refused = |draft| set(&mut Silences::default(), 10, draft).unwrap_err().to_string();
    assert_eq!(
        refused(SilenceDraft { matchers: vec![], ..draft("db", 10, 100) }),
        "invalid silence: matcher set 0 is empty"
    );
    assert_eq!(
        refused(draft("", 10, 100)),
        "invalid silence: matcher set 0: at least one matcher must not match the empty string"
    );
    assert_eq!(refused(draft("db", 100, 50)), "invalid silence: end time must not be before start time");
    let unknown = SilenceDraft { id: Some(SilenceId("none".into())), ..draft("db", 10, 100) };
    assert_eq!(set(&mut silences, 10, unknown), Err(SilenceError::NotFound));
    assert!(silences.is_empty());
}

#[test]
fn limits_leave_the_store_as_it_was() {
    let mut silences = Silences::default();
    let mut limited = |limits, draft| silences.set(at(10), draft, limits, RETENTION, || SilenceId("x".into()));
    let small = SilenceLimits { bytes_max: Some(20), count_max: None };
    assert!(matches!(limited(small, draft("db", 10, 100)), Err(SilenceError::TooBig { limit: 20, .. })));
    let none = SilenceLimits { bytes_max: None, count_max: Some(0) };
    assert_eq!(limited(none, draft("db", 10, 100)), Err(SilenceError::TooMany { count: 0, limit: 0 }));
}

#[test]
fn merging_is_the_same_in_any_order() {
    let mut here = Silences::default();
    let made = set(&mut here, 10, draft("db", 10, 100)).unwrap();
    let ended = here.expire(at(20), &made.id, RETENTION).unwrap();
    let mut there = Silences::default();
    assert!(there.merge(at(21), ended.versions[0].clone()));
    assert!(!there.merge(at(21), made.versions[0].clone()), "an ended silence doesn't come back");
    assert_eq!(here.digest(), there.digest());
    assert_eq!(here.encode(), there.encode());
}

#[test]
fn an_alert_meets_new_silences_only() {
    let mut silences = Silences::default();
    let labels = LabelSet::new([("team", "db")]);
    let mut cache = SilenceCache::default();
    silences.refresh(&labels, &mut cache);
    assert!(!silences.is_silenced(&cache, at(30)));
    let made = set(&mut silences, 10, draft("db", 20, 100)).unwrap();
    set(&mut silences, 10, draft("web", 10, 100)).unwrap();
    silences.refresh(&labels, &mut cache);
    assert!(!silences.is_silenced(&cache, at(19)), "still pending");
    assert_eq!(silences.active(&cache, at(20)), std::slice::from_ref(&made.id));
    silences.expire(at(40), &made.id, RETENTION).unwrap();
    assert!(!silences.is_silenced(&cache, at(41)));
    silences.forget_expired(at(100) + RETENTION);
    assert_eq!(silences.len(), 0, "both are past their retention");
}

#[test]
fn a_file_reads_back() {
    let mut silences = Silences::default();
    set(&mut silences, 10, draft("db", 10, 100)).unwrap();
    set(&mut silences, 10, draft("web", 10, 100)).unwrap();
    let crate::silence::Decoded { silences: read, broken } = crate::silence::decode(silences.encode()).unwrap();
    assert_eq!(read.iter().collect::<Vec<_>>(), silences.iter().collect::<Vec<_>>());
    assert!(broken.is_empty());
}
