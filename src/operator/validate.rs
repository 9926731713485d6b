//! Whether a configuration may reach a member: decided by the worker's own parser.

use alerting::config::{Config, ConfigError, content_hash, parse};
use alerting::matcher::Mode;

use crate::crd::{ConfigSource, ConfigSourceError};
use crate::plan::CONFIG_FILE;

/// A configuration that a member can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidConfig {
    /// As it stands in the source, byte for byte.
    pub text: String,
    /// The hash of all files that the members get: hex digits, the same that a worker reports.
    pub hash: String,
}

/// Why a configuration was refused. The text names the source and the line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {message}")]
pub struct InvalidConfig {
    /// Where the configuration came from.
    pub source_name: String,
    /// The line in it, from 1, when it is known.
    pub line: Option<usize>,
    /// The worker's words, on one line; they begin with the line when it is known.
    pub message: String,
}

/// Why there is no new configuration from a source. The running one stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// None or several sources are given.
    #[error(transparent)]
    Source(#[from] ConfigSourceError),
    /// The ConfigMap or Secret is not there.
    #[error("{0}: there is no such object")]
    NotFound(ConfigSource),
    /// It is there, and the key is not.
    #[error("{0}: there is no such key")]
    KeyNotFound(ConfigSource),
    /// The value is not UTF-8.
    #[error("{0}: the value is not UTF-8 text")]
    NotText(ConfigSource),
    /// A worker would refuse it.
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
}

impl Refused {
    /// One word for programs: the reason of the condition `ConfigValid` and of the Event.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Source(_) => "ConfigSourceInvalid",
            Self::NotFound(_) => "ConfigNotFound",
            Self::KeyNotFound(_) => "ConfigKeyNotFound",
            Self::NotText(_) | Self::Invalid(_) => "ConfigInvalid",
        }
    }
}

/// What the members shall run, and what was wrong with what the user gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The configuration of the source, or else the last valid one.
    pub config: Option<ValidConfig>,
    /// Why the source's was not taken.
    pub refused: Option<Refused>,
}

/// Takes what the source gave if it is valid, and else stays with `last_good`.
pub fn choose(given: Result<(String, ConfigSource), Refused>, last_good: Option<ValidConfig>) -> Verdict {
    match given.and_then(|(text, source)| Ok(config(&text, &source)?)) {
        Ok(valid) => Verdict { config: Some(valid), refused: None },
        Err(refused) => Verdict { config: last_good, refused: Some(refused) },
    }
}

/// Checks `text`, which came from `source`, the way a worker will when it loads it.
///
/// # Errors
/// When a worker would refuse it, or could not do what it says.
pub fn config(text: &str, source: &ConfigSource) -> Result<ValidConfig, InvalidConfig> {
    let refused = |error: ConfigError| InvalidConfig {
        source_name: source.to_string(),
        line: error.line,
        message: error.to_string(),
    };
    let mut config = parse(text, Mode::Fallback).map_err(refused)?;
    // members are started without that feature, and then it has no effect
    config.event_recorder = None;
    if let Some(error) = config.unsupported().or_else(|| missing_files(&config)) {
        return Err(refused(error));
    }
    Ok(ValidConfig { text: text.to_owned(), hash: hash(text) })
}

/// What `config` needs besides its text: a member gets nothing else, and would notify without it.
pub fn missing_files(config: &Config) -> Option<ConfigError> {
    let message = "members of a cluster get no template files yet: define the templates in the fields that use them";
    (!config.templates.is_empty()).then(|| ConfigError {
        line: None,
        column: None,
        path: "templates".to_owned(),
        message: message.to_owned(),
    })
}

/// The hash of a configuration whose text is `text`.
pub fn hash(text: &str) -> String {
    content_hash(&[(CONFIG_FILE, text.as_bytes())]).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GOOD: &str = "route:\n  receiver: none\nreceivers:\n- name: none\n";

    fn source() -> ConfigSource {
        ConfigSource::ConfigMap { name: "pager-config".into(), key: "alertmanager.yml".into() }
    }

    #[test]
    fn good_config_keeps_its_text_and_gets_a_hash() {
        let valid = config(GOOD, &source()).unwrap();
        assert_eq!(valid.text, GOOD);
        assert_eq!(valid.hash.len(), 64);
        assert_ne!(valid.hash, hash(&format!("{GOOD}# comment\n")));
    }

    #[test]
    fn a_section_without_effect_is_no_reason_to_refuse() {
        let kafka = "{brokers: [k], topic: t, tls_config: {cert_file: c, key_file: k}}";
        let text = format!("{GOOD}event_recorder: {{kafka_outputs: [{kafka}]}}\n");
        assert!(config(&text, &source()).is_ok());
    }

    #[test]
    fn bad_config_names_source_and_line() {
        let error = config("route:\n  receiver: nobody\nreceivers:\n- name: none\n", &source()).unwrap_err();
        assert!(error.to_string().starts_with("ConfigMap pager-config, key alertmanager.yml: line 2: "), "{error}");
        assert_eq!(error.line, Some(2));
        assert!(error.message.contains("nobody"), "{error}");
    }

    #[test]
    fn template_files_that_no_member_gets_are_refused() {
        let error = config(&format!("templates: ['*.tmpl']\n{GOOD}"), &source()).unwrap_err();
        assert!(error.message.contains("templates: members of a cluster get no template files yet"), "{error}");
    }

    #[test]
    fn whatever_is_wrong_the_last_good_stays() {
        let last = config(GOOD, &source()).unwrap();
        let wrong = [
            Err(Refused::NotFound(source())),
            Err(Refused::KeyNotFound(source())),
            Ok(("route: {receiver: nobody}\n".to_owned(), source())),
        ];
        for given in wrong {
            let verdict = choose(given, Some(last.clone()));
            assert_eq!(verdict.config.as_ref(), Some(&last));
            assert!(verdict.refused.is_some());
        }
        let better = format!("{GOOD}# better\n");
        let verdict = choose(Ok((better.clone(), source())), Some(last));
        assert_eq!((verdict.config.unwrap().text, verdict.refused), (better, None));
    }

    #[test]
    fn junk_is_refused_and_does_not_panic() {
        for junk in ["", "\0", "- a\n- b\n", "route: [", "{{{{", "route: {receiver: 1}\n\t"] {
            assert!(config(junk, &source()).is_err(), "{junk:?}");
        }
    }
}
