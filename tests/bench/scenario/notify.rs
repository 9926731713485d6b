//! Notifications: many groups that fall due at once, one that is very large, and messages with much to render.

use std::thread::sleep;
use std::time::Duration;

use anyhow::ensure;

use super::{Figure, Sizes, Unit, config};
use crate::contender::Contender;
use crate::load::{Load, Times};
use crate::process::Process;
use crate::sink::Sink;

/// All groups fall due that long after the start, at once; if posting takes longer, twice as long, and so on.
const START_DELAY_SECS: u64 = 20;
const TRIES: u32 = 4;

/// Long enough for all notifications to be out before the next flush.
const INTERVAL: Duration = Duration::from_secs(45);

/// A group for each alert: all notify at once, and have nothing to tell an interval later.
pub(super) fn many_groups(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let load = Load::new(sizes.groups);
    let count = load.alerts as u64;
    let (process, sink, told) = flushed(contender, &load, &webhook("pod"), count)?;
    let rate = count as f64 / sink.span().as_secs_f64();
    let connections = sink.connections() as f64;
    // any time of that length sees each group fall due once
    let before = process.usage()?;
    sleep(INTERVAL);
    let empty = process.usage()?.since(&before);
    ensure!(sink.requests() == count, "{} notifications instead of {count}", sink.requests());
    let of = format!("{count} groups at once");
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / count as f64;
    Ok(vec![
        Figure::new(format!("{of}: CPU per notification"), Unit::Microseconds, Some(0.25), each(told)),
        Figure::new("notifications in a second", Unit::PerSecond, Some(2.0), rate),
        Figure::new(
            "connections opened for that, per 1000 groups",
            Unit::PerSecond,
            None,
            connections * 1e3 / count as f64,
        ),
        Figure::new(format!("{count} idle groups: CPU per empty flush"), Unit::Microseconds, Some(0.1), each(empty)),
    ])
}

/// All alerts in one group.
pub(super) fn one_group(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let load = Load::new(sizes.one_group);
    let (_process, sink, told) = flushed(contender, &load, &webhook("region"), 1)?;
    let bytes = sink.bytes() as usize;
    ensure!(bytes > 1_000 * load.alerts, "the notification has {bytes} bytes only");
    Ok(vec![Figure::cpu(format!("one group of {} alerts: CPU of a flush", load.alerts), 0.25, told)])
}

/// Alerts of one message: there are that many values of the label by which they are grouped.
const INSTANCES: usize = 251;
const IN_A_MESSAGE: usize = 20;

/// Everything that is known of each alert.
const MESSAGE: &str = "{{ range .Alerts }}*{{ .Labels.alertname }}* {{ .Annotations.summary }}\\n\
    {{ .Annotations.description }}\\n{{ range .Labels.SortedPairs }}• {{ .Name }}: `{{ .Value }}`\\n{{ end }}\
    <{{ .GeneratorURL }}|source> {{ if .Annotations.runbook_url }}<{{ .Annotations.runbook_url }}|runbook>{{ end }}\\n\
    {{ end }}";

/// Messages to Slack of twenty alerts each.
pub(super) fn messages(contender: &Contender, _: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let load = Load::new(INSTANCES * IN_A_MESSAGE);
    let config = |url: &str, interval: &str| {
        format!(
            "route:
  receiver: slack
  group_by: [instance]
  group_wait: 1s
  group_interval: {interval}
  repeat_interval: 12h
receivers:
- name: slack
  slack_configs:
  - api_url: {url}
    channel: '#alerts'
    text: \"{MESSAGE}\"
"
        )
    };
    let count = INSTANCES as u64;
    let (_process, sink, told) = flushed(contender, &load, &config, count)?;
    let each = sink.bytes() / count;
    ensure!((15_000..40_000).contains(&each), "a message has {each} bytes");
    let what = format!("message to Slack over {IN_A_MESSAGE} alerts, {} kB: CPU of each", each / 1000);
    Ok(vec![Figure::new(what, Unit::Microseconds, Some(0.2), told.as_secs_f64() * 1e6 / count as f64)])
}

/// Groups by one label and tells a webhook.
fn webhook(group_by: &str) -> impl Fn(&str, &str) -> String {
    move |url, interval| config(group_by, url, "1s", interval)
}

/// Posts alerts to a program that may not flush yet, and waits until it has; what the flush cost.
fn flushed(
    contender: &Contender,
    load: &Load,
    config: &dyn Fn(&str, &str) -> String,
    groups: u64,
) -> anyhow::Result<(Process, Sink, Duration)> {
    let mut delay = START_DELAY_SECS;
    for _ in 0..TRIES {
        let sink = Sink::start()?;
        let config = config(&sink.url(), &format!("{}s", INTERVAL.as_secs()));
        let args = [format!("--dispatch.start-delay={delay}s")];
        let process = Process::start_with(contender, &config, &args, |_| Ok(()))?;
        load.post(process.address, &Times::now()?)?;
        let mut in_time = false;
        let cost = process.cost(|| {
            in_time = sink.requests() == 0;
            sink.wait_for(groups)
        })?;
        if in_time {
            ensure!(sink.requests() == groups, "{} notifications instead of {groups}", sink.requests());
            return Ok((process, sink, cost));
        }
        delay *= 2;
    }
    anyhow::bail!("posting {} alerts took longer than {delay} s", load.alerts)
}
