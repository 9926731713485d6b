//! Posted alerts as JSON: visitors that hand one alert after the other to the [`Reader`], without a tree in between.

use std::borrow::Cow;
use std::fmt;

use alerting::label::LabelSet;
use alerting::matcher::valid_label_name;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::time;
use super::{ANNOTATION_BYTES_MAX, Fields, GoQuoted, LABEL_BYTES_MAX, Packed, Reader, Timestamp};

/// The array, or `null` for an empty one.
pub(super) struct Array<'r, 'de>(pub(super) &'r mut Reader<'de>);

impl<'de> Visitor<'de> for Array<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of alerts")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(OneAlert(self.0))?.is_some() {}
        Ok(())
    }
}

/// One alert; `null` is one without labels.
struct OneAlert<'r, 'de>(&'r mut Reader<'de>);

impl<'de> DeserializeSeed<'de> for OneAlert<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneAlert<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an alert")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.take(Fields::default());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut fields = Fields::default();
        while let Some(Text(key)) = map.next_key()? {
            match field(&key) {
                "labels" => fields.labels = map.next_value_seed(Set { reader: self.0, annotations: false })?,
                "annotations" => fields.annotations = map.next_value_seed(Set { reader: self.0, annotations: true })?,
                "startsAt" => fields.starts_at = map.next_value::<Time>()?.0,
                "endsAt" => fields.ends_at = map.next_value::<Time>()?.0,
                "generatorURL" => fields.generator_url = map.next_value::<Text<'_>>()?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.0.take(fields);
        Ok(())
    }
}

/// The case of a key doesn't matter (reference behaviour).
fn field(key: &str) -> &str {
    const FIELDS: [&str; 5] = ["labels", "annotations", "startsAt", "endsAt", "generatorURL"];
    FIELDS.into_iter().find(|field| field.eq_ignore_ascii_case(key)).unwrap_or_default()
}

/// A label set; `null` is none.
struct Set<'r, 'de> {
    reader: &'r mut Reader<'de>,
    annotations: bool,
}

impl<'de> DeserializeSeed<'de> for Set<'_, 'de> {
    type Value = Option<Packed>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Set<'_, 'de> {
    type Value = Option<Packed>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with texts")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        self.reader.pairs.clear();
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            self.reader.pairs.push((name, value));
        }
        if !self.annotations {
            self.reader.drop_empty();
        }
        let most = if self.annotations { ANNOTATION_BYTES_MAX } else { LABEL_BYTES_MAX };
        let pairs = &self.reader.pairs;
        if let Some(at) = pairs.iter().position(|(name, value)| name.len() > most || value.len() > most) {
            let (name, _) = &pairs[at];
            let shown: String = name.chars().take(64).collect();
            let fault = format!("{} is longer than {most} bytes, or its name is", GoQuoted(&shown));
            // nobody looks at its labels, but that it has some
            let kept = LabelSet::new([(shown, String::new())]);
            self.reader.pairs.clear();
            return Ok(Some(Packed { set: kept, fault: Some(fault) }));
        }
        let mode = self.reader.mode;
        let bad = pairs.iter().map(|(name, _)| name).filter(|name| !valid_label_name(mode, name)).min();
        let fault = bad.map(|name| format!("invalid name {}", GoQuoted(name)));
        Ok(Some(Packed { set: LabelSet::new(self.reader.pairs.drain(..)), fault }))
    }
}

/// A string, borrowed where it has no escapes; `null` is `""`.
#[derive(Default)]
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }
}

/// A time; `null` and the year 1 are none.
struct Time(Option<Timestamp>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(Text(text)) = Option::<Text<'de>>::deserialize(deserializer)? else { return Ok(Self(None)) };
        time::parse(&text).map(Self).map_err(Error::custom)
    }
}
