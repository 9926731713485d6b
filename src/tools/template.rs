//! `template render`: a template with the data of a notification; the answers are those of `amtool`.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use alerting::template::{DataError, Mode, ParseError, TemplateError, Templates, parse_data, sample_data};
use alerting::time::Timestamp;

use crate::Finished;
use crate::read::{self, PatternError, ReadError};

/// `alertmanager-operator template`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Render a template to standard output
    Render {
        /// Pattern of files with templates; repeatable
        #[arg(long = "template.glob", value_name = "PATTERN", required = true)]
        globs: Vec<String>,
        /// The template to render
        #[arg(long = "template.text", value_name = "TEXT")]
        text: String,
        /// What it is
        #[arg(long = "template.type", value_enum, default_value = "text")]
        kind: Kind,
        /// File with the data as JSON, in the form in which webhooks get it; `-` for standard input; without it, a
        /// sample
        #[arg(long = "template.data", value_name = "FILE")]
        data: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Text,
    Html,
}

/// Why nothing is rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A pattern is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file has no templates in it.
    #[error("{}", .0.picture())]
    Parse(#[from] ParseError),
    /// The data is none.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The template cannot be carried out.
    #[error("{}", .0.picture())]
    Template(#[from] TemplateError),
}

/// Renders.
///
/// # Errors
/// When files, data or template make no sense.
pub fn run(flags: Flags) -> Result<Finished, RenderError> {
    let now = Timestamp::EPOCH + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let Command::Render { globs, text, kind, data } = flags.command;
    let mut files = Vec::new();
    for pattern in &globs {
        for path in read::matches(pattern)? {
            let content = read::text(&path)?;
            files.push((path.to_string_lossy().into_owned(), content));
        }
    }
    let templates = Templates::new(files)?;
    let data = match data {
        Some(file) => parse_data(&read::text(&file)?, now)?,
        None => sample_data(now),
    };
    let mode = match kind {
        Kind::Text => Mode::Text,
        Kind::Html => Mode::Html,
    };
    Ok(Finished::good(templates.render(mode, &text, &data)?))
}
