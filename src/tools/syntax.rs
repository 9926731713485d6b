//! Which matcher syntax holds and whether events are recorded, said in the way that the worker is told.

use alerting::matcher::Mode;

/// Features of the worker that have no bearing on what a config means.
const OTHERS: [&str; 4] =
    ["alert-names-in-metrics", "receiver-name-in-metrics", "group-key-in-metrics", "auto-gomemlimit"];

/// The part of each tool's command line that says how matchers are read.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Syntax {
    /// Features of the worker, separated by commas; classic-mode and utf8-strict-mode choose the syntax of matchers
    #[arg(long = "enable-feature", value_name = "NAMES", default_value = "", value_parser = features, global = true)]
    features: Features,
}

/// Features with a bearing on what a config means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Features {
    mode: Mode,
    event_recorder: bool,
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
        self.features.mode
    }

    /// Whether `event_recorder` has an effect.
    pub const fn records_events(&self) -> bool {
        self.features.event_recorder
    }
}

fn features(list: &str) -> Result<Features, UnknownFeature> {
    let Features { mut mode, mut event_recorder } = Features::default();
    for name in list.split(',').filter(|name| !name.is_empty()) {
        let wanted = match name {
            "classic-mode" => Mode::Classic,
            "utf8-strict-mode" => Mode::Utf8Strict,
            "event-recorder" => {
                event_recorder = true;
                continue;
            }
            other if OTHERS.contains(&other) => continue,
            other => return Err(UnknownFeature::Name(other.to_owned())),
        };
        if mode != Mode::Fallback && mode != wanted {
            return Err(UnknownFeature::Both);
        }
        mode = wanted;
    }
    Ok(Features { mode, event_recorder })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_choose_the_syntax() {
        let of = |mode, event_recorder| Ok(Features { mode, event_recorder });
        assert_eq!(features(""), of(Mode::Fallback, false));
        assert_eq!(features("event-recorder,classic-mode"), of(Mode::Classic, true));
        assert_eq!(features("auto-gomemlimit,utf8-strict-mode"), of(Mode::Utf8Strict, false));
        assert_eq!(features("classic-mode,utf8-strict-mode"), Err(UnknownFeature::Both));
        assert_eq!(features("clasic-mode"), Err(UnknownFeature::Name("clasic-mode".into())));
    }
}
