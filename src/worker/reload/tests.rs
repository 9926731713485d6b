//! Reloads with real files and a stand-in for the event loop.
#![allow(clippy::unwrap_used)]
