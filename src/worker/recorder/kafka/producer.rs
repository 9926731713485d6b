//! Delivers batches to the partition of their key, for as long as it takes.

use std::time::Duration;

use alerting::config::{KafkaAcks, KafkaCompression};
use bytes::Bytes;
use tokio::time::Instant;
use tracing::debug;

use super::batch::{self, BATCH_MAX, Identity, Record};
use super::connection::{Address, Connection, Way};
use super::error::{Code, Fate, KafkaError};
use super::wire::{self, Api, Malformed, Metadata};

/// First wait before another attempt; doubles.
const BACKOFF: Duration = Duration::from_millis(250);

/// Longest wait before another attempt.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Leaders are looked up again at the latest then.
const LEADER_AGE_MAX: Duration = Duration::from_secs(300);

/// So often may the brokers say that there is no such topic.
const UNKNOWN_MAX: u32 = 4;

/// For which a leader waits for its replicas.
const REPLICATION_LIMIT_MS: i32 = 10_000;

/// What a producer is to do.
#[derive(Debug)]
pub(super) struct Order {
    /// Of the config; at least one.
    pub(super) seeds: Vec<Address>,
    pub(super) way: Way,
    pub(super) topic: String,
    /// Of all records.
    pub(super) key: Bytes,
    pub(super) acks: KafkaAcks,
    pub(super) compression: KafkaCompression,
}

/// Delivers one batch after the other.
#[derive(Debug)]
pub(super) struct Producer {
    order: Order,
    /// Brokers that the brokers told of.
    known: Vec<Address>,
    leader: Option<Leader>,
    connection: Option<Connection>,
    identity: Option<Identity>,
}

#[derive(Clone, Debug)]
struct Leader {
    partition: i32,
    address: Address,
    found: Instant,
}

impl Producer {
    pub(super) const fn new(order: Order) -> Self {
        Self { order, known: Vec::new(), leader: None, connection: None, identity: None }
    }

    /// Delivers a batch; tries until it is taken, or lost for a reason that no other attempt can change.
    ///
    /// # Errors
    /// When it is lost.
    pub(super) async fn deliver(&mut self, records: &[Record]) -> Result<(), KafkaError> {
        if let [record] = records
            && batch::size(&self.order.key, record.value.len()) > BATCH_MAX
        {
            return Err(KafkaError::TooLong(record.value.len()));
        }
        let (mut failed, mut unknown) = (0, 0);
        loop {
            let Err(error) = self.attempt(records).await else { return Ok(()) };
            debug!(component = "eventrecorder", err = %crate::log::chain(&error), "an attempt to produce failed");
            self.connection = None;
            self.leader = None;
            match error.fate() {
                Fate::Lost => {
                    // the broker may or may not know the sequence
                    self.identity = None;
                    return Err(error);
                }
                Fate::AgainAFewTimes => {
                    unknown += 1;
                    if unknown > UNKNOWN_MAX {
                        return Err(error);
                    }
                }
                Fate::AgainAnew => self.identity = None,
                Fate::Again => {}
            }
            failed += 1;
            tokio::time::sleep(backoff(failed)).await;
        }
    }

    async fn attempt(&mut self, records: &[Record]) -> Result<(), KafkaError> {
        let Leader { partition, address, .. } = self.leader().await?;
        let mut connection = match self.connection.take().filter(|connection| connection.serves(&address)) {
            Some(connection) => connection,
            None => Connection::open(&address, &self.order.way).await?,
        };
        let identity = self.identify(&mut connection).await?;
        let Order { topic, key, acks, compression, .. } = &self.order;
        let batch = batch::encode(records, key, identity, *compression).map_err(KafkaError::Compress)?;
        let acks = match acks {
            KafkaAcks::None => 0,
            KafkaAcks::Leader => 1,
            KafkaAcks::All => -1,
        };
        let api: &Api = if *compression == KafkaCompression::Zstd { &wire::PRODUCE_ZSTD } else { &wire::PRODUCE };
        let write = |out: &mut _| wire::produce(out, acks, REPLICATION_LIMIT_MS, topic, partition, &batch);
        if acks == 0 {
            connection.tell(api, write).await?;
        } else {
            connection.call(api, write, wire::read_produced).await?.check()?;
        }
        if let Some(identity) = &mut self.identity {
            identity.advance(records.len());
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// Who produces: a batch that is sent twice counts once if all replicas are waited for (as by the reference).
    async fn identify(&mut self, connection: &mut Connection) -> Result<Identity, KafkaError> {
        if self.order.acks != KafkaAcks::All {
            return Ok(Identity::NONE);
        }
        if let Some(identity) = self.identity {
            return Ok(identity);
        }
        let (code, id, epoch) =
            connection.call(&wire::INIT_PRODUCER_ID, wire::init_producer_id, wire::read_producer_id).await?;
        code.check()?;
        Ok(*self.identity.insert(Identity { id, epoch, sequence: 0 }))
    }

    async fn leader(&mut self) -> Result<Leader, KafkaError> {
        if let Some(leader) = self.leader.as_ref().filter(|leader| leader.found.elapsed() < LEADER_AGE_MAX) {
            return Ok(leader.clone());
        }
        let metadata = self.ask().await?;
        let address = |node: i32| metadata.brokers.iter().find(|(number, ..)| *number == node);
        let of = |(_, host, port): &(i32, String, u16)| Address { host: host.clone(), port: *port };
        self.known = metadata.brokers.iter().map(of).collect();
        metadata.topic.check()?;
        let at = batch::partition(&self.order.key, metadata.leaders.len());
        let Some((partition, node)) = metadata.leaders.get(at) else {
            return Err(KafkaError::Refused(Code::UNKNOWN_TOPIC));
        };
        let address = address(*node).map(of).ok_or(KafkaError::Refused(Code::NO_LEADER))?;
        let leader = Leader { partition: *partition, address, found: Instant::now() };
        let moved = self.leader.as_ref().is_some_and(|old| old.partition != leader.partition);
        if moved {
            // sequences count by partition
            self.identity = None;
        }
        Ok(self.leader.insert(leader).clone())
    }

    /// The first answer of any broker.
    async fn ask(&mut self) -> Result<Metadata, KafkaError> {
        let mut last = None;
        for address in self.known.iter().chain(&self.order.seeds) {
            match ask(address, &self.order.way, Some(&self.order.topic)).await {
                Ok((metadata, connection)) => {
                    // as likely as not it leads
                    self.connection.get_or_insert(connection);
                    return Ok(metadata);
                }
                Err(error) => last = Some(error),
            }
        }
        let nobody = || KafkaError::Malformed { to: String::new(), source: Malformed::Incomplete };
        Err(last.unwrap_or_else(nobody))
    }
}

/// Asks one broker who leads the topic, or only who is there.
///
/// # Errors
/// When there's no answer.
pub(super) async fn ask(
    address: &Address,
    way: &Way,
    topic: Option<&str>,
) -> Result<(Metadata, Connection), KafkaError> {
    let mut connection = Connection::open(address, way).await?;
    let metadata = connection.call(&wire::METADATA, |out| wire::metadata(out, topic), wire::read_metadata).await?;
    Ok((metadata, connection))
}

/// The wait after so many attempts, a bit different each time: members must not come back at the same time.
fn backoff(failed: u32) -> Duration {
    let wait = BACKOFF.saturating_mul(1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX));
    wait.min(BACKOFF_MAX).mul_f64(rand::random_range(0.8..1.2))
}
