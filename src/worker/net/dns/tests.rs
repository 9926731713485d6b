//! Look-ups at a DNS server on loopback that answers from a table.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::*;
use crate::event_loop::arrivals;

/// Addresses by name; `None`: the server fails. A name that isn't there does not exist.
type Table = Arc<Mutex<BTreeMap<&'static str, Option<Vec<Ipv4Addr>>>>>;

const LIMIT: Duration = Duration::from_secs(30);

async fn server() -> (SocketAddr, Table) {
    let table = Table::default();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let answers = Arc::clone(&table);
    // ends with the test's runtime
    tokio::spawn(async move {
        let mut buf = [0; 1500];
        while let Ok((size, from)) = socket.recv_from(&mut buf).await {
            let reply = answer(&Message::from_vec(&buf[..size]).unwrap(), &answers);
            socket.send_to(&reply.to_vec().unwrap(), from).await.unwrap();
        }
    });
    (address, table)
}

fn answer(question: &Message, table: &Table) -> Message {
    let mut reply = Message::response(question.metadata.id, question.metadata.op_code);
    assert_eq!(reply.metadata.message_type, MessageType::Response);
    reply.metadata.recursion_desired = true;
    reply.metadata.recursion_available = true;
    let query = question.queries.first().unwrap().clone();
    let name = query.name().to_string();
    let table = table.lock().unwrap();
    match table.get(name.trim_end_matches('.')) {
        Some(Some(addresses)) if query.query_type() == RecordType::A => {
            for address in addresses {
                reply.add_answer(Record::from_rdata(query.name().clone(), 5, RData::A((*address).into())));
            }
        }
        Some(Some(_)) => {}
        Some(None) => reply.metadata.response_code = ResponseCode::ServFail,
        None => reply.metadata.response_code = ResponseCode::NXDomain,
    }
    reply.add_query(query);
    reply
}

fn set(table: &Table, name: &'static str, addresses: Option<&[&str]>) {
    let addresses = addresses.map(|all| all.iter().map(|address| address.parse().unwrap()).collect());
    table.lock().unwrap().insert(name, addresses);
}

fn found(addresses: &[&str]) -> Vec<SocketAddr> {
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

#[tokio::test]
async fn all_addresses_of_a_name_and_literals_as_they_are() {
    let (server, table) = server().await;
    set(&table, "peers.ns.svc", Some(&["10.0.0.2", "10.0.0.1", "10.0.0.2"]));
    let lookup = Lookup::new(Some(server));
    let both: Vec<IpAddr> = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap()).into();
    assert_eq!(lookup.addresses("peers.ns.svc").await.unwrap(), both);
    assert_eq!(lookup.addresses("::1").await.unwrap(), ["::1".parse::<IpAddr>().unwrap()]);
    assert!(matches!(lookup.addresses("nobody.ns.svc").await, Err(LookupError::Nothing(_))));
    set(&table, "broken.ns.svc", None);
    assert!(matches!(lookup.addresses("broken.ns.svc").await, Err(LookupError::Failed { .. })));
}

#[tokio::test]
async fn search_domains_complete_a_name() {
    let (server, table) = server().await;
    set(&table, "main-peers.ns.svc.cluster.local", Some(&["10.0.0.3"]));
    let search = ["ns.svc.cluster.local.", "svc.cluster.local.", "cluster.local."];
    let lookup = Lookup::of_pod(server, &search);
    for name in ["main-peers", "main-peers.ns", "main-peers.ns.svc", "main-peers.ns.svc.cluster.local."] {
        assert_eq!(lookup.addresses(name).await.unwrap(), ["10.0.0.3".parse::<IpAddr>().unwrap()], "{name}");
    }
    assert!(matches!(lookup.addresses("other.ns.svc").await, Err(LookupError::Nothing(_))));
}

#[tokio::test]
async fn a_name_that_fails_keeps_its_addresses_and_one_that_is_empty_loses_them() {
    let (server, table) = server().await;
    set(&table, "a", Some(&["10.0.0.1"]));
    set(&table, "b", Some(&["10.0.0.2"]));
    let names = vec![("a".to_owned(), 1), ("b".to_owned(), 2), ("nobody".to_owned(), 3), ("::1".to_owned(), 4)];
    let mut peers = Peers::new(names, Lookup::new(Some(server)), true);
    assert_eq!(peers.round().await, found(&["10.0.0.1:1", "10.0.0.2:2"]));
    set(&table, "a", None);
    set(&table, "b", Some(&[]));
    // answers are believed for a moment
    let settles = async {
        while peers.round().await != found(&["10.0.0.1:1"]) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, settles).await.unwrap();
}

#[tokio::test]
async fn the_engine_is_told_as_soon_as_a_name_appears() {
    let (server, table) = server().await;
    let peers = Peers::new(vec![("late".into(), 9094)], Lookup::new(Some(server)), true);
    let (tx, mut arrived) = arrivals();
    let (_settled, is_settled) = watch::channel(false);
    let task = tokio::spawn(peers.watch(tx, is_settled, LIMIT));
    assert!(matches!(arrived.try_recv(), Err(mpsc::error::TryRecvError::Empty)));
    set(&table, "late", Some(&["10.0.0.7"]));
    let told = tokio::time::timeout(LIMIT, arrived.recv()).await.unwrap();
    let Some(Arrival::Input(Input::Peers(addresses))) = told else { panic!("{told:?}") };
    assert_eq!(addresses, found(&["10.0.0.7:9094"]));
    task.abort();
}

#[tokio::test]
async fn nobody_named_is_told_too() {
    let (tx, mut arrived) = arrivals();
    let (_settled, is_settled) = watch::channel(false);
    Peers::new(Vec::new(), Lookup::new(None), true).watch(tx, is_settled, LIMIT).await;
    let told = arrived.recv().await;
    assert!(matches!(&told, Some(Arrival::Input(Input::Peers(none))) if none.is_empty()), "{told:?}");
}
