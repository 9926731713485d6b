//! Silences as records of the reference's state file, which are also what peers exchange.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use prost::Message;

use super::{Silence, SilenceId};
use crate::matcher::{Matcher, Op};
use crate::time::Timestamp;
use crate::wire::{self, MatcherType};

/// A state file or a peer's message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the protobuf that it should be.
    #[error("reading record {record} of the silences")]
    Record {
        /// From 1.
        record: usize,
        /// The cause.
        #[source]
        source: prost::DecodeError,
    },
    /// A record without what it needs.
    #[error("reading record {record} of the silences: it has no {missing}")]
    Incomplete {
        /// From 1.
        record: usize,
        /// What is not there.
        missing: &'static str,
    },
}

fn to_wire(silence: &Silence) -> wire::MeshSilence {
    let matchers = |set: &Vec<Matcher>| -> Vec<wire::Matcher> { set.iter().map(matcher_to_wire).collect() };
    wire::MeshSilence {
        silence: Some(wire::Silence {
            id: silence.id.to_string(),
            matchers: silence.matcher_sets.first().map(matchers).unwrap_or_default(),
            starts_at: Some(silence.starts_at.into()),
            ends_at: Some(silence.ends_at.into()),
            updated_at: Some(silence.updated_at.into()),
            comments: Vec::new(),
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
            annotations: silence.annotations.clone(),
            matcher_sets: silence.matcher_sets.iter().map(|set| wire::MatcherSet { matchers: matchers(set) }).collect(),
        }),
        expires_at: Some(silence.expires_at.into()),
    }
}

/// Bytes of the record, as the size limit counts them: without the copy of the matchers that is there for old readers.
pub(super) fn stored_len(silence: &Silence) -> usize {
    let mut record = to_wire(silence);
    if let Some(silence) = &mut record.silence {
        silence.matchers.clear();
    }
    record.encoded_len()
}

/// Appends one record of the reference's file format.
pub fn encode_silence(silence: &Silence, buf: &mut BytesMut) {
    wire::append_delimited(&to_wire(silence), buf);
}

/// What a file or a peer's message holds.
#[derive(Debug)]
pub struct Decoded {
    /// In the order of the records.
    pub silences: Vec<Arc<Silence>>,
    /// Ids of silences with a matcher that makes no sense here, and what is wrong with it.
    pub broken: Vec<(String, String)>,
}

/// Reads records of the reference's file format.
///
/// # Errors
/// At the first record that can't be read; nothing is taken then.
pub fn decode(mut data: Bytes) -> Result<Decoded, DecodeError> {
    let (mut silences, mut broken) = (Vec::new(), Vec::new());
    let mut record = 0;
    while !data.is_empty() {
        record += 1;
        let mesh = wire::MeshSilence::decode_length_delimited(&mut data)
            .map_err(|source| DecodeError::Record { record, source })?;
        let missing = |missing| DecodeError::Incomplete { record, missing };
        let stored = mesh.silence.ok_or_else(|| missing("silence"))?;
        let id = stored.id.clone();
        let sets = match stored.matcher_sets.is_empty() {
            true => vec![wire::MatcherSet { matchers: stored.matchers }],
            false => stored.matcher_sets,
        };
        let matcher_sets = sets.iter().map(|set| set.matchers.iter().map(matcher_from_wire).collect()).collect();
        let matcher_sets: Vec<Vec<Matcher>> = match matcher_sets {
            Ok(sets) => sets,
            Err(cause) => {
                broken.push((id, cause));
                continue;
            }
        };
        let old_comment = stored.comments.into_iter().next();
        let (author, text) = old_comment.map(|c| (c.author, c.comment)).unwrap_or_default();
        let or = |new: String, old: String| if new.is_empty() { old } else { new };
        let ends_at: Timestamp = stored.ends_at.ok_or_else(|| missing("end"))?.into();
        silences.push(Arc::new(Silence {
            id: SilenceId(id.into()),
            matcher_sets,
            starts_at: stored.starts_at.ok_or_else(|| missing("start"))?.into(),
            ends_at,
            updated_at: stored.updated_at.ok_or_else(|| missing("time of change"))?.into(),
            expires_at: mesh.expires_at.map_or(ends_at, Into::into),
            created_by: or(stored.created_by, author),
            comment: or(stored.comment, text),
            annotations: stored.annotations,
        }));
    }
    Ok(Decoded { silences, broken })
}

fn matcher_to_wire(matcher: &Matcher) -> wire::Matcher {
    let op = match matcher.op {
        Op::Equal => MatcherType::Equal,
        Op::NotEqual => MatcherType::NotEqual,
        Op::Regex => MatcherType::Regexp,
        Op::NotRegex => MatcherType::NotRegexp,
    };
    wire::Matcher { r#type: op.into(), name: matcher.name.to_string(), pattern: matcher.value.to_string() }
}

fn matcher_from_wire(matcher: &wire::Matcher) -> Result<Matcher, String> {
    let op = match MatcherType::try_from(matcher.r#type) {
        Ok(MatcherType::Equal) => Op::Equal,
        Ok(MatcherType::NotEqual) => Op::NotEqual,
        Ok(MatcherType::Regexp) => Op::Regex,
        Ok(MatcherType::NotRegexp) => Op::NotRegex,
        Err(_) => return Err(format!("matcher of unknown type {}", matcher.r#type)),
    };
    Matcher::new(op, matcher.name.as_str(), matcher.pattern.as_str()).map_err(|e| e.to_string())
}
