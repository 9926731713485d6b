//! Processes of the program under test: their addresses, their output, and their end.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use crate::wait::until;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_alertmanager-operator");

/// A part of loopback that no other test has: it and the nine addresses after it.
pub(crate) fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let pid = std::process::id();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(number < 75, "no addresses left for another test");
    let byte = |n: u32| u8::try_from(n).unwrap();
    Ipv4Addr::new(127, byte(64 + pid / 250 % 64 + 64 * (number / 25)), byte(pid % 250), byte(1 + 10 * (number % 25)))
}

/// A port that is free on this address now.
pub(crate) fn free_port(ip: Ipv4Addr) -> u16 {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().port()
}

/// A socket's address.
pub(crate) fn at(ip: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddrV4::new(ip, port).into()
}

/// A running program with its output; stopped, and at last killed, when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Running {
    /// Starts the program in `dir`.
    pub(crate) fn start(program: &str, dir: &Path, args: &[String]) -> Self {
        let mut command = Command::new(program);
        command.args(args).current_dir(dir).stdin(Stdio::null());
        Self::spawn(command)
    }

    /// Starts what is ready to be started.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::default();
        collect(child.stdout.take().unwrap(), &lines);
        collect(child.stderr.take().unwrap(), &lines);
        Self { child, lines }
    }

    /// All that it has written so far.
    pub(crate) fn output(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until a line contains `part`; the first that does.
    pub(crate) fn line(&self, part: &str) -> String {
        until(&format!("a line with `{part}`"), || {
            let lines = self.output();
            lines.iter().find(|line| line.contains(part)).cloned().ok_or_else(|| format!("{lines:#?}"))
        })
    }

    /// Its number.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the program's end", || child.try_wait().unwrap().ok_or_else(|| "it runs".to_owned()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("output:\n  {}", self.output().join("\n  "));
        }
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.signal(Signal::TERM);
            for _ in 0..700 {
                if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn collect(from: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
}

/// Sends a signal to any process.
pub(crate) fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// The processes, other than this one, whose arguments contain `part`.
pub(crate) fn with_argument(part: &str) -> Vec<i32> {
    let own = std::process::id();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // Empty for a process that has ended but is not reaped yet.
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if pid != own && String::from_utf8_lossy(&line).contains(part) {
            found.push(i32::try_from(pid).unwrap());
        }
    }
    found
}
