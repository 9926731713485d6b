//! Silences as almost all are stored, read in one go. What comes of it is what the decoder of all forms would make.

use std::collections::BTreeMap;

use super::{Silence, SilenceId};
use crate::matcher::{Matcher, Op};
use crate::names::Names;
use crate::wire::Plain;

/// Reads a record; `None`: it has another form, holds what this version doesn't know, can't be matched here, or is
/// damaged.
pub(super) fn decode_plain(names: &mut Names, stored: &[u8]) -> Option<Silence> {
    let mut mesh = Plain::new(stored);
    let mut fields = Plain::new(mesh.content(1)?);
    let expires_at = mesh.time(2)?;
    let id = fields.text(1)?;
    let mut copies = fields;
    while fields.content(2).is_some() {}
    let (starts_at, ends_at, updated_at) = (fields.time(3)?, fields.time(4)?, fields.time(5)?);
    let created_by = fields.text(8).unwrap_or_default();
    let comment = fields.text(9).unwrap_or_default();
    let mut matcher_sets = Vec::with_capacity(1);
    while let Some(set) = fields.content(11) {
        let mut set = Plain::new(set);
        let mut matchers = Vec::with_capacity(2);
        while let Some(matcher) = set.content(1) {
            // for old readers the first set is there twice
            if matcher_sets.is_empty() && copies.content(2) != Some(matcher) {
                return None;
            }
            matchers.push(decode_matcher(names, matcher)?);
        }
        if !set.is_empty() {
            return None;
        }
        matcher_sets.push(matchers);
    }
    let whole = mesh.is_empty() && fields.is_empty() && copies.content(2).is_none() && !matcher_sets.is_empty();
    whole.then(|| Silence {
        id: SilenceId(id.into()),
        matcher_sets,
        starts_at,
        ends_at,
        updated_at,
        expires_at,
        created_by: created_by.to_owned(),
        comment: comment.to_owned(),
        annotations: BTreeMap::new(),
        unknown: None,
    })
}

fn decode_matcher(names: &mut Names, stored: &[u8]) -> Option<Matcher> {
    let mut fields = Plain::new(stored);
    let op = match fields.number(1) {
        None => Op::Equal,
        Some(1) => Op::Regex,
        Some(2) => Op::NotEqual,
        Some(3) => Op::NotRegex,
        Some(_) => return None,
    };
    let (name, value) = (fields.text(2)?, fields.text(3).unwrap_or_default());
    if !fields.is_empty() {
        return None;
    }
    Matcher::new(op, names.shared(name), value).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use prost::Message;

    use super::super::record::{Stored, decode_any};
    use super::*;
    use crate::wire;

    fn both_ways(record: &[u8]) -> (Option<Silence>, Option<Silence>) {
        let any = match decode_any(Bytes::copy_from_slice(record), 1, 0) {
            Ok(Stored::Usable(silence)) => Some(Silence::clone(&silence)),
            Ok(Stored::Unusable(_)) | Err(_) => None,
        };
        (decode_plain(&mut Names::default(), record), any)
    }

    prop_compose! {
        fn matchers()(
            parts in proptest::collection::vec((0..5_i32, "[ab]{0,2}", "[a-c.*(]{0,3}"), 0..3),
        ) -> Vec<wire::Matcher> {
            let matcher = |(kind, name, pattern)| wire::Matcher { r#type: kind, name, pattern };
            parts.into_iter().map(matcher).collect()
        }
    }

    proptest! {
        #[test]
        fn plain_records_are_what_they_are_in_any_form(
            sets in proptest::collection::vec(matchers(), 0..3), texts in ".{0,3}", nanos in -1..2_i32, unusual in 0..9_u8,
            place in any::<prop::sample::Index>(), change in 0..=255_u8,
        ) {
            let time = |seconds| Some(wire::WireTime { seconds, nanos });
            let first = sets.first().cloned().unwrap_or_default();
            let annotation = (unusual == 1).then(|| (texts.clone(), texts.clone()));
            let silence = wire::Silence {
                id: "id".into(),
                matchers: if unusual == 2 { Vec::new() } else { first.clone() },
                starts_at: time(1),
                ends_at: time(20).filter(|_| unusual != 3),
                updated_at: time(3),
                comments: Vec::new(),
                created_by: texts.clone(),
                comment: texts,
                annotations: annotation.into_iter().collect(),
                matcher_sets: sets.iter().map(|set| wire::MatcherSet { matchers: set.clone() }).collect(),
            };
            let mesh = wire::MeshSilence { silence: Some(silence), expires_at: time(30).filter(|_| unusual != 4) };
            let mut record = mesh.encode_to_vec();
            let (plain, any) = both_ways(&record);
            let named = sets.iter().flatten().all(|matcher| !matcher.name.is_empty());
            let doubled = unusual != 2 || first.is_empty();
            let usual = !sets.is_empty() && named && doubled && nanos >= 0 && ![1, 3, 4].contains(&unusual);
            prop_assert_eq!(plain.is_some(), usual && any.is_some());
            prop_assert!(plain.is_none() || plain == any);
            // damage is never plain, or means the same both ways
            let place = place.index(record.len());
            record[place] ^= change;
            let (plain, any) = both_ways(&record);
            prop_assert!(plain.is_none() || plain == any);
        }
    }
}
