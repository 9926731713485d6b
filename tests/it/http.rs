//! As much of an HTTP client, and of a receiver, as the tests need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
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

/// A webhook receiver that answers each request with `status`, for as long as the tests run; what was posted to it.
pub(crate) fn receiver(status: u16) -> (SocketAddr, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while request.read_line(&mut line).is_ok_and(|read| read > 2) {
                let given = line.to_lowercase();
                length = given.strip_prefix("content-length: ").map_or(length, |n| n.trim().parse().unwrap());
                line.clear();
            }
            let mut body = vec![0; length];
            let _ = request.read_exact(&mut body);
            // whoever wants only the answers doesn't listen
            let _ = tell.send(serde_json::from_slice(&body).unwrap_or_default());
            let _ = write!(stream, "HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, told)
}
