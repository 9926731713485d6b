//! A cluster that `local` runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde_json::Value;

use crate::http::{json, request};
use crate::process::{PROGRAM, Running, at, free_port, own_address, with_argument};
use crate::sample::{ROOT, SINK_PORT, Sample};
use crate::wait::{same, until};

/// A cluster and where its parts are.
pub(crate) struct Cluster {
    /// The address of the first member and of the sink.
    pub(crate) ip: Ipv4Addr,
    /// `alertmanager-operator local`.
    pub(crate) local: Running,
    web_port: u16,
    sink_port: u16,
}

impl Cluster {
    /// Runs the sample as it is, in the root of the repository.
    pub(crate) fn of_sample() -> Self {
        Self::start(Path::new(ROOT), own_address(), SINK_PORT, &[], 3)
    }

    /// Runs a copy with short times. The copy can be edited.
    pub(crate) fn quick() -> (Self, Sample) {
        let ip = own_address();
        let sink_port = free_port(ip);
        let sample = Sample::quick(sink_port);
        let cluster = Self::start(&sample.path(), ip, sink_port, &[".".to_owned()], 3);
        (cluster, sample)
    }

    /// The same with another number of members than the sample says.
    pub(crate) fn quick_with(members: u8) -> (Self, Sample) {
        let ip = own_address();
        let sink_port = free_port(ip);
        let sample = Sample::quick(sink_port);
        let args = [format!("--members={members}"), ".".to_owned()];
        let cluster = Self::start(&sample.path(), ip, sink_port, &args, members);
        (cluster, sample)
    }

    fn start(dir: &Path, ip: Ipv4Addr, sink_port: u16, paths: &[String], members: u8) -> Self {
        let (web_port, gossip_port) = (free_port(ip), free_port(ip));
        let mut args = vec!["local".to_owned(), format!("--address={ip}")];
        args.extend([format!("--web-port={web_port}"), format!("--cluster-port={gossip_port}")]);
        args.extend_from_slice(paths);
        let cluster = Self { ip, local: Running::start(PROGRAM, dir, &args), web_port, sink_port };
        cluster.all_ready(members);
        cluster
    }

    /// The API of a member.
    pub(crate) fn web(&self, ordinal: u8) -> SocketAddr {
        at(Ipv4Addr::from_bits(self.ip.to_bits() + u32::from(ordinal)), self.web_port)
    }

    /// The sink.
    pub(crate) fn sink(&self) -> SocketAddr {
        at(self.ip, self.sink_port)
    }

    /// Waits until there are `count` members, all ready and each knowing all.
    pub(crate) fn all_ready(&self, count: u8) {
        for ordinal in 0..count {
            until(&format!("member {ordinal} is ready and knows {count}"), || {
                let refusal = self.local.output().into_iter().find(|line| line.starts_with("error: "));
                assert_eq!(refusal, None);
                same(self.report(ordinal)?["ready"].as_bool(), &Some(true))?;
                let status = json(self.web(ordinal), "/api/v2/status")?;
                same(status["cluster"]["status"].as_str(), &Some("ready"))?;
                let peers = status["cluster"]["peers"].as_array().map(Vec::len);
                same(peers, &Some(usize::from(count)))
            });
        }
    }

    /// What a member says of itself.
    pub(crate) fn report(&self, ordinal: u8) -> Result<Value, String> {
        json(self.web(ordinal), "/-/config")
    }

    /// The hash of the configuration that the first three members run; they run the same.
    pub(crate) fn hash(&self) -> Result<String, String> {
        let hash = |ordinal| Ok::<_, String>(self.report(ordinal)?["hash"].as_str().unwrap_or_default().to_owned());
        let first = hash(0)?;
        same(hash(1)?, &first)?;
        same(hash(2)?, &first)
    }

    /// Posts an alert to these members.
    pub(crate) fn post(&self, ordinals: &[u8], name: &str) {
        let body = serde_json::json!([{"labels": {"alertname": name, "instance": "laptop"}}]).to_string();
        for &ordinal in ordinals {
            request(self.web(ordinal), "POST", "/api/v2/alerts", &body).unwrap();
        }
    }

    /// How many notifications that name this alert have come.
    pub(crate) fn notified(&self, name: &str) -> usize {
        let received = json(self.sink(), "/received").unwrap();
        let names = |entry: &&Value| {
            let alerts = entry["body"]["alerts"].as_array().into_iter().flatten();
            alerts.into_iter().any(|alert| alert["labels"]["alertname"] == name)
        };
        received.as_array().unwrap().iter().filter(names).count()
    }

    /// Waits until an alert has been notified.
    pub(crate) fn until_notified(&self, name: &str) {
        until(&format!("{name} is notified"), || match self.notified(name) {
            0 => Err(format!("{:#?}", self.local.output())),
            _ => Ok(()),
        });
    }

    /// Silences an alert on one member; the silence's id.
    pub(crate) fn silence(&self, ordinal: u8, name: &str) -> String {
        let body = serde_json::json!({
            "matchers": [{"name": "alertname", "value": name, "isRegex": false, "isEqual": true}],
            "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
            "createdBy": "test", "comment": "test",
        });
        let answer = request(self.web(ordinal), "POST", "/api/v2/silences", &body.to_string()).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["silenceID"].as_str().unwrap().to_owned()
    }

    /// Waits until a member knows an active silence.
    pub(crate) fn until_silenced(&self, ordinal: u8, id: &str) {
        until(&format!("the silence on member {ordinal}"), || {
            let silence = json(self.web(ordinal), &format!("/api/v2/silence/{id}"))?;
            same(silence["status"]["state"].as_str().map(str::to_owned), &Some("active".to_owned()))
        });
    }

    /// The process of a member.
    pub(crate) fn worker(&self, ordinal: u8) -> Result<i32, String> {
        let workers = with_argument(&format!("--web.listen-address={}", self.web(ordinal)));
        workers.first().copied().ok_or_else(|| "no such process".to_owned())
    }
}
