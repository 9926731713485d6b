//! The Prometheus text format 0.0.4.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::observed::{Histogram, Summary};

/// Text of families under construction, sorted by name as the reference sorts them.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    families: BTreeMap<String, Text>,
}

#[derive(Debug, Default)]
struct Text {
    header: String,
    samples: String,
}

/// One family; without a sample it isn't shown.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

/// Label names and values.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Exposition {
    /// Begins a family that only rises.
    pub(super) fn counter<'a>(&'a mut self, name: &'a str, help: &str) -> Family<'a> {
        self.family(name, "counter", help)
    }

    /// Begins a family that rises and falls.
    pub(super) fn gauge<'a>(&'a mut self, name: &'a str, help: &str) -> Family<'a> {
        self.family(name, "gauge", help)
    }

    /// Begins a family of histograms.
    pub(super) fn histogram<'a>(&'a mut self, name: &'a str, help: &str) -> Family<'a> {
        self.family(name, "histogram", help)
    }

    /// A summary without quantiles.
    pub(super) fn summary(&mut self, name: &str, help: &str, summary: Summary) {
        let mut family = self.family(name, "summary", help);
        family.sample("_sum", &[], None, Value::Real(summary.sum));
        family.sample("_count", &[], None, Value::Whole(summary.count));
    }

    /// The text of all families.
    pub(super) fn finish(self) -> String {
        let shown = self.families.into_values().filter(|text| !text.samples.is_empty());
        shown.fold(String::new(), |all, text| all + &text.header + &text.samples)
    }

    fn family<'a>(&'a mut self, name: &'a str, kind: &str, help: &str) -> Family<'a> {
        let text = self.families.entry(name.to_owned()).or_default();
        text.header = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { text: &mut text.samples, name }
    }
}

impl Family<'_> {
    /// One sample.
    pub(super) fn with(&mut self, labels: Labels<'_>, value: impl Into<Value>) -> &mut Self {
        self.sample("", labels, None, value.into());
        self
    }

    /// The only sample, without labels.
    pub(super) fn is(&mut self, value: impl Into<Value>) {
        self.with(&[], value);
    }

    /// The samples of one histogram.
    pub(super) fn observed(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        self.buckets(labels, histogram.bounds, &histogram.counts, histogram.sum);
    }

    /// The samples of one histogram whose `counts` aren't cumulative and are one more than `bounds`.
    pub(super) fn buckets(&mut self, labels: Labels<'_>, bounds: &[f64], counts: &[u64], sum: f64) {
        let mut total = 0;
        for (at, count) in counts.iter().enumerate() {
            total += count;
            let bound = bounds.get(at).copied().unwrap_or(f64::INFINITY);
            self.sample("_bucket", labels, Some(bound), Value::Whole(total));
        }
        self.sample("_sum", labels, None, Value::Real(sum));
        self.sample("_count", labels, None, Value::Whole(total));
    }

    fn sample(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<f64>, value: Value) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        let mut separator = '{';
        let mut label = |name: &str, value: &dyn fmt::Display| {
            let _ = write!(self.text, "{separator}{name}=\"{value}\"");
            separator = ',';
        };
        for (name, value) in labels {
            label(name, &Escaped(value));
        }
        if let Some(bound) = bound {
            label("le", &Value::Real(bound));
        }
        if separator == ',' {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// A count.
    Whole(u64),
    /// Anything else.
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(u64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(f),
            Self::Real(value) if *value == f64::INFINITY => f.write_str("+Inf"),
            // bounds of buckets are compared as texts: a million is `1e+06`, as the reference writes it
            Self::Real(value) if value.abs() >= 1e6 && value.log10().fract() == 0.0 => {
                write!(f, "1e+{:02}", value.log10())
            }
            Self::Real(value) => value.fmt(f),
        }
    }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_as_prometheus_reads_them() {
        let mut out = Exposition::default();
        out.counter("a_total", "All.").with(&[("x", "q\"\\\n")], 3_u64).with(&[("x", "")], 0_u64);
        out.gauge("b", "Now.").is(1.5);
        out.histogram("c", "Sizes.").buckets(&[("m", "get")], &[0.5, 1e6], &[1, 0, 2], 7.25);
        let expected = r#"# HELP a_total All.
# TYPE a_total counter
a_total{x="q\"\\\n"} 3
a_total{x=""} 0
# HELP b Now.
# TYPE b gauge
b 1.5
# HELP c Sizes.
# TYPE c histogram
c_bucket{m="get",le="0.5"} 1
c_bucket{m="get",le="1e+06"} 1
c_bucket{m="get",le="+Inf"} 3
c_sum{m="get"} 7.25
c_count{m="get"} 3
"#;
        assert_eq!(out.finish(), expected);
    }
}
