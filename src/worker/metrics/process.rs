//! What the kernel says of this process and of its container, from `/proc` and `/sys`; families that it doesn't tell are left
//! out.

use std::fs;

use alerting::time::Timestamp;

use super::exposition::Exposition;

/// Units of CPU time per second in `/proc/self/stat`: the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// The families `process_*`.
pub(super) fn write(out: &mut Exposition, started_at: Timestamp) {
    if let Some(ticks) = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_ticks(&stat)) {
        out.counter("process_cpu_seconds_total", "CPU time used, in user and system mode.").is(ticks as f64 / TICKS);
    }
    if let Ok(fds) = fs::read_dir("/proc/self/fd") {
        // the one that reads the directory is among them
        out.gauge("process_open_fds", "Open file descriptors.").is(fds.count().saturating_sub(1));
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = soft_limit(&limits, "Max open files") {
        out.gauge("process_max_fds", "Most file descriptors that may be open.").is(most);
    }
    if let Some(most) = soft_limit(&limits, "Max address space") {
        out.gauge("process_virtual_memory_max_bytes", "Most address space that may be in use.").is(most);
    }
    let net = fs::read_to_string("/proc/self/net/netstat").unwrap_or_default();
    if let Some((received, sent)) = octets(&net) {
        out.counter("process_network_receive_bytes_total", "Bytes received in this network namespace.").is(received);
        out.counter("process_network_transmit_bytes_total", "Bytes sent in this network namespace.").is(sent);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(bytes) = kibibytes(&status, "VmRSS:") {
        out.gauge("process_resident_memory_bytes", "Memory in RAM.").is(bytes * 1024);
    }
    if let Some(bytes) = kibibytes(&status, "VmSize:") {
        out.gauge("process_virtual_memory_bytes", "Address space in use.").is(bytes * 1024);
    }
    container(out);
    out.gauge("process_start_time_seconds", "When the process started, Unix time.")
        .is(started_at.as_nanos() as f64 / 1e9);
}

/// The limits of the container, and how it hurts when they are too low. Of cgroup v2, whose root a container sees as its own.
fn container(out: &mut Exposition) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    if let Ok(most) = read("/sys/fs/cgroup/memory.max").trim().parse::<u64>() {
        out.gauge("alertmanager_memory_limit_bytes", "Memory that the container of this process may use.").is(most);
    }
    if let Some(micros) = named(&read("/sys/fs/cgroup/cpu.stat"), "throttled_usec") {
        let help = "Time that the container's threads waited for its CPU limit.";
        out.counter("alertmanager_cpu_throttled_seconds_total", help).is(micros as f64 / 1e6);
    }
    let lost = table(&read("/proc/self/net/snmp"), "Udp:", "RcvbufErrors");
    let lost_v6 = named(&read("/proc/self/net/snmp6"), "Udp6RcvbufErrors");
    if lost.is_some() || lost_v6.is_some() {
        let help = "Packets lost in this network namespace, since a socket's buffer was full.";
        let all = lost.unwrap_or_default() + lost_v6.unwrap_or_default();
        out.counter("alertmanager_udp_receive_buffer_errors_total", help).is(all);
    }
}

/// The number behind a name, in lines of both.
fn named(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix([' ', '\t'])?.trim().parse().ok())
}

/// User plus system time. The name of the program, in parentheses, may hold blanks.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The soft limit; no limit is the largest number.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// What came in and went out.
fn octets(netstat: &str) -> Option<(u64, u64)> {
    Some((table(netstat, "IpExt:", "InOctets")?, table(netstat, "IpExt:", "OutOctets")?))
}

/// Of a table of the network's numbers: a line of names, then one of values.
fn table(text: &str, of: &str, wanted: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(of));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split_whitespace().position(|name| name == wanted)?;
    values.split_whitespace().nth(at)?.parse().ok()
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_writes() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 3 0 1000 1 2";
        assert_eq!(cpu_ticks(stat), Some(42));
        let limits = "Limit  Soft\nMax open files            1024    4096  files\nMax address space  unlimited unlimited bytes\n";
        assert_eq!(soft_limit(limits, "Max open files"), Some(1024));
        assert_eq!(soft_limit(limits, "Max address space"), Some(u64::MAX));
        assert_eq!(octets("IpExt: InNoRoutes InOctets OutOctets\nIpExt: 0 7 9\n"), Some((7, 9)));
        assert_eq!(kibibytes("VmPeak:  9 kB\nVmRSS:\t  1234 kB\n", "VmRSS:"), Some(1234));
        assert_eq!(kibibytes("", "VmRSS:"), None);
        let snmp = "Udp: InDatagrams RcvbufErrors\nUdp: 5 7\nUdpLite: InDatagrams RcvbufErrors\nUdpLite: 1 2\n";
        assert_eq!(table(snmp, "Udp:", "RcvbufErrors"), Some(7));
        let stat = "usage_usec 9\nthrottled_usec 1500\n";
        assert_eq!(
            (named(stat, "throttled_usec"), named("Udp6RcvbufErrors    \t3\n", "Udp6RcvbufErrors")),
            (Some(1500), Some(3))
        );
        assert_eq!(named(stat, "throttled"), None);
    }
}
