//! Reads the named time intervals.

use std::sync::Arc;

use super::error::ConfigError;
use super::node::Node;
use super::out::{Fields, Out};
use super::section::{Section, text_of, texts_in};
use crate::interval::{InclusiveRange, IntervalError, Location, TimeInterval, TimeRange};

/// A name with its elements, as it was read.
pub(super) struct Named<'a> {
    pub(super) name: Arc<str>,
    pub(super) elements: Vec<TimeInterval>,
    pub(super) section: Section<'a>,
}

/// Reads one named interval. `what`: how the reference calls it in its errors.
pub(super) fn read<'a>(node: &'a Node, path: &str, what: &str) -> Result<(Named<'a>, Out), ConfigError> {
    let section = Section::open(node, path, "config.plain", &["name", "time_intervals"])?;
    let (mut elements, mut elements_printed) = (Vec::new(), Vec::new());
    for (path, node) in section.list("time_intervals", "[]timeinterval.TimeInterval")?.unwrap_or_default() {
        let element = read_element(node, &path)?;
        elements_printed.push(print(&element));
        elements.push(element);
    }
    let name = section.text("name")?.unwrap_or_default();
    if name.is_empty() {
        return Err(section.error("name", format!("missing name in {what}")));
    }
    let mut printed = Fields::default();
    printed.put("name", Out::text(name));
    printed.put("time_intervals", Out::List(elements_printed));
    Ok((Named { name: Arc::from(name), elements, section }, printed.done()))
}

fn read_element(node: &Node, path: &str) -> Result<TimeInterval, ConfigError> {
    const FIELDS: [&str; 6] = ["times", "weekdays", "days_of_month", "months", "years", "location"];
    let section = Section::open(node, path, "timeinterval.TimeInterval", &FIELDS)?;
    let ranges = |name: &str, kind: &str, parse: fn(&str) -> Result<InclusiveRange, IntervalError>| {
        let Some(node) = section.get(name) else { return Ok(None) };
        let texts = texts_in(node, &section.path(name), kind, "string")?;
        let read =
            |(text, path, node): (&str, String, &Node)| parse(text).map_err(|e| node.error(&path, e.to_string()));
        texts.into_iter().map(read).collect::<Result<Vec<_>, _>>().map(Some)
    };
    let times = section.list("times", "[]timeinterval.TimeRange")?;
    let times = times.map(|items| items.iter().map(|(path, node)| read_times(node, path)).collect());
    let location = section.get("location").map(|node| {
        let path = section.path("location");
        Location::named(text_of(node, &path, "string")?).map_err(|e| node.error(&path, e.to_string()))
    });
    Ok(TimeInterval {
        times: times.transpose()?,
        weekdays: ranges("weekdays", "[]timeinterval.WeekdayRange", InclusiveRange::weekdays)?,
        days_of_month: ranges("days_of_month", "[]timeinterval.DayOfMonthRange", InclusiveRange::days_of_month)?,
        months: ranges("months", "[]timeinterval.MonthRange", InclusiveRange::months)?,
        years: ranges("years", "[]timeinterval.YearRange", InclusiveRange::years)?,
        location: location.transpose()?,
    })
}

fn read_times(node: &Node, path: &str) -> Result<TimeRange, ConfigError> {
    let section = Section::open(node, path, "timeinterval.yamlTimeRange", &["start_time", "end_time"])?;
    let text = |name| Ok(section.text(name)?.unwrap_or_default());
    TimeRange::parse(text("start_time")?, text("end_time")?).map_err(|e| node.error(path, e.to_string()))
}

fn print(element: &TimeInterval) -> Out {
    let mut printed = Fields::default();
    let times = element.times.iter().flatten().map(|range| {
        let mut fields = Fields::default();
        fields.put("start_time", Out::text(range.start_text()));
        fields.put("end_time", Out::text(range.end_text()));
        fields.done()
    });
    printed.put_some("times", Out::List(times.collect()));
    let weekdays = element.weekdays.iter().flatten().map(InclusiveRange::weekdays_text);
    printed.put_flow("weekdays", Out::texts(weekdays));
    let lists = [("days_of_month", &element.days_of_month), ("months", &element.months), ("years", &element.years)];
    for (name, ranges) in lists {
        printed.put_flow(name, Out::texts(ranges.iter().flatten().map(ToString::to_string)));
    }
    let location = element.location.as_ref().map(ToString::to_string);
    printed.put_flow("location", Out::text(location.unwrap_or_default()));
    printed.done()
}
