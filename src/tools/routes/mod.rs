//! `routes`: the routing tree of a config, and where an alert goes in it; the answers are those of `amtool`.

mod source;
mod tree;

use std::path::PathBuf;

use alerting::config::Config;
use alerting::label::LabelSet;
use alerting::matcher::{Mode, Op, ParseError, parse_one};
use alerting::route::Routes;

use crate::{Finished, Syntax};

pub use source::SourceError;

/// `alertmanager-operator routes`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    #[command(subcommand)]
    command: Option<Command>,

    /// The config
    #[arg(long = "config.file", value_name = "FILE", global = true)]
    config_file: Option<PathBuf>,

    /// A running Alertmanager whose config is meant; `--config.file` goes before it
    #[arg(long = "url", visible_alias = "alertmanager.url", value_name = "URL", global = true)]
    url: Option<String>,

    #[command(flatten)]
    syntax: Syntax,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Print the routing tree (what is done without a subcommand)
    Show,
    /// Print the receivers of an alert with the labels given
    Test {
        /// Fail unless the alert goes to exactly these receivers, in this order, separated by commas
        #[arg(long = "verify.receivers", value_name = "RECEIVERS")]
        expected: Option<String>,
        /// Print the routes that match as a tree first
        #[arg(long)]
        tree: bool,
        /// The alert's labels
        #[arg(value_name = "LABEL=VALUE")]
        labels: Vec<String>,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// No config.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A label is not written as `name=value`.
    #[error("failed to parse labels")]
    Label(#[from] ParseError),
    /// A label has another operator than `=`.
    #[error("labels must be specified as key=value pairs, not `{0}`")]
    NotEqual(String),
}

/// Reads the config and answers.
///
/// # Errors
/// When there is no valid config, or a label makes no sense.
pub async fn run(flags: Flags) -> Result<Finished, RoutesError> {
    let mode = flags.syntax.mode();
    let both = flags.config_file.is_some() && flags.url.is_some();
    let config = source::load(flags.config_file.as_deref(), flags.url.as_deref(), mode).await?;
    let routes = Routes::new(&config);
    let mut finished = match flags.command {
        None | Some(Command::Show) => Finished::good(tree::show(&routes)),
        Some(Command::Test { expected, tree, labels }) => {
            let labels = read_labels(&labels, mode)?;
            test(&config, &routes, &labels, expected.as_deref(), tree)
        }
    };
    finished.warning = both.then(|| "--config.file goes before --url, which is not asked".to_owned());
    Ok(finished)
}

fn read_labels(texts: &[String], mode: Mode) -> Result<LabelSet, RoutesError> {
    let mut labels = Vec::new();
    for text in texts {
        let (matcher, _) = parse_one(mode, text)?;
        if matcher.op != Op::Equal {
            return Err(RoutesError::NotEqual(text.clone()));
        }
        labels.push((matcher.name, matcher.value));
    }
    Ok(LabelSet::new(labels))
}

fn test(config: &Config, routes: &Routes, labels: &LabelSet, expected: Option<&str>, tree: bool) -> Finished {
    let mut text = if tree { tree::matching(routes, labels) } else { String::new() };
    let hit = routes.matching(labels);
    let names: Vec<&str> = hit.iter().map(|index| &*config.receivers[routes.node(*index).receiver].name).collect();
    let names = names.join(",");
    text.push_str(&format!("{names}\n"));
    let success = expected.is_none_or(|expected| expected.is_empty() || expected == names);
    if !success {
        text.push_str("WARNING: Expected receivers did not match resolved receivers.\n");
    }
    Finished { text, warning: None, success }
}
