//! Deliveries to servers on loopback.
#![allow(clippy::unwrap_used)]
