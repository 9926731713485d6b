//! The reference's packages as a process that answers questions.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

#[allow(dead_code, reason = "shared with the tests that drive the program")]
#[path = "../it/peers.rs"]
pub(crate) mod programs;

/// `compat-peer`, whose operations are the files of `tests/compat/peer/`.
pub(crate) struct Peer {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts one; each test has its own.
    pub(crate) fn start() -> Self {
        let mut command = Command::new(programs::path("compat-peer"));
        // AWS's library tries a request several times by itself, and looks for keys where this machine has none
        command.env("AWS_MAX_ATTEMPTS", "1").env("AWS_EC2_METADATA_DISABLED", "true");
        command.env_remove("AWS_CA_BUNDLE");
        command.env("AWS_CONFIG_FILE", "/nowhere").env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = child.stdin.take();
        let answers = BufReader::with_capacity(1 << 20, child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    /// Asks one question: the operation's name and its fields. `Err` is the reference's error text.
    pub(crate) fn ask(&mut self, op: &str, fields: Value) -> Result<Value, String> {
        let mut question = fields;
        question["op"] = json!(op);
        let input = self.questions.as_mut().unwrap();
        writeln!(input, "{question}").unwrap();
        input.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        match (answer["error"].as_str(), answer["panic"].as_str()) {
            (Some(error), _) => Err(error.to_owned()),
            (None, Some(cause)) => Err(format!("the reference panics: {cause}")),
            (None, None) => Ok(answer["ok"].take()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // the end of its input is its end
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
