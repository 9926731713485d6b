//! Reloads with real files and a stand-in for the event loop.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use alerting::effects::{Options, Restored};
use alerting::engine::Engine;
use tokio::signal::unix::{SignalKind, signal};

use super::*;
use crate::handle::Command;

const GOOD: &str = "route: {receiver: a}\nreceivers: [{name: a}]\n";
const BETTER: &str = "route: {receiver: b}\nreceivers: [{name: b}]\n";
const BAD: &str = "route: {receiver: c}\nreceivers: [{name: a}]\n";
const LIMIT: Duration = Duration::from_secs(20);

/// Of a config without template files.
fn of(text: &str) -> ConfigHash {
    hash(Path::new("am.yml"), text.as_bytes(), &[], &[])
}

struct World {
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<ReloadStatus>,
    configs: mpsc::UnboundedReceiver<ConfigHash>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl World {
    async fn new(path: &Path) -> Self {
        let config = load(path, Reading::default()).await.unwrap();
        let (handle, mut commands) = Handle::new();
        let (seen, configs) = mpsc::unbounded_channel();
        let looping = tokio::spawn(async move {
            let mut engine = Engine::new(Options::default(), Restored::default()).unwrap();
            while let Some(command) = commands.recv().await {
                match command {
                    Command::Feed(Input::Config(config)) => seen.send(config.hash).unwrap(),
                    Command::View(look) => look(&mut engine.view(clock::now())),
                    other => panic!("unexpected {other:?}"),
                }
            }
        });
        let (reloader, status) = Reloader::new(
            path.to_owned(),
            Reading::default(),
            &config,
            handle,
            Recorder::default(),
            Tracing::default(),
        );
        let (requests, asked) = mpsc::channel(1);
        let hangup = signal(SignalKind::hangup()).unwrap();
        let reloading = tokio::spawn(reloader.run(asked, hangup, FileWatch::new(path)));
        Self { requests, status, configs, tasks: vec![looping, reloading] }
    }

    async fn reload(&self) -> Result<(), String> {
        let (tell, told) = oneshot::channel();
        self.requests.send(tell).await.unwrap();
        told.await.unwrap()
    }

    async fn next_config(&mut self) -> ConfigHash {
        tokio::time::timeout(LIMIT, self.configs.recv()).await.unwrap().unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test]
async fn a_bad_file_keeps_the_running_config() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("am.yml");
    fs::write(&path, GOOD).unwrap();
    let mut world = World::new(&path).await;
    let start = world.status.borrow().clone();
    assert!(start.last_success);
    assert_eq!(start.hash, of(GOOD));

    fs::write(&path, BAD).unwrap();
    let refused = world.reload().await.unwrap_err();
    assert!(refused.contains("undefined receiver \"c\""), "{refused}");
    let status = world.status.borrow().clone();
    assert_eq!((status.last_success, status.hash), (false, start.hash));
    assert_eq!(status.error.as_deref(), Some(refused.as_str()));
    assert!(world.configs.try_recv().is_err());

    fs::write(&path, BETTER).unwrap();
    world.reload().await.unwrap();
    assert_eq!(world.next_config().await, of(BETTER));
    let status = world.status.borrow().clone();
    assert_eq!((status.last_success, status.hash, status.error), (true, of(BETTER), None));
    assert!(status.last_success_time >= start.last_success_time);
    assert_ne!(status.md5_hash, start.md5_hash);
}

#[tokio::test]
async fn a_swapped_symlink_reloads_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (name, text) in [("..1", GOOD), ("..2", BETTER)] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("am.yml"), text).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/am.yml", at("am.yml")).unwrap();
    let mut world = World::new(&at("am.yml")).await;

    symlink("..2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    assert_eq!(world.next_config().await, of(BETTER));
    tokio::time::timeout(LIMIT, world.status.wait_for(|status| status.hash == of(BETTER))).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_touched_file_is_no_reason_and_a_changed_one_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("am.yml");
    fs::write(&path, GOOD).unwrap();
    let config = load(&path, Reading::default()).await.unwrap();
    let (mut reloader, _status) = Reloader::new(
        path.clone(),
        Reading::default(),
        &config,
        Handle::new().0,
        Recorder::default(),
        Tracing::default(),
    );
    assert!(!reloader.differs().await);
    fs::write(&path, GOOD).unwrap();
    assert!(!reloader.differs().await);
    fs::remove_file(&path).unwrap();
    assert!(!reloader.differs().await);
    fs::write(&path, BAD).unwrap();
    assert!(reloader.differs().await);
    reloader.reload().await.unwrap_err();
    // a bad one is tried once, not at every event
    assert!(!reloader.differs().await);
    fs::write(&path, GOOD).unwrap();
    assert!(reloader.differs().await);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("am.yml");
    let missing = load(&path, Reading::default()).await.unwrap_err();
    assert!(matches!(missing, LoadError::Read { .. }), "{missing:?}");
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(load(&path, Reading::default()).await.unwrap_err(), LoadError::NotText { .. }));
    fs::write(&path, BAD).unwrap();
    let bad = crate::log::chain(&load(&path, Reading::default()).await.unwrap_err());
    assert!(bad.starts_with("parsing config file `") && bad.contains("line "), "{bad}");
}

#[tokio::test]
async fn where_to_record_events_is_left_out_unless_they_are_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alertmanager.yml");
    fs::write(&path, format!("event_recorder: {{stdout_outputs: [{{}}]}}\n{GOOD}")).unwrap();
    for record_events in [false, true] {
        let reading = Reading { record_events, ..Reading::default() };
        assert_eq!(load(&path, reading).await.unwrap().event_recorder.is_some(), record_events);
    }
}

#[tokio::test]
async fn secrets_in_files_are_read_with_the_config_and_their_lack_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alertmanager.yml");
    let id = dir.path().join("id").display().to_string();
    let token = format!("rocketchat_configs: [{{token: x, token_id_file: {id}}}]");
    fs::write(&path, format!("route: {{receiver: a}}\nreceivers: [{{name: a, {token}}}]\n")).unwrap();
    assert_eq!(
        load(&path, Reading::default()).await.unwrap_err().to_string(),
        format!(
            "receivers[0].rocketchat_configs[0].token_id_file: could not read {id}: open {id}: \
             No such file or directory (os error 2)"
        )
    );
}

#[tokio::test]
async fn template_files_come_with_the_config() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alertmanager.yml");
    fs::write(&path, format!("templates: ['t/*.tmpl', 'nothing/*']\n{GOOD}")).unwrap();
    fs::create_dir(dir.path().join("t")).unwrap();
    fs::write(dir.path().join("t/a.tmpl"), "{{ define \"mine\" }}a{{ end }}").unwrap();
    let config = load(&path, Reading::default()).await.unwrap();
    assert!(config.template_set.names().any(|name| name == "mine"));

    fs::write(dir.path().join("t/b.tmpl"), "\n  {{ upper }}").unwrap();
    let error = load(&path, Reading::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "parsing template file `b.tmpl`: line 2, column 6: function \"upper\" not defined: `{{ upper }}`"
    );
}

#[tokio::test]
async fn a_changed_template_file_reloads_by_itself_and_changes_the_hash() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("am.yml");
    fs::write(&path, format!("templates: ['t/*.tmpl', '*.tmpl']\n{GOOD}")).unwrap();
    let text = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    fs::create_dir(dir.path().join("t")).unwrap();
    text("t/a.tmpl", "{{ define \"mine\" }}a{{ end }}");
    let start = load(&path, Reading::default()).await.unwrap().hash;
    let mut world = World::new(&path).await;
    assert_eq!(world.status.borrow().hash, start);

    text("t/a.tmpl", "{{ define \"mine\" }}b{{ end }}");
    let changed = world.next_config().await;
    assert_ne!(changed, start);
    text("new.tmpl", "{{ define \"other\" }}b{{ end }}");
    assert_ne!(world.next_config().await, changed);

    // a bad one keeps the running config, and is tried again when it is mended
    text("t/b.tmpl", "{{ upper }}");
    tokio::time::timeout(LIMIT, world.status.wait_for(|status| !status.last_success)).await.unwrap().unwrap();
    text("t/b.tmpl", "");
    world.next_config().await;
    fs::remove_file(dir.path().join("t/b.tmpl")).unwrap();
    fs::remove_file(dir.path().join("new.tmpl")).unwrap();
    text("t/a.tmpl", "{{ define \"mine\" }}a{{ end }}");
    tokio::time::timeout(LIMIT, world.status.wait_for(|status| status.hash == start)).await.unwrap().unwrap();
}

#[test]
fn mounted_files_count_by_what_they_hold_now() {
    let dir = tempfile::tempdir().unwrap();
    let url = dir.path().join("url").display().to_string();
    let now = || hash(Path::new("am.yml"), GOOD.as_bytes(), &[], std::slice::from_ref(&url));
    assert_eq!(now(), of(GOOD), "one that isn't there counts as none");
    fs::write(&url, "https://one").unwrap();
    let digest = mounted_digest(&[(&url, b"https://one")]).unwrap();
    assert_eq!(now(), content_hash(&[("alertmanager.yml", GOOD.as_bytes()), (MOUNTED_NAME, digest.as_bytes())]));
    let before = now();
    fs::write(&url, "https://two").unwrap();
    assert_ne!(now(), before);
}
