//! Secrets in files that are read once, when a config is taken into use, and not at each notification.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::http::SecretSource;
use super::model::{Config, Integration, Route};
use super::receiver::Settings;
use super::secret::Secret;

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFile {
    /// The field that names it, e.g. `receivers[0].rocketchat_configs[0].token_file`.
    pub place: String,
    /// Its path.
    pub path: String,
    /// What the reference says if it can't be read, before the reason.
    pub failure: String,
}

impl Config {
    /// Reads the tokens of incident.io and Rocket.Chat that are in files, and puts them in place of the files, trimmed.
    /// Receivers that no route names are left as they are. (The reference reads them when it builds its receivers; all
    /// other files are read when they are needed.)
    ///
    /// # Errors
    /// Those of `read`: at most one of each integration, all of the same receiver, which is the first that has any.
    pub fn read_applied<E>(&mut self, mut read: impl FnMut(&AppliedFile) -> Result<String, E>) -> Result<(), Vec<E>> {
        let mut used = BTreeSet::new();
        receivers(&self.route, &mut used);
        for (at, receiver) in self.receivers.iter_mut().enumerate() {
            if !used.contains(&receiver.name) {
                continue;
            }
            let place = |of: &Integration| format!("receivers[{at}].{}_configs[{}]", of.kind, of.index);
            let all = receiver.integrations.iter_mut();
            let errors: Vec<E> = all.filter_map(|of| integration(&place(of), of, &mut read).err()).collect();
            if !errors.is_empty() {
                return Err(errors);
            }
        }
        Ok(())
    }
}

fn receivers(route: &Route, used: &mut BTreeSet<Arc<str>>) {
    used.insert(Arc::clone(&route.receiver));
    route.routes.iter().for_each(|child| receivers(child, used));
}

fn integration<E>(
    place: &str,
    integration: &mut Integration,
    read: &mut impl FnMut(&AppliedFile) -> Result<String, E>,
) -> Result<(), E> {
    match &mut integration.settings {
        Settings::Incidentio(config) => {
            let Some(token) = &mut config.token else { return Ok(()) };
            let failure = |_: &str| "failed to read alert_source_token_file".to_owned();
            replace(token, place, "alert_source_token_file", failure, read)?;
            // then there is none
            if matches!(token, SecretSource::Inline(token) if token.is_empty()) {
                config.token = None;
            }
        }
        Settings::Rocketchat(config) => {
            let failure = |path: &str| format!("could not read {path}");
            replace(&mut config.token, place, "token_file", failure, read)?;
            replace(&mut config.token_id, place, "token_id_file", failure, read)?;
        }
        _ => {}
    }
    Ok(())
}

fn replace<E>(
    source: &mut SecretSource,
    place: &str,
    field: &str,
    failure: impl FnOnce(&str) -> String,
    read: &mut impl FnMut(&AppliedFile) -> Result<String, E>,
) -> Result<(), E> {
    let SecretSource::File(path) = source else { return Ok(()) };
    let file = AppliedFile { place: format!("{place}.{field}"), failure: failure(path), path: path.clone() };
    *source = SecretSource::Inline(Secret::new(read(&file)?.trim()));
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::load::parse;
    use super::*;
    use crate::matcher::Mode;

    const CONFIG: &str = "
route: {receiver: a, routes: [{receiver: c}]}
receivers:
- name: a
  incidentio_configs: [{url: 'http://x', alert_source_token_file: /i}]
  rocketchat_configs:
  - {api_url: 'http://x', token_file: /t, token_id_file: /d}
  - {api_url: 'http://x', token: t, token_id_file: /e}
- name: b
  incidentio_configs: [{url: 'http://x', alert_source_token_file: /unused}]
- name: c
  incidentio_configs: [{url: 'http://x', alert_source_token_file: /empty}]
";

    #[test]
    fn tokens_take_the_place_of_their_files() {
        let mut config = parse(CONFIG, Mode::Fallback).unwrap();
        let read = |file: &AppliedFile| match file.path.as_str() {
            "/empty" => Ok(" \n".to_owned()),
            path => Ok::<_, ()>(format!(" of {path}\n")),
        };
        config.read_applied(read).unwrap();
        let shown = |source: &SecretSource| match source {
            SecretSource::Inline(secret) => secret.expose().to_owned(),
            SecretSource::File(path) => format!("file {path}"),
        };
        let tokens: Vec<String> = config
            .receivers
            .iter()
            .flat_map(|receiver| &receiver.integrations)
            .flat_map(|integration| match &integration.settings {
                Settings::Incidentio(config) => vec![config.token.as_ref().map_or("none".into(), shown)],
                Settings::Rocketchat(config) => vec![shown(&config.token), shown(&config.token_id)],
                _ => Vec::new(),
            })
            .collect();
        assert_eq!(tokens, ["of /i", "of /t", "of /d", "t", "of /e", "file /unused", "none"]);
    }

    #[test]
    fn the_first_receiver_that_lacks_files_is_told_of() {
        let mut config = parse(CONFIG, Mode::Fallback).unwrap();
        let failed = config.read_applied(|file| Err::<String, _>(file.clone())).unwrap_err();
        let told: Vec<String> = failed.iter().map(|file| format!("{}: {}", file.place, file.failure)).collect();
        assert_eq!(
            told,
            [
                "receivers[0].incidentio_configs[0].alert_source_token_file: failed to read alert_source_token_file",
                "receivers[0].rocketchat_configs[0].token_file: could not read /t",
                "receivers[0].rocketchat_configs[1].token_id_file: could not read /e",
            ]
        );
    }
}
