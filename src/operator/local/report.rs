//! What is said about the cluster as a whole.

use std::error::Error;

use super::manifest::Manifest;
use super::member::{Ground, Member};
use super::sinks::Sinks;
use crate::plan::rollout::short;

/// An error with all its causes, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What runs where, and how to try it.
pub(super) fn greet(ground: &Ground, manifest: &Manifest, members: &[Member], sinks: &Sinks) {
    let screen = &ground.screen;
    let Some(first) = members.first() else { return };
    screen.line(&format!("{}, each with its files in {}", manifest.plan.names.base(), ground.dir.display()));
    if !screen.is_live() {
        for line in table(members, sinks) {
            screen.line(&line);
        }
    }
    let url = &first.url;
    screen.line("Post an alert with one of these, and see its notification here:");
    screen.line(&format!(
        "  curl -H 'Content-Type: application/json' -d '[{{\"labels\":{{\"alertname\":\"Hello\",\"instance\":\"laptop\"}}}}]' {url}/api/v2/alerts"
    ));
    screen.line(&format!("  amtool --alertmanager.url={url} alert add alertname=Hello instance=laptop"));
    screen.line("Edits of the manifest are live at once. Ctrl-C stops everything.");
}

/// The lines that are kept up to date on a terminal.
pub(super) fn status(members: &[Member], sinks: &Sinks) -> Vec<String> {
    let mut lines = vec![String::new()];
    lines.extend(table(members, sinks));
    let ready = members.iter().filter(|member| member.is_ready()).count();
    lines.push(format!("  {ready}/{} ready, {} notifications received", members.len(), sinks.total()));
    lines
}

/// A line for each member and for each Service that the sink stands for.
fn table(members: &[Member], sinks: &Sinks) -> Vec<String> {
    let mut rows: Vec<[String; 3]> = members.iter().map(row).collect();
    rows.extend(sinks.addresses().map(|(service, address)| {
        [service.to_owned(), format!("http://{address}"), "webhook sink; GET /received lists what came".to_owned()]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (names, urls) = (width(0), width(1));
    rows.iter().map(|[name, url, state]| format!("  {name:<names$}  {url:<urls$}  {state}")).collect()
}

fn row(member: &Member) -> [String; 3] {
    let state = match &member.report {
        None => "not answering".to_owned(),
        Some(report) => {
            let ready = if report.ready { "ready" } else { "not ready" };
            let error = report.error.as_ref().filter(|_| !report.last_reload_successful);
            let error = error.map_or_else(String::new, |error| format!("; last reload failed: {error}"));
            format!("config {}  {ready}{}", short(&report.hash), error.replace('\n', " "))
        }
    };
    [member.plan.name.clone(), member.url.clone(), state]
}
