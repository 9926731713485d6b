//! Inhibition rules with two equal labels, their sources and their targets.

use std::fmt::{self, Write};

use anyhow::{Context, ensure};

use super::{Figure, Sizes};
use crate::contender::Contender;
use crate::http;
use crate::load::{self, Times};
use crate::process::Process;

/// Pairs of values of the equal labels among the targets of a rule.
const PAIRS: usize = 8;

/// Posts the sources, then the targets, and waits until all groups have been flushed once.
pub(super) fn run(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let process = Process::start(contender, &config(sizes.rules))?;
    let times = Times::now()?;
    let cost = process.cost(|| {
        load::post(process.address, sizes.sources, |out, n| write(out, n, "critical", sizes.rules, &times))?;
        load::post(process.address, sizes.targets, |out, n| write(out, n, "warning", sizes.rules, &times))?;
        std::thread::sleep(std::time::Duration::from_secs(4));
        Ok(())
    })?;
    let answer = http::get(process.address, "/api/v2/alerts?active=false").context("looking who is inhibited")?;
    let seen = answer.matches("\"fingerprint\":").count();
    let has_source = |n: usize| (0..sizes.sources).any(|source| place(source, sizes.rules) == place(n, sizes.rules));
    let by_place: Vec<bool> = (0..sizes.rules * PAIRS).map(has_source).collect();
    let wanted = (0..sizes.targets).filter(|n| by_place[n % by_place.len()]).count();
    ensure!(seen == wanted, "{seen} alerts are inhibited instead of {wanted}");
    let what = format!(
        "{} rules, {} sources, {} targets: CPU until all is flushed",
        sizes.rules, sizes.sources, sizes.targets
    );
    Ok(vec![Figure::cpu(what, 0.2, cost)])
}

/// Every second rule names severities by a regular expression.
fn config(rules: usize) -> String {
    let mut config = "route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 3s
  group_interval: 2h
receivers:
- name: nobody
inhibit_rules:
"
    .to_owned();
    for rule in 0..rules {
        let severities = if rule.is_multiple_of(2) { "=\"warning\"" } else { "=~\"warning|info\"" };
        config += &format!(
            "- source_matchers: [alertname=\"Service{rule:03}Degraded\", severity=\"critical\"]
  target_matchers: [alertname=\"Service{rule:03}Degraded\", severity{severities}]
  equal: [cluster, namespace]
"
        );
    }
    config
}

/// The rule of an alert, and which values of the equal labels it has.
fn place(n: usize, rules: usize) -> (usize, usize) {
    (n % rules, n / rules % PAIRS)
}

fn write(out: &mut String, n: usize, severity: &str, rules: usize, times: &Times) -> fmt::Result {
    let (rule, pair) = place(n, rules);
    write!(
        out,
        r#"{{"labels":{{"alertname":"Service{rule:03}Degraded","cluster":"production-eu-west-1-{:02}","instance":"10.32.0.17:8443","#,
        pair % 2
    )?;
    write!(
        out,
        r#""namespace":"payments-{pair:02}","pod":"checkout-7d9f8b6c5d-{n:06}","severity":"{severity}","team":"payments-platform"}},"#
    )?;
    write!(out, r#""annotations":{{"summary":"Pod checkout-7d9f8b6c5d-{n:06} is slow"}},"#)?;
    write!(out, r#""startsAt":"{:.3}","endsAt":"{:.3}"}}"#, times.starts_at, times.ends_at)
}
