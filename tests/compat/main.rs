//! The same questions to this program and to the Go Alertmanager; answers must be equal.
//!
//! Differences that are meant are listed in `differences.md`, each with its reason.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod peer;

mod configs;
mod snapshots;
