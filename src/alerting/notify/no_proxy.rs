//! Which requests go past a proxy: the list of `no_proxy` and `NO_PROXY`, as Go's `httpproxy` reads it.

use std::net::IpAddr;

/// Hosts, domains and networks that are reached without the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    All,
    Network {
        first: IpAddr,
        bits: u8,
    },
    Address {
        ip: IpAddr,
        port: String,
    },
    /// `suffix` begins with a dot.
    Domain {
        suffix: String,
        port: String,
        itself: bool,
    },
}

impl NoProxy {
    /// Reads a list: parts are separated by commas; what makes no sense is a domain that nobody has.
    pub fn parse(list: &str) -> Self {
        let mut rules = Vec::new();
        for part in list.split(',').map(|part| part.trim().to_lowercase()).filter(|part| !part.is_empty()) {
            if part == "*" {
                return Self { rules: vec![Rule::All] };
            }
            rules.extend(Rule::parse(&part));
        }
        Self { rules }
    }

    /// Whether a request to `host` is made without the proxy. `host` is in ASCII, an IPv6 address without brackets. This
    /// machine itself never needs a proxy.
    pub fn excepts(&self, host: &str, port: u16) -> bool {
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        let (host, port) = (host.to_ascii_lowercase(), port.to_string());
        self.rules.iter().any(|rule| rule.excepts(&host, ip, &port))
    }
}

impl Rule {
    fn parse(part: &str) -> Option<Self> {
        if let Some(network) = network(part) {
            return Some(network);
        }
        let (host, port) = split_port(part).unwrap_or((part, ""));
        let port = port.to_owned();
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Some(Self::Address { ip: ip.to_canonical(), port });
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let (domain, itself) = match host.strip_prefix('.') {
            Some(domain) => (domain, false),
            None if host.is_empty() => return None,
            None => (host, true),
        };
        let domain = if domain.is_ascii() { None } else { idna::domain_to_ascii(domain).ok() }.unwrap_or(domain.into());
        Some(Self::Domain { suffix: format!(".{domain}"), port, itself })
    }

    fn excepts(&self, host: &str, ip: Option<IpAddr>, port: &str) -> bool {
        let this = |wanted: &str| wanted.is_empty() || wanted == port;
        match (self, ip) {
            (Self::All, _) => true,
            (Self::Network { first, bits }, Some(ip)) => within(ip, *first, *bits),
            (Self::Address { ip: own, port }, Some(ip)) => *own == ip && this(port),
            (Self::Domain { suffix, port, itself }, None) => {
                (host.ends_with(suffix.as_str()) || *itself && suffix.get(1..) == Some(host)) && this(port)
            }
            _ => false,
        }
    }
}

/// `address/bits`. An IPv4 address that is written as IPv6 counts as IPv4 as far as the bits reach into it.
fn network(part: &str) -> Option<Rule> {
    let (address, bits) = part.split_once('/')?;
    let ip = address.parse::<IpAddr>().ok()?;
    let bits = Some(bits).filter(|bits| bits.bytes().all(|b| b.is_ascii_digit()))?.parse::<u8>().ok()?;
    let (first, bits) = match (ip, ip.to_canonical()) {
        (IpAddr::V6(_), v4 @ IpAddr::V4(_)) if (96..=128).contains(&bits) => (v4, bits - 96),
        (ip, _) => (ip, bits),
    };
    let most = if first.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Rule::Network { first, bits })
}

fn within(ip: IpAddr, first: IpAddr, bits: u8) -> bool {
    match (ip, first) {
        (IpAddr::V4(ip), IpAddr::V4(first)) => {
            (ip.to_bits() ^ first.to_bits()).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(first)) => {
            (ip.to_bits() ^ first.to_bits()).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Host and port of `host:port` or `[host]:port`, as Go's `net.SplitHostPort` takes them apart; `None` if they aren't that.
fn split_port(text: &str) -> Option<(&str, &str)> {
    let (before, port) = text.rsplit_once(':')?;
    let host = match before.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if before.contains(':') => return None,
        None => before,
    };
    let bracket = |text: &str| text.contains(['[', ']']);
    (!bracket(host) && !bracket(port)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_except_what_they_name() {
        // list, host, port, excepted
        let table = [
            ("", "example.com", 80, false),
            ("", "localhost", 80, true),
            ("", "127.8.0.1", 80, true),
            ("", "::1", 80, true),
            ("", "::ffff:127.0.0.1", 80, true),
            ("*", "example.com", 80, true),
            ("a, *", "10.0.0.1", 80, true),
            ("example.com", "example.com", 80, true),
            ("Example.COM", "a.b.example.com", 443, true),
            ("example.com", "notexample.com", 80, false),
            (".example.com", "example.com", 80, false),
            ("*.example.com", "a.example.com", 80, true),
            ("*example.com", "aexample.com", 80, false),
            ("example.com:8080", "example.com", 80, false),
            ("example.com:8080", "a.example.com", 8080, true),
            ("10.0.0.0/8", "10.2.3.4", 80, true),
            ("10.0.0.0/8", "11.2.3.4", 80, false),
            ("0.0.0.0/0", "11.2.3.4", 80, true),
            ("10.0.0.0/33", "10.0.0.0", 80, false),
            ("10.0.0.0/+8", "10.0.0.0", 80, false),
            ("::ffff:10.0.0.0/104", "10.2.3.4", 80, true),
            ("::/0", "10.2.3.4", 80, false),
            ("fd00::/8", "fd12::1", 80, true),
            ("::ffff:10.0.0.1", "10.0.0.1", 80, true),
            ("10.0.0.1:81", "10.0.0.1", 80, false),
            ("[fd00::1]:80", "fd00::1", 80, true),
            ("[fd00::1]", "fd00::1", 80, false),
            (":80", "example.com", 80, false),
            ("müller.example", "www.xn--mller-kva.example", 80, true),
            ("0.0.1", "10.0.0.1", 80, false),
        ];
        for (list, host, port, excepted) in table {
            assert_eq!(NoProxy::parse(list).excepts(host, port), excepted, "{list} for {host}:{port}");
        }
    }
}
