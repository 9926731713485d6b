//! The same questions to this program and to the Go Alertmanager; answers must be equal.
//!
//! Differences that are meant are listed in `differences.md`, each with its reason.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod dice;
#[allow(dead_code, reason = "shared with the tests that drive the program")]
#[path = "../it/http.rs"]
mod http;
mod peer;
#[allow(dead_code, reason = "shared with the tests that drive the program")]
#[path = "../it/process.rs"]
mod process;
#[allow(dead_code, reason = "shared with the tests that drive the program")]
#[path = "../it/wait.rs"]
mod wait;

mod addresses;
mod api;
mod configs;
mod flags;
mod inhibition;
mod integrations;
mod live;
mod matchers;
mod proxies;
mod regexes;
mod routes;
mod silences;
mod snapshots;
mod stories;
mod templates;
mod times;
mod tools;
