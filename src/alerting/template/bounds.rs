//! How much values print, counted before they are printed: they share their parts, so that a few steps make one that
//! would print more than any memory holds.

use super::data::{AlertData, Data};
use super::value::Value;
use crate::label::LabelSet;

/// How deep lists and maps may be inside of each other, so that nobody's stack runs out.
const DEPTH_MAX: u32 = 50;

/// About what a number, a time or the marks around an element take.
const SMALL: usize = 8;

/// About what an alert prints beside its texts.
const ALERT: usize = 120;

/// What may be printed at all.
pub(super) const TOO_LONG: &str = "the text is too long";

/// About how many bytes all of them print together.
///
/// # Errors
/// When it's more than `max`, or they are too deep to be printed.
pub(super) fn printed(values: &[Value], max: usize) -> Result<usize, &'static str> {
    let mut room = Room { left: max };
    values.iter().try_for_each(|value| room.value(value, 0))?;
    Ok(max - room.left)
}

/// The same of what a template makes itself; the data of the notification counts for nothing.
///
/// # Errors
/// As of [`printed`].
pub(super) fn made(values: &[Value], max: usize) -> Result<usize, &'static str> {
    let mut room = Room { left: max };
    let own = |value: &&Value| matches!(value, Value::List(_) | Value::Map(_)) || value.as_text().is_some();
    values.iter().filter(own).try_for_each(|value| room.value(value, 0))?;
    Ok(max - room.left)
}

/// What a format may come to, given the bytes of its arguments.
///
/// # Errors
/// When it's more than `max`.
pub(super) fn formatted(format: &str, args: usize, max: usize) -> Result<(), &'static str> {
    let numbers = format.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let widths = numbers.map(|digits| digits.parse().unwrap_or(usize::MAX)).fold(0, usize::saturating_add);
    // an argument may be taken more than once
    let times = if format.contains('[') { format.matches('%').count() } else { 1 };
    let most = args.saturating_mul(times).saturating_add(widths);
    if most > max { Err(TOO_LONG) } else { Ok(()) }
}

struct Room {
    left: usize,
}

impl Room {
    fn take(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.left = self.left.checked_sub(bytes).ok_or(TOO_LONG)?;
        Ok(())
    }

    fn value(&mut self, value: &Value, depth: u32) -> Result<(), &'static str> {
        if depth > DEPTH_MAX {
            return Err("the value is nested too deeply");
        }
        match value {
            Value::Text(text) | Value::Html(text) | Value::Url(text) => self.take(text.len()),
            Value::List(list) => {
                self.take(SMALL + list.len())?;
                list.iter().try_for_each(|element| self.value(element, depth + 1))
            }
            Value::Map(map) => map.iter().try_for_each(|(key, value)| {
                self.take(SMALL + key.len())?;
                self.value(value, depth + 1)
            }),
            Value::Strings(list) | Value::TextList(list) => list.iter().try_for_each(|text| self.take(text.len() + 1)),
            Value::Pairs(pairs) => pairs.iter().try_for_each(|(name, value)| self.take(name.len() + value.len() + 3)),
            Value::Pair(name, value) => self.take(name.len() + value.len() + 3),
            Value::Kv(labels) => self.labels(labels),
            Value::Alerts(alerts) | Value::AlertList(alerts) => alerts.iter().try_for_each(|alert| self.alert(alert)),
            Value::Alert(alert) => self.alert(alert),
            Value::Data(data) => self.data(data),
            _ => self.take(SMALL),
        }
    }

    fn labels(&mut self, labels: &LabelSet) -> Result<(), &'static str> {
        labels.iter().try_for_each(|(name, value)| self.take(name.len() + value.len() + 3))
    }

    fn alert(&mut self, alert: &AlertData) -> Result<(), &'static str> {
        self.take(ALERT + alert.generator_url.len())?;
        self.labels(&alert.labels)?;
        self.labels(&alert.annotations)
    }

    fn data(&mut self, data: &Data) -> Result<(), &'static str> {
        let labels = [&data.group_labels, &data.common_labels, &data.common_annotations, &data.route_labels];
        labels.into_iter().try_for_each(|labels| self.labels(labels))?;
        data.alerts.iter().try_for_each(|alert| self.alert(alert))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_parts_count_as_often_as_they_print() {
        let mut value = Value::List([Value::text("0123456789")].into());
        for _ in 0..40 {
            value = Value::List([value.clone(), value].into());
        }
        assert_eq!(printed(&[value], 1 << 20), Err(TOO_LONG));
        let mut deep = Value::Nil;
        for _ in 0..100 {
            deep = Value::List([deep].into());
        }
        assert_eq!(made(&[deep], 1 << 20), Err("the value is nested too deeply"));
        assert_eq!(printed(&[Value::text("abc"), Value::Int(1)], 100), Ok(11));
    }

    #[test]
    fn formats_may_repeat_their_arguments() {
        assert_eq!(formatted("%s %5d", 10, 20), Ok(()));
        assert_eq!(formatted("%[1]s%[1]s%[1]s", 10, 20), Err(TOO_LONG));
        assert_eq!(formatted(&"%9d".repeat(9), 0, 20), Err(TOO_LONG));
        assert_eq!(formatted("%99999999999999999999999d", 0, 20), Err(TOO_LONG));
    }
}
