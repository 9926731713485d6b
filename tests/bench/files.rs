//! The state files that a program finds when it starts again, in the reference's format. Written without the help of
//! our own code, so that both programs read what a third one wrote.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use prost::Message;

/// How long after their making silences end and log entries expire.
const LIFE_SECS: i64 = 24 * 3600;

#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Matcher {
    /// 0: equal, 1: regular expression
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    pattern: String,
}

#[derive(Clone, PartialEq, Message)]
struct MatcherSet {
    #[prost(message, repeated, tag = "1")]
    matchers: Vec<Matcher>,
}

#[derive(Clone, PartialEq, Message)]
struct Silence {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, repeated, tag = "2")]
    matchers: Vec<Matcher>,
    #[prost(message, optional, tag = "3")]
    starts_at: Option<Time>,
    #[prost(message, optional, tag = "4")]
    ends_at: Option<Time>,
    #[prost(message, optional, tag = "5")]
    updated_at: Option<Time>,
    #[prost(string, tag = "8")]
    created_by: String,
    #[prost(string, tag = "9")]
    comment: String,
    #[prost(message, repeated, tag = "11")]
    matcher_sets: Vec<MatcherSet>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredSilence {
    #[prost(message, optional, tag = "1")]
    silence: Option<Silence>,
    #[prost(message, optional, tag = "2")]
    expires_at: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct Receiver {
    #[prost(string, tag = "1")]
    group_name: String,
    #[prost(string, tag = "2")]
    integration: String,
    #[prost(uint32, tag = "3")]
    index: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(bytes = "vec", tag = "1")]
    group_key: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    receiver: Option<Receiver>,
    #[prost(message, optional, tag = "5")]
    timestamp: Option<Time>,
    #[prost(uint64, repeated, tag = "6")]
    firing_alerts: Vec<u64>,
    #[prost(uint64, repeated, tag = "7")]
    resolved_alerts: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredEntry {
    #[prost(message, optional, tag = "1")]
    entry: Option<Entry>,
    #[prost(message, optional, tag = "2")]
    expires_at: Option<Time>,
}

/// The id of a stored silence.
pub(crate) fn silence_id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}

/// Writes `silences` and `nflog` into a data directory.
pub(crate) fn write(dir: &Path, silences: usize, entries: usize) -> io::Result<()> {
    let now = Timestamp::now().as_second();
    fs::write(dir.join("silences"), records((0..silences).map(|number| silence(number, now))))?;
    fs::write(dir.join("nflog"), records((0..entries).map(|number| entry(number, now))))
}

fn records<M: Message>(records: impl Iterator<Item = M>) -> Vec<u8> {
    records.flat_map(|record| record.encode_length_delimited_to_vec()).collect()
}

fn at(seconds: i64) -> Option<Time> {
    Some(Time { seconds, nanos: 0 })
}

/// One in four has a regular expression, as silences that people make.
fn silence(number: usize, now: i64) -> StoredSilence {
    let equal = |name: &str, value: String| Matcher { kind: 0, name: name.to_owned(), pattern: value };
    let second = match number % 4 {
        0 => {
            Matcher { kind: 1, name: "pod".to_owned(), pattern: format!("checkout-[0-9a-f]+-{:04}.*", number % 10_000) }
        }
        _ => equal("pod", format!("checkout-7d9f8b6c5d-{number:06}")),
    };
    let matchers = vec![equal("namespace", format!("payments-{:02}", number % 97)), second];
    StoredSilence {
        silence: Some(Silence {
            id: silence_id(number),
            matchers: matchers.clone(),
            starts_at: at(now - 60),
            ends_at: at(now + LIFE_SECS),
            updated_at: at(now - 60),
            created_by: "somebody@example.com".to_owned(),
            comment: format!("being worked on, see ticket OPS-{number}"),
            matcher_sets: vec![MatcherSet { matchers }],
        }),
        expires_at: at(now + 2 * LIFE_SECS),
    }
}

fn entry(number: usize, now: i64) -> StoredEntry {
    let group = format!(
        r#"{{}}:{{alertname="KubePodNotReadyForTooLong{:02}", cluster="production-eu-west-1-{:02}", pod="checkout-{number:06}"}}"#,
        number % 40,
        number / 40 % 50,
    );
    let hash = |salt: u64| (number as u64).wrapping_add(salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    StoredEntry {
        entry: Some(Entry {
            group_key: group.into_bytes(),
            receiver: Some(Receiver { group_name: "nobody".to_owned(), integration: "webhook".to_owned(), index: 0 }),
            timestamp: at(now - 60),
            firing_alerts: vec![hash(1), hash(2), hash(3)],
            resolved_alerts: vec![hash(4)],
        }),
        expires_at: at(now + LIFE_SECS),
    }
}
