//! What goes wrong between a producer and its brokers, and what can be done about it.

use std::fmt;
use std::io;

use rustls::pki_types::InvalidDnsNameError;

use super::wire::Malformed;
use crate::deliver::material::MaterialError;
use crate::deliver::tls::TlsError;
use crate::net::lookup::LookupError;

/// Why events are not delivered (yet), or why there is no output.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KafkaError {
    /// A broker of the config isn't `host:port`.
    #[error("reading the broker `{0}`: it is not host:port")]
    Broker(String),
    /// A file of the TLS settings can't be read.
    #[error(transparent)]
    Material(MaterialError),
    /// The TLS settings can't work.
    #[error("setting TLS up")]
    Tls(#[source] TlsError),
    /// The broker's host can't be a name in a certificate.
    #[error("expecting the name of a broker in its certificate")]
    ServerName(#[source] InvalidDnsNameError),
    /// The broker's host has no address.
    #[error("looking the broker up")]
    Lookup(#[source] LookupError),
    /// The connection could not be made, or broke.
    #[error("{doing} {to}")]
    Network {
        /// What was tried.
        doing: &'static str,
        /// The broker.
        to: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing came in time.
    #[error("{doing} {to}: no answer in time")]
    Timeout {
        /// What was tried.
        doing: &'static str,
        /// The broker.
        to: String,
    },
    /// The answer isn't one.
    #[error("reading the answer of {to}")]
    Malformed {
        /// The broker.
        to: String,
        /// Why.
        #[source]
        source: Malformed,
    },
    /// The broker is older than 2.1, or newer than this program knows.
    #[error("choosing the version of a request to {to}: it has none of ours")]
    Versions {
        /// The broker.
        to: String,
    },
    /// A broker said so.
    #[error("{0}")]
    Refused(Code),
    /// More than one request may hold.
    #[error("an event of {0} bytes is too long for a batch")]
    TooLong(usize),
    /// A batch could not be made smaller.
    #[error("compressing a batch")]
    Compress(#[source] io::Error),
}

/// A code by which a broker says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(super) i16);

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The same again, a bit later.
    Again,
    /// Again under a new producer id.
    AgainAnew,
    /// Again, but not for ever: nobody knows the topic.
    AgainAFewTimes,
    /// These events are lost.
    Lost,
}

/// Codes that pass by themselves, but for [`Code::UNKNOWN_TOPIC`] (the protocol's list of errors says which).
const PASSING: [i16; 17] = [5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 74, 75, 89];

/// Codes with a text that names brokers, which is how the reference tells them from others.
const OF_BROKERS: [i16; 10] = [8, 11, 42, 43, 45, 46, 59, 74, 75, 87];

impl Code {
    /// Nobody hosts the topic, or not this partition.
    pub(super) const UNKNOWN_TOPIC: Self = Self(3);
    /// There is none at the moment.
    pub(super) const NO_LEADER: Self = Self(5);
    /// The batch was taken before.
    const DUPLICATE: Self = Self(46);

    /// # Errors
    /// When the code is one of an error.
    pub(super) fn check(self) -> Result<(), KafkaError> {
        if self.0 == 0 || self == Self::DUPLICATE { Ok(()) } else { Err(KafkaError::Refused(self)) }
    }

    const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            -1 => "UNKNOWN_SERVER_ERROR",
            2 => "CORRUPT_MESSAGE",
            3 => "UNKNOWN_TOPIC_OR_PARTITION",
            5 => "LEADER_NOT_AVAILABLE",
            6 => "NOT_LEADER_FOR_PARTITION",
            7 => "REQUEST_TIMED_OUT",
            10 => "MESSAGE_TOO_LARGE",
            17 => "INVALID_TOPIC_EXCEPTION",
            18 => "RECORD_LIST_TOO_LARGE",
            19 => "NOT_ENOUGH_REPLICAS",
            20 => "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
            21 => "INVALID_REQUIRED_ACKS",
            29 => "TOPIC_AUTHORIZATION_FAILED",
            31 => "CLUSTER_AUTHORIZATION_FAILED",
            32 => "INVALID_TIMESTAMP",
            35 => "UNSUPPORTED_VERSION",
            42 => "INVALID_REQUEST",
            43 => "UNSUPPORTED_FOR_MESSAGE_FORMAT",
            44 => "POLICY_VIOLATION",
            45 => "OUT_OF_ORDER_SEQUENCE_NUMBER",
            47 => "INVALID_PRODUCER_EPOCH",
            49 => "INVALID_PRODUCER_ID_MAPPING",
            56 => "KAFKA_STORAGE_ERROR",
            59 => "UNKNOWN_PRODUCER_ID",
            76 => "UNSUPPORTED_COMPRESSION_TYPE",
            87 => "INVALID_RECORD",
            _ => return None,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "the broker says {name}"),
            None => write!(f, "the broker says error {}", self.0),
        }
    }
}

impl KafkaError {
    /// What to do about it.
    pub(super) fn fate(&self) -> Fate {
        match self {
            Self::Refused(Code::UNKNOWN_TOPIC) => Fate::AgainAFewTimes,
            Self::Refused(Code(45 | 47 | 49 | 59)) => Fate::AgainAnew,
            Self::Refused(code) if !PASSING.contains(&code.0) => Fate::Lost,
            Self::TooLong(_) | Self::Compress(_) => Fate::Lost,
            _ => Fate::Again,
        }
    }

    /// Label of the metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "timeout",
            Self::Lookup(_) | Self::Network { .. } => "network",
            Self::Refused(code) if OF_BROKERS.contains(&code.0) => "broker",
            _ => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_lost() {
        let rows = [
            (6, Fate::Again, "unknown"),
            (3, Fate::AgainAFewTimes, "unknown"),
            (59, Fate::AgainAnew, "broker"),
            (2, Fate::Lost, "unknown"),
            (10, Fate::Lost, "unknown"),
            (29, Fate::Lost, "unknown"),
            (87, Fate::Lost, "broker"),
        ];
        for (code, fate, kind) in rows {
            let error = KafkaError::Refused(Code(code));
            assert_eq!((error.fate(), error.kind()), (fate, kind), "{error}");
        }
        assert!(Code(0).check().is_ok() && Code(46).check().is_ok() && Code(7).check().is_err());
        assert_eq!(KafkaError::Timeout { doing: "asking", to: String::new() }.kind(), "timeout");
    }
}
