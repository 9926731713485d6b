//! A moment as text.

use std::fmt::{self, Write};

use super::layout::{self, Part};
use super::{GoTime, MONTHS, WEEKDAYS};

impl GoTime {
    /// In a layout, as Go's `Format` does it.
    pub(in crate::template) fn format(&self, layout: &str) -> String {
        let mut out = String::with_capacity(layout.len() + 10);
        let mut rest = layout;
        let (offset, zone) = self.offset();
        let date = self.civil();
        // writing to a string can't fail
        let put = |out: &mut String, args: fmt::Arguments<'_>| {
            let _ = out.write_fmt(args);
        };
        while let (before, Some((part, _)), after) = layout::next(rest) {
            out.push_str(before);
            rest = after;
            let hour12 = if date.hour.is_multiple_of(12) { 12 } else { date.hour % 12 };
            let (month, weekday) = (MONTHS[usize::from(date.month) - 1], WEEKDAYS[usize::from(date.weekday)]);
            match part {
                Part::LongMonth => out.push_str(month),
                Part::Month => out.push_str(&month[..3]),
                Part::NumMonth => put(&mut out, format_args!("{}", date.month)),
                Part::ZeroMonth => put(&mut out, format_args!("{:02}", date.month)),
                Part::LongWeekday => out.push_str(weekday),
                Part::Weekday => out.push_str(&weekday[..3]),
                Part::Day => put(&mut out, format_args!("{}", date.day)),
                Part::UnderDay => put(&mut out, format_args!("{:2}", date.day)),
                Part::ZeroDay => put(&mut out, format_args!("{:02}", date.day)),
                Part::UnderYearDay => put(&mut out, format_args!("{:3}", date.year_day)),
                Part::ZeroYearDay => put(&mut out, format_args!("{:03}", date.year_day)),
                Part::Hour => put(&mut out, format_args!("{:02}", date.hour)),
                Part::Hour12 => put(&mut out, format_args!("{hour12}")),
                Part::ZeroHour12 => put(&mut out, format_args!("{hour12:02}")),
                Part::Minute => put(&mut out, format_args!("{}", date.minute)),
                Part::ZeroMinute => put(&mut out, format_args!("{:02}", date.minute)),
                Part::Second => put(&mut out, format_args!("{}", date.second)),
                Part::ZeroSecond => put(&mut out, format_args!("{:02}", date.second)),
                Part::LongYear => put(&mut out, format_args!("{:04}", date.year)),
                Part::Year => put(&mut out, format_args!("{:02}", date.year.max(0) % 100)),
                Part::Pm => out.push_str(if date.hour >= 12 { "PM" } else { "AM" }),
                Part::LowerPm => out.push_str(if date.hour >= 12 { "pm" } else { "am" }),
                Part::ZoneName if !zone.is_empty() => out.push_str(&zone),
                Part::ZoneName => write_offset(&mut out, offset / 60 * 60, false, 2),
                Part::Offset { z: true, .. } if offset == 0 => out.push('Z'),
                Part::Offset { colon, parts, .. } => write_offset(&mut out, offset, colon, parts),
                Part::Fraction { digits, zeros, comma } => {
                    let text = format!("{:09}", date.nanos);
                    let mut text = text.get(..digits.min(9)).unwrap_or_default();
                    if !zeros {
                        text = text.trim_end_matches('0');
                    }
                    if zeros || !text.is_empty() {
                        out.push(if comma { ',' } else { '.' });
                        put(&mut out, format_args!("{text:0<width$}", width = if zeros { digits } else { 0 }));
                    }
                }
            }
        }
        out.push_str(rest);
        out
    }
}

fn write_offset(out: &mut String, offset: i32, colon: bool, parts: u8) {
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let separator = if colon { ":" } else { "" };
    out.push(sign);
    let mut text = format!("{:02}", size / 3600);
    if parts > 1 {
        text.push_str(&format!("{separator}{:02}", size / 60 % 60));
    }
    if parts > 2 {
        text.push_str(&format!("{separator}{:02}", size % 60));
    }
    out.push_str(&text);
}

impl fmt::Display for GoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}
