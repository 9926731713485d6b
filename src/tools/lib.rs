//! Tools for people: questions about a config, a manifest or a running cluster, answered with the worker's own code.
//!
//! Each tool is a `Flags` type and a function that returns what to print; nothing here prints or exits.

pub mod backup;
mod chain;
pub mod check;
mod clock;
pub mod diagnose;
pub mod drill;
mod kubernetes;
pub mod monitor;
mod output;
mod progress;
mod read;
pub mod routes;
pub mod send;
mod stopped;
mod syntax;
pub mod template;
pub mod why;

pub use kubernetes::KubernetesError;
pub use syntax::{Syntax, UnknownFeature};

/// What a tool found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// For standard output, as it is.
    pub text: String,
    /// What else the user should know: for standard error, one line.
    pub warning: Option<String>,
    /// Whether the answer is the one hoped for; otherwise the exit code is 1.
    pub success: bool,
}

impl Finished {
    /// The answer hoped for.
    fn good(text: String) -> Self {
        Self { text, warning: None, success: true }
    }
}
