#![allow(clippy::unwrap_used)]

use super::*;
use crate::matcher::{Matcher, Op};
use crate::silence::{Stored, decode_record};

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
    let read = crate::silence::decode(silences.encode()).unwrap();
    let read = read.into_iter().map(|stored| match stored {
        Stored::Usable(silence) => silence,
        Stored::Unusable(silence) => panic!("{silence:?}"),
    });
    assert_eq!(read.collect::<Vec<_>>(), silences.iter().cloned().collect::<Vec<_>>());
}

/// A record of the file with fields of a later version at every level.
fn later_record(id: &str, updated_at: u8, extra: &[u8]) -> Bytes {
    let text = |tag: u32, content: &[u8]| {
        let mut field = Vec::new();
        wire::put_field(tag, content, &mut field);
        field
    };
    let time = |secs: u8| [&[8][..], &[secs]].concat();
    let matcher = [text(2, b"team"), text(3, b"db"), text(90, extra)].concat();
    let set = [text(1, &matcher), text(91, extra)].concat();
    let parts = [text(1, id.as_bytes()), text(12, extra), text(11, &set), text(2, &matcher), text(9, b"why")];
    let times = [text(3, &time(1)), text(4, &time(100)), text(5, &time(updated_at))];
    let silence = [parts.concat(), times.concat(), text(92, extra)].concat();
    [text(1, &silence), text(2, &time(120)), text(93, extra)].concat().into()
}

/// How often a message holds a field of that number with that content, at any level.
fn occurrences(message: &Bytes, tag: u32, content: &[u8]) -> usize {
    let Ok(fields) = wire::fields(message) else { return 0 };
    let count =
        |f: &wire::Field| usize::from(f.tag == tag && f.content == content) + occurrences(&f.content, tag, content);
    fields.iter().map(count).sum()
}

#[test]
fn what_a_later_version_wrote_is_kept_even_when_the_silence_changes() {
    let stored = later_record("id", 5, b"new");
    let Stored::Usable(silence) = decode_record(stored.clone(), 1, 0).unwrap() else { panic!() };
    assert_eq!((silence.matcher_sets.len(), silence.comment.as_str()), (1, "why"));
    let mut silences = Silences::default();
    silences.merge(at(10), silence);
    let file = |silences: &Silences| wire::take_delimited(&mut silences.encode()).unwrap();
    let check = |record: &Bytes| {
        for (tag, wanted) in [(12, 1), (90, 2), (91, 1), (92, 1), (93, 1)] {
            assert_eq!(occurrences(record, tag, b"new"), wanted, "field {tag}");
        }
    };
    check(&file(&silences));
    silences.expire(at(20), &SilenceId("id".into()), RETENTION).unwrap();
    check(&file(&silences));
    assert_eq!(silences.iter().next().unwrap().ends_at, at(20));
}

#[test]
fn a_silence_that_makes_no_sense_here_is_kept_and_passed_on() {
    let mut record = later_record("id", 5, b"x").to_vec();
    let place = record.windows(6).position(|w| w == b"\x12\x04team").unwrap();
    // its name becomes its operator, number 4
    record.splice(place..place + 6, [8, 4, 8, 4, 8, 4]);
    // in both lists
    let place = record.windows(6).position(|w| w == b"\x12\x04team").unwrap();
    record.splice(place..place + 6, [8, 4, 8, 4, 8, 4]);
    let record = Bytes::from(record);
    let Stored::Unusable(silence) = decode_record(record.clone(), 1, 0).unwrap() else { panic!() };
    assert_eq!(silence.cause, "matcher of unknown type 4");
    let mut silences = Silences::default();
    assert!(silences.merge_unusable(at(10), silence.clone()) && !silences.merge_unusable(at(10), silence));
    assert_eq!(silences.len(), 0);
    assert_eq!(wire::take_delimited(&mut silences.encode()).unwrap(), record);
    silences.forget_expired(at(500));
    assert!(silences.encode().is_empty() && silences.digest().total() == 0);
}

#[test]
fn old_forms_are_read() {
    let text = |tag: u32, content: &[u8]| {
        let mut field = Vec::new();
        wire::put_field(tag, content, &mut field);
        field
    };
    let matcher = [text(2, b"team"), text(3, b"db")].concat();
    let comment = [text(1, b"author"), text(2, b"text")].concat();
    let old = [text(1, b"id"), text(2, &matcher), text(7, &comment), text(9, b"overruled")].concat();
    let Stored::Usable(silence) = decode_record(text(1, &old).into(), 1, 0).unwrap() else { panic!() };
    assert_eq!((silence.created_by.as_str(), silence.comment.as_str()), ("author", "text"));
    assert!(silence.matches(&LabelSet::new([("team", "db")])));
    let none = decode_record(text(1, &text(1, b"id")).into(), 1, 0).unwrap();
    let Stored::Usable(silence) = none else { panic!() };
    assert!(!silence.matches(&LabelSet::new([("team", "db")])), "no matchers match nothing");
}

proptest::proptest! {
    #[test]
    fn versions_merge_to_the_same_in_any_order_and_number(
        versions in proptest::collection::vec((0..4_u8, 1..60_u8), 1..12),
        order in proptest::collection::vec(proptest::prelude::any::<proptest::sample::Index>(), 0..30),
    ) {
        let record = |(id, updated_at): (u8, u8)| later_record(&format!("id-{id}"), updated_at, &[updated_at]);
        let take = |silences: &mut Silences, version| match decode_record(record(version), 1, 0).unwrap() {
            Stored::Usable(silence) => drop(silences.merge(at(10), silence)),
            Stored::Unusable(_) => panic!(),
        };
        let (mut forth, mut mixed) = (Silences::default(), Silences::default());
        versions.iter().for_each(|version| take(&mut forth, *version));
        order.iter().for_each(|place| take(&mut mixed, *place.get(&versions)));
        versions.iter().rev().for_each(|version| take(&mut mixed, *version));
        proptest::prop_assert_eq!(forth.encode(), mixed.encode());
        proptest::prop_assert_eq!(forth.digest(), mixed.digest());
        let mut again = Silences::default();
        for stored in crate::silence::decode(forth.encode()).unwrap() {
            let Stored::Usable(silence) = stored else { panic!() };
            again.merge(at(10), silence);
        }
        proptest::prop_assert_eq!(again.encode(), forth.encode());
    }

    #[test]
    fn many_at_once_are_as_good_as_one_by_one(
        versions in proptest::collection::vec((0..40_u8, 1..60_u8, 1..120_i64, "[a-c]"), 0..12), asked in proptest::bool::ANY,
    ) {
        let make = |(id, updated_at, end, team): &(u8, u8, i64, String)| {
            Arc::new(Silence {
                id: SilenceId(format!("id-{id}").into()),
                matcher_sets: vec![vec![Matcher::new(Op::Equal, "team", team.as_str()).unwrap()]],
                starts_at: at(0),
                ends_at: at(*end),
                updated_at: at(i64::from(*updated_at)),
                expires_at: at(*end + 20),
                created_by: String::new(),
                comment: String::new(),
                annotations: BTreeMap::new(),
                unknown: None,
            })
        };
        let (mut single, mut bulk) = (Silences::default(), Silences::default());
        if asked {
            proptest::prop_assert_eq!(bulk.digest().total(), 0);
        }
        versions.iter().for_each(|version| { single.merge(at(60), make(version)); });
        bulk.merge_all(at(60), versions.iter().map(make).collect());
        proptest::prop_assert_eq!(bulk.encode(), single.encode());
        proptest::prop_assert_eq!(bulk.digest(), single.digest());
        for team in ["a", "b", "c"] {
            let labels = LabelSet::new([("team", team)]);
            let active = |silences: &Silences| {
                let mut cache = SilenceCache::default();
                silences.refresh(&labels, &mut cache);
                silences.active(&cache, at(60))
            };
            proptest::prop_assert_eq!(active(&bulk), active(&single));
        }
        for silences in [&mut single, &mut bulk] {
            silences.forget_if_expired(at(100));
        }
        proptest::prop_assert_eq!(bulk.encode(), single.encode());
        proptest::prop_assert_eq!(bulk.digest(), single.digest());
    }
}
