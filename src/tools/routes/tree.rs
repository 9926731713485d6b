//! Routing trees drawn with lines, byte for byte as `amtool` draws them.

use alerting::label::LabelSet;
use alerting::route::{RouteIndex, RouteNode, Routes};

/// A node and what hangs from it.
struct Branch {
    text: String,
    below: Vec<Self>,
}

/// The whole tree.
pub(super) fn show(routes: &Routes) -> String {
    format!("Routing tree:\n{}\n", draw(&whole(routes, 0)))
}

/// The part of the tree that an alert of these labels sees.
pub(super) fn matching(routes: &Routes, labels: &LabelSet) -> String {
    format!("Matching routes:\n{}\n\n", draw(&part(routes, 0, labels)))
}

fn whole(routes: &Routes, index: RouteIndex) -> Branch {
    let node = routes.node(index);
    let mut text = matchers(node);
    if node.route.continue_matching {
        text.push_str("  continue: true");
    }
    text.push_str(&format!("  receiver: {}", node.route.receiver));
    Branch { text, below: node.children().iter().map(|child| whole(routes, *child)).collect() }
}

fn part(routes: &Routes, index: RouteIndex, labels: &LabelSet) -> Branch {
    let node = routes.node(index);
    let mut below = Vec::new();
    for &child in node.children() {
        let route = &routes.node(child).route;
        if route.matchers.iter().all(|m| m.matches(labels)) {
            below.push(part(routes, child, labels));
            if !route.continue_matching {
                break;
            }
        }
    }
    let mut text = matchers(node);
    if below.is_empty() {
        text.push_str(&format!("  receiver: {}", node.route.receiver));
    }
    Branch { text, below }
}

fn matchers(node: &RouteNode) -> String {
    if node.route.matchers.is_empty() {
        return "default-route".to_owned();
    }
    let texts: Vec<String> = node.route.matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", texts.join(","))
}

fn draw(root: &Branch) -> String {
    let mut out = ".\n".to_owned();
    draw_one(root, "", true, &mut out);
    out
}

/// `margin`: the lines of the levels above.
fn draw_one(branch: &Branch, margin: &str, last: bool, out: &mut String) {
    let (edge, line) = if last { ("└──", "    ") } else { ("├──", "│   ") };
    let margin_below = format!("{margin}{line}");
    let text = branch.text.replace('\n', &format!("\n{margin_below}"));
    out.push_str(&format!("{margin}{edge} {text}\n"));
    for (at, child) in branch.below.iter().enumerate() {
        draw_one(child, &margin_below, at + 1 == branch.below.len(), out);
    }
}
