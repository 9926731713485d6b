//! `host:port` as Go's `net` splits and joins it.

use std::fmt;

/// An address with a port, which may be a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPort {
    /// Name or address, without brackets; may be empty.
    pub host: String,
    /// Number or name of a service; empty only together with the host.
    pub port: String,
}

impl HostPort {
    /// Splits a text; an empty one has neither part.
    ///
    /// # Errors
    /// In the reference's words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let fail = |reason: &str| Err(format!("address {text}: {reason}"));
        let Some(last) = text.rfind(':') else { return fail("missing port in address") };
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let Some((host, rest)) = inner.split_once(']') else { return fail("missing ']' in address") };
                match rest.strip_prefix(':') {
                    Some(port) if !port.contains(':') => (host, port),
                    Some(_) => return fail("too many colons in address"),
                    None => return fail("missing port in address"),
                }
            }
            None => {
                let (host, port) = text.split_at(last);
                if host.contains(':') {
                    return fail("too many colons in address");
                }
                (host, port.strip_prefix(':').unwrap_or(port))
            }
        };
        if host.contains('[') || port.contains('[') {
            return fail("unexpected '[' in address");
        }
        if host.contains(']') || port.contains(']') {
            return fail("unexpected ']' in address");
        }
        if port.is_empty() {
            return Err(format!("address \"{text}\": port cannot be empty"));
        }
        Ok(Self { host: host.to_owned(), port: port.to_owned() })
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.host.is_empty() && self.port.is_empty()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match (self.is_empty(), host.contains(':')) {
            (true, _) => Ok(()),
            (false, true) => write!(f, "[{host}]:{port}"),
            (false, false) => write!(f, "{host}:{port}"),
        }
    }
}
