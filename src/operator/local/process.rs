//! A child process that is kept running until it is told to end.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::screen::Screen;

/// A pause before the first new start; each next one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long a process has to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Who has this in its environment ends when its standard input does, so that nobody outlives us.
const EXIT_WITH_PARENT: &str = "ALERTMANAGER_EXIT_ON_STDIN_EOF";
/// How much of a log's end is read to find its last line.
const TAIL_BYTES: i64 = 4096;

/// What is run.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// What it is called in messages.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where its output goes; appended to.
    pub log: PathBuf,
}

/// One life of a process is over.
#[derive(Debug)]
pub(super) struct Ended {
    /// The program's name.
    pub name: String,
    /// How; `None` when it could not even be started.
    pub status: Option<ExitStatus>,
    /// Why it could not be started, or the last line of its log.
    pub reason: String,
}

/// A supervised program. Dropped, it ends without being waited for.
pub(super) struct Process {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Process {
    /// Starts it, and starts it again whenever it ends by itself, of which `ended` is told each time.
    pub(super) fn start(program: Program, screen: Arc<Screen>, ended: mpsc::UnboundedSender<Ended>) -> Self {
        let (stop, told) = watch::channel(false);
        Self { stop, task: tokio::spawn(supervise(program, screen, ended, told)) }
    }

    /// Asks it to end, without waiting.
    pub(super) fn begin_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has ended after [`Process::begin_stop`].
    pub(super) async fn ended(&mut self) {
        // A handle must not be waited for twice.
        if !self.task.is_finished() {
            // A task that panicked has dropped, and so killed, its child.
            let _ = (&mut self.task).await;
        }
    }
}

async fn supervise(
    program: Program,
    screen: Arc<Screen>,
    ended: mpsc::UnboundedSender<Ended>,
    mut told: watch::Receiver<bool>,
) {
    let mut pause = PAUSE_MIN;
    loop {
        let started = Instant::now();
        let status = match spawn(&program) {
            Ok((mut child, _stdin)) => tokio::select! {
                status = child.wait() => status.map(Some),
                () = stopped(&mut told) => return end(&program, &screen, child).await,
            },
            Err(error) => Err(error),
        };
        if started.elapsed() > PAUSE_MAX {
            pause = PAUSE_MIN;
        }
        let (status, how, reason) = match status {
            Ok(status) => {
                let reason = last_line(&program.log);
                (status, status.map_or_else(String::new, |status| status.to_string()), reason)
            }
            Err(error) => (None, format!("could not be started: {error}"), error.to_string()),
        };
        let name = &program.name;
        screen.event(&format!("{name} ended ({how}); starting it again in {:.1} s", pause.as_secs_f32()));
        let _ = ended.send(Ended { name: name.clone(), status, reason });
        tokio::select! {
            () = sleep(pause) => {}
            () = stopped(&mut told) => return,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Ends when told to stop, or when nobody is left to tell.
async fn stopped(told: &mut watch::Receiver<bool>) {
    let _ = told.wait_for(|stop| *stop).await;
}

/// The child, and the end of its standard input that must stay open for it to live.
fn spawn(program: &Program) -> std::io::Result<(Child, Option<ChildStdin>)> {
    let log = OpenOptions::new().create(true).append(true).open(&program.log)?;
    let mut child = Command::new(&program.path)
        .args(&program.args)
        .env(EXIT_WITH_PARENT, "1")
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C at the terminal is ours to pass on.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    // `wait` would close it.
    let stdin = child.stdin.take();
    Ok((child, stdin))
}

async fn end(program: &Program, screen: &Screen, mut child: Child) {
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        // Not reaped yet, so the number is still its own; if it has just ended, the wait tells.
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(STOP_LIMIT, child.wait()).await.is_err() {
        screen.event(&format!("{} did not end within {} s; killing it", program.name, STOP_LIMIT.as_secs()));
        let _ = child.kill().await;
    }
}

/// What a program said last; empty when it said nothing.
fn last_line(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(log)?;
        let length = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
        file.seek(SeekFrom::End(-length.min(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn shell(dir: &Path, script: &str) -> Program {
        Program {
            name: "m-0".to_owned(),
            path: "/bin/sh".into(),
            args: vec!["-c".to_owned(), script.to_owned()],
            log: dir.join("log"),
        }
    }

    async fn until_there(path: &Path) {
        while !path.exists() {
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn start(program: Program) -> (Process, mpsc::UnboundedReceiver<Ended>) {
        let (sender, ended) = mpsc::unbounded_channel();
        (Process::start(program, Arc::new(Screen::stdout()), sender), ended)
    }

    #[tokio::test]
    async fn starts_again_and_tells_what_was_said_last() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            format!("echo one; echo no such flag; cd {}; mkdir again || exec sleep 1000; exit 3", dir.path().display());
        let (mut process, mut ended) = start(shell(dir.path(), &script));
        let first = ended.recv().await.unwrap();
        assert_eq!((first.status.unwrap().code(), first.reason.as_str()), (Some(3), "no such flag"));
        process.begin_stop();
        process.ended().await;
        assert!(ended.try_recv().is_err());
    }

    #[tokio::test]
    async fn stops_with_sigterm_and_waits() {
        let dir = tempfile::tempdir().unwrap();
        let (up, down) = (dir.path().join("up"), dir.path().join("down"));
        let script = format!(
            "trap 'mkdir {}; exit 0' TERM; mkdir {}; while :; do sleep 0.01; done",
            down.display(),
            up.display()
        );
        let (mut process, mut ended) = start(shell(dir.path(), &script));
        until_there(&up).await;
        process.begin_stop();
        process.ended().await;
        assert!(down.exists());
        assert!(ended.try_recv().is_err());
    }

    #[tokio::test]
    async fn reports_a_kill_and_holds_the_standard_input_open() {
        let dir = tempfile::tempdir().unwrap();
        let script = format!("echo $$ > {0}/pid.new; mv {0}/pid.new {0}/pid; cat; echo EOF", dir.path().display());
        let (_process, mut ended) = start(shell(dir.path(), &script));
        let pid = dir.path().join("pid");
        until_there(&pid).await;
        let pid = Pid::from_raw(std::fs::read_to_string(pid).unwrap().trim().parse().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        let end = ended.recv().await.unwrap();
        assert_eq!((end.status.unwrap().signal(), end.reason.as_str()), (Some(9), ""));
    }

    #[tokio::test]
    async fn says_why_it_could_not_be_started() {
        let dir = tempfile::tempdir().unwrap();
        let (_process, mut ended) = start(Program { path: "/no/such/program".into(), ..shell(dir.path(), "") });
        let end = ended.recv().await.unwrap();
        assert!(end.status.is_none() && end.reason.contains("No such file"), "{end:?}");
    }
}
