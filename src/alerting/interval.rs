//! Time intervals.
