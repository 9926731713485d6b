//! Configs that must load, configs that must not and where, and what is printed back.
#![allow(clippy::unwrap_used)]
