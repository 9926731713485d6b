//! The two programs, side by side on the same configuration.

use std::net::{Ipv4Addr, SocketAddr};

use rustix::process::Signal;

use super::config;
use super::script::Story;
use super::sink::Sink;
use crate::http::request;
use crate::peer::programs;
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

/// Where one of the two is reached, and the receiver of its webhooks.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) web: SocketAddr,
    pub(super) sink: Sink,
}

struct Program {
    path: String,
    args: Vec<String>,
    side: Side,
    dir: tempfile::TempDir,
    running: Option<Running>,
}

/// Both.
pub(super) struct Pair {
    ours: Program,
    reference: Program,
    stories: Vec<Story>,
    minute: i64,
}

impl Pair {
    /// Starts both with the configuration of these stories; `minute` as in [`config::of`].
    pub(super) fn start(stories: Vec<Story>, minute: i64) -> Self {
        let ours = ["worker", "--no-config.watch"].map(str::to_owned).to_vec();
        let reference = programs::path("alertmanager").to_str().unwrap().to_owned();
        let mut pair = Self {
            ours: Program::new(PROGRAM.to_owned(), ours),
            reference: Program::new(reference, Vec::new()),
            stories,
            minute,
        };
        pair.configure(false);
        pair.both(Program::start);
        pair
    }

    /// Ours and the reference.
    pub(super) fn sides(&self) -> [Side; 2] {
        [self.ours.side.clone(), self.reference.side.clone()]
    }

    /// Loads the second configuration.
    pub(super) fn reload(&mut self) {
        self.configure(true);
        self.both(|program| drop(request(program.side.web, "POST", "/-/reload", "").unwrap()));
    }

    /// Ends both as Kubernetes would, and starts them again on what they left.
    pub(super) fn restart(&mut self) {
        self.both(Program::stop);
        self.both(Program::start);
    }

    fn configure(&self, reloaded: bool) {
        for program in [&self.ours, &self.reference] {
            let text = config::of(&self.stories, reloaded, program.side.sink.address, self.minute);
            std::fs::write(program.dir.path().join("alertmanager.yml"), text).unwrap();
        }
    }

    fn both(&mut self, work: impl Fn(&mut Program) + Sync) {
        std::thread::scope(|scope| {
            scope.spawn(|| work(&mut self.ours));
            work(&mut self.reference);
        });
    }
}

impl Program {
    fn new(path: String, mut args: Vec<String>) -> Self {
        let ip: Ipv4Addr = own_address();
        let web = at(ip, free_port(ip));
        args.push(format!("--web.listen-address={web}"));
        // the same in both, since it is in what they send
        args.push("--web.external-url=http://alertmanager.example/".to_owned());
        args.push("--cluster.listen-address=".to_owned());
        Self { path, args, side: Side { web, sink: Sink::start(ip) }, dir: tempfile::tempdir().unwrap(), running: None }
    }

    fn start(&mut self) {
        self.running = Some(Running::start(&self.path, self.dir.path(), &self.args));
        until("it is ready", || request(self.side.web, "GET", "/-/ready", ""));
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.signal(Signal::TERM);
            assert!(running.wait().success());
        }
    }
}
