//! `routes`: the routing tree with what lands where now; `routes/test`: where labels would land.

use std::sync::Arc;

use alerting::config::{Config, GroupBy, InhibitRule, Route};
use alerting::json::Labels;
use alerting::label::LabelSet;
use alerting::matcher::{Matcher, Op, parse_one};
use alerting::route::{RouteIndex, RouteNode, Routes};
use alerting::time::Timestamp;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::query::Query;
use super::super::refusal::Refusal;
use super::super::{Api, json, time};
use super::ask;
use super::board::Board;
use super::show;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tree {
    version: String,
    at: String,
    config_hash: String,
    /// Depth first; the first is the root.
    routes: Vec<Node>,
    receivers: Vec<Receiver>,
    inhibit_rules: Vec<Rule>,
    time_intervals: Vec<Interval>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: RouteIndex,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<RouteIndex>,
    depth: usize,
    matchers: Vec<String>,
    receiver: Arc<str>,
    #[serde(rename = "continue")]
    continues: bool,
    /// `["..."]`: by all labels.
    group_by: Vec<String>,
    group_wait: String,
    group_interval: String,
    repeat_interval: String,
    mute_time_intervals: Vec<Arc<str>>,
    active_time_intervals: Vec<Arc<str>>,
    /// Whether time intervals mute it now.
    muted: bool,
    groups: usize,
    alerts: usize,
    /// The sibling that takes all that could come here.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadowed_by: Option<RouteIndex>,
}

#[derive(Serialize)]
struct Receiver {
    name: Arc<str>,
    integrations: Vec<String>,
}

#[derive(Serialize)]
struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Arc<str>>,
    source: Vec<String>,
    target: Vec<String>,
    equal: Vec<Arc<str>>,
}

#[derive(Serialize)]
struct Interval {
    name: Arc<str>,
    /// Whether it holds now.
    holds: bool,
}

#[derive(Serialize)]
struct Tested<'a> {
    version: String,
    at: String,
    labels: Labels<'a>,
    matches: Vec<Match>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    route: RouteIndex,
    /// From the root to the route.
    path: Vec<RouteIndex>,
    receiver: Arc<str>,
    integrations: Vec<String>,
    group_labels: serde_json::Value,
    group_wait: String,
    group_interval: String,
    repeat_interval: String,
    /// Time intervals that mute it then.
    muted_by: Vec<Arc<str>>,
}

/// `GET`.
pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Refusal> {
    super::answer(&api, &headers, ("routes", String::new()), |board| Ok(json::encode(&tree(board, config(board)?))))
        .await
}

/// `GET`: `label` is `name=value`, once for each; `at` a time, now without.
pub(super) async fn test(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let question = ("routes/test", query.clone().unwrap_or_default());
    let query = Query::new(query.as_deref());
    let mut labels = Vec::new();
    for text in query.all("label") {
        let (matcher, _) =
            parse_one(api.state.options.mode, text).map_err(|error| Refusal::bad_request(error.to_string()))?;
        if matcher.op != Op::Equal {
            return Err(ask::refuse("label", text, "name=value"));
        }
        labels.push((matcher.name, matcher.value));
    }
    let at = match query.last("at").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => time::parse(text)
            .ok()
            .flatten()
            .map_or_else(|| Err(ask::refuse("at", text, "a time like 2006-01-02T15:04:05Z")), |at| Ok(Some(at)))?,
    };
    let labels = LabelSet::new(labels.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value)));
    super::answer(&api, &headers, question, move |board| {
        Ok(json::encode(&tested(board, config(board)?, &labels, at.unwrap_or(board.at))))
    })
    .await
}

fn config(board: &Board) -> Result<&Config, Refusal> {
    board.config.as_deref().ok_or_else(|| Refusal::Coded(503, "no configuration is loaded yet".to_owned()))
}

fn tree(board: &Board, config: &Config) -> Tree {
    let routes = Routes::new(config);
    let parents = parents(&routes);
    let (mut groups, mut alerts) = (vec![0; parents.len()], vec![0; parents.len()]);
    for group in &board.groups {
        groups[group.route as usize] += 1;
    }
    for row in &board.rows {
        alerts[board.groups[row.group as usize].route as usize] += 1;
    }
    let node = |(id, node): (RouteIndex, &RouteNode)| {
        let at = id as usize;
        let route = &node.route;
        Node {
            id,
            parent: parents[at],
            depth: path(&parents, id).len() - 1,
            matchers: texts(&route.matchers),
            receiver: route.receiver.clone(),
            continues: route.continue_matching,
            group_by: match &route.group_by {
                GroupBy::All => vec!["...".to_owned()],
                GroupBy::Labels(names) => names.iter().map(ToString::to_string).collect(),
            },
            group_wait: alerting::duration::print_prometheus(route.group_wait),
            group_interval: alerting::duration::print_prometheus(route.group_interval),
            repeat_interval: alerting::duration::print_prometheus(route.repeat_interval),
            mute_time_intervals: route.mute_time_intervals.clone(),
            active_time_intervals: route.active_time_intervals.clone(),
            muted: !muted_by(config, route, board.at).is_empty(),
            groups: groups[at],
            alerts: alerts[at],
            shadowed_by: parents[at].and_then(|parent| shadow(&routes, parent, id)),
        }
    };
    let rule = |rule: &InhibitRule| Rule {
        name: rule.name.clone(),
        source: texts(&rule.source),
        target: texts(&rule.target),
        equal: rule.equal.clone(),
    };
    let interval = |name: &Arc<str>| Interval { name: name.clone(), holds: holds(config, name, board.at) };
    let receiver = |receiver: &alerting::config::Receiver| Receiver {
        name: receiver.name.clone(),
        integrations: receiver.integrations.iter().map(integration).collect(),
    };
    Tree {
        version: show::version(board),
        at: board.at.rfc3339_millis(),
        config_hash: config.hash.to_string(),
        routes: routes.iter().map(node).collect(),
        receivers: config.receivers.iter().map(receiver).collect(),
        inhibit_rules: config.inhibit_rules.iter().map(rule).collect(),
        time_intervals: config.time_intervals.keys().map(interval).collect(),
    }
}

fn tested<'a>(board: &Board, config: &Config, labels: &'a LabelSet, at: Timestamp) -> Tested<'a> {
    let routes = Routes::new(config);
    let parents = parents(&routes);
    let matched = |index: &RouteIndex| {
        let node = routes.node(*index);
        let receiver = &config.receivers[node.receiver];
        Match {
            route: *index,
            path: path(&parents, *index),
            receiver: receiver.name.clone(),
            integrations: receiver.integrations.iter().map(integration).collect(),
            group_labels: serde_json::to_value(Labels(&node.group_labels(labels))).unwrap_or_default(),
            group_wait: alerting::duration::print_prometheus(node.route.group_wait),
            group_interval: alerting::duration::print_prometheus(node.route.group_interval),
            repeat_interval: alerting::duration::print_prometheus(node.route.repeat_interval),
            muted_by: muted_by(config, &node.route, at),
        }
    };
    Tested {
        version: show::version(board),
        at: at.rfc3339_millis(),
        labels: Labels(labels),
        matches: routes.matching(labels).iter().map(matched).collect(),
    }
}

fn parents(routes: &Routes) -> Vec<Option<RouteIndex>> {
    let mut parents = vec![None; routes.iter().count()];
    for (index, node) in routes.iter() {
        for child in node.children() {
            parents[*child as usize] = Some(index);
        }
    }
    parents
}

/// From the root on.
fn path(parents: &[Option<RouteIndex>], of: RouteIndex) -> Vec<RouteIndex> {
    let mut path: Vec<_> = std::iter::successors(Some(of), |index| parents[*index as usize]).collect();
    path.reverse();
    path
}

/// An earlier sibling that ends the search whenever this route could be reached: each of its matchers is one of this
/// route's, too. There may be others that do the same by other matchers.
fn shadow(routes: &Routes, parent: RouteIndex, of: RouteIndex) -> Option<RouteIndex> {
    let own = &routes.node(of).route.matchers;
    let earlier = routes.node(parent).children().iter().take_while(|sibling| **sibling != of);
    earlier.copied().find(|sibling| {
        let route = &routes.node(*sibling).route;
        !route.continue_matching && route.matchers.iter().all(|matcher| own.contains(matcher))
    })
}

fn muted_by(config: &Config, route: &Route, at: Timestamp) -> Vec<Arc<str>> {
    let active = &route.active_time_intervals;
    if !active.is_empty() && !active.iter().any(|name| holds(config, name, at)) {
        return active.clone();
    }
    route.mute_time_intervals.iter().filter(|name| holds(config, name, at)).cloned().collect()
}

fn holds(config: &Config, name: &str, at: Timestamp) -> bool {
    config.time_intervals.get(name).is_some_and(|elements| elements.iter().any(|element| element.contains(at)))
}

fn integration(integration: &alerting::config::Integration) -> String {
    format!("{}[{}]", integration.kind, integration.index)
}

fn texts(matchers: &[Matcher]) -> Vec<String> {
    matchers.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alerting::config;
    use alerting::matcher::Mode;

    use super::*;

    const CONFIG: &str = r#"
route:
  receiver: root
  routes:
    - {receiver: a, matchers: ['team="db"']}
    - {receiver: b, matchers: ['team="db"', 'severity="page"']}
    - {receiver: c, matchers: ['team="net"'], continue: true}
    - {receiver: d, matchers: ['team="net"'], mute_time_intervals: [always]}
receivers: [{name: root}, {name: a}, {name: b}, {name: c}, {name: d}]
time_intervals: [{name: always, time_intervals: [{times: [{start_time: "00:00", end_time: "24:00"}]}]}]
"#;

    fn board() -> Board {
        let config = config::parse(CONFIG, Mode::default()).unwrap();
        Board {
            at: Timestamp::from_secs(1_000_000),
            version: 1,
            groups: Vec::new(),
            rows: Vec::new(),
            first: Default::default(),
            silences: Vec::new(),
            config: Some(Arc::new(config)),
            cluster: Default::default(),
        }
    }

    #[test]
    fn a_route_that_nothing_reaches_names_who_takes_it_all() {
        let board = board();
        let tree = tree(&board, config(&board).unwrap());
        let shadows: Vec<_> = tree.routes.iter().map(|node| node.shadowed_by).collect();
        assert_eq!(shadows, [None, None, Some(1), None, None]);
        let depths: Vec<_> = tree.routes.iter().map(|node| (node.parent, node.depth)).collect();
        assert_eq!(depths, [(None, 0), (Some(0), 1), (Some(0), 1), (Some(0), 1), (Some(0), 1)]);
        assert_eq!(tree.routes.iter().map(|node| node.muted).collect::<Vec<_>>(), [false, false, false, false, true]);
    }

    #[test]
    fn a_test_tells_all_receivers_in_order() {
        let board = board();
        let labels = LabelSet::new([("team", "net"), ("severity", "page")]);
        let tested = tested(&board, config(&board).unwrap(), &labels, board.at);
        let told: Vec<_> = tested.matches.iter().map(|m| (&*m.receiver, m.path.clone(), m.muted_by.len())).collect();
        assert_eq!(told, [("c", vec![0, 3], 0), ("d", vec![0, 4], 1)]);
    }
}
