//! What a list is asked for: which alerts, in which groups, in which order, and which part of it.

use alerting::matcher::{Matcher, Mode, Op};
use axum::http::StatusCode;

use super::super::query::Query;
use super::super::refusal::Refusal;

/// So much of a list is given at once at most.
const LIMIT_MAX: usize = 1000;
const LIMIT: usize = 100;

/// Which alerts, in which groups and order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// All must match.
    pub(super) matchers: Vec<Matcher>,
    /// Names of receivers, or regexes of names; one must match if there are any.
    pub(super) receivers: Vec<Matcher>,
    /// Must be somewhere in its labels or annotations, in any case.
    pub(super) text: String,
    /// Which states are shown.
    pub(super) states: States,
    pub(super) grouping: Grouping,
    pub(super) sort: Sort,
    /// Values of the label `severity`, the worst first, as somebody wants them ordered; others come after.
    pub(super) severities: Vec<String>,
}

/// Whether alerts in each state are shown; one in several states is shown only if all of them are (as in API v2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct States {
    pub(super) active: bool,
    pub(super) silenced: bool,
    pub(super) inhibited: bool,
    pub(super) muted: bool,
}

/// What is one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grouping {
    /// As the receivers are told: an alert may be in several.
    Notified,
    /// By the values of these labels, each alert once.
    Labels(Vec<String>),
    /// All is one group, each alert once.
    None,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// The worst, then the newest.
    Severity,
    /// By labels.
    Name,
    Newest,
    Oldest,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl Default for Ask {
    /// All, as it is notified.
    fn default() -> Self {
        let states = States { active: true, silenced: true, inhibited: true, muted: true };
        Self {
            matchers: Vec::new(),
            receivers: Vec::new(),
            text: String::new(),
            states,
            grouping: Grouping::Notified,
            sort: Sort::Severity,
            severities: Vec::new(),
        }
    }
}

impl Ask {
    /// From `filter`, `receiver`, `q`, `active`, `silenced`, `inhibited`, `muted`, `group`, `group_by`, `sort` and
    /// `severities`.
    pub(super) fn read(query: &Query, mode: Mode) -> Result<Self, Refusal> {
        let receiver = |name: &str| {
            Matcher::new(Op::Regex, "receiver", name)
                .or_else(|_| Matcher::new(Op::Equal, "receiver", name))
                .map_err(|error| Refusal::bad_request(error.to_string()))
        };
        let grouping = match query.last("group").unwrap_or("notified") {
            "notified" => Grouping::Notified,
            "none" => Grouping::None,
            "labels" => {
                let names = query.last("group_by").unwrap_or("alertname").split(',').map(str::trim);
                Grouping::Labels(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
            }
            other => return Err(refuse("group", other, "notified, labels or none")),
        };
        let sort = match query.last("sort").unwrap_or("severity") {
            "severity" => Sort::Severity,
            "name" => Sort::Name,
            "newest" => Sort::Newest,
            "oldest" => Sort::Oldest,
            other => return Err(refuse("sort", other, "severity, name, newest or oldest")),
        };
        let severities = query.last("severities").unwrap_or_default().split(',').map(str::trim);
        let states = States {
            active: query.flag("active"),
            silenced: query.flag("silenced"),
            inhibited: query.flag("inhibited"),
            muted: query.flag("muted"),
        };
        Ok(Self {
            matchers: query.matchers(mode)?,
            receivers: query.all("receiver").filter(|name| !name.is_empty()).map(receiver).collect::<Result<_, _>>()?,
            text: query.last("q").unwrap_or_default().trim().to_owned(),
            states,
            grouping,
            sort,
            severities: severities.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        })
    }
}

impl Window {
    /// From `offset` and `limit`.
    pub(super) fn read(query: &Query) -> Result<Self, Refusal> {
        let limit = number(query, "limit", LIMIT)?;
        if limit > LIMIT_MAX {
            return Err(refuse("limit", &limit.to_string(), "at most 1000"));
        }
        Ok(Self { offset: number(query, "offset", 0)?, limit })
    }

    /// Of a list.
    pub(super) fn of<'a, T>(&self, list: &'a [T]) -> &'a [T] {
        let start = self.offset.min(list.len());
        &list[start..start.saturating_add(self.limit).min(list.len())]
    }
}

fn number(query: &Query, name: &str, otherwise: usize) -> Result<usize, Refusal> {
    let Some(text) = query.last(name) else { return Ok(otherwise) };
    text.parse().map_err(|_| refuse(name, text, "a whole number"))
}

/// A parameter has none of the values that it may have.
pub(super) fn refuse(name: &str, value: &str, wanted: &str) -> Refusal {
    Refusal::Said(StatusCode::BAD_REQUEST, format!("`{value}` is no value of `{name}`: it must be {wanted}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Ask, Refusal> {
        Ask::read(&Query::new(Some(text)), Mode::default())
    }

    #[test]
    fn without_parameters_all_is_asked_for_as_it_is_notified() {
        let ask = read("").unwrap();
        assert_eq!((ask.grouping, ask.sort), (Grouping::Notified, Sort::Severity));
        assert!(ask.states.active && ask.states.silenced && ask.matchers.is_empty() && ask.receivers.is_empty());
    }

    #[test]
    fn names_of_receivers_need_not_be_expressions() {
        assert_eq!(read("receiver=a%2B%2B(&receiver=b").unwrap().receivers.len(), 2);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (text, expected) in [
            ("group=nope", "`nope` is no value of `group`: it must be notified, labels or none"),
            ("sort=nope", "`nope` is no value of `sort`: it must be severity, name, newest or oldest"),
        ] {
            let Err(Refusal::Said(_, said)) = read(text) else { panic!("{text} is taken") };
            assert_eq!(said, expected);
        }
        let Err(Refusal::Said(_, said)) = Window::read(&Query::new(Some("limit=1001"))) else { panic!("taken") };
        assert_eq!(said, "`1001` is no value of `limit`: it must be at most 1000");
        assert!(matches!(Window::read(&Query::new(Some("offset=x"))), Err(Refusal::Said(..))));
    }

    #[test]
    fn a_window_may_lie_beyond_the_end() {
        let window = |offset, limit| Window { offset, limit };
        assert_eq!(window(1, 1).of(&[1, 2, 3]), [2]);
        assert_eq!(window(2, 9).of(&[1, 2, 3]), [3]);
        assert!(window(7, usize::MAX).of(&[1, 2, 3]).is_empty());
    }
}
