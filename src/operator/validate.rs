//! Whether a configuration may reach a member: decided by the worker's own parser.

mod files;

use alerting::config::{ConfigError, parse};
use alerting::matcher::Mode;

use crate::crd::{ConfigSource, ConfigSourceError};
use crate::plan::{Mounted, digest, first_lack};
pub use files::{Files, hash, template_files};

/// A configuration that a member can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidConfig {
    /// As it stands in the source, byte for byte.
    pub text: String,
    /// The template files that it names.
    pub templates: Files,
    /// The digest of the mounted files that it names, if it names any: they are secrets of others, not kept.
    pub mounted: Option<String>,
    /// The hash of all files that the members get: hex digits, the same that a worker reports.
    pub hash: String,
}

/// What a user gives: a configuration and the template files beside it, not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The text.
    pub text: String,
    /// Where it came from.
    pub source: ConfigSource,
    /// The template files.
    pub templates: Files,
    /// What members find as files besides.
    pub mounted: Mounts,
    /// Which objects it was read from, in which versions; empty when that is not to be known again.
    pub version: String,
}

/// What members find as files besides a configuration and its templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mounts {
    /// As it is now.
    Read(Mounted),
    /// It is as it was for the configuration in force, which has this digest of it.
    Unchanged(Option<String>),
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
    /// Something is wrong with a source of template files.
    #[error("{0}: {1}")]
    Templates(String, &'static str),
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
            Self::Templates(..) => "TemplatesInvalid",
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
    /// Of what was taken, as [`Given::version`].
    pub version: String,
}

/// Takes what the source gave if it is valid, and else stays with `last_good`.
pub fn choose(given: Result<Given, Refused>, last_good: Option<ValidConfig>) -> Verdict {
    match given.and_then(|given| Ok((config(&given)?, given.version))) {
        Ok((valid, version)) => Verdict { config: Some(valid), refused: None, version },
        Err(refused) => Verdict { config: last_good, refused: Some(refused), version: String::new() },
    }
}

/// Checks what was given the way a worker will when it loads it.
///
/// # Errors
/// When a worker would refuse it, or could not do what it says.
pub fn config(given: &Given) -> Result<ValidConfig, InvalidConfig> {
    let refused = |error: ConfigError| InvalidConfig {
        source_name: given.source.to_string(),
        line: error.line,
        message: error.to_string(),
    };
    let mut config = parse(&given.text, Mode::Fallback).map_err(refused)?;
    // members are started without that feature, and then it has no effect
    config.event_recorder = None;
    if let Some(error) = config.unsupported() {
        return Err(refused(error));
    }
    let mounted = match &given.mounted {
        Mounts::Read(mounted) => {
            if let Some((line, message)) = first_lack(&given.text, mounted) {
                let source_name = given.source.to_string();
                return Err(InvalidConfig {
                    source_name,
                    line: Some(line),
                    message: format!("line {line}: {message}"),
                });
            }
            digest(&config.mounted, mounted)
        }
        Mounts::Unchanged(digest) => digest.clone(),
    };
    let files = template_files(&config, &given.templates).map_err(refused)?;
    let hash = files::hash_of(&given.text, &files, mounted.as_deref());
    Ok(ValidConfig { text: given.text.clone(), templates: files.into_iter().collect(), mounted, hash })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::secret_dir;

    const GOOD: &str = "route:\n  receiver: none\nreceivers:\n- name: none\n";

    fn source() -> ConfigSource {
        ConfigSource::ConfigMap { name: "pager-config".into(), key: "alertmanager.yml".into() }
    }

    fn given(text: &str) -> Given {
        Given {
            text: text.to_owned(),
            source: source(),
            templates: Files::new(),
            mounted: Mounts::Read(Mounted::new()),
            version: String::new(),
        }
    }

    fn with(text: &str, templates: &[(&str, &str)]) -> Given {
        let templates = templates.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Given { templates, ..given(text) }
    }

    #[test]
    fn good_config_keeps_its_text_and_gets_a_hash() {
        let valid = config(&given(GOOD)).unwrap();
        assert_eq!(valid.text, GOOD);
        assert_eq!(valid.hash.len(), 64);
        assert_eq!(Some(&valid.hash), hash(GOOD, &Files::new(), None).as_ref());
        assert_ne!(Some(valid.hash), hash(&format!("{GOOD}# comment\n"), &Files::new(), None));
    }

    #[test]
    fn a_section_without_effect_is_no_reason_to_refuse() {
        let kafka = "{brokers: [k], topic: t, tls_config: {cert_file: c, key_file: k}}";
        let text = format!("{GOOD}event_recorder: {{kafka_outputs: [{kafka}]}}\n");
        assert!(config(&given(&text)).is_ok());
    }

    #[test]
    fn bad_config_names_source_and_line() {
        let error = config(&given("route:\n  receiver: nobody\nreceivers:\n- name: none\n")).unwrap_err();
        assert!(error.to_string().starts_with("ConfigMap pager-config, key alertmanager.yml: line 2: "), "{error}");
        assert_eq!(error.line, Some(2));
        assert!(error.message.contains("nobody"), "{error}");
    }

    #[test]
    fn a_secret_that_members_would_not_find_is_an_error_with_its_line() {
        let text = format!("global: {{slack_api_url_file: /etc/alertmanager/secrets/a/url}}\n{GOOD}");
        let error = config(&given(&text)).unwrap_err();
        assert_eq!(error.line, Some(1));
        assert!(error.message.contains("add `a` to spec.config.secrets"), "{error}");
        let before = Mounts::Unchanged(Some("ab".into()));
        let valid = config(&Given { mounted: before, ..given(&text) }).unwrap();
        assert_eq!(Some(&valid.hash), hash(&text, &Files::new(), Some("ab")).as_ref(), "it was looked at before");
    }

    #[test]
    fn a_mounted_secret_counts_and_one_that_nothing_names_does_not() {
        let text = format!("global: {{slack_api_url_file: /etc/alertmanager/secrets/a/url}}\n{GOOD}");
        let of = |url: &str, other: &str| {
            let keys = [("url", url), ("other", other)];
            let keys = keys.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
            let mounted = Mounts::Read(Mounted::from([(secret_dir("a"), Some(keys.into()))]));
            config(&Given { mounted, ..given(&text) }).unwrap()
        };
        let valid = of("https://one", "x");
        assert_eq!(valid, of("https://one", "y"));
        assert_ne!(valid.hash, of("https://two", "x").hash);
        assert_eq!(Some(&valid.hash), hash(&text, &Files::new(), valid.mounted.as_deref()).as_ref());
    }

    #[test]
    fn template_files_are_checked_and_counted_in() {
        let text = format!("templates: ['*.tmpl', /etc/alertmanager/config/b.tmpl]\n{GOOD}");
        let files =
            [("a.tmpl", "{{ define \"a\" }}x{{ end }}"), ("b.tmpl", "{{ define \"b\" }}y{{ end }}"), ("c.txt", "z")];
        let valid = config(&with(&text, &files)).unwrap();
        assert_eq!(valid.templates.keys().collect::<Vec<_>>(), ["a.tmpl", "b.tmpl"]);
        assert_eq!(hash(&text, &valid.templates, None), Some(valid.hash.clone()));
        let other = [("a.tmpl", "{{ define \"a\" }}other{{ end }}"), files[1]];
        assert_ne!(config(&with(&text, &other)).unwrap().hash, valid.hash);
    }

    #[test]
    fn templates_that_members_could_not_use_are_refused() {
        let table = [
            ("templates: ['*.tmpl']", "`*.tmpl` names none of the files of spec.config.templates"),
            ("templates: ['templates/a.tpl']", "name them without a directory"),
            ("templates: ['[a.tpl']", "`[a.tpl`: "),
            ("templates: ['a.tpl']", "template file `a.tpl`, line 2, column 11: "),
        ];
        for (line, part) in table {
            let error = config(&with(&format!("{line}\n{GOOD}"), &[("a.tpl", "fine\n{{ define }}")])).unwrap_err();
            assert!(error.message.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn whatever_is_wrong_the_last_good_stays() {
        let last = config(&given(GOOD)).unwrap();
        let wrong = [
            Err(Refused::NotFound(source())),
            Err(Refused::KeyNotFound(source())),
            Ok(given("route: {receiver: nobody}\n")),
        ];
        for given in wrong {
            let verdict = choose(given, Some(last.clone()));
            assert_eq!(verdict.config.as_ref(), Some(&last));
            assert!(verdict.refused.is_some());
        }
        let better = format!("{GOOD}# better\n");
        let verdict = choose(Ok(given(&better)), Some(last));
        assert_eq!((verdict.config.unwrap().text, verdict.refused), (better, None));
    }

    #[test]
    fn junk_is_refused_and_does_not_panic() {
        for junk in ["", "\0", "- a\n- b\n", "route: [", "{{{{", "route: {receiver: 1}\n\t"] {
            assert!(config(&given(junk)).is_err(), "{junk:?}");
        }
    }
}
