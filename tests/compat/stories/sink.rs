//! The webhook receiver of one program: answers as the stories want, and remembers what came when.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::script::Answer;

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) at: Instant,
    pub(super) story: String,
    pub(super) hook: usize,
    pub(super) body: Value,
    pub(super) answer: Answer,
}

#[derive(Debug, Default)]
struct Kept {
    received: Vec<Received>,
    answers: BTreeMap<(String, usize), Answer>,
}

/// Listens on a port of its own until the tests end.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    pub(super) address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Sink {
    pub(super) fn start(ip: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let sink = Self { address: listener.local_addr().unwrap(), kept: Arc::default() };
        let kept = Arc::clone(&sink.kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || take(stream, &kept));
            }
        });
        sink
    }

    /// What a webhook of a story is answered from now on.
    pub(super) fn answer(&self, story: &str, hook: usize, answer: Answer) {
        self.kept.lock().unwrap().answers.insert((story.to_owned(), hook), answer);
    }

    /// What came for a story, in order.
    pub(super) fn received(&self, story: &str) -> Vec<Received> {
        let kept = self.kept.lock().unwrap();
        kept.received.iter().filter(|r| r.story == story).cloned().collect()
    }
}

/// One connection, one request; a program that goes away in the middle is not an error.
fn take(mut stream: TcpStream, kept: &Mutex<Kept>) -> Option<()> {
    let at = Instant::now();
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (story, hook) = path.trim_start_matches('/').split_once('/')?;
    let hook = hook.parse().ok()?;
    let answer = {
        let mut kept = kept.lock().unwrap();
        let answer = kept.answers.get(&(story.to_owned(), hook)).copied().unwrap_or(Answer::Status(200));
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        kept.received.push(Received { at, story: story.to_owned(), hook, body, answer });
        answer
    };
    let status = match answer {
        Answer::Status(status) => status,
        Answer::Slow(seconds) => {
            std::thread::sleep(Duration::from_secs_f64(seconds));
            200
        }
    };
    let head = format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()
}
