//! Posted alerts: from the bytes of a request to what the engine merges, in one pass. This is the hottest path of the
//! whole program: every Prometheus posts every firing alert again and again.
//!
//! Texts are borrowed from the body; what is kept of an alert is packed once.

mod visit;

use std::borrow::Cow;

use alerting::alert::PostedAlert;
use alerting::label::{GoQuoted, LabelSet};
use alerting::matcher::Mode;
use alerting::time::Timestamp;
use serde::Deserializer;

use super::json;
use super::uri::is_request_uri;

/// What is said of an alert that ends before it starts.
pub(super) const ENDS_BEFORE_START: &str = "start time must be before end time";

/// Most bytes of a label's name, and of its value. No Prometheus has such, but somebody who can post may try.
pub(super) const LABEL_BYTES_MAX: usize = 64 << 10;

/// The same for annotations, which may quote a log.
pub(super) const ANNOTATION_BYTES_MAX: usize = 512 << 10;

/// What a request holds.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Valid alerts, in their order.
    pub(super) alerts: Vec<PostedAlert>,
    /// What is wrong with each of the others.
    pub(super) errors: Vec<String>,
    /// Those others that fired.
    pub(super) invalid_firing: u64,
    /// Those others that were resolved.
    pub(super) invalid_resolved: u64,
}

/// Why nothing of a request is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not the JSON that it should be.
    Malformed(String),
    /// A field is missing or not of its format: code and text of the answer.
    Field(u16, String),
}

/// Reads an array of alerts; `now` tells the resolved ones, for counting.
///
/// # Errors
/// When anything in the array is malformed. Alerts that are only invalid are left out.
pub(super) fn read(body: &[u8], mode: Mode, now: Timestamp) -> Result<Batch, Refused> {
    let text = match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        // as Go's decoder, which replaces what is no UTF-8; slower, hence not always
        Err(_) => String::from_utf8_lossy(body),
    };
    match read_text(&text, mode, now) {
        Err(Refused::Malformed(why)) => match json::mend_surrogates(&text) {
            Some(mended) => read_text(&mended, mode, now),
            None => Err(Refused::Malformed(why)),
        },
        read => read,
    }
}

fn read_text(text: &str, mode: Mode, now: Timestamp) -> Result<Batch, Refused> {
    let mut reader = Reader { mode, now, batch: Batch::default(), refused: None, position: 0, pairs: Vec::new() };
    // what follows the array is ignored (reference behaviour)
    let mut json = serde_json::Deserializer::from_str(text);
    match json.deserialize_any(visit::Array(&mut reader)) {
        Ok(()) => {}
        Err(error) if error.is_eof() => return Err(Refused::Malformed("unexpected EOF".into())),
        Err(error) => return Err(Refused::Malformed(error.to_string())),
    }
    match reader.refused {
        Some(refused) => Err(refused),
        None => Ok(reader.batch),
    }
}

type Pairs<'de> = Vec<(Cow<'de, str>, Cow<'de, str>)>;

struct Reader<'de> {
    mode: Mode,
    now: Timestamp,
    batch: Batch,
    refused: Option<Refused>,
    /// Of the present alert in the array.
    position: usize,
    /// Of the present label set; kept for its memory.
    pairs: Pairs<'de>,
}

/// The fields of an alert.
#[derive(Default)]
struct Fields<'de> {
    labels: Option<Packed>,
    annotations: Option<Packed>,
    generator_url: Cow<'de, str>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

/// A label set, and what is wrong with it.
struct Packed {
    set: LabelSet,
    fault: Option<String>,
}

impl Reader<'_> {
    fn take(&mut self, fields: Fields<'_>) {
        let position = self.position;
        self.position += 1;
        if self.refused.is_some() {
            return;
        }
        if !fields.generator_url.is_empty() && !is_request_uri(&fields.generator_url) {
            let url = GoQuoted(&fields.generator_url);
            let text = format!("{position}.generatorURL in body must be of type uri: {url}");
            self.refused = Some(Refused::Field(601, text));
            return;
        }
        let Some(labels) = fields.labels else {
            self.refused = Some(Refused::Field(602, format!("{position}.labels in body is required")));
            return;
        };
        let annotations = fields.annotations.unwrap_or_else(|| Packed { set: LabelSet::empty(), fault: None });
        if let Some(error) = fault(&labels, &annotations, fields.starts_at, fields.ends_at) {
            self.batch.errors.push(error);
            match fields.ends_at.is_some_and(|end| end <= self.now) {
                true => self.batch.invalid_resolved += 1,
                false => self.batch.invalid_firing += 1,
            }
            return;
        }
        let url = fields.generator_url.into();
        let alert = PostedAlert::new(labels.set, annotations.set, url, fields.starts_at, fields.ends_at);
        self.batch.alerts.push(alert);
    }

    /// Labels without a value don't count; of a name given twice the last one does.
    fn drop_empty(&mut self) {
        if self.pairs.iter().all(|(_, value)| !value.is_empty()) {
            return;
        }
        let empty: Vec<_> = self.pairs.iter().filter(|(_, v)| v.is_empty()).map(|(n, _)| n.clone()).collect();
        let last_is_empty =
            |name: &str| self.pairs.iter().rev().find(|(n, _)| n == name).is_some_and(|(_, v)| v.is_empty());
        let dropped: Vec<_> = empty.into_iter().filter(|name| last_is_empty(name)).collect();
        self.pairs.retain(|(name, _)| !dropped.contains(name));
    }
}

/// What is wrong with an alert, in the reference's order and words.
fn fault(
    labels: &Packed,
    annotations: &Packed,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
) -> Option<String> {
    if let (Some(start), Some(end)) = (starts_at, ends_at)
        && end < start
    {
        return Some(ENDS_BEFORE_START.to_owned());
    }
    if labels.set.is_empty() {
        return Some("at least one label pair required".to_owned());
    }
    let invalid = |what: &str, fault: &Option<String>| fault.as_ref().map(|fault| format!("invalid {what}: {fault}"));
    invalid("label set", &labels.fault).or_else(|| invalid("annotations", &annotations.fault))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn batch(json: &str) -> Batch {
        read(json.as_bytes(), Mode::default(), Timestamp::from_secs(1_000)).unwrap()
    }

    fn refused(json: &str) -> Refused {
        read(json.as_bytes(), Mode::default(), Timestamp::from_secs(1_000)).unwrap_err()
    }

    #[test]
    fn an_alert_as_prometheus_posts_it() {
        let batch = batch(
            r#"[{"annotations":{"summary":"a \"b\""},"endsAt":"2026-11-21T12:50:01.113Z","startsAt":"2026-11-21T12:46:01Z",
                "generatorURL":"http://prom:9090/graph?g0.expr=up","labels":{"severity":"page","alertname":"Down","x":""}}]"#,
        );
        let [alert] = batch.alerts.as_slice() else { panic!("{batch:?}") };
        assert_eq!(alert.labels.to_string(), r#"{alertname="Down", severity="page"}"#);
        assert_eq!(alert.annotations.get("summary"), Some("a \"b\""));
        assert_eq!(&*alert.generator_url, "http://prom:9090/graph?g0.expr=up");
        assert_eq!(alert.starts_at.unwrap().to_string(), "2026-11-21T12:46:01Z");
        assert_eq!(alert.ends_at.unwrap().to_string(), "2026-11-21T12:50:01.113Z");
    }

    #[test]
    fn valid_alerts_stay_when_others_are_invalid() {
        let batch = batch(
            r#"[{"labels":{"a":""}},{"labels":{"ok":"1"}},{"labels":{"":"x"}},{"labels":{"a":"b"},"annotations":{"":""}},
                {"labels":{"b":"1"},"startsAt":"1970-01-02T00:00:00Z","endsAt":"1970-01-01T00:00:00Z"}]"#,
        );
        assert_eq!(batch.alerts.len(), 1);
        assert_eq!(
            batch.errors,
            [
                "at least one label pair required",
                "invalid label set: invalid name \"\"",
                "invalid annotations: invalid name \"\"",
                "start time must be before end time",
            ]
        );
        assert_eq!((batch.invalid_firing, batch.invalid_resolved), (3, 1));
    }

    #[test]
    fn the_first_bad_field_refuses_all() {
        assert_eq!(refused("[{},{}]"), Refused::Field(602, "0.labels in body is required".into()));
        assert_eq!(
            refused(r#"[{"labels":{"a":"b"}},{"generatorURL":"x"}]"#),
            Refused::Field(601, "1.generatorURL in body must be of type uri: \"x\"".into())
        );
        assert_eq!(refused("[{"), Refused::Malformed("unexpected EOF".into()));
        assert!(matches!(refused(r#"[{"labels":{"a":1}}]"#), Refused::Malformed(_)));
        assert!(matches!(refused("{}"), Refused::Malformed(_)));
        assert!(matches!(refused(r#"[{},{"startsAt":"x"}]"#), Refused::Malformed(_)));
    }

    #[test]
    fn what_go_takes_is_taken() {
        assert_eq!(batch("null").alerts, []);
        assert_eq!(batch("[] trailing").alerts, []);
        let labels = |json: &str| batch(json).alerts[0].labels.to_string();
        assert_eq!(labels(r#"[{"Labels":{"a":"b","a":"c"},"unknown":{"x":[1]},"startsAt":null}]"#), r#"{a="c"}"#);
        assert_eq!(labels(r#"[{"labels":{"a":"b","a":"","c":"","c":"d","e":null}}]"#), r#"{c="d"}"#);
        assert_eq!(labels(r#"[{"labels":{"a":"\u00e9\ud83d\ude00"}}]"#), r#"{a="é😀"}"#);
        let bytes = b"[{\"labels\":{\"a\":\"\xff\"}}]";
        let lossy = read(bytes, Mode::default(), Timestamp::EPOCH).unwrap();
        assert_eq!(lossy.alerts[0].labels.get("a"), Some("\u{fffd}"));
    }
}
