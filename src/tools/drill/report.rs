//! The report, for people and for programs.

use serde_json::json;

use super::acts::Outcome;

/// For people, and for who audits them.
pub(super) fn text(cluster: &str, outcomes: &[Outcome]) -> String {
    let mut out = format!("Drill with {cluster}, {}\n", crate::clock::now().rfc3339_millis());
    for outcome in outcomes {
        out += &format!("\n{} {} ({})\n", mark(outcome), outcome.act.title(), outcome.on);
        if let Some(why) = &outcome.not_done {
            out += &format!("  not rehearsed: {why}\n");
            continue;
        }
        if let Some(why) = &outcome.failed {
            out += &format!("  the rehearsal itself failed: {why}\n");
        }
        out += &match outcome.noticed_ms {
            Some(ms) => format!("  noticed by {} after {}\n", outcome.noticed_by, seconds(ms)),
            None => "  not noticed\n".to_owned(),
        };
        out += &match outcome.well_ms {
            Some(ms) => format!("  all well {} after it was mended\n", seconds(ms)),
            None => "  not well again\n".to_owned(),
        };
        let alerts = &outcome.alerts;
        out += &format!(
            "  {} alerts: {} lost, {} notifications doubled{}, told after {} at most",
            alerts.posted,
            alerts.lost.len(),
            alerts.doubled.len(),
            if !alerts.doubled.is_empty() && outcome.act.may_double() { " (two sides could not talk)" } else { "" },
            seconds(alerts.slowest_ms),
        );
        out += &if alerts.refused == 0 { "\n".to_owned() } else { format!("; {} not taken\n", alerts.refused) };
        alerts.lost.iter().for_each(|name| out += &format!("    lost: {name}\n"));
    }
    let bad = outcomes.iter().filter(|outcome| !outcome.is_good()).count();
    let skipped = outcomes.iter().filter(|outcome| outcome.not_done.is_some()).count();
    out += &match (bad, skipped) {
        (0, 0) => "\nAll as it should be.\n".to_owned(),
        (0, skipped) => format!("\nAll that was rehearsed is as it should be; {skipped} could not be.\n"),
        (bad, _) => format!("\n{bad} of {} not as it should be.\n", outcomes.len()),
    };
    out
}

/// For programs.
pub(super) fn json(cluster: &str, outcomes: &[Outcome]) -> String {
    let good = outcomes.iter().all(Outcome::is_good);
    let all = json!({"cluster": cluster, "at": crate::clock::now().rfc3339_millis(), "good": good, "acts": outcomes});
    format!("{all:#}\n")
}

fn mark(outcome: &Outcome) -> &'static str {
    match outcome.is_good() {
        _ if outcome.not_done.is_some() => "–",
        true => "✓",
        false => "✗",
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
