//! As much of an HTTP client as the load needs: posts over a connection that is kept, and single GETs.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

/// How long a server may be silent.
const ANSWER_LIMIT: Duration = Duration::from_secs(300);

/// A connection that is used again and again.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    /// Posts JSON; everything but status 200 is an error.
    pub(crate) fn post(&mut self, path: &str, json: &str) -> anyhow::Result<()> {
        self.exchange(path, json).map(drop).with_context(|| format!("posting to {}{path}", self.address))
    }

    /// Posts JSON; the text at `key` of the answer.
    pub(crate) fn post_for_id(&mut self, path: &str, json: &str, key: &str) -> anyhow::Result<String> {
        let body = self.exchange(path, json).with_context(|| format!("posting to {}{path}", self.address))?;
        let body: serde_json::Value = serde_json::from_slice(&body).context("reading an answer")?;
        Ok(body[key].as_str().with_context(|| format!("no {key} in {body}"))?.to_owned())
    }

    fn exchange(&mut self, path: &str, json: &str) -> anyhow::Result<Vec<u8>> {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", self.address);
        let stream = self.stream.get_mut();
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", json.len()).as_bytes())?;
        stream.write_all(json.as_bytes())?;
        let status = self.line()?;
        let mut length = None;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse().context("reading the answer's length")?);
            }
        }
        let mut body = vec![0; length.context("the answer doesn't say its length")?];
        self.stream.read_exact(&mut body)?;
        ensure!(status.split(' ').nth(1) == Some("200"), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? > 0, "the connection was closed");
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

/// The body of a good answer.
pub(crate) fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    Cache::default().get(address, path)
}

/// What was answered, for as long as the server says that it's still so: as browsers ask again.
#[derive(Default)]
pub(crate) struct Cache(HashMap<String, (String, String)>);

impl Cache {
    /// The body of a good answer, old or new.
    pub(crate) fn get(&mut self, address: SocketAddr, path: &str) -> anyhow::Result<String> {
        self.ask(address, path).with_context(|| format!("getting {address}{path}"))
    }

    fn ask(&mut self, address: SocketAddr, path: &str) -> anyhow::Result<String> {
        let known = self.0.get(path);
        let condition = known.map(|(tag, _)| format!("If-None-Match: {tag}\r\n")).unwrap_or_default();
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        // HTTP/1.0: the answer comes in one piece, and its end is the connection's.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{condition}\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { bail!("the answer is cut off") };
        let status = head.lines().next().unwrap_or_default();
        if let (Some("304"), Some((_, body))) = (status.split(' ').nth(1), known) {
            return Ok(body.clone());
        }
        ensure!(status.split(' ').nth(1) == Some("200"), "{status}: {body}");
        let tag =
            head.lines().filter_map(|line| line.split_once(": ")).find(|(name, _)| name.eq_ignore_ascii_case("etag"));
        if let Some((_, tag)) = tag {
            self.0.insert(path.to_owned(), (tag.to_owned(), body.to_owned()));
        }
        Ok(body.to_owned())
    }
}
