//! Worker.

pub mod handle;
