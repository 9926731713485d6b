//! What is wrong, from what the members said.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::figures::{Figures, SLOW_SECONDS};
use super::member::{Member, Metrics, Said, label};

/// Clocks that differ by less than this, beyond what can't be known, disturb nobody.
const CLOCK_MS: i64 = 2_000;

/// Silences ended and repeats are judged by clocks: from here on people notice.
const CLOCK_BAD_MS: i64 = 30_000;

/// A peer that is so many seconds behind has missed more than one round of gossip.
const LAG_SECONDS: f64 = 10.0;

/// Of open files, the part from which it gets tight.
const FILES_TIGHT: f64 = 0.8;

/// Members are asked one after the other while alerts come and go: that many more, or that part, is no difference.
const ALERTS_FEW: f64 = 5.0;
const ALERTS_PART: f64 = 0.05;

/// A disk is tight when less than that part of it and less than that many bytes are left (a tenth of a large disk is
/// plenty for files this small), and as good as full below the second pair.
const DISK_TIGHT: (f64, f64) = (0.1, (1_u64 << 30) as f64);
const DISK_FULL: (f64, f64) = (0.01, (100_u64 << 20) as f64);

/// Of the memory that a container may use, the part from which on it gets tight.
const MEMORY_TIGHT: f64 = 0.8;
const MEBI: f64 = 1_048_576.0;

/// Waiting for the CPU limit hurts from so many seconds on that are such a part of what was used.
const THROTTLED_MIN: f64 = 5.0;
const THROTTLED_PART: f64 = 0.2;

/// Days before the end of a certificate from which on somebody should have renewed it, and from which on it's urgent.
const CERTIFICATE_SOON: i64 = 21;
const CERTIFICATE_NOW: i64 = 4;

/// Of all alerts, the part from which on it matters that they are refused.
const INVALID_PART: f64 = 0.01;
/// Of all attempts to notify, the part from which on it matters that they are slow.
const SLOW_PART: f64 = 0.1;

/// Differing lines that are told.
const LINES: usize = 6;

/// How much harm is done; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Harm {
    /// Pages are lost or doubled, or will be with the next failure.
    Critical,
    /// Something doesn't work as it should.
    Warning,
    /// Good to know.
    Note,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) harm: Harm,
    /// The same in all versions.
    pub(crate) code: &'static str,
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) advice: String,
}

/// All that is found, the worst first.
pub(super) fn findings(members: &[Member]) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in members {
        match &member.said {
            None => found.push(Finding {
                harm: Harm::Critical,
                code: "unreachable",
                text: format!("{} does not answer: {}", member.url, member.error.as_deref().unwrap_or_default()),
                advice: "look at the process and its log; from another host this may be a firewall".to_owned(),
            }),
            Some(said) => of_one(member, said, &mut found),
        }
    }
    let said: Vec<&Said> = members.iter().filter_map(|member| member.said.as_ref()).collect();
    who_sees_whom(&said, &mut found);
    who_reaches_whom(&said, &mut found);
    configs(&said, &mut found);
    versions(&said, &mut found);
    clocks(&said, &mut found);
    silences(&said, &mut found);
    logs(&said, &mut found);
    alerts(&said, &mut found);
    if let [one] = members
        && one.said.as_ref().is_some_and(|said| said.peers.len() > 1)
    {
        found.push(Finding {
            harm: Harm::Note,
            code: "one_of_several",
            text: format!("only {} was asked, and it has peers", one.name()),
            advice: "name all members: what they say of each other can be compared then".to_owned(),
        });
    }
    // stable: within one kind the order is that of the members
    found.sort_by_key(|finding| finding.harm);
    found
}

/// What is to be said of a certificate that ends in so many days, and what to do; `None`: nothing yet.
pub(super) fn certificate_ends(days: i64) -> Option<(Harm, String, &'static str)> {
    let harm = if days < CERTIFICATE_NOW { Harm::Critical } else { Harm::Warning };
    let text = format!("has a certificate that ends in {days} days");
    (days < CERTIFICATE_SOON).then_some((harm, text, "renew it: members read theirs anew without a restart"))
}

/// Limits of container and system that hurt, each with the value to set.
fn limits(metrics: &Metrics, find: &mut impl FnMut(Harm, &'static str, String, &str)) {
    let value = |name| metrics.value(name);
    if let (Some(limit), Some(used)) =
        (value("alertmanager_memory_limit_bytes"), value("process_resident_memory_bytes"))
        && used > MEMORY_TIGHT * limit
    {
        let text = format!("uses {:.0} of the {:.0} MiB that its container may", used / MEBI, limit / MEBI);
        let advice = format!("set the limit to {:.0} MiB (spec.resources.limits.memory)", (2.0 * used / MEBI).ceil());
        find(Harm::Warning, "memory_tight", text, &advice);
    }
    if let (Some(waited), Some(used)) =
        (value("alertmanager_cpu_throttled_seconds_total"), value("process_cpu_seconds_total"))
        && waited > THROTTLED_MIN
        && waited > THROTTLED_PART * used
    {
        let text = format!("waited {waited:.0} s for the CPU limit of its container, and used {used:.0} s");
        find(Harm::Warning, "cpu_throttled", text, "double the limit, or have none (spec.resources.limits.cpu)");
    }
    if let Some(lost) = value("alertmanager_udp_receive_buffer_errors_total").filter(|lost| *lost > 0.0) {
        let text = format!("lost {lost:.0} packets since a socket's buffer was full");
        let advice = "on its host: sysctl -w net.core.rmem_default=1048576; peers may seem dead that aren't";
        find(Harm::Note, "packets_lost", text, advice);
    }
}

fn less_is_left(left: f64, size: f64, (part, bytes): (f64, f64)) -> bool {
    left < part * size && left < bytes
}

fn of_one(member: &Member, said: &Said, found: &mut Vec<Finding>) {
    let name = member.name();
    let mut find = |harm, code, text: String, advice: &str| {
        found.push(Finding { harm, code, text: format!("{name} {text}"), advice: advice.to_owned() });
    };
    if let Some(reason) = &said.not_ready {
        find(
            Harm::Warning,
            "not_ready",
            format!("is not ready: {reason}"),
            "it serves no traffic until then; if that lasts, see what it waits for",
        );
    }
    let metrics = &said.metrics;
    if metrics.value("alertmanager_config_last_reload_successful") == Some(0.0) {
        let advice =
            "mend the config: `alertmanager-operator check FILE` names the line; the one from before is in force";
        find(Harm::Critical, "reload_failed", "could not load its config at the last reload".to_owned(), advice);
    }
    for (what, metric) in [
        ("silences", "alertmanager_silences_maintenance_errors_total"),
        ("notification log", "alertmanager_nflog_maintenance_errors_total"),
    ] {
        let errors = metrics.sum(metric);
        if errors > 0.0 {
            let text = format!("could not write its {what} {errors} times");
            find(
                Harm::Critical,
                "state_not_written",
                text,
                "a restart forgets what isn't on disk: look for a full or read-only disk",
            );
        }
    }
    if let (Some(left), Some(size)) =
        (metrics.value("alertmanager_storage_available_bytes"), metrics.value("alertmanager_storage_size_bytes"))
        && less_is_left(left, size, DISK_TIGHT)
    {
        let harm = if less_is_left(left, size, DISK_FULL) { Harm::Critical } else { Harm::Warning };
        let text = format!("has {:.1} % of its disk left", left / size * 100.0);
        find(harm, "disk_full", text, "make room, or give it a larger volume: what it can't write a restart forgets");
    }
    limits(metrics, &mut find);
    if let Some((harm, text, advice)) = said.certificate_days.and_then(certificate_ends) {
        find(harm, "certificate_ends", text, advice);
    }
    let figures = Figures::of(said);
    if figures.invalid > 0 {
        let all = figures.received;
        let harm = if figures.invalid as f64 > INVALID_PART * all as f64 { Harm::Warning } else { Harm::Note };
        let text = format!("refused {} of {all} alerts as invalid", figures.invalid);
        find(harm, "alerts_invalid", text, "whoever posted them got the reason as the answer: look into its log");
    }
    for (receiver, delivered) in &figures.receivers {
        if delivered.slow as f64 > SLOW_PART * delivered.attempts as f64 {
            let (slow, attempts) = (delivered.slow, delivered.attempts);
            let text =
                format!("took more than {SLOW_SECONDS} s in {slow} of {attempts} attempts to notify by {receiver}");
            find(
                Harm::Warning,
                "notifications_slow",
                text,
                "pages wait for it: look at the receiver and the way there",
            );
        }
    }
    let given_up = failing(said, "notifications");
    // for minutes all is tried again before anything is given up
    for (integration, (failed, all)) in failing(said, "notification_requests") {
        if failed * 2.0 > all && !given_up.contains_key(&integration) {
            let text = format!("failed in {failed} of {all} attempts to notify by {integration}, and tries again");
            find(Harm::Warning, "attempts_fail", text, "its log says why; so far nothing was given up");
        }
    }
    for (integration, (failed, all)) in given_up {
        let text = format!("failed to deliver {failed} of {all} notifications by {integration}");
        let harm = if failed * 2.0 > all { Harm::Critical } else { Harm::Warning };
        find(
            harm,
            "notifications_fail",
            text,
            "its log says why; `alertmanager-operator receivers test` tries a receiver out",
        );
    }
    for (labels, seconds) in metrics.samples("alertmanager_cluster_peer_lag_seconds") {
        if *seconds > LAG_SECONDS {
            let peer = label(labels, "peer").unwrap_or("a peer");
            let text = format!("hears nothing from {peer} of what it told {seconds:.0} s ago");
            find(Harm::Warning, "peer_lags", text, "look at that member's load, and at the network between the two");
        }
    }
    if let (Some(open), Some(most)) = (metrics.value("process_open_fds"), metrics.value("process_max_fds"))
        && open > FILES_TIGHT * most
    {
        let text = format!("has {open} of {most} files open");
        let wanted = 2.0 * most;
        let advice = format!("set the limit of open files to {wanted} (LimitNOFILE={wanted}, ulimit -n {wanted})");
        find(Harm::Warning, "files_tight", text, &advice);
    }
    for (peer, error) in &said.unreachable_gossip {
        let text = format!("names {peer} as a peer, whose gossip port can't be reached from here: {error}");
        find(
            Harm::Note,
            "gossip_port_closed",
            text,
            "harmless if only members may reach it; else open TCP and UDP of that port",
        );
    }
}

/// By integration, how many of what such a counter counts failed, and of how many.
fn failing(said: &Said, what: &str) -> BTreeMap<String, (f64, f64)> {
    let by_integration = |metric: String| {
        let mut sums = BTreeMap::<String, f64>::new();
        for (labels, value) in said.metrics.samples(&metric) {
            *sums.entry(label(labels, "integration").unwrap_or_default().to_owned()).or_default() += value;
        }
        sums
    };
    let all = by_integration(format!("alertmanager_{what}_total"));
    let failed = by_integration(format!("alertmanager_{what}_failed_total")).into_iter();
    failed
        .filter(|(_, count)| *count > 0.0)
        .map(|(name, count)| {
            let all = all.get(&name).copied().unwrap_or(count);
            (name, (count, all))
        })
        .collect()
}

fn who_sees_whom(said: &[&Said], found: &mut Vec<Finding>) {
    let clustered: Vec<&&Said> = said.iter().filter(|said| !said.name.is_empty()).collect();
    let names: BTreeSet<&str> = clustered.iter().map(|said| said.name.as_str()).collect();
    if names.len() < clustered.len() {
        found.push(Finding {
            harm: Harm::Note,
            code: "asked_twice",
            text: "two of the addresses lead to the same member".to_owned(),
            advice: "give each member's own address, not that of a load balancer".to_owned(),
        });
    }
    for one in &clustered {
        let unseen: Vec<&str> = names.iter().filter(|name| !one.peers.contains_key(**name)).copied().collect();
        if !unseen.is_empty() {
            found.push(Finding {
                harm: Harm::Critical,
                code: "not_seen",
                text: format!("{} does not see {}", one.name, unseen.join(", ")),
                advice: "both notify then: look at --cluster.peer, --cluster.label, certificates, and the network (TCP and UDP)"
                    .to_owned(),
            });
        }
    }
    let mut foreign = BTreeMap::<&str, (&str, Vec<&str>)>::new();
    for one in &clustered {
        for (peer, address) in one.peers.iter().filter(|(peer, _)| !names.contains(peer.as_str())) {
            foreign.entry(peer).or_insert((address, Vec::new())).1.push(&one.name);
        }
    }
    // with a single member asked, all of its peers are foreign
    for (peer, (address, by)) in foreign.into_iter().filter(|_| clustered.len() > 1) {
        found.push(Finding {
            harm: Harm::Warning,
            code: "unknown_member",
            text: format!("{peer} at {address} is a peer of {}, and none of those that were asked", by.join(", ")),
            advice: "name it, too; if it belongs to another cluster, give each cluster a --cluster.label of its own"
                .to_owned(),
        });
    }
}

/// By TCP, among those that see each other by packets.
fn who_reaches_whom(said: &[&Said], found: &mut Vec<Finding>) {
    let port_of = |name: &str| said.iter().find(|said| said.name == name)?.reach.as_ref()?.web_port;
    for one in said {
        let Some(reach) = &one.reach else { continue };
        for (peer, reached) in &reach.peers {
            if let Some(why) = &reached.gossip {
                found.push(Finding {
                    harm: Harm::Critical,
                    code: "no_connection",
                    text: format!("{} sees {peer}, and no connection gets through to its gossip port: {why}", one.name),
                    advice:
                        "let TCP through, too: what is too large for a packet and the state for who starts goes by it"
                            .to_owned(),
                });
            }
            // only where both have their API at the same port that says anything
            let same_port = reach.web_port.is_some() && port_of(peer) == reach.web_port;
            if let Some(why) = reached.web.as_ref().filter(|_| same_port) {
                found.push(Finding {
                    harm: Harm::Note,
                    code: "api_closed",
                    text: format!("{} gets no connection to the API of {peer}: {why}", one.name),
                    advice: "members don't need that; who posts alerts and looks at pages does".to_owned(),
                });
            }
        }
    }
}

fn configs(said: &[&Said], found: &mut Vec<Finding>) {
    let Some((first, others)) = said.split_first() else { return };
    for other in others.iter().filter(|other| other.config != first.config) {
        let lines = differing(&first.config, &other.config);
        found.push(Finding {
            harm: Harm::Critical,
            code: "config_differs",
            text: format!("{} and {} run different configs: {lines}", name(first), name(other)),
            advice: "reload the one that is behind; what is sent depends on who sends it".to_owned(),
        });
    }
}

/// The first lines that only one of them has.
fn differing(one: &str, other: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (left, right) = (lines(one), lines(other));
    let only = |text: &str, there: &BTreeSet<String>, sign: &str| {
        let numbered = text.lines().enumerate().filter(|(_, line)| !there.contains(*line));
        numbered.map(|(at, line)| format!("{sign}{}: {}", at + 1, line.trim())).collect::<Vec<_>>()
    };
    let all: Vec<String> = only(one, &right, "-").into_iter().chain(only(other, &left, "+")).collect();
    let more = all.len().saturating_sub(LINES);
    let shown = all.iter().take(LINES).cloned().collect::<Vec<_>>().join("; ");
    match (all.is_empty(), more) {
        (true, _) => "the same lines in another order".to_owned(),
        (false, 0) => shown,
        (false, more) => format!("{shown}; and {more} more"),
    }
}

/// Members of a cluster that hold different alerts page about different things. They are counted, not compared: there may
/// be a hundred thousand of them.
fn alerts(said: &[&Said], found: &mut Vec<Finding>) {
    let active = |one: &Said| {
        let samples = one.metrics.samples("alertmanager_alerts").iter();
        let active: Vec<f64> =
            samples.filter(|(labels, _)| label(labels, "state") == Some("active")).map(|(_, count)| *count).collect();
        (!active.is_empty()).then(|| active.iter().sum::<f64>())
    };
    let counts: Vec<(f64, &Said)> =
        said.iter().filter(|one| !one.name.is_empty()).filter_map(|one| Some((active(one)?, *one))).collect();
    let by_count = |one: &&(f64, &Said), other: &&(f64, &Said)| one.0.total_cmp(&other.0);
    let (Some(fewest), Some(most)) = (counts.iter().min_by(by_count), counts.iter().max_by(by_count)) else { return };
    if most.0 - fewest.0 > ALERTS_FEW.max(most.0 * ALERTS_PART) {
        let text = format!("{} has {} active alerts, {} has {}", name(fewest.1), fewest.0, name(most.1), most.0);
        let advice = "have Prometheus post to every member, not to a load balancer before them; members of this program pass them on, too";
        found.push(Finding { harm: Harm::Warning, code: "alerts_differ", text, advice: advice.to_owned() });
    }
}

fn versions(said: &[&Said], found: &mut Vec<Finding>) {
    let versions: BTreeSet<&str> = said.iter().map(|said| said.version.as_str()).collect();
    if versions.len() > 1 {
        found.push(Finding {
            harm: Harm::Warning,
            code: "version_differs",
            text: format!("members are of different versions: {}", versions.into_iter().collect::<Vec<_>>().join(", ")),
            advice:
                "finish the upgrade; members of this program and of the Go one don't understand each other's gossip"
                    .to_owned(),
        });
    }
}

fn clocks(said: &[&Said], found: &mut Vec<Finding>) {
    let known = said.iter().filter(|said| said.clock_within_ms < CLOCK_BAD_MS);
    let (Some(low), Some(high)) =
        (known.clone().min_by_key(|s| s.clock_ahead_ms), known.max_by_key(|s| s.clock_ahead_ms))
    else {
        return;
    };
    let apart = high.clock_ahead_ms - low.clock_ahead_ms - high.clock_within_ms - low.clock_within_ms;
    if apart > CLOCK_MS {
        found.push(Finding {
            harm: if apart > CLOCK_BAD_MS { Harm::Critical } else { Harm::Warning },
            code: "clocks_apart",
            text: format!("the clock of {} is {:.1} s ahead of that of {}", name(high), apart as f64 / 1e3, name(low)),
            advice: "let NTP set both: silences, repeats and resolves are judged by clocks".to_owned(),
        });
    }
}

fn silences(said: &[&Said], found: &mut Vec<Finding>) {
    let Some((first, others)) = said.split_first() else { return };
    for other in others {
        let lacking: Vec<&str> = first.silences.difference(&other.silences).map(|(id, _)| id.as_str()).collect();
        let more: Vec<&str> = other.silences.difference(&first.silences).map(|(id, _)| id.as_str()).collect();
        let Some(example) = lacking.first().or(more.first()) else { continue };
        found.push(Finding {
            harm: Harm::Warning,
            code: "silences_differ",
            text: format!(
                "{} and {} don't have the same silences: {} differ, {example} among them",
                name(first),
                name(other),
                lacking.iter().chain(&more).collect::<BTreeSet<_>>().len()
            ),
            advice:
                "ask again in some seconds: one that was just made is on its way; if it stays so, see who sees whom"
                    .to_owned(),
        });
    }
}

/// What one knows was told, and another doesn't.
fn logs(said: &[&Said], found: &mut Vec<Finding>) {
    let known: Vec<_> = said.iter().filter_map(|said| Some((*said, said.log.as_ref()?))).collect();
    let Some(((first, log), others)) = known.split_first() else { return };
    for (other, others_log) in others {
        let keys: BTreeSet<&String> = log.keys().chain(others_log.keys()).collect();
        let differs = |key: &&&String| {
            let (one, two) = (log.get(**key), others_log.get(**key));
            one.map(|entry| entry.at) != two.map(|entry| entry.at)
                && [one, two].into_iter().flatten().all(|entry| entry.settled)
        };
        let differing: Vec<_> = keys.iter().filter(differs).collect();
        let Some(example) = differing.first() else { continue };
        found.push(Finding {
            harm: Harm::Warning,
            code: "log_differs",
            text: format!(
                "{} and {} don't know the same of what was told: {} of {} entries differ, that of {example} among them",
                name(first),
                name(other),
                differing.len(),
                keys.len()
            ),
            advice: "a page may come twice: see who sees whom, and alertmanager_cluster_peer_lag_seconds".to_owned(),
        });
    }
}

fn name(said: &Said) -> &str {
    if said.name.is_empty() { "one of them" } else { &said.name }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alerting::time::Timestamp;

    use super::super::member::{LogEntry, Reach, Reached};
    use super::*;

    fn member(name: &str, peers: &[&str]) -> Member {
        let peers = peers.iter().map(|peer| ((*peer).to_owned(), format!("10.0.0.1:{}", peer.len()))).collect();
        let said = Said {
            name: name.to_owned(),
            version: "1".to_owned(),
            peers,
            config: "route:\n  receiver: a\n".to_owned(),
            clock_within_ms: 5,
            ..Said::default()
        };
        Member { url: format!("http://{name}"), said: Some(said), error: None, ..Member::default() }
    }

    fn three() -> Vec<Member> {
        ["am-0", "am-1", "am-2"].map(|name| member(name, &["am-0", "am-1", "am-2"])).to_vec()
    }

    fn found(members: &[Member]) -> Vec<(&'static str, String)> {
        findings(members).into_iter().map(|finding| (finding.code, finding.text)).collect()
    }

    fn change(member: &mut Member, change: impl Fn(&mut Said)) {
        change(member.said.as_mut().unwrap());
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        assert!(found(&three()).is_empty());
    }

    #[test]
    fn a_member_that_is_gone_is_told_of_first() {
        let mut members = three();
        change(&mut members[0], |said| said.version = "2".to_owned());
        members[1] =
            Member { url: "http://am-1".into(), said: None, error: Some("refused".into()), ..Member::default() };
        let codes: Vec<_> = found(&members);
        assert_eq!(codes[0], ("unreachable", "http://am-1 does not answer: refused".to_owned()));
        assert_eq!(codes[1].0, "unknown_member");
        assert_eq!(codes[2], ("version_differs", "members are of different versions: 1, 2".to_owned()));
    }

    #[test]
    fn a_cut_link_is_seen_from_both_ends() {
        let mut members = three();
        change(&mut members[0], |said| drop(said.peers.remove("am-2")));
        change(&mut members[2], |said| drop(said.peers.remove("am-0")));
        let texts = ["am-0 does not see am-2", "am-2 does not see am-0"].map(|text| ("not_seen", text.to_owned()));
        assert_eq!(found(&members), texts);
    }

    #[test]
    fn a_member_of_another_cluster_is_named() {
        let mut members = three();
        change(&mut members[1], |said| drop(said.peers.insert("other-7".into(), "10.9.9.9:9094".into())));
        let text = "other-7 at 10.9.9.9:9094 is a peer of am-1, and none of those that were asked";
        assert_eq!(found(&members), [("unknown_member", text.to_owned())]);
    }

    #[test]
    fn a_config_that_differs_is_told_with_its_lines() {
        let mut members = three();
        change(&mut members[2], |said| said.config = "route:\n  receiver: b\n".to_owned());
        let text = "am-0 and am-2 run different configs: -2: receiver: a; +2: receiver: b";
        assert_eq!(found(&members), [("config_differs", text.to_owned())]);
    }

    #[test]
    fn clocks_are_compared_as_far_as_they_are_known() {
        let mut members = three();
        change(&mut members[1], |said| said.clock_ahead_ms = 40_000);
        assert_eq!(
            found(&members)[0],
            ("clocks_apart", "the clock of am-1 is 40.0 s ahead of that of am-0".to_owned())
        );
        assert_eq!(findings(&members)[0].harm, Harm::Critical);
        change(&mut members[1], |said| (said.clock_ahead_ms, said.clock_within_ms) = (2_500, 600));
        assert!(found(&members).is_empty());
    }

    #[test]
    fn silences_that_only_one_has_are_counted() {
        let mut members = three();
        change(&mut members[1], |said| said.silences = [("id-1".into(), "t".into())].into());
        let text = "am-0 and am-1 don't have the same silences: 1 differ, id-1 among them";
        assert_eq!(found(&members), [("silences_differ", text.to_owned())]);
    }

    #[test]
    fn what_only_one_knows_was_told_is_counted_once_it_is_old() {
        let mut members = three();
        let entry = |secs, settled| LogEntry { at: Timestamp::from_secs(secs), settled };
        for (at, member) in members.iter_mut().enumerate().take(2) {
            let log = [("r/webhook[0] a", entry(1, true)), ("r/webhook[0] b", entry(1 + at as i64, at == 0))];
            change(member, |said| said.log = Some(log.map(|(key, entry)| (key.to_owned(), entry)).into()));
        }
        assert!(found(&members).is_empty(), "one that was just told again is on its way, one may not say");
        change(&mut members[1], |said| said.log = Some([("r/webhook[0] a".to_owned(), entry(2, true))].into()));
        let text = "am-0 and am-1 don't know the same of what was told: 2 of 2 entries differ, that of r/webhook[0] a among them";
        assert_eq!(found(&members), [("log_differs", text.to_owned())]);
    }

    #[test]
    fn members_with_other_numbers_of_alerts_are_named() {
        let mut members = three();
        for (member, count) in members.iter_mut().zip([1000, 1050, 940]) {
            let text = format!(
                "alertmanager_alerts{{state=\"active\"}} {count}\nalertmanager_alerts{{state=\"suppressed\"}} 7\n"
            );
            change(member, |said| said.metrics = Metrics::read(&text));
        }
        let text = "am-2 has 940 active alerts, am-1 has 1050";
        assert_eq!(found(&members), [("alerts_differ", text.to_owned())]);
        assert!(found(&members[..2]).iter().all(|(code, _)| *code != "alerts_differ"));
    }

    #[test]
    fn what_metrics_tell_is_ranked_by_harm() {
        let mut members = three();
        let text = "alertmanager_notifications_total{integration=\"webhook\",receiver_name=\"a\"} 10\n\
            alertmanager_notifications_failed_total{integration=\"webhook\",reason=\"other\"} 1\n\
            alertmanager_config_last_reload_successful 0\n\
            alertmanager_nflog_maintenance_errors_total 3\n\
            alertmanager_cluster_peer_lag_seconds{peer=\"am-1\"} 33\n\
            process_open_fds 900\nprocess_max_fds 1024\n";
        change(&mut members[0], |said| said.metrics = Metrics::read(text));
        let all = found(&members);
        let codes: Vec<_> = all.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, ["reload_failed", "state_not_written", "notifications_fail", "peer_lags", "files_tight"]);
        let files = &findings(&members)[4];
        assert_eq!(files.advice, "set the limit of open files to 2048 (LimitNOFILE=2048, ulimit -n 2048)");
        assert_eq!(all[2].1, "am-0 failed to deliver 1 of 10 notifications by webhook");
        assert_eq!(all[3].1, "am-0 hears nothing from am-1 of what it told 33 s ago");
    }

    #[test]
    fn slow_receivers_and_senders_of_nonsense_are_told() {
        let mut members = three();
        let metrics = |invalid: u32, quick: u32| {
            Metrics::read(&format!(
                "alertmanager_alerts_received_total 100\nalertmanager_alerts_invalid_total {invalid}\n\
                 alertmanager_notification_latency_seconds_bucket{{integration=\"webhook\",le=\"5\"}} {quick}\n\
                 alertmanager_notification_latency_seconds_count{{integration=\"webhook\"}} 10\n"
            ))
        };
        change(&mut members[0], |said| said.metrics = metrics(1, 8));
        let slow = "am-0 took more than 5 s in 2 of 10 attempts to notify by webhook".to_owned();
        let invalid = |of: &str| ("alerts_invalid", format!("am-0 refused {of} alerts as invalid"));
        assert_eq!(found(&members), [("notifications_slow", slow), invalid("1 of 100")], "a single one is a note");
        change(&mut members[0], |said| said.metrics = metrics(2, 9));
        assert_eq!((found(&members), findings(&members)[0].harm), (vec![invalid("2 of 100")], Harm::Warning));
    }

    #[test]
    fn connections_that_do_not_get_through_are_told_of_both_ports() {
        let mut members = three();
        let reach = |web_port, peer: &str, reached: Reached| {
            Some(Reach { web_port: Some(web_port), peers: [(peer.to_owned(), reached)].into() })
        };
        let blocked = |port: &str| Some(format!("connecting to {port}: no answer"));
        change(&mut members[0], |said| {
            said.reach = reach(9093, "am-1", Reached { gossip: blocked("g"), web: blocked("w") });
        });
        change(&mut members[1], |said| said.reach = reach(9093, "am-2", Reached::default()));
        change(&mut members[2], |said| said.reach = reach(9095, "am-0", Reached { gossip: None, web: blocked("w") }));
        let expected = [
            (
                "no_connection",
                "am-0 sees am-1, and no connection gets through to its gossip port: connecting to g: no answer",
            ),
            ("api_closed", "am-0 gets no connection to the API of am-1: connecting to w: no answer"),
        ];
        assert_eq!(
            found(&members),
            expected.map(|(code, text)| (code, text.to_owned())),
            "ports that differ say nothing"
        );
    }

    #[test]
    fn a_receiver_that_is_down_is_told_before_anything_is_given_up() {
        let mut members = three();
        let text = "alertmanager_notification_requests_total{integration=\"webhook\"} 9\n\
            alertmanager_notification_requests_failed_total{integration=\"webhook\"} 5\n\
            alertmanager_notification_requests_total{integration=\"email\"} 9\n\
            alertmanager_notification_requests_failed_total{integration=\"email\"} 4\n";
        change(&mut members[0], |said| said.metrics = Metrics::read(text));
        let expected = "am-0 failed in 5 of 9 attempts to notify by webhook, and tries again";
        assert_eq!(found(&members), [("attempts_fail", expected.to_owned())]);
        let given_up = format!("{text}alertmanager_notifications_failed_total{{integration=\"webhook\"}} 1\n");
        change(&mut members[0], |said| said.metrics = Metrics::read(&given_up));
        assert_eq!(found(&members)[0].0, "notifications_fail");
        assert_eq!(found(&members).len(), 1);
    }

    #[test]
    fn what_fills_up_or_ends_is_told_in_time() {
        let mut members = three();
        let disk = |left: u64, size: u64| {
            let text = format!("alertmanager_storage_available_bytes {left}\nalertmanager_storage_size_bytes {size}\n");
            Metrics::read(&text)
        };
        change(&mut members[0], |said| said.metrics = disk(100, 1000));
        change(&mut members[1], |said| said.metrics = disk(20 << 30, 1 << 40));
        assert!(found(&members).is_empty(), "a tenth of a small one, or twenty GiB of a large one");
        change(&mut members[0], |said| said.metrics = disk(99, 1000));
        change(&mut members[1], |said| said.metrics = disk(9, 1000));
        change(&mut members[2], |said| said.certificate_days = Some(20));
        let texts: Vec<String> = found(&members).into_iter().map(|(_, text)| text).collect();
        let expected = [
            "am-1 has 0.9 % of its disk left",
            "am-0 has 9.9 % of its disk left",
            "am-2 has a certificate that ends in 20 days",
        ];
        assert_eq!(texts, expected);
        change(&mut members[2], |said| said.certificate_days = Some(3));
        assert_eq!(findings(&members).iter().filter(|finding| finding.harm == Harm::Critical).count(), 2);
    }

    #[test]
    fn limits_that_hurt_come_with_what_to_set() {
        let mut members = three();
        let text = format!(
            "alertmanager_memory_limit_bytes {}\nprocess_resident_memory_bytes {}\nprocess_cpu_seconds_total 20\n\
             alertmanager_cpu_throttled_seconds_total 9\nalertmanager_udp_receive_buffer_errors_total 3\n",
            64.0 * MEBI,
            60.0 * MEBI
        );
        change(&mut members[0], |said| said.metrics = Metrics::read(&text));
        let expected = [
            ("memory_tight", "am-0 uses 60 of the 64 MiB that its container may"),
            ("cpu_throttled", "am-0 waited 9 s for the CPU limit of its container, and used 20 s"),
            ("packets_lost", "am-0 lost 3 packets since a socket's buffer was full"),
        ];
        assert_eq!(found(&members), expected.map(|(code, text)| (code, text.to_owned())));
        assert_eq!(findings(&members)[0].advice, "set the limit to 120 MiB (spec.resources.limits.memory)");
        let enough = text
            .replace(&format!("{}", 64.0 * MEBI), "1e9")
            .replace("total 9", "total 3")
            .replace("total 3\n", "total 0\n");
        change(&mut members[0], |said| said.metrics = Metrics::read(&enough));
        assert!(found(&members).is_empty());
    }

    #[test]
    fn one_member_alone_can_be_asked() {
        assert!(found(&[member("", &[])]).is_empty());
        assert_eq!(found(&[member("am-0", &["am-0", "am-1"])])[0].0, "one_of_several");
    }
}
