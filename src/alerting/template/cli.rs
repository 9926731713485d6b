//! Data for `template render`: from a JSON document, or a sample.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::data::{AlertData, Data};
use super::gotime::{self, GoTime};
use crate::label::LabelSet;
use crate::time::Timestamp;

/// Why a document is no data.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Not JSON, or of another shape.
    #[error("reading the data of the template")]
    Json(#[from] serde_json::Error),
    /// A time can't be read.
    #[error("reading the data of the template: {0}")]
    Time(String),
}

type Map = Option<BTreeMap<String, String>>;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    receiver: Option<String>,
    status: Option<String>,
    alerts: Option<Vec<DocumentAlert>>,
    #[serde(rename = "notification_reason")]
    notification_reason: Option<String>,
    group_labels: Map,
    common_labels: Map,
    common_annotations: Map,
    route_labels: Map,
    #[serde(rename = "externalURL")]
    external_url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DocumentAlert {
    status: Option<String>,
    labels: Map,
    annotations: Map,
    starts_at: Option<String>,
    ends_at: Option<String>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
    fingerprint: Option<String>,
}

/// The data of `template render --template.data`: the reference's `template.Data` as JSON, which is what webhooks get.
/// `now` is what the template's `now` tells.
///
/// # Errors
/// When it is no JSON, or has another shape.
pub fn parse_data(json: &str, now: Timestamp) -> Result<Data, DataError> {
    let document: Document = serde_json::from_str(json)?;
    let alerts: Result<Vec<_>, DataError> =
        document.alerts.unwrap_or_default().into_iter().map(|alert| Ok(Arc::new(alert.read()?))).collect();
    let text = |text: Option<String>| Arc::from(text.unwrap_or_default());
    Ok(Data {
        now: GoTime::utc(now),
        receiver: text(document.receiver),
        status: text(document.status),
        alerts: alerts?.into(),
        notification_reason: text(document.notification_reason),
        group_labels: labels(document.group_labels),
        common_labels: labels(document.common_labels),
        common_annotations: labels(document.common_annotations),
        route_labels: labels(document.route_labels),
        external_url: text(document.external_url),
        labels_rendered: false,
    })
}

impl DocumentAlert {
    fn read(self) -> Result<AlertData, DataError> {
        let text = |text: Option<String>| Arc::from(text.unwrap_or_default());
        let time = |text: Option<String>| match text {
            Some(text) => gotime::parse("2006-01-02T15:04:05Z07:00", &text).map_err(DataError::Time),
            None => Ok(GoTime::UNSET),
        };
        Ok(AlertData {
            status: text(self.status),
            labels: labels(self.labels),
            annotations: labels(self.annotations),
            starts_at: time(self.starts_at)?,
            ends_at: time(self.ends_at)?,
            generator_url: text(self.generator_url),
            fingerprint: text(self.fingerprint),
        })
    }
}

fn labels(map: Map) -> LabelSet {
    LabelSet::new(map.unwrap_or_default())
}

/// The data of `template render` when none is given: the reference's sample, one alert that fires and one that is
/// resolved.
pub fn sample_data(now: Timestamp) -> Data {
    const COMMON: [(&str, &str); 2] =
        [("commonlabelkey1", "commonlabelvalue1"), ("commonlabelkey2", "commonlabelvalue2")];
    const COMMON_TEXT: [(&str, &str); 2] =
        [("commonannotationkey1", "commonannotationvalue1"), ("commonannotationkey2", "commonannotationvalue2")];
    let alert = |status: &str, minutes: u64, labels: &[(&str, &str)], annotations: &[(&str, &str)], number: u32| {
        Arc::new(AlertData {
            status: status.into(),
            labels: LabelSet::new(labels.iter().chain(&COMMON).copied()),
            annotations: LabelSet::new(annotations.iter().chain(&COMMON_TEXT).copied()),
            starts_at: GoTime::utc(now - Duration::from_secs(60 * minutes)),
            ends_at: GoTime::utc(now),
            generator_url: "https://generatorurl.com".into(),
            fingerprint: format!("fingerprint{number}").into(),
        })
    };
    let firing_labels = [("label1", "value1"), ("label2", "value2"), ("instance", "foo.bar:1234")];
    let firing = alert("firing", 5, &firing_labels, &[("annotation1", "value1"), ("annotation2", "value2")], 1);
    let resolved = alert("resolved", 10, &[("foo", "bar"), ("baz", "qux")], &[("aaa", "bbb"), ("ccc", "ddd")], 2);
    Data {
        now: GoTime::utc(now),
        receiver: "receiver".into(),
        status: "alertstatus".into(),
        alerts: [firing, resolved].into(),
        notification_reason: "".into(),
        group_labels: LabelSet::new([("grouplabelkey1", "grouplabelvalue1"), ("grouplabelkey2", "grouplabelvalue2")]),
        common_labels: LabelSet::new(COMMON),
        common_annotations: LabelSet::new(COMMON_TEXT),
        route_labels: LabelSet::empty(),
        external_url: "https://example.com".into(),
        labels_rendered: false,
    }
}
