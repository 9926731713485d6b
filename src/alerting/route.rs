//! The routing tree made flat: from an alert to the nodes that it lands on, and to the groups there.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::config::{self, Config, GroupBy};
use crate::label::LabelSet;

/// Index of a node among [`Routes`]; 0 is the root.
pub type RouteIndex = u32;

/// One node.
#[derive(Debug)]
pub struct RouteNode {
    /// What the configuration says about it; its own `routes` are empty here.
    pub route: config::Route,
    /// Labels of the route, packed.
    pub labels: LabelSet,
    /// Whether any of them is a template.
    pub templated: bool,
    /// Index of its receiver in the configuration.
    pub receiver: usize,
    children: Vec<RouteIndex>,
}

/// The tree of a configuration.
#[derive(Debug)]
pub struct Routes {
    nodes: Vec<RouteNode>,
}

impl Routes {
    /// Flattens the tree of a validated configuration, depth first.
    pub fn new(config: &Config) -> Self {
        let mut routes = Self { nodes: Vec::new() };
        routes.add(config, &config.route);
        routes
    }

    fn add(&mut self, config: &Config, route: &config::Route) -> RouteIndex {
        let index = self.nodes.len() as RouteIndex;
        // validated: every receiver that a route names exists
        let receiver = config.receivers.iter().position(|r| r.name == route.receiver).unwrap_or_default();
        let own = config::Route { routes: Vec::new(), ..route.clone() };
        let labels = LabelSet::new(own.labels.iter());
        let templated = own.labels.values().any(|value| value.contains("{{"));
        self.nodes.push(RouteNode { route: own, labels, templated, receiver, children: Vec::new() });
        for child in &route.routes {
            let child = self.add(config, child);
            self.nodes[index as usize].children.push(child);
        }
        index
    }

    /// The node of that index.
    pub fn node(&self, index: RouteIndex) -> &RouteNode {
        &self.nodes[index as usize]
    }

    /// All nodes with their indices.
    pub fn iter(&self) -> impl Iterator<Item = (RouteIndex, &RouteNode)> {
        self.nodes.iter().enumerate().map(|(index, node)| (index as RouteIndex, node))
    }

    /// Where an alert of these labels lands: depth first; a match without `continue` ends the search among siblings,
    /// and a node none of whose children match is the result itself.
    pub fn matching(&self, labels: &LabelSet) -> SmallVec<[RouteIndex; 2]> {
        let mut found = SmallVec::new();
        self.descend(0, labels, &mut found);
        found
    }

    fn descend(&self, index: RouteIndex, labels: &LabelSet, found: &mut SmallVec<[RouteIndex; 2]>) -> bool {
        let node = self.node(index);
        if !node.route.matchers.iter().all(|m| m.matches(labels)) {
            return false;
        }
        let before = found.len();
        for child in &node.children {
            if self.descend(*child, labels, found) && !self.node(*child).route.continue_matching {
                break;
            }
        }
        if found.len() == before {
            found.push(index);
        }
        true
    }
}

impl RouteNode {
    /// The nodes below it, in the order in which they are tried.
    pub fn children(&self) -> &[RouteIndex] {
        &self.children
    }

    /// The labels by which an alert is grouped here; labels that it doesn't have are left out.
    pub fn group_labels(&self, labels: &LabelSet) -> LabelSet {
        match &self.route.group_by {
            GroupBy::All => labels.clone(),
            GroupBy::Labels(names) => {
                LabelSet::new(names.iter().filter_map(|name| labels.get(name).map(|value| (name, value))))
            }
        }
    }

    /// `<route key>:<group labels>`: how logs and receivers know a group.
    pub fn group_key(&self, labels: &LabelSet) -> Arc<str> {
        format!("{}:{labels}", self.route.key).into()
    }
}
