//! Every decision of an Alertmanager, without IO.
//!
//! Invariants: time is always an argument; nothing here can block or fail for outside reasons; the same inputs give
//! the same outputs, byte for byte; wire types do not leave `wire`; a config is immutable once validated; a
//! notification may be sent twice but is never lost.

pub mod alert;
mod cluster;
pub mod config;
mod digest;
pub mod duration;
pub mod effects;
pub mod engine;
pub mod explain;
mod group;
mod index;
mod inhibit;
pub mod interval;
pub mod journal;
pub mod json;
pub mod label;
pub mod ledger;
pub mod matcher;
mod names;
pub mod nflog;
pub mod notify;
mod pipeline;
pub mod record;
pub mod route;
mod signature;
pub mod silence;
pub mod stats;
mod store;
pub mod template;
pub mod time;
mod timer;
pub mod view;
mod wire;
