//! All that was asked in one file, for who is to help: what members answer to anybody, and that has no secrets. Configs are as
//! members print them; passwords in URLs are taken out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Client;
use tar::{Builder, Header};

use super::judge::Finding;
use super::member::Member;
use super::report;

/// What each member is asked for, and the name of its file.
const PATHS: [(&str, &str); 6] = [
    ("api/v2/status", "status.json"),
    ("api/v2/silences", "silences.json"),
    ("api/v2/receivers", "receivers.json"),
    ("metrics", "metrics.txt"),
    ("api/ui/v1/system", "system.json"),
    ("api/ui/v1/cluster", "cluster.json"),
];

/// The bundle can't be written.
#[derive(Debug, thiserror::Error)]
#[error("writing the bundle {}", path.display())]
pub struct BundleError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Writes the report, and what each member answers; beside it first, so that what is there is whole.
pub(super) async fn write(
    path: &Path,
    client: &Client,
    members: &[Member],
    findings: &[Finding],
) -> Result<(), BundleError> {
    let mut files = vec![
        ("report.txt".to_owned(), without_passwords(&report::text(members, findings)).into_bytes()),
        ("report.json".to_owned(), without_passwords(&report::json(members, findings)).into_bytes()),
    ];
    for (number, member) in members.iter().enumerate() {
        if member.said.is_none() {
            continue;
        }
        for (asked, name) in PATHS {
            // what the Go Alertmanager doesn't have isn't missed
            if let Ok(answer) = client.get(format!("{}/{asked}", member.base)).send().await
                && answer.status().is_success()
                && let Ok(body) = answer.text().await
            {
                files.push((format!("member-{number}/{name}"), without_passwords(&body).into_bytes()));
            }
        }
    }
    let aside = path.with_extension("part");
    let packed = || -> io::Result<()> {
        let mut archive = Builder::new(GzEncoder::new(std::fs::File::create(&aside)?, Compression::default()));
        for (name, content) in &files {
            let mut header = Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            archive.append_data(&mut header, name, content.as_slice())?;
        }
        archive.into_inner()?.finish()?.flush()?;
        std::fs::rename(&aside, path)
    };
    packed().map_err(|source| BundleError { path: path.to_owned(), source })
}

/// `scheme://user:password@host` without what is before the `@`: in configs members hide most of them, but not in the URLs of
/// webhooks' proxies, and our own arguments may have some.
fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '\\' | ','))
            .unwrap_or(after.len());
        let host = after[..end].rsplit_once('@').map_or(&after[..end], |(_, host)| {
            out.push_str("HIDDEN@");
            host
        });
        out.push_str(host);
        rest = &after[end..];
    }
    out + rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        let text = "proxy_url: http://ann:s3cret@proxy:3128/x\nurl: \"https://host/a@b\", x://u@h and ://";
        let hidden = "proxy_url: http://HIDDEN@proxy:3128/x\nurl: \"https://host/a@b\", x://HIDDEN@h and ://";
        assert_eq!(without_passwords(text), hidden);
    }
}
