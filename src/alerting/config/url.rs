//! URLs as far as a config needs them: whether one is a URL, and how it is printed.

/// Why a text is no URL; never repeats the text, which may be a secret.
pub(super) fn check(text: &str) -> Result<Parts<'_>, String> {
    let parts = split(text)?;
    if parts.scheme != "http" && parts.scheme != "https" {
        return Err(format!("unsupported scheme \"{}\" for URL", parts.scheme));
    }
    if parts.host.is_empty() {
        return Err("missing host for URL".into());
    }
    Ok(parts)
}

/// The parts of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// Lower-case.
    pub(super) scheme: String,
    user: Option<&'a str>,
    /// With port.
    pub(super) host: &'a str,
    path: &'a str,
    /// Query and fragment with their marks.
    tail: &'a str,
}

impl Parts<'_> {
    /// Prints it with a password replaced.
    pub(super) fn redacted(&self) -> String {
        let user = self.user.map(|user| match user.split_once(':') {
            Some((name, _)) => format!("{name}:xxxxx@"),
            None => format!("{user}@"),
        });
        self.print(&user.unwrap_or_default())
    }

    /// Prints it: scheme in lower case, the path escaped where it has to be.
    pub(super) fn printed(&self) -> String {
        self.print(&self.user.map(|user| format!("{user}@")).unwrap_or_default())
    }

    fn print(&self, user: &str) -> String {
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_.~$&+,/:;=@!'()*[]%".contains(c);
        let mut path = String::with_capacity(self.path.len());
        for c in self.path.chars() {
            if valid(c) {
                path.push(c);
            } else {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| path.push_str(&format!("%{byte:02X}")));
            }
        }
        format!("{}://{user}{}{path}{}", self.scheme, self.host, self.tail)
    }
}

/// Splits any absolute URL.
pub(super) fn split(text: &str) -> Result<Parts<'_>, String> {
    if text.chars().any(|c| c.is_ascii_control()) {
        return Err("invalid control character in URL".into());
    }
    let Some((scheme, rest)) = text.split_once(':') else { return Err("unsupported scheme \"\" for URL".into()) };
    let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
        return Err(
            if scheme.is_empty() { "missing protocol scheme" } else { "unsupported scheme \"\" for URL" }.into()
        );
    }
    let scheme = scheme.to_ascii_lowercase();
    let Some(rest) = rest.strip_prefix("//") else {
        return Ok(Parts { scheme, user: None, host: "", path: rest, tail: "" });
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, tail) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    check_host(host)?;
    if !escapes_are_valid(path) {
        return Err("invalid URL escape".into());
    }
    Ok(Parts { scheme, user, host, path, tail })
}

fn check_host(host: &str) -> Result<(), String> {
    let port = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or_else(|| "missing ']' in host".to_owned())?.1,
        None => host.find(':').map_or("", |at| host.get(at..).unwrap_or_default()),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if (!port.is_empty() && !port.starts_with(':')) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("invalid port after host".into());
    }
    if host.chars().any(|c| matches!(c, ' ' | '\\' | '^' | '`' | '{' | '|' | '}' | '%')) {
        return Err("invalid character in host name".into());
    }
    Ok(())
}

fn escapes_are_valid(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_go_accepts() {
        for text in ["http://a", "HTTPS://a:1/b?c#d", "http://u:p@[::1]:80/", "http://a:/x", "http://a?x"] {
            assert!(check(text).is_ok(), "{text}");
        }
        let wrong = [
            ("", "unsupported scheme \"\" for URL"),
            ("/home", "unsupported scheme \"\" for URL"),
            ("telnet://a", "unsupported scheme \"telnet\" for URL"),
            ("http:a", "missing host for URL"),
            ("http:///x", "missing host for URL"),
            ("://a", "missing protocol scheme"),
            ("http://a:b", "invalid port after host"),
            ("http://a b", "invalid character in host name"),
            ("http://a/%zz", "invalid URL escape"),
            ("http://a/\n", "invalid control character in URL"),
        ];
        for (text, message) in wrong {
            assert_eq!(check(text).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn prints_as_go() {
        let printed = |text| check(text).unwrap().printed();
        assert_eq!(printed("HTTP://Host/a b?c d"), "http://Host/a%20b?c d");
        assert_eq!(check("http://u:secret@h/").unwrap().redacted(), "http://u:xxxxx@h/");
    }
}
