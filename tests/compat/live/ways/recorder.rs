//! Servers that are everything at once: receiver, proxy, token server. They write down what they see.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::cases::{Answer, CASES, TOKENS};

/// Headers that are compared.
const HEADERS: [&str; 9] = [
    "authorization",
    "content-type",
    "cookie",
    "host",
    "proxy-authorization",
    "user-agent",
    "x-connect",
    "x-plain",
    "x-secret",
];

/// A request as a server sees it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// `A`, `B` or `C`, or `S` for what came through the SOCKS proxy.
    place: &'static str,
    line: String,
    headers: BTreeMap<String, Vec<String>>,
    body: String,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.line)?;
        for (name, values) in &self.headers {
            write!(f, " {name}={values:?}")?;
        }
        // a webhook's body has the program's own address in it
        let body = if self.body.starts_with('{') { "{…}" } else { &self.body };
        write!(f, " {body}")
    }
}

impl Seen {
    /// Whether a case's name is a word of the URL.
    fn is_of(&self, case: &str) -> bool {
        self.line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == case)
    }
}

/// The servers.
pub(super) struct Places {
    addresses: [(&'static str, SocketAddr); 4],
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Places {
    /// A and C are the same host, B is another one, S a SOCKS proxy.
    pub(super) fn start(ip: Ipv4Addr) -> Self {
        let [a, b, c, d] = ip.octets();
        let other = Ipv4Addr::new(a, b, c, d + 1);
        let listeners = [("A", ip), ("B", other), ("C", ip), ("S", other)]
            .map(|(name, ip)| (name, TcpListener::bind((ip, 0)).unwrap()));
        let addresses = [0, 1, 2, 3].map(|n: usize| (listeners[n].0, listeners[n].1.local_addr().unwrap()));
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        for (place, listener) in listeners {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let seen = Arc::clone(&seen);
                    // ends with the connection
                    std::thread::spawn(move || drop(serve(place, stream, &addresses, &seen)));
                }
            });
        }
        Self { addresses, seen }
    }

    /// A text with the addresses in the place of their names, as `@A@`, and A's host for `@AIP@`.
    pub(super) fn fill(&self, text: &str) -> String {
        fill(text, &self.addresses)
    }

    /// What was seen of a case.
    pub(super) fn of(&self, case: &str) -> Vec<Seen> {
        let mut of: Vec<Seen> = self.seen.lock().unwrap().iter().filter(|seen| seen.is_of(case)).cloned().collect();
        for seen in &mut of {
            self.mask(&mut seen.line);
            seen.headers.values_mut().flatten().for_each(|value| self.mask(value));
            self.mask(&mut seen.body);
        }
        of
    }

    fn mask(&self, text: &mut String) {
        for (name, address) in self.addresses {
            *text = text.replace(&address.to_string(), name);
            *text = text.replace(&address.to_string().replace(':', "%3A"), name);
        }
    }
}

fn fill(text: &str, addresses: &[(&'static str, SocketAddr)]) -> String {
    let mut text = text.replace("@AIP@", &addresses[0].1.ip().to_string());
    for (name, address) in addresses {
        text = text.replace(&format!("@{name}@"), &address.to_string());
    }
    text
}

fn serve(
    place: &'static str,
    mut stream: TcpStream,
    addresses: &[(&'static str, SocketAddr)],
    seen: &Mutex<Vec<Seen>>,
) -> std::io::Result<()> {
    if place == "S" {
        socks(&mut stream, seen)?;
    }
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut headers, mut length) = (BTreeMap::<String, Vec<String>>::new(), 0);
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(());
        }
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        let name = name.to_lowercase();
        if name == "content-length" {
            length = value.parse().unwrap_or(0);
        }
        if HEADERS.contains(&name.as_str()) {
            headers.entry(name).or_default().push(value.to_owned());
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let line = line.trim_end().to_owned();
    let connect = line.starts_with("CONNECT ");
    if connect {
        // each names itself to a proxy
        headers.remove("user-agent");
    }
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let request = Seen { place, line, headers, body: String::from_utf8_lossy(&body).into_owned() };
    let answer = answer(&target, &request, addresses);
    seen.lock().unwrap().push(request);
    stream.write_all(answer.as_bytes())
}

fn answer(target: &str, request: &Seen, addresses: &[(&'static str, SocketAddr)]) -> String {
    let empty = "content-length: 0\r\nconnection: close\r\n\r\n";
    if request.line.starts_with("CONNECT ") {
        return format!("HTTP/1.1 502 Bad Gateway\r\n{empty}");
    }
    if let Some((_, token)) = TOKENS.iter().find(|(path, _)| target.ends_with(path)) {
        let authorized = request.headers.contains_key("authorization");
        let (status, kind, body) = token(authorized);
        return format!(
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    let hops = CASES.iter().flat_map(|case| case.hops);
    match hops.into_iter().find(|(path, _)| target == *path) {
        Some((_, Answer::To(status, location))) => {
            format!("HTTP/1.1 {status} X\r\nlocation: {}\r\n{empty}", fill(location, addresses))
        }
        Some((_, Answer::Status(status))) => format!("HTTP/1.1 {status} X\r\n{empty}"),
        None => format!("HTTP/1.1 200 OK\r\n{empty}"),
    }
}

/// The beginning of a SOCKS 5 connection (RFC 1928), without or with user and password (RFC 1929).
fn socks(stream: &mut TcpStream, seen: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    let mut read = |count: usize| {
        let mut data = vec![0; count];
        stream.read_exact(&mut data).map(|()| data)
    };
    let methods = read(2)?[1].into();
    let wants_user = read(methods)?.contains(&2);
    stream.write_all(&[5, if wants_user { 2 } else { 0 }])?;
    let mut read = |count: usize| {
        let mut data = vec![0; count];
        stream.read_exact(&mut data).map(|()| data)
    };
    let mut user = String::new();
    if wants_user {
        for _ in 0..2 {
            let length = if user.is_empty() { read(2)?[1] } else { read(1)?[0] }.into();
            user += &format!("{} ", String::from_utf8_lossy(&read(length)?));
        }
        stream.write_all(&[1, 0])?;
    }
    let mut read = |count: usize| {
        let mut data = vec![0; count];
        stream.read_exact(&mut data).map(|()| data)
    };
    let head = read(5)?;
    // only names are asked for here
    let host = read(head[4].into())?;
    let port = read(2)?;
    let line = format!(
        "SOCKS {} {} {user}{}:{}",
        head[1],
        head[3],
        String::from_utf8_lossy(&host),
        u16::from_be_bytes([port[0], port[1]])
    );
    seen.lock().unwrap().push(Seen { place: "S", line, headers: BTreeMap::new(), body: String::new() });
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
}
