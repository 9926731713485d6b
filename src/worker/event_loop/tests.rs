//! The real engine behind real sockets, files and a receiver on loopback.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use alerting::alert::PostedAlert;
use alerting::effects::{ClusterOptions, Options, StateFile};
use alerting::label::LabelSet;
use alerting::matcher::Mode;
use axum::Router;
use axum::routing::post;
use tokio::task::JoinHandle;

use super::*;
use crate::handle::{Handle, Stopped};
use crate::net::Sockets;
use crate::reload;
use crate::store::Store;

const LIMIT: Duration = Duration::from_secs(30);

struct Member {
    handle: Handle,
    task: JoinHandle<()>,
    arrivals: Arrivals,
    address: Option<SocketAddr>,
    store: Store,
    settled: watch::Receiver<bool>,
}

impl Member {
    async fn start(directory: &Path, name: Option<&str>) -> Self {
        let store = Store::open(directory).unwrap();
        let sockets = match name {
            Some(_) => Some(Sockets::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap()),
            None => None,
        };
        let address = sockets.as_ref().map(Sockets::local);
        let cluster = name.zip(address).map(|(name, advertise)| ClusterOptions {
            name: name.to_owned(),
            advertise,
            label: String::new(),
            incarnation: 1,
            gossip_interval: Duration::from_millis(100),
            pushpull_interval: Duration::from_secs(1),
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(500),
            peer_timeout: Duration::from_secs(1),
            settle_timeout: Duration::ZERO,
            reconnect_interval: Duration::from_millis(200),
            reconnect_timeout: Duration::from_secs(3600),
        });
        let options = Options { cluster, ..Options::default() };
        let engine = Engine::new(options, store.restore(clock::now(), true).unwrap()).unwrap();
        let (handle, commands) = Handle::new();
        let (arrivals, arrived) = arrivals();
        let (settled, is_settled) = watch::channel(false);
        let outside = Outside {
            deliverer: Arc::new(Deliverer::new(PathBuf::new(), None)),
            net: sockets.map(|sockets| Net::start(sockets, &arrivals, LIMIT, &Arc::default())),
            writer: store.writer(Arc::default()).unwrap(),
            taste: Taste { silences: true },
            settled,
            observed: Arc::default(),
            recorder: Recorder::default(),
            spans: FlushSpans::default(),
        };
        let looping = EventLoop::new(engine, outside, arrivals.clone(), LIMIT);
        let task = tokio::spawn(looping.run(commands, arrived));
        Self { handle, task, arrivals, address, store, settled: is_settled }
    }

    async fn configure(&self, text: &str, directory: &Path) {
        let path = directory.join("am.yml");
        std::fs::write(&path, text).unwrap();
        let config = reload::load(&path, reload::Reading::default()).await.unwrap();
        self.handle.feed(Input::Config(config)).await.unwrap();
    }

    async fn post(&self, name: &str) -> Answer {
        let labels = LabelSet::new([("alertname", name)]);
        let alert = PostedAlert::new(labels, LabelSet::empty(), "".into(), None, None);
        self.handle.ask(move |ticket| Input::Alerts { ticket, alerts: vec![alert] }).await.unwrap()
    }

    async fn stop(self) -> Store {
        self.handle.feed(Input::Stop).await.unwrap();
        tokio::time::timeout(LIMIT, self.task).await.unwrap().unwrap();
        assert_eq!(self.handle.view(|_| ()).await, Err(Stopped));
        self.store
    }
}

async fn receiver() -> (String, mpsc::UnboundedReceiver<String>, JoinHandle<()>) {
    let (tx, bodies) = mpsc::unbounded_channel();
    let router = Router::new().route(
        "/",
        post(move |body: String| async move {
            let _ = tx.send(body);
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, bodies, task)
}

fn config(url: &str) -> String {
    format!(
        "route: {{receiver: w, group_by: [alertname], group_wait: 0s, group_interval: 1h}}\n\
         receivers: [{{name: w, webhook_configs: [{{url: '{url}'}}]}}]\n"
    )
}

/// Asks until the answer is yes.
async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_reaches_its_receiver_and_the_files_remember_it() {
    let directory = tempfile::tempdir().unwrap();
    let (url, mut bodies, server) = receiver().await;
    let member = Member::start(&directory.path().join("data"), None).await;
    member.configure(&config(&url), directory.path()).await;
    assert_eq!(member.post("Disk").await, Answer::Done);
    let body = tokio::time::timeout(LIMIT, bodies.recv()).await.unwrap().unwrap();
    assert!(body.contains("\"alertname\":\"Disk\"") && body.contains("\"status\":\"firing\""), "{body}");
    eventually("the log has an entry", async || member.handle.view(|view| view.nflog_len()).await.unwrap() == 1).await;
    let store = member.stop().await;
    let written = std::fs::read(store.path(StateFile::NotificationLog)).unwrap();
    assert!(!written.is_empty());

    // a second life knows what the first one sent
    let member = Member::start(&directory.path().join("data"), None).await;
    member.configure(&config(&url), directory.path()).await;
    assert_eq!(member.handle.view(|view| view.nflog_len()).await, Ok(1));
    member.post("Disk").await;
    member.post("Other").await;
    let body = tokio::time::timeout(LIMIT, bodies.recv()).await.unwrap().unwrap();
    assert!(body.contains("\"alertname\":\"Other\""), "{body}");
    member.stop().await;
    assert!(bodies.try_recv().is_err());
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_find_each_other_and_share_silences() {
    let directory = tempfile::tempdir().unwrap();
    let mut members = Vec::new();
    for name in ["m0", "m1"] {
        let member = Member::start(&directory.path().join(name), Some(name)).await;
        member.configure("route: {receiver: w}\nreceivers: [{name: w}]\n", directory.path()).await;
        members.push(member);
    }
    let addresses: Vec<_> = members.iter().filter_map(|member| member.address).collect();
    // as many tellings as a look-up every now and then makes
    for member in &members {
        member.arrivals.send(Arrival::Input(Input::Peers(addresses.clone()))).await.unwrap();
    }
    for member in &members {
        eventually("both are members", async || {
            member.handle.view(|view| view.cluster().peers.len()).await.unwrap() == 2
        })
        .await;
        tokio::time::timeout(LIMIT, member.settled.clone().wait_for(|settled| *settled)).await.unwrap().unwrap();
    }
    let (matcher, _) = alerting::matcher::parse_one(Mode::Fallback, "a=b").unwrap();
    let draft = alerting::silence::SilenceDraft {
        id: None,
        matchers: vec![matcher],
        starts_at: None,
        ends_at: clock::now() + Duration::from_secs(3600),
        created_by: "me".into(),
        comment: "test".into(),
        annotations: Default::default(),
    };
    let answer = members[0].handle.ask(|ticket| Input::SetSilence { ticket, draft }).await.unwrap();
    let Answer::Silence(id) = answer else { panic!("{answer:?}") };
    let other = &members[1].handle;
    eventually("the other one knows the silence", async || {
        let id = id.clone();
        other.view(move |view| view.silence(&id).is_some()).await.unwrap()
    })
    .await;
    // who leaves says so
    let first = members.remove(0);
    first.stop().await;
    eventually("the other one is alone", async || {
        members[0].handle.view(|view| view.cluster().peers.len()).await.unwrap() == 1
    })
    .await;
    members.remove(0).stop().await;
}

#[tokio::test]
async fn without_anybody_who_could_stop_it_it_stops() {
    let directory = tempfile::tempdir().unwrap();
    let Member { handle, task, .. } = Member::start(directory.path(), None).await;
    drop(handle);
    tokio::time::timeout(LIMIT, task).await.unwrap().unwrap();
}
