//! Tables and laws of matchers.
#![allow(clippy::unwrap_used)]
