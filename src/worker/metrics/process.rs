//! What the kernel says of this process, from `/proc`; families that it doesn't tell are left out.

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
    if let Some(most) = fs::read_to_string("/proc/self/limits").ok().and_then(|limits| max_fds(&limits)) {
        out.gauge("process_max_fds", "Most file descriptors that may be open.").is(most);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(bytes) = kibibytes(&status, "VmRSS:") {
        out.gauge("process_resident_memory_bytes", "Memory in RAM.").is(bytes * 1024);
    }
    if let Some(bytes) = kibibytes(&status, "VmSize:") {
        out.gauge("process_virtual_memory_bytes", "Address space in use.").is(bytes * 1024);
    }
    out.gauge("process_start_time_seconds", "When the process started, Unix time.")
        .is(started_at.as_nanos() as f64 / 1e9);
}

/// User plus system time. The name of the program, in parentheses, may hold blanks.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn max_fds(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
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
        assert_eq!(max_fds("Limit  Soft\nMax open files            1024    4096  files\n"), Some(1024));
        assert_eq!(kibibytes("VmPeak:  9 kB\nVmRSS:\t  1234 kB\n", "VmRSS:"), Some(1234));
        assert_eq!(kibibytes("", "VmRSS:"), None);
    }
}
