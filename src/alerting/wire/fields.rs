//! The fields of a message one by one, as they are on the wire: for what this version doesn't know but must keep.

use bytes::{Buf, BufMut, Bytes};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Its number.
    pub(crate) tag: u32,
    /// Key and value.
    pub(crate) raw: Bytes,
    /// The content of a message, text or bytes; empty for numbers.
    pub(crate) content: Bytes,
}

/// Splits a message into its fields.
///
/// # Errors
/// When it isn't protobuf.
pub(crate) fn fields(message: &Bytes) -> Result<Vec<Field>, DecodeError> {
    let mut rest = message.clone();
    let mut fields = Vec::new();
    while rest.has_remaining() {
        let start = message.len() - rest.len();
        let (tag, wire_type) = decode_key(&mut rest)?;
        let content = match wire_type {
            WireType::LengthDelimited => take_delimited(&mut rest)?,
            _ => {
                skip_field(wire_type, tag, &mut rest, DecodeContext::default())?;
                Bytes::new()
            }
        };
        fields.push(Field { tag, raw: message.slice(start..message.len() - rest.len()), content });
    }
    Ok(fields)
}

/// Takes a length and so many bytes off the front.
///
/// # Errors
/// When there aren't as many; nothing is taken then.
pub(crate) fn take_delimited(data: &mut Bytes) -> Result<Bytes, DecodeError> {
    let mut rest = data.clone();
    skip_field(WireType::LengthDelimited, 1, &mut rest, DecodeContext::default())?;
    let mut content = data.split_to(data.len() - rest.len());
    decode_varint(&mut content)?;
    Ok(content)
}

/// Appends bytes preceded by their length.
pub(crate) fn put_delimited(content: &[u8], buf: &mut impl BufMut) {
    encode_varint(content.len() as u64, buf);
    buf.put_slice(content);
}

/// Appends a field of text, bytes or a message.
pub(crate) fn put_field(tag: u32, content: &[u8], buf: &mut impl BufMut) {
    encode_key(tag, WireType::LengthDelimited, buf);
    put_delimited(content, buf);
}

/// The fields whose numbers are not in `known`, one after the other as they are.
pub(crate) fn others(fields: &[Field], known: &[u32]) -> Vec<u8> {
    let others = fields.iter().filter(|field| !known.contains(&field.tag));
    others.flat_map(|field| field.raw.iter().copied()).collect()
}
