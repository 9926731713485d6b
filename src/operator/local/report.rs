//! What is said about the cluster as a whole.

use super::manifest::Manifest;
use super::member::{Ground, Member};
use super::sinks::Sinks;
use crate::plan::rollout::short;

/// What runs where, and how to try it.
pub(super) fn greet(ground: &Ground, manifest: &Manifest, members: &[Member], sinks: &Sinks) {
    let screen = &ground.screen;
    let Some(Member { url, .. }) = members.first() else { return };
    let mut lines = vec![format!("{}, each with its files in {}", manifest.plan.names.base(), ground.dir.display())];
    if !screen.is_live() {
        lines.extend(table(members, sinks));
    }
    let alert = r#"[{"labels":{"alertname":"Hello","instance":"laptop"}}]"#;
    lines.push("Post an alert with one of these, and see its notification here:".to_owned());
    lines.push(format!("  curl -H 'Content-Type: application/json' -d '{alert}' {url}/api/v2/alerts"));
    lines.push(format!("  amtool --alertmanager.url={url} alert add alertname=Hello instance=laptop"));
    lines.push("Edits of the manifest are live at once. Ctrl-C stops everything.".to_owned());
    screen.line(&lines.join("\n"));
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
        [service.to_owned(), format!("http://{address}"), "webhook sink; see /received".to_owned()]
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
