//! As much of an HTTP client as the tests need.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a server may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Sends a request; the body of a good answer, or what is wrong.
pub(crate) fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<String, String> {
    request_with(address, "", method, path, body)
}

/// The same with more headers, each ended by CR LF.
pub(crate) fn request_with(
    address: SocketAddr,
    headers: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{method} {address}{path}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT).map_err(failed)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT)).map_err(failed)?;
    // HTTP/1.0: the answer comes in one piece, and its end is the connection's.
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\n{headers}Content-Type: application/json\r\n");
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{method} {address}{path}: cut off"))?;
    match head.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(body.to_owned()),
        _ => Err(format!("{method} {address}{path}: {}: {body}", head.lines().next().unwrap_or_default())),
    }
}

/// What a GET answers, as JSON.
pub(crate) fn json(address: SocketAddr, path: &str) -> Result<Value, String> {
    let body = request(address, "GET", path, "")?;
    serde_json::from_str(&body).map_err(|error| format!("GET {address}{path}: {error}: {body}"))
}
