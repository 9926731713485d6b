//! Basic authentication: bcrypt is slow on purpose, so what it said is remembered, and few may make it work at once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// Passwords whose verdict is remembered, of either kind.
const REMEMBERED: usize = 1000;

/// Passwords that are checked at the same time: as in the reference, no more than one processor is spent on them.
const AT_ONCE: usize = 1;

/// Requests that may wait for that.
const WAITING: usize = 64;

/// What came of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// User and password are right.
    Right,
    /// One of them is wrong, or there are none.
    Wrong,
    /// Too many passwords are waiting to be checked.
    Busy,
}

/// User, hash and password, so that a changed hash is asked anew. No password is kept.
type Key = [u8; 32];

/// The verdicts on passwords.
#[derive(Debug)]
pub(super) struct Logins {
    right: Mutex<VecDeque<Key>>,
    // apart, so that a flood of wrong passwords pushes no right one out
    wrong: Mutex<VecDeque<Key>>,
    checks: Semaphore,
    places: Semaphore,
}

impl Default for Logins {
    fn default() -> Self {
        Self {
            right: Mutex::default(),
            wrong: Mutex::default(),
            checks: Semaphore::new(AT_ONCE),
            places: Semaphore::new(AT_ONCE + WAITING),
        }
    }
}

impl Logins {
    /// Judges a request by its headers. An unknown user costs as much as a wrong password.
    pub(super) async fn judge(&self, users: &BTreeMap<String, String>, headers: &HeaderMap) -> Login {
        let Some((user, password)) = credentials(headers) else { return Login::Wrong };
        let known = users.get(&user);
        let Some(hash) = known.or_else(|| users.values().next()).cloned() else { return Login::Wrong };
        let key = key(&user, &hash, &password);
        if let Some(verdict) = self.remembered(&key) {
            return verdict;
        }
        let Ok(_place) = self.places.try_acquire() else { return Login::Busy };
        let Ok(_turn) = self.checks.acquire().await else { return Login::Busy };
        // somebody may have asked the same meanwhile
        if let Some(verdict) = self.remembered(&key) {
            return verdict;
        }
        let check = tokio::task::spawn_blocking(move || bcrypt::verify(&password, &hash).unwrap_or(false));
        let right = check.await.unwrap_or(false) && known.is_some();
        remember(if right { &self.right } else { &self.wrong }, key);
        if right { Login::Right } else { Login::Wrong }
    }

    fn remembered(&self, key: &Key) -> Option<Login> {
        let has = |keys: &Mutex<VecDeque<Key>>| keys.lock().unwrap_or_else(PoisonError::into_inner).contains(key);
        if has(&self.right) {
            return Some(Login::Right);
        }
        has(&self.wrong).then_some(Login::Wrong)
    }
}

fn remember(keys: &Mutex<VecDeque<Key>>, key: Key) {
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    if keys.len() >= REMEMBERED {
        keys.pop_front();
    }
    keys.push_back(key);
}

fn key(user: &str, hash: &str, password: &[u8]) -> Key {
    let mut digest = Sha256::new();
    for part in [user.as_bytes(), hash.as_bytes(), password] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// Name and password of an `Authorization: Basic` header.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = STANDARD.decode(encoded).ok()?;
    let colon = text.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8(text[..colon].to_vec()).ok()?;
    Some((user, text[colon + 1..].to_vec()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn users() -> BTreeMap<String, String> {
        BTreeMap::from([("alice".to_owned(), bcrypt::hash("s:cret", 4).unwrap())])
    }

    fn basic(text: &str) -> HeaderMap {
        let value = format!("Basic {}", STANDARD.encode(text));
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let (logins, users) = (Logins::default(), users());
        let table = [
            (basic("alice:s:cret"), Login::Right),
            (basic("alice:"), Login::Wrong),
            (basic("alice"), Login::Wrong),
            (basic("bob:s:cret"), Login::Wrong),
            (HeaderMap::new(), Login::Wrong),
            (HeaderMap::from_iter([(header::AUTHORIZATION, "Bearer x".parse().unwrap())]), Login::Wrong),
            (HeaderMap::from_iter([(header::AUTHORIZATION, "Basic ???".parse().unwrap())]), Login::Wrong),
        ];
        // twice: the second time from memory
        for (headers, expected) in table.iter().chain(&table) {
            assert_eq!(logins.judge(&users, headers).await, *expected, "{headers:?}");
        }
        let changed = BTreeMap::from([("alice".to_owned(), bcrypt::hash("new", 4).unwrap())]);
        assert_eq!(logins.judge(&changed, &basic("alice:s:cret")).await, Login::Wrong);
        assert_eq!(logins.judge(&changed, &basic("alice:new")).await, Login::Right);
    }

    #[tokio::test]
    async fn a_flood_of_wrong_passwords_waits_only_so_long_and_keeps_nobody_out_who_is_known() {
        let (logins, users) = (Logins::default(), users());
        let good = basic("alice:s:cret");
        assert_eq!(logins.judge(&users, &good).await, Login::Right);
        // the one that checks is held up
        let held = logins.checks.acquire().await.unwrap();
        let floods: Vec<_> = (0..AT_ONCE + WAITING + 10).map(|n| basic(&format!("alice:{n}"))).collect();
        let judged = floods.iter().map(|headers| logins.judge(&users, headers));
        let all = futures::future::join_all(judged);
        let known = async {
            let verdict = logins.judge(&users, &good).await;
            drop(held);
            verdict
        };
        let (verdicts, known) = tokio::join!(all, known);
        assert_eq!(known, Login::Right);
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Login::Busy).count(), 10);
        assert!(verdicts.iter().all(|verdict| *verdict != Login::Right));
    }
}
