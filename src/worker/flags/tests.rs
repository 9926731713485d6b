//! Every flag of the reference by name and default, and the mistakes that must not pass.
#![allow(clippy::unwrap_used)]
