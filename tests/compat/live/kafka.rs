//! The event recorder's topics of Kafka, with a stand-in for the brokers that reads what both programs write.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Life;
use super::events::counted;
use crate::peer::Peer;
use crate::process;
use crate::wait::until;

/// Settings of outputs: all forms, levels of acknowledgement and compressions.
const OUTPUTS: [&str; 6] = [
    "",
    "format: protobuf, acks: all, compression: gzip",
    "acks: none, compression: lz4, client_id: me",
    "acks: leader, compression: zstd, format: json, buffer_size: 4096",
    "acks: all, compression: snappy",
    "compression: none, tls_config: {ca: @CA@}",
];

const PARTITIONS: u32 = 7;

/// One broker for each of [`OUTPUTS`].
pub(super) struct Brokers {
    peer: Peer,
    started: Vec<Value>,
}

/// What came to a topic.
pub(super) struct Topic {
    /// How: the level of acknowledgement asked for, the compression where there is one (small batches have none), and
    /// partition, key, headers and idempotence of records.
    pub(super) manner: (Value, Option<u64>, BTreeSet<String>),
    pub(super) events: Vec<Value>,
}

impl Brokers {
    pub(super) fn start() -> Self {
        let mut peer = Peer::start();
        let start = |output: &&str| {
            let tls = output.contains("tls_config");
            peer.ask("kafka-start", json!({"topic": "events", "partitions": PARTITIONS, "tls": tls})).unwrap()
        };
        let started = OUTPUTS.iter().map(start).collect();
        Self { peer, started }
    }

    /// For a config.
    pub(super) fn outputs(&self) -> String {
        let output = |(settings, broker): (&&str, &Value)| {
            let settings = settings.replace("@CA@", &broker["ca"].to_string());
            format!("  - {{brokers: [{}], topic: events, {settings}}}\n", broker["address"])
        };
        OUTPUTS.iter().zip(&self.started).map(output).collect()
    }

    /// Of all outputs.
    pub(super) fn topics(&mut self) -> Vec<Topic> {
        (0..self.started.len()).map(|id| topic(&mut self.peer, &json!(id))).collect()
    }
}

fn topic(peer: &mut Peer, id: &Value) -> Topic {
    let mut told = peer.ask("kafka-records", json!({"id": id})).unwrap();
    let Value::Array(records) = told["records"].take() else { panic!("no records in {told}") };
    let mut manners = BTreeSet::new();
    let mut compression = None;
    let mut events = Vec::new();
    for mut record in records {
        events.push(serde_json::from_str(record["json"].as_str().unwrap()).unwrap());
        let fields = record.as_object_mut().unwrap();
        assert!(fields.remove("json").is_some() && fields.remove("value").is_some());
        compression = compression.max(fields.remove("compression").unwrap().as_u64());
        manners.insert(record.to_string());
    }
    Topic { manner: (told["acks"].take(), compression, manners), events }
}

#[test]
fn brokers_may_come_later_and_refuse() {
    let args = ["--cluster.listen-address=", "--enable-feature=event-recorder"];
    let ip = std::net::Ipv4Addr::LOCALHOST;
    let (late, their_late) = (process::free_port(ip), process::free_port(ip));
    let mut peer = Peer::start();
    // the first batch is refused for now, and then for good
    let refusing = || json!({"topic": "events", "partitions": 1, "refuse": [6, 87]});
    let refusers = [(); 2].map(|()| peer.ask("kafka-start", refusing()).unwrap());
    let config = |late: u16, refuser: &Value| {
        format!(
            "route: {{receiver: a}}\nreceivers: [{{name: a}}]\nevent_recorder:\n  kafka_outputs:\n  \
             - {{brokers: ['127.0.0.1:{late}'], topic: events, buffer_size: 4096}}\n  \
             - {{brokers: [{}], topic: events}}\n",
            refuser["address"]
        )
    };
    let mut ours = Life::start(process::PROGRAM, ip, &config(late, &refusers[0]), &[&["worker"], &args[..]].concat());
    let mut theirs = Life::start_reference(ip, &config(their_late, &refusers[1]), &args);
    for (life, late) in [(&ours, late), (&theirs, their_late)] {
        until("a warning", || {
            let lines = life.program.output();
            let warned = lines.iter().any(|line| line.contains("could not reach brokers at startup"));
            if warned { Ok(()) } else { Err(lines.join("\n")) }
        });
        until("a lost event", || {
            let text = life.get("/metrics")?;
            let is_lost = |line: &&str| {
                line.starts_with("alertmanager_event_kafka_produce_errors_total{error_type=\"broker\",output=\"kafka:")
                    && line.ends_with("/events\"} 1")
            };
            if text.lines().any(|line| is_lost(&line)) { Ok(()) } else { Err(text) }
        });
        life.post("/api/v2/alerts", r#"[{"labels":{"alertname":"A"}},{"labels":{"alertname":"B"}}]"#).unwrap();
        until("grouped alerts", || {
            let text = life.get("/metrics")?;
            let output = format!("output=\"kafka:127.0.0.1:{late}/events\",result=\"success\"");
            let line = format!("alertmanager_events_recorded_total{{event_type=\"alert_grouped\",{output}}} 2");
            if text.contains(&line) { Ok(()) } else { Err(text) }
        });
    }
    let brokers = [late, their_late].map(|port| {
        let start = json!({"topic": "events", "partitions": PARTITIONS, "port": port});
        peer.ask("kafka-start", start).unwrap()
    });
    // what waited is delivered before the end
    ours.stop();
    theirs.stop();
    let [late, their_late] = brokers.map(|broker| topic(&mut peer, &broker["id"]));
    assert_eq!(late.manner, their_late.manner);
    assert_eq!(late.events.len(), 6, "start, two alerts, both grouped, end");
    assert_eq!(counted(late.events), counted(their_late.events));
    let [rest, their_rest] = refusers.map(|refuser| topic(&mut peer, &refuser["id"]));
    assert_eq!(rest.events.len(), 5, "all but the start");
    assert_eq!(counted(rest.events), counted(their_rest.events));
}

/// The reference's library takes apart what the codecs here put together, in batches of many events.
#[test]
fn long_batches_can_be_read() {
    const ALERTS: usize = 1500;
    let mut brokers = Brokers::start();
    let config = format!(
        "route: {{receiver: a}}\nreceivers: [{{name: a}}]\nevent_recorder:\n  kafka_outputs:\n{}",
        brokers.outputs()
    );
    let args = ["worker", "--cluster.listen-address=", "--enable-feature=event-recorder"];
    let mut life = Life::start(process::PROGRAM, std::net::Ipv4Addr::LOCALHOST, &config, &args);
    let text = |number: usize| format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).repeat(1 + number % 40);
    let alert = |number: usize| json!({"labels": {"alertname": "A", "n": number.to_string()}, "annotations": {"a": text(number)}});
    let all: Vec<Value> = (0..ALERTS).map(alert).collect();
    life.post("/api/v2/alerts", &Value::from(all).to_string()).unwrap();
    life.stop();
    let of = |events: &[Value]| {
        let created = |event: &&Value| event["data"]["alertCreated"].is_object();
        let name = |event: &Value| event["data"]["alertCreated"]["alert"]["annotations"].to_string();
        events.iter().filter(created).map(name).collect::<Vec<_>>()
    };
    let topics: Vec<Vec<String>> = brokers.topics().iter().map(|topic| of(&topic.events)).collect();
    assert_eq!(topics[0].len(), ALERTS);
    for topic in &topics {
        assert!(*topic == topics[0], "an output has other events, or in another order");
    }
}
