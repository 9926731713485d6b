//! Which matcher syntax holds, said in the way that the worker is told.

use alerting::matcher::Mode;

/// Features of the worker that have no bearing on what a config means.
const OTHERS: [&str; 5] =
    ["alert-names-in-metrics", "receiver-name-in-metrics", "group-key-in-metrics", "auto-gomemlimit", "event-recorder"];

/// The part of each tool's command line that says how matchers are read.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Syntax {
    /// Features of the worker, separated by commas; classic-mode and utf8-strict-mode choose the syntax of matchers
    #[arg(long = "enable-feature", value_name = "NAMES", default_value = "", value_parser = features, global = true)]
    mode: Mode,
}

/// The list of features makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownFeature {
    /// A name that is none.
    #[error("unknown feature `{0}`")]
    Name(String),
    /// Both syntaxes.
    #[error("features classic-mode and utf8-strict-mode exclude each other")]
    Both,
}

impl Syntax {
    /// The syntax in force.
    pub const fn mode(&self) -> Mode {
        self.mode
    }
}

fn features(list: &str) -> Result<Mode, UnknownFeature> {
    let mut mode = Mode::Fallback;
    for name in list.split(',').filter(|name| !name.is_empty()) {
        let wanted = match name {
            "classic-mode" => Mode::Classic,
            "utf8-strict-mode" => Mode::Utf8Strict,
            other if OTHERS.contains(&other) => continue,
            other => return Err(UnknownFeature::Name(other.to_owned())),
        };
        if mode != Mode::Fallback && mode != wanted {
            return Err(UnknownFeature::Both);
        }
        mode = wanted;
    }
    Ok(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_choose_the_syntax() {
        assert_eq!(features(""), Ok(Mode::Fallback));
        assert_eq!(features("event-recorder,classic-mode"), Ok(Mode::Classic));
        assert_eq!(features("utf8-strict-mode"), Ok(Mode::Utf8Strict));
        assert_eq!(features("classic-mode,utf8-strict-mode"), Err(UnknownFeature::Both));
        assert_eq!(features("clasic-mode"), Err(UnknownFeature::Name("clasic-mode".into())));
    }
}
