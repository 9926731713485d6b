#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alerting::effects::Input;
use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::sync::mpsc;

use super::*;
use crate::event_loop::{Arrival, arrivals};
use crate::net::{Net, Sockets};
use crate::observed::Observed;

const LIMIT: Duration = Duration::from_secs(20);

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Puts a certificate for `name`, its key and this authority's certificate into the directory.
    fn issue(&self, name: &str, directory: &Path) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        std::fs::write(directory.join("own.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.join("own.key"), key.serialize_pem()).unwrap();
        std::fs::write(directory.join("ca.pem"), &self.pem).unwrap();
    }
}

fn file(directory: &Path) -> PathBuf {
    let path = directory.join("tls.yml");
    let text = "tls_server_config: {cert_file: own.pem, key_file: own.key, client_ca_file: ca.pem, \
                client_auth_type: RequireAndVerifyClientCert}\n\
                tls_client_config: {cert_file: own.pem, key_file: own.key, ca_file: ca.pem}\n";
    std::fs::write(&path, text).unwrap();
    path
}

struct Member {
    net: Net,
    address: SocketAddr,
    arrived: mpsc::Receiver<Arrival>,
    observed: Arc<Observed>,
    directory: tempfile::TempDir,
}

/// Found under `peer`, with a certificate for `name`.
async fn member(authority: &Authority, name: &str, peer: &str) -> Member {
    let directory = tempfile::tempdir().unwrap();
    authority.issue(name, directory.path());
    let tls = GossipTls::open(&file(directory.path()), &[peer.to_owned()]).await.unwrap();
    let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap(), Some(Arc::new(tls))).await.unwrap();
    let (address, observed) = (sockets.local(), Arc::<Observed>::default());
    let (tx, arrived) = arrivals();
    let net = Net::start(sockets, &tx, LIMIT, &observed);
    Member { net, address, arrived, observed, directory }
}

impl Member {
    /// Says whether `to` gets a packet and replies to a call.
    async fn reaches(&self, to: &mut Self) -> bool {
        self.net.packet(to.address, Bytes::from_static(b"packet"));
        let streams = self.net.streams();
        let call = streams.call(to.address, Bytes::from_static(b"call"));
        let (mut packet, mut called) = (false, false);
        let serving = async {
            while !(packet && called) {
                match to.arrived.recv().await.unwrap() {
                    Arrival::Input(Input::Packet { data, .. }) => packet = data == "packet",
                    Arrival::Called { reply, .. } => called = reply.send(Bytes::from_static(b"reply")).is_ok(),
                    Arrival::Input(_) => {}
                }
            }
        };
        let (reply, ()) = tokio::join!(call, serving);
        reply.is_ok_and(|reply| reply == "reply")
    }

    /// Says whether `to` refuses this one's calls.
    async fn is_refused(&self, to: &Self) -> bool {
        self.net.streams().call(to.address, Bytes::from_static(b"call")).await.is_err()
    }
}

#[tokio::test]
async fn members_prove_themselves_by_address_or_by_the_name_they_are_found_under() {
    let authority = Authority::new();
    let mut one = member(&authority, "127.0.0.1", "members.example").await;
    let mut other = member(&authority, "members.example", "members.example").await;
    assert!(one.reaches(&mut other).await && other.reaches(&mut one).await);
    let counts = one.observed.times().tls.unwrap();
    assert_eq!((counts.packet_bytes_sent, counts.packet_bytes_received), (6, 6));
    assert_eq!((counts.connections_sent, counts.read_errors, counts.stream_write_errors), (1, 0, 0));
    let misnamed = member(&authority, "elsewhere.example", "members.example").await;
    assert!(one.is_refused(&misnamed).await, "a certificate for another name is not believed");
}

#[tokio::test]
async fn who_has_another_authority_or_none_is_refused() {
    let own = member(&Authority::new(), "127.0.0.1", "members.example").await;
    let stranger = member(&Authority::new(), "127.0.0.1", "members.example").await;
    assert!(stranger.is_refused(&own).await && own.is_refused(&stranger).await);
    let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
    let plain = Net::start(sockets, &arrivals().0, LIMIT, &Arc::default());
    assert!(plain.streams().call(own.address, Bytes::from_static(b"call")).await.is_err());
    assert!(own.observed.times().tls.unwrap().read_errors >= 2);
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart_and_a_bad_one_is_not() {
    let (old, new) = (Authority::new(), Authority::new());
    let one = member(&old, "127.0.0.1", "members.example").await;
    let mut other = member(&new, "127.0.0.1", "members.example").await;
    assert!(one.is_refused(&other).await);
    std::fs::write(one.directory.path().join("own.key"), "no key").unwrap();
    assert!(one.is_refused(&other).await, "the last good one stays");
    new.issue("127.0.0.1", one.directory.path());
    assert!(one.reaches(&mut other).await);
}

#[tokio::test]
async fn mistakes_name_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path());
    let table = [
        ("{}", "tls_server_config is required"),
        ("tls_server_config: {}", "tls_client_config is required"),
        ("tls_server: {}", "tls_server"),
        ("tls_server_config: {}\ntls_client_config: {}", "missing one of cert"),
        ("tls_server_config: {cert_file: none.pem, key: x}\ntls_client_config: {}", "none.pem"),
    ];
    for (text, part) in table {
        std::fs::write(&path, text).unwrap();
        let error = crate::log::chain(&GossipTls::open(&path, &[]).await.unwrap_err());
        assert!(error.contains(part) && error.contains("tls.yml"), "{text}: {error}");
    }
    let client = |section: ClientSection| section.into_config().unwrap_err().to_string();
    let (cert, ca) = (Some("x".to_owned()), Some("y".to_owned()));
    assert!(client(ClientSection { cert: cert.clone(), ..Default::default() }).contains("needs its key"));
    assert!(client(ClientSection { ca_file: cert, ca, ..Default::default() }).contains("one of the text and the file"));
}
