//! A producer before brokers that are none, and one that answers as it is told.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use alerting::config::{KafkaAcks, KafkaCompression};
use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::error::Code;
use super::*;

const LIMIT: Duration = Duration::from_secs(60);

fn config(broker: String) -> EventKafka {
    EventKafka {
        brokers: vec![broker],
        topic: "t".into(),
        client_id: "me".into(),
        json: true,
        acks: KafkaAcks::Leader,
        compression: KafkaCompression::None,
        buffer_size: 2,
        tls: None,
    }
}

async fn start(config: &EventKafka) -> (KafkaOutput, Arc<RecorderStats>) {
    let stats = Arc::<RecorderStats>::default();
    let deliverer = Deliverer::new(PathBuf::new(), None);
    (KafkaOutput::start(config, "here", Arc::clone(&stats), &deliverer).await.unwrap(), stats)
}

/// A port that nobody listens on: it was let go just now.
async fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn without_a_broker_events_wait_and_are_counted_as_lost_at_the_end() {
    let (output, stats) = start(&config(nobody().await)).await;
    for event in ["1", "2"] {
        output.put(event.into());
    }
    output.close_within(Duration::ZERO).await;
    let counts = stats.counts();
    let name = counts.output_drops.keys().next().unwrap().clone();
    assert!(name.starts_with("kafka:127.0.0.1:") && name.ends_with("/t"), "{name}");
    assert_eq!((counts.output_drops[&name], counts.not_produced[&(name, "unknown")]), (0, 2));
}

#[tokio::test]
async fn what_finds_a_full_queue_is_dropped_and_counted() {
    let (output, stats) = start(&config(nobody().await)).await;
    // no other task runs before this one waits
    for _ in 0..PRODUCING + 4 {
        output.put("1".into());
    }
    let name = output.name().to_owned();
    assert_eq!(stats.counts().output_drops[&name], 2);
    output.close_within(Duration::ZERO).await;
    assert_eq!(stats.counts().not_produced[&(name, "unknown")], PRODUCING as u64 + 2);
}

#[tokio::test]
async fn names_say_the_brokers_in_order_and_bad_ones_are_refused() {
    let mut both = config("b:1".into());
    both.brokers.push("a:2".into());
    assert_eq!(name(&both), "kafka:a:2,b:1/t");
    let deliverer = Deliverer::new(PathBuf::new(), None);
    let bad = KafkaOutput::start(&config("a:x".into()), "here", Arc::default(), &deliverer).await.unwrap_err();
    assert_eq!(bad.to_string(), "reading the broker `a:x`: it is not host:port");
}

#[tokio::test]
async fn batches_end_by_length_and_at_the_end() {
    let (producing, mut waiting) = mpsc::channel(8);
    for length in [BATCH_MAX / 2, BATCH_MAX / 3, BATCH_MAX / 3, 2 * BATCH_MAX, 1] {
        producing.try_send(Record { at: 0, value: vec![b'x'; length].into() }).unwrap();
    }
    drop(producing);
    let mut left_over = None;
    let mut counts = Vec::new();
    while let Some(batch) = collect(&mut waiting, &mut left_over).await {
        counts.push(batch.len());
    }
    assert_eq!(counts, [2, 1, 1, 1]);
}

/// A broker that leads the only partition and answers each batch with the next code.
async fn broker(listener: TcpListener, codes: Arc<[i16]>) {
    let at = Arc::new(AtomicUsize::new(0));
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&at), Arc::clone(&codes)));
    }
}

async fn serve(mut stream: TcpStream, at: Arc<AtomicUsize>, codes: Arc<[i16]>) -> std::io::Result<()> {
    let port = stream.local_addr()?.port();
    loop {
        let length = stream.read_i32().await?;
        let mut request = vec![0; length as usize];
        stream.read_exact(&mut request).await?;
        let mut out = BytesMut::new();
        out.put_slice(&request[4..8]);
        match i16::from_be_bytes([request[0], request[1]]) {
            18 => {
                out.put_i16(0);
                out.put_i32(3);
                for (key, last) in [(0, 9), (3, 12), (22, 4)] {
                    out.put_slice(&[0, key, 0, 0, 0, last]);
                }
            }
            3 => {
                // the broker, no cluster, the topic with its partition
                out.put_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7]);
                out.put_i16(9);
                out.put_slice(b"127.0.0.1");
                out.put_i32(i32::from(port));
                out.put_slice(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, b't', 0]);
                out.put_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
            }
            0 => {
                let code = codes.get(at.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or_default();
                out.put_slice(&[0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 0]);
                out.put_i16(code);
                out.put_slice(&[0; 28]);
            }
            22 => out.put_slice(&[0; 16]),
            other => panic!("unexpected request {other}"),
        }
        stream.write_i32(out.len() as i32).await?;
        stream.write_all(&out).await?;
    }
}

#[tokio::test]
async fn a_batch_is_sent_until_it_is_taken_or_lost() {
    for (acks, codes, lost) in [
        (KafkaAcks::Leader, &[6, 7][..], None),
        (KafkaAcks::Leader, &[87][..], Some("broker")),
        (KafkaAcks::Leader, &[10][..], Some("unknown")),
        (KafkaAcks::Leader, &[3, 3, 3, 3, 3][..], Some("unknown")),
        (KafkaAcks::All, &[45, 59][..], None),
        (KafkaAcks::None, &[][..], None),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = config(listener.local_addr().unwrap().to_string());
        settings.acks = acks;
        let serving = tokio::spawn(broker(listener, codes.into()));
        let (output, stats) = start(&settings).await;
        output.put("1".into());
        let name = output.name().to_owned();
        output.close_within(LIMIT).await;
        serving.abort();
        let counts = stats.counts().not_produced;
        let wanted = lost.map(|kind| ((name, kind), 1)).into_iter().collect();
        assert_eq!(counts, wanted, "{codes:?}");
    }
}

#[tokio::test]
async fn an_event_too_long_for_any_batch_is_lost() {
    let mut producer = Producer::new(Order {
        seeds: Vec::new(),
        way: Way { client: String::new(), tls: None, server_name: None, lookup: None },
        topic: "t".into(),
        key: "here".into(),
        acks: KafkaAcks::All,
        compression: KafkaCompression::Gzip,
    });
    let long = Record { at: 0, value: vec![b'x'; BATCH_MAX].into() };
    assert!(matches!(producer.deliver(&[long]).await, Err(KafkaError::TooLong(BATCH_MAX))));
    assert_eq!(KafkaError::Refused(Code(10)).to_string(), "the broker says MESSAGE_TOO_LARGE");
}
