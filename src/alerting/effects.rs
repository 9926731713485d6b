//! What goes into the [`Engine`](crate::engine::Engine) and what comes out of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::alert::{Alert, PostedAlert};
use crate::config::Config;
use crate::engine::AlertsPicture;
use crate::ledger;
use crate::nflog::{LogKey, SendReason};
use crate::notify;
use crate::record::{FlushReport, Record};
use crate::silence::{Silence, SilenceDraft, SilenceError, SilenceId};
use crate::time::Timestamp;

/// How the shell finds the one who waits for an [`Output::Answer`]; chosen by the shell, never used twice.
pub type Ticket = u64;

/// Names one call between peers, until its reply; chosen by the engine.
pub type CallId = u64;

/// Names one run of sending a group to one integration; chosen by the engine.
pub type DeliveryId = u64;

/// Something that happened outside.
#[derive(Debug)]
pub enum Input {
    /// A validated configuration to run with, the first one or a new one.
    Config(Arc<Config>),
    /// Alerts were posted, on this member.
    Alerts {
        /// Answered when they are in.
        ticket: Ticket,
        /// Prepared alerts, in the order in which they were posted.
        alerts: Vec<PostedAlert>,
    },
    /// A silence is to be made or changed.
    SetSilence {
        /// Answered with the id, or why not.
        ticket: Ticket,
        /// What was asked for.
        draft: SilenceDraft,
    },
    /// A silence is to be ended.
    ExpireSilence {
        /// Answered when done, or why not.
        ticket: Ticket,
        /// Which one.
        id: SilenceId,
    },
    /// What became of an [`Output::Deliver`].
    Delivered {
        /// Of that output.
        id: DeliveryId,
        /// The receiver's response, or why there is none.
        result: Result<notify::Response, notify::TransportError>,
    },
    /// What became of an [`Output::ReadFiles`].
    FilesRead {
        /// Of that output.
        id: DeliveryId,
        /// All contents as they are, or why one is missing (for the log).
        result: Result<notify::Files, String>,
    },
    /// The whole of what is known from a look-up of the peers' names; this member's own address may be among them.
    Peers(Vec<SocketAddr>),
    /// The process at this address has ended: nobody listens there any more.
    PeerGone(SocketAddr),
    /// A datagram from a peer.
    Packet {
        /// Who sent it.
        from: SocketAddr,
        /// Its payload.
        data: Bytes,
    },
    /// A peer calls; to be answered with [`Output::Reply`] to the same `call`.
    Called {
        /// Chosen by the shell, never used twice.
        call: Ticket,
        /// Who calls.
        from: SocketAddr,
        /// What it says.
        data: Bytes,
    },
    /// What became of an [`Output::Call`].
    CallEnded {
        /// Of that output.
        call: CallId,
        /// The peer's reply, or why there is none (for the log).
        result: Result<Bytes, String>,
    },
    /// Time passed; nothing else happened.
    Tick,
    /// The state files are to be written now: the journal has grown long, or something is missing in it.
    Snapshot,
    /// The process is to end: finish or hand over, tell the peers. [`Output::Stopped`] says when it may.
    Stop,
}

/// Something to do outside.
#[derive(Debug)]
#[must_use = "an output that isn't carried out is a lost notification or answer"]
pub enum Output {
    /// Tell who waits for `ticket`.
    Answer {
        /// Of the input.
        ticket: Ticket,
        /// What to tell.
        answer: Answer,
    },
    /// Send this request to a receiver, within the time given, then [`Input::Delivered`].
    Deliver {
        /// To name in the result.
        id: DeliveryId,
        /// What to send.
        request: notify::Outgoing,
        /// How long one attempt may take at most.
        timeout: Duration,
    },
    /// Read these files, which an attempt needs, within the time given, then [`Input::FilesRead`].
    ReadFiles {
        /// To name in the result.
        id: DeliveryId,
        /// Relative to the working directory.
        paths: Vec<String>,
        /// How long it may take at most.
        timeout: Duration,
    },
    /// Give up on a request or files that are under way; no result is expected any more.
    Cancel(DeliveryId),
    /// Send a datagram; it may get lost.
    Packet {
        /// To whom.
        to: SocketAddr,
        /// Payload, at most 1400 bytes.
        data: Bytes,
    },
    /// Send to a peer over a stream and wait for the reply, then [`Input::CallEnded`].
    Call {
        /// To name in the result.
        call: CallId,
        /// To whom.
        to: SocketAddr,
        /// Payload, of any size.
        data: Bytes,
    },
    /// Reply to an [`Input::Called`].
    Reply {
        /// Of that input.
        call: Ticket,
        /// Payload, of any size.
        data: Bytes,
    },
    /// Append to the journal. What was appended before the last [`Output::Snapshot`] isn't needed once that is on disk.
    Append {
        /// Records, to be kept together; empty if only the answers matter.
        records: Bytes,
        /// They must be durable soon. Else it suffices that they outlive the process, but not the machine.
        sync: bool,
        /// To be given when this and everything before it is durable; [`Answer::NotDurable`] if that fails.
        answers: Vec<(Ticket, Answer)>,
    },
    /// Write the state files.
    Snapshot(Snapshots),
    /// Something worth a log line.
    Event(Event),
    /// Something for the event recorder; only if [`Options::record_events`].
    Record {
        /// Position of this member in its cluster, 0 without one.
        position: u32,
        /// What happened.
        record: Box<Record>,
    },
    /// A group was flushed; only if the config asks for tracing. Deliveries follow.
    Flushed(Box<FlushReport>),
    /// After [`Input::Stop`]: nothing is left to do.
    Stopped,
}

/// The state of a member at a moment.
#[derive(Debug)]
pub struct Snapshots {
    /// For the file `silences`, in the reference's format.
    pub silences: Bytes,
    /// For the file `nflog`, in the reference's format.
    pub notification_log: Bytes,
    /// For the file `alerts`; `None`: alerts aren't kept.
    pub alerts: Option<AlertsPicture>,
    /// For the file `ledger`.
    pub ledger: ledger::Saved,
}

/// The state files of a member. The reference has the first two, by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateFile {
    /// `silences`
    Silences,
    /// `nflog`
    NotificationLog,
    /// `alerts`: of this program only, a [`journal`](crate::journal) file.
    Alerts,
    /// `ledger`: of this program only, what became of notifications. Nothing is decided by it.
    Ledger,
}

impl StateFile {
    /// The file's name in the storage directory.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silences => "silences",
            Self::NotificationLog => "nflog",
            Self::Alerts => "alerts",
            Self::Ledger => "ledger",
        }
    }
}

/// The answer to an input with a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Done,
    /// The silence has this id.
    Silence(SilenceId),
    /// Refused.
    Refused(SilenceError),
    /// It is in force, but couldn't be written to disk: a restart of this member would forget it.
    NotDurable {
        /// Why not.
        cause: String,
    },
}

/// What happened and why: for the log, for tests, for whoever asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A peer is a member now.
    MemberJoined {
        /// Its stable name.
        name: String,
        /// Where its packets go.
        address: SocketAddr,
    },
    /// A peer is gone: it left, or does not answer.
    MemberLeft {
        /// Its stable name.
        name: String,
        /// Where it was.
        address: SocketAddr,
    },
    /// This member may notify from now on, and why.
    Settled {
        /// Text for the log.
        reason: &'static str,
        /// Time since the start.
        after: Duration,
    },
    /// A notification went out.
    Notified {
        /// Group and integration.
        key: LogKey,
        /// Why it was due.
        reason: SendReason,
        /// What was sent.
        alerts: Vec<Arc<Alert>>,
        /// Attempts it took, from 1.
        attempts: u32,
        /// How long the last of them took.
        took: Duration,
    },
    /// One attempt failed; there will be another.
    AttemptFailed {
        /// Group and integration.
        key: LogKey,
        /// From 1.
        attempt: u32,
        /// What is known of the cause.
        error: String,
        /// The attempt before failed for the same cause.
        again: bool,
    },
    /// A notification is given up until the next flush.
    NotifyFailed {
        /// Group and integration.
        key: LogKey,
        /// Attempts made.
        attempts: u32,
        /// Alerts in the group.
        alerts: usize,
        /// Another attempt would have been in vain; otherwise the time for it was over.
        permanent: bool,
        /// Label of the failure metric.
        reason: &'static str,
        /// What is known of the cause.
        error: String,
    },
    /// A notification is due here, and another member is sending it.
    Held {
        /// Group and integration.
        key: LogKey,
        /// Name of that member.
        by: String,
    },
    /// This member can't reach a receiver, and leaves the turn to the next in line.
    TurnPassed {
        /// Group and integration.
        key: LogKey,
    },
    /// Another member can't reach a receiver, and this one tries now.
    TurnTaken {
        /// Group and integration.
        key: LogKey,
        /// Name of the other one.
        by: String,
    },
    /// The process was stopped or starved for so long that peers have acted without it: it asks them before it notifies.
    StoodStill {
        /// By how much it was woken too late.
        late: Duration,
    },
    /// A peer's state or packet could not be used.
    PeerRejected {
        /// Who.
        address: SocketAddr,
        /// What is wrong.
        error: String,
    },
    /// An alert was dropped because its name has too many already.
    AlertLimited {
        /// The `alertname`.
        name: String,
    },
    /// A label of a route could not be rendered for a group, which goes without it.
    RouteLabelFailed {
        /// Key of the group.
        group: Arc<str>,
        /// Name of the label.
        label: Arc<str>,
        /// Why.
        error: String,
    },
    /// A stored silence can't be used, since one of its matchers makes no sense here.
    SilenceUnusable {
        /// Its id.
        id: String,
        /// What is wrong.
        cause: String,
    },
    /// A silence was made, changed, or ended.
    SilenceChanged {
        /// As it is now.
        silence: Arc<Silence>,
        /// `created`, `updated` or `expired`.
        what: &'static str,
    },
}

/// How an engine is to run; a shell makes it from the command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long log entries and expired silences are kept.
    pub retention: Duration,
    /// Between two rounds of forgetting and snapshots.
    pub maintenance_interval: Duration,
    /// Between two removals of resolved alerts.
    pub alert_gc_interval: Duration,
    /// No group flushes before the start plus this.
    pub dispatch_start_delay: Duration,
    /// Most silences, expired ones included; `None`: any number.
    pub silences_max: Option<usize>,
    /// Most bytes of one stored silence; `None`: any number.
    pub silence_bytes_max: Option<usize>,
    /// Most alerts of one `alertname`; `None`: any number.
    pub alerts_per_name_max: Option<usize>,
    /// Whether alerts and the timers of groups outlive the process.
    pub persist_alerts: bool,
    /// Link base in notifications, without a trailing slash.
    pub external_url: String,
    /// Whether to give [`Output::Record`]s.
    pub record_events: bool,
    /// For ids and jitter: from the system's randomness, or fixed in tests.
    pub seed: u64,
    /// `None`: high availability is off.
    pub cluster: Option<ClusterOptions>,
}

/// How an engine takes part in a cluster.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Stable name of this member, e.g. the pod's; positions sort by it.
    pub name: String,
    /// Where peers reach this member (packets and streams).
    pub advertise: SocketAddr,
    /// Only members with the same label are believed; `""` is a label too.
    pub label: String,
    /// Greater than at the last start of a member of this name: milliseconds since the epoch do.
    pub incarnation: u64,
    /// Between two rounds of gossip.
    pub gossip_interval: Duration,
    /// Between two comparisons of state with a peer.
    pub pushpull_interval: Duration,
    /// Between two probes.
    pub probe_interval: Duration,
    /// A probe unanswered after this is tried through others; below `probe_interval`.
    pub probe_timeout: Duration,
    /// How much longer each later position waits before it sends.
    pub peer_timeout: Duration,
    /// Longest wait for the peers' state after start.
    pub settle_timeout: Duration,
    /// Between two attempts to reach a peer that doesn't answer.
    pub reconnect_interval: Duration,
    /// How long a peer that doesn't answer is remembered.
    pub reconnect_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(120 * 3600),
            maintenance_interval: Duration::from_secs(15 * 60),
            alert_gc_interval: Duration::from_secs(30 * 60),
            dispatch_start_delay: Duration::ZERO,
            silences_max: None,
            silence_bytes_max: None,
            alerts_per_name_max: None,
            persist_alerts: true,
            external_url: "http://localhost:9093".into(),
            record_events: false,
            seed: 0,
            cluster: None,
        }
    }
}

/// What was on disk at the start.
#[derive(Debug, Default, Clone)]
pub struct Restored {
    /// Content of the file `silences`, if there is one.
    pub silences: Option<Bytes>,
    /// Content of the file `nflog`, if there is one.
    pub notification_log: Option<Bytes>,
    /// Payloads of the file `alerts`, if there is one.
    pub alerts: Option<Vec<Bytes>>,
    /// Payloads of the journal, in the order in which they were written.
    pub journal: Vec<Bytes>,
    /// What the file `ledger` has.
    pub ledger: ledger::Saved,
    /// When the process started.
    pub started_at: Timestamp,
}
