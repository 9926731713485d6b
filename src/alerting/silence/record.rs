//! Silences as records of the reference's state file, which are also what peers exchange.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use prost::Message;

use super::plain::decode_plain;
use super::{Silence, SilenceId};
use crate::matcher::{Matcher, Op};
use crate::names::Names;
use crate::time::Timestamp;
use crate::wire::{self, MatcherType};

/// A state file or a peer's message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the protobuf that it should be.
    #[error("reading record {record} of the silences, at byte {offset}")]
    Record {
        /// From 1.
        record: usize,
        /// Where it begins.
        offset: usize,
        /// The cause.
        #[source]
        source: prost::DecodeError,
    },
    /// A record without what it needs.
    #[error("reading record {record} of the silences, at byte {offset}: it has no {missing}")]
    Incomplete {
        /// From 1.
        record: usize,
        /// Where it begins.
        offset: usize,
        /// What is not there.
        missing: &'static str,
    },
}

/// What a stored silence holds beyond what this version knows. It is written again as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// Fields of the record.
    record: Vec<u8>,
    /// Fields of the silence in it.
    silence: Vec<u8>,
    /// The fields with the matchers as they came, if something is unknown in them; the matchers of a silence never
    /// change.
    matchers: Option<Vec<u8>>,
}

/// A silence with a matcher that makes no sense here, kept for those to whom it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) id: SilenceId,
    pub(crate) updated_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// What is wrong with it.
    pub(crate) cause: String,
    /// The whole record.
    pub(crate) stored: Bytes,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stored {
    /// A silence.
    Usable(Arc<Silence>),
    /// One that can't be matched here.
    Unusable(Arc<Unusable>),
}

/// Tags of the fields that this version knows.
const RECORD_FIELDS: [u32; 2] = [1, 2];
const SILENCE_FIELDS: [u32; 10] = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11];
const MATCHER_FIELDS: [u32; 2] = [2, 11];

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

fn encode_record(silence: &Silence) -> Vec<u8> {
    let mut mesh = to_wire(silence);
    let Some(unknown) = &silence.unknown else { return mesh.encode_to_vec() };
    let mut inner = mesh.silence.take().unwrap_or_default();
    if unknown.matchers.is_some() {
        inner.matchers.clear();
        inner.matcher_sets.clear();
    }
    let mut content = inner.encode_to_vec();
    content.extend(unknown.matchers.iter().flatten());
    content.extend(&unknown.silence);
    let mut record = Vec::new();
    wire::put_field(1, &content, &mut record);
    record.extend(mesh.encode_to_vec());
    record.extend(&unknown.record);
    record
}

/// Bytes of the record, as the size limit counts them: without the copy of the matchers that is there for old readers.
pub(super) fn stored_len(silence: &Silence) -> usize {
    if silence.unknown.is_some() {
        return encode_record(silence).len();
    }
    let mut record = to_wire(silence);
    if let Some(silence) = &mut record.silence {
        silence.matchers.clear();
    }
    record.encoded_len()
}

/// Appends one record of the reference's file format.
pub fn encode_silence(silence: &Silence, buf: &mut BytesMut) {
    match silence.unknown {
        None => wire::append_delimited(&to_wire(silence), buf),
        Some(_) => wire::put_delimited(&encode_record(silence), buf),
    }
}

/// Reads records of the reference's file format.
///
/// # Errors
/// At the first record that can't be read; nothing is taken then.
pub(crate) fn decode(data: Bytes) -> Result<Vec<Stored>, DecodeError> {
    let mut silences = Vec::new();
    decode_each(data, |stored| silences.push(stored))?;
    Ok(silences)
}

/// Reads records of the reference's file format one by one.
///
/// # Errors
/// At the first record that can't be read.
pub(crate) fn decode_each(mut data: Bytes, mut take: impl FnMut(Stored)) -> Result<(), DecodeError> {
    let mut names = Names::default();
    let (size, mut record) = (data.len(), 0);
    while !data.is_empty() {
        record += 1;
        let offset = size - data.len();
        let mut rest = &data[..];
        if let Some(silence) = wire::take_plain(&mut rest).and_then(|stored| decode_plain(&mut names, stored)) {
            let taken = data.len() - rest.len();
            data.advance(taken);
            take(Stored::Usable(Arc::new(silence)));
            continue;
        }
        let failed = |source| DecodeError::Record { record, offset, source };
        let stored = wire::take_delimited(&mut data).map_err(failed)?;
        take(decode_any(stored, record, offset)?);
    }
    Ok(())
}

/// Reads one record; `record` and `offset` say where it is.
///
/// # Errors
/// When it can't be read.
pub(crate) fn decode_record(stored: Bytes, record: usize, offset: usize) -> Result<Stored, DecodeError> {
    match decode_plain(&mut Names::default(), &stored) {
        Some(silence) => Ok(Stored::Usable(Arc::new(silence))),
        None => decode_any(stored, record, offset),
    }
}

/// Reads a record of any form.
pub(super) fn decode_any(stored: Bytes, record: usize, offset: usize) -> Result<Stored, DecodeError> {
    let failed = |source| DecodeError::Record { record, offset, source };
    let mesh = wire::MeshSilence::decode(&stored[..]).map_err(failed)?;
    let as_written_here = mesh.encode_to_vec() == stored;
    let silence = mesh.silence.ok_or(DecodeError::Incomplete { record, offset, missing: "silence" })?;
    let unknown = if as_written_here { None } else { unknown_in(&stored, &silence).map_err(failed)? };
    let id = SilenceId(silence.id.into());
    // the reference takes a time that isn't there for the epoch
    let time = |time: Option<wire::WireTime>| time.map_or(Timestamp::EPOCH, Into::into);
    let (ends_at, updated_at) = (time(silence.ends_at), time(silence.updated_at));
    let expires_at = mesh.expires_at.map_or(ends_at, Into::into);
    let sets = match (silence.matcher_sets.is_empty(), silence.matchers.is_empty()) {
        // of before 0.32
        (true, false) => vec![wire::MatcherSet { matchers: silence.matchers }],
        (true, true) | (false, _) => silence.matcher_sets,
    };
    let sets = sets.iter().map(|set| set.matchers.iter().map(matcher_from_wire).collect());
    let matcher_sets = match sets.collect::<Result<Vec<Vec<Matcher>>, String>>() {
        Ok(sets) => sets,
        Err(cause) => {
            return Ok(Stored::Unusable(Arc::new(Unusable { id, updated_at, expires_at, cause, stored })));
        }
    };
    // of old versions; the first one counts
    let old = silence.comments.into_iter().next().map(|old| (old.author, old.comment));
    let (created_by, comment) = old.unwrap_or((silence.created_by, silence.comment));
    Ok(Stored::Usable(Arc::new(Silence {
        id,
        matcher_sets,
        starts_at: time(silence.starts_at),
        ends_at,
        updated_at,
        expires_at,
        created_by,
        comment,
        annotations: silence.annotations,
        unknown,
    })))
}

fn unknown_in(stored: &Bytes, silence: &wire::Silence) -> Result<Option<Box<Unknown>>, prost::DecodeError> {
    let record = wire::fields(stored)?;
    let mut unknown = Unknown { record: wire::others(&record, &RECORD_FIELDS), ..Unknown::default() };
    let mut matchers = Vec::new();
    for field in record.iter().filter(|field| field.tag == 1) {
        let fields = wire::fields(&field.content)?;
        unknown.silence.extend(wire::others(&fields, &SILENCE_FIELDS));
        let of_matchers = fields.iter().filter(|field| MATCHER_FIELDS.contains(&field.tag));
        matchers.extend(of_matchers.flat_map(|field| field.raw.iter().copied()));
    }
    let known = wire::Silence {
        matchers: silence.matchers.clone(),
        matcher_sets: silence.matcher_sets.clone(),
        ..wire::Silence::default()
    };
    unknown.matchers = (known.encoded_len() != matchers.len()).then_some(matchers);
    Ok((unknown != Unknown::default()).then(|| Box::new(unknown)))
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
