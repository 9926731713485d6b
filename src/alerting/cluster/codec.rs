//! How foca's packets are written: as postcard has it, but for whom they are, which is four bytes.
//!
//! Probes are most of what an idle cluster sends, and a receiver only asks whether it is meant.

use bytes::{Buf, BufMut};
use foca::{Codec, Header, Message, PostcardCodec};

use super::identity::Member;

/// Writes and reads packets of one member.
#[derive(Debug)]
pub(super) struct Compact {
    /// Whose packets are read. What it sends shows when it has come back as new.
    own: Member,
}

impl Compact {
    pub(super) fn new(own: Member) -> Self {
        Self { own }
    }
}

/// Stands for a member in one of its lives; to join, any of its lives is good enough.
fn mark(of: &Member, message: &Message<Member>) -> u32 {
    let life = if *message == Message::Announce { 0 } else { of.incarnation };
    xxhash_rust::xxh64::xxh64(of.name.as_bytes(), life) as u32
}

fn nobody() -> Member {
    Member { name: "".into(), address: ([0, 0, 0, 0], 0).into(), incarnation: 0 }
}

impl Codec<Member> for Compact {
    type Error = postcard::Error;

    fn encode_header(&mut self, header: &Header<Member>, mut buf: impl BufMut) -> Result<(), Self::Error> {
        if self.own != header.src {
            self.own = header.src.clone();
        }
        let mut scratch = [0; super::membership::PACKET_MAX];
        let parts = (&header.src, header.src_incarnation, &header.message);
        let written = postcard::to_slice(&parts, &mut scratch)?;
        if buf.remaining_mut() < written.len() + size_of::<u32>() {
            return Err(postcard::Error::SerializeBufferFull);
        }
        buf.put_slice(written);
        buf.put_u32(mark(&header.dst, &header.message));
        Ok(())
    }

    fn decode_header(&mut self, mut buf: impl Buf) -> Result<Header<Member>, Self::Error> {
        let all = buf.chunk().len();
        let ((src, src_incarnation, message), rest) = postcard::take_from_bytes(buf.chunk())?;
        let read = all - rest.len();
        buf.advance(read);
        let meant = buf.try_get_u32().map_err(|_| postcard::Error::DeserializeUnexpectedEnd)?;
        let dst = if meant == mark(&self.own, &message) { self.own.clone() } else { nobody() };
        Ok(Header { src, src_incarnation, dst, message })
    }

    fn encode_member(&mut self, member: &foca::Member<Member>, buf: impl BufMut) -> Result<(), Self::Error> {
        PostcardCodec.encode_member(member, buf)
    }

    fn decode_member(&mut self, buf: impl Buf) -> Result<foca::Member<Member>, Self::Error> {
        PostcardCodec.decode_member(buf)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn member(name: &str, incarnation: u64) -> Member {
        Member { name: name.into(), address: ([10, 0, 0, 1], 9094).into(), incarnation }
    }

    fn sent(from: &Member, to: &Member, message: Message<Member>) -> Vec<u8> {
        let header = Header { src: from.clone(), src_incarnation: 3, dst: to.clone(), message };
        let mut packet = Vec::new();
        Compact::new(nobody()).encode_header(&header, &mut packet).unwrap();
        packet
    }

    fn read(by: &mut Compact, packet: &[u8]) -> Header<Member> {
        let mut rest = packet;
        let header = by.decode_header(&mut rest).unwrap();
        assert!(rest.is_empty());
        header
    }

    #[test]
    fn whom_it_is_for_is_known_by_that_life_only() {
        let (a, b) = (member("alertmanager-0", 1_700_000_000_000_000_000), member("alertmanager-1", 7));
        let ping = sent(&a, &b, Message::Ping(200));
        assert!(ping.len() < 45, "{}", ping.len());
        let header = read(&mut Compact::new(b.clone()), &ping);
        assert_eq!((header.src, header.src_incarnation, header.dst), (a.clone(), 3, b.clone()));
        assert_eq!(header.message, Message::Ping(200));
        assert_eq!(read(&mut Compact::new(member("alertmanager-1", 8)), &ping).dst, nobody());
        assert_eq!(read(&mut Compact::new(member("alertmanager-2", 7)), &ping).dst, nobody());
        let announce = sent(&a, &member("alertmanager-1", 0), Message::Announce);
        assert_eq!(read(&mut Compact::new(b.clone()), &announce).dst, b);
    }

    #[test]
    fn who_has_come_back_as_new_is_meant_by_that_name() {
        let (old, new) = (member("a", 1), member("a", 2));
        let mut codec = Compact::new(old);
        let header = Header { src: new.clone(), src_incarnation: 0, dst: member("b", 1), message: Message::Gossip };
        codec.encode_header(&header, &mut Vec::new()).unwrap();
        assert_eq!(read(&mut codec, &sent(&member("b", 1), &new, Message::Ack(1))).dst, new);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let ping = sent(&member("a", 1), &member("b", 1), Message::Ping(1));
        for len in 0..ping.len() {
            assert!(Compact::new(member("b", 1)).decode_header(&ping[..len]).is_err(), "{len}");
        }
    }
}
