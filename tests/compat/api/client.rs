//! Requests as data, sent as they are.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::wait::LIMIT;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What came back; status 0: nothing, the connection broke.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Of those that are compared.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Headers that are part of the answer; the others are the server's own business.
const COMPARED: [&str; 13] = [
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-encoding",
    "content-type",
    "location",
    "retry-after",
    "vary",
    "www-authenticate",
    "x-content-type-options",
];

impl Request {
    pub(super) fn new(line: &str) -> Self {
        let (method, path) = line.split_once(' ').unwrap();
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn get(path: &str) -> Self {
        Self::new(&format!("GET {path}"))
    }

    /// With a JSON body.
    pub(super) fn post(path: &str, body: &str) -> Self {
        let mut request = Self::new(&format!("POST {path}")).with("Content-Type", "application/json");
        request.body = body.into();
        request
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// To find it again.
    pub(super) fn label(&self) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let body: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        format!("{} {}{headers} {body}", self.method, self.path)
    }

    pub(super) fn send(&self, address: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect_timeout(&address, LIMIT).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        // HTTP/1.0: the answer comes in one piece, and its end is the connection's
        let mut head = format!("{} {} HTTP/1.0\r\nHost: {address}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let request = [head.as_bytes(), &self.body].concat();
        // an answer may come, and the connection end, before everything is read
        let _ = stream.write_all(&request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let nothing = Answer { status: 0, headers: BTreeMap::new(), body: String::new() };
        Answer::parse(&String::from_utf8_lossy(&answer)).unwrap_or(nothing)
    }
}

impl Answer {
    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = BTreeMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let name = name.to_ascii_lowercase();
            if COMPARED.contains(&name.as_str()) {
                let all: &mut String = headers.entry(name).or_default();
                if !all.is_empty() {
                    all.push_str(" | ");
                }
                all.push_str(value.trim());
            }
        }
        Some(Self { status, headers, body: body.to_owned() })
    }
}
