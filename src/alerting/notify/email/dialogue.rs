//! The dialogue with a mail server (RFC 5321) without IO: what is said next to what the server answers. It goes as the
//! reference's does, so that servers see no difference.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

use super::{Login, Mail};
use crate::config::Secret;
use crate::notify::answer::logged;

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits; 0: it can't be read.
    pub code: u16,
    /// Of all lines, without the code.
    pub text: String,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Say this line, and hear the reply.
    Say(Secret),
    /// Begin with TLS, then [`Dialogue::secured`].
    StartTls,
    /// Send the message, then hear the reply.
    Content,
    /// The server has it.
    Done,
}

/// Why a mail is not delivered; all of it may be over with the next attempt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialogueError {
    /// The server refused.
    #[error("the mail server refused {what}: {code}{text}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// Its code.
        code: u16,
        /// Its words after a space, or nothing.
        text: String,
    },
    /// The server wants nothing to do with this: no goodbye either.
    #[error("the mail server refused the connection: {0}")]
    Unwelcome(String),
    /// The server says something that is no reply.
    #[error("reading the mail server's reply to {0}: it is none")]
    Unreadable(&'static str),
    /// There's no way to have TLS.
    #[error("the mail server doesn't offer STARTTLS, and `require_tls` is on")]
    NoTls,
    /// There's no way to prove who this is.
    #[error("authenticating to the mail server: it offers `{0}`, for none of which there is what it takes")]
    NoMechanism(String),
    /// The password would be there for everybody to read.
    #[error("authenticating to the mail server: PLAIN without TLS would show the password")]
    Unencrypted,
    /// The server wants to know something else.
    #[error("authenticating to the mail server: it asks for something unknown")]
    Challenge,
    /// A line break in an address or the own name.
    #[error("an address, or `hello`, has a line break in it")]
    LineBreak,
}

/// A dialogue that delivers one mail. It begins with the server's greeting.
#[derive(Debug)]
pub struct Dialogue<'a> {
    mail: &'a Mail,
    state: State,
    /// After `HELO` there are none.
    extensions: Option<BTreeMap<String, String>>,
    tls: bool,
}

#[derive(Debug)]
enum State {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    EhloAgain,
    Auth(Mechanism),
    /// The failed authentication is called off.
    AuthOver(DialogueError),
    Mail,
    /// This one of the recipients.
    Recipient(usize),
    Data,
    Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    CramMd5,
    Plain,
    Login,
}

impl<'a> Dialogue<'a> {
    /// On a connection that has just been made.
    pub fn new(mail: &'a Mail) -> Self {
        Self { mail, state: State::Greeting, extensions: None, tls: mail.implicit_tls }
    }

    /// After TLS has begun.
    ///
    /// # Errors
    /// When the line can't be said.
    pub fn secured(&mut self) -> Result<Act, DialogueError> {
        self.tls = true;
        self.state = State::EhloAgain;
        self.hello("EHLO")
    }

    /// What follows from the server's reply.
    ///
    /// # Errors
    /// When the mail can't be delivered; then `QUIT` is what is left to say.
    pub fn heard(&mut self, reply: &Reply) -> Result<Act, DialogueError> {
        match std::mem::replace(&mut self.state, State::Greeting) {
            State::Greeting => {
                if reply.code != 220 {
                    return Err(DialogueError::Unwelcome(format!("{} {}", reply.code, logged(&reply.text))));
                }
                self.state = State::Ehlo;
                self.hello("EHLO")
            }
            State::Ehlo if reply.code != 250 => {
                self.state = State::Helo;
                self.hello("HELO")
            }
            State::Ehlo => {
                self.extensions = Some(extensions(&reply.text));
                self.after_hello(None)
            }
            State::Helo => {
                let refused = expect(reply, 250..=250, "EHLO and HELO").err();
                // who is asked for nothing special is only told when it matters
                self.after_hello(refused)
            }
            State::StartTls => {
                expect(reply, 220..=220, "STARTTLS")?;
                Ok(Act::StartTls)
            }
            State::EhloAgain => {
                expect(reply, 250..=250, "EHLO after STARTTLS")?;
                self.extensions = Some(extensions(&reply.text));
                self.authenticate()
            }
            State::Auth(mechanism) => self.challenged(mechanism, reply),
            State::AuthOver(error) => Err(error),
            State::Mail => {
                expect(reply, 250..=250, "MAIL")?;
                self.recipient(0)
            }
            State::Recipient(at) => {
                expect(reply, 250..=259, "RCPT")?;
                self.recipient(at + 1)
            }
            State::Data => {
                expect(reply, 354..=354, "DATA")?;
                self.state = State::Content;
                Ok(Act::Content)
            }
            State::Content => {
                expect(reply, 250..=250, "the message")?;
                Ok(Act::Done)
            }
        }
    }

    fn hello(&self, verb: &str) -> Result<Act, DialogueError> {
        let name = if self.mail.hello.is_empty() { "localhost" } else { &self.mail.hello };
        say(format!("{verb} {name}"))
    }

    fn offers(&self, extension: &str) -> Option<&str> {
        self.extensions.as_ref()?.get(extension).map(String::as_str)
    }

    fn after_hello(&mut self, refused: Option<DialogueError>) -> Result<Act, DialogueError> {
        let starts_tls = self.mail.require_tls && !self.mail.implicit_tls;
        match refused {
            Some(_) if starts_tls && self.mail.hello.is_empty() => Err(DialogueError::NoTls),
            Some(error) => Err(error),
            None if starts_tls && self.offers("STARTTLS").is_none() => Err(DialogueError::NoTls),
            None if starts_tls => {
                self.state = State::StartTls;
                say("STARTTLS".to_owned())
            }
            None => self.authenticate(),
        }
    }

    fn authenticate(&mut self) -> Result<Act, DialogueError> {
        let (Some(login), Some(offered)) = (&self.mail.login, self.offers("AUTH")) else { return self.from() };
        // the first of the server's list for which there is what it takes
        let usable = |name: &str| match name {
            "CRAM-MD5" if login.secret.is_some() => Some(Mechanism::CramMd5),
            "PLAIN" if login.password.is_some() => Some(Mechanism::Plain),
            "LOGIN" if login.password.is_some() => Some(Mechanism::Login),
            _ => None,
        };
        let Some(mechanism) = offered.split(' ').find_map(usable) else {
            return Err(DialogueError::NoMechanism(logged(offered).to_owned()));
        };
        let line = match mechanism {
            Mechanism::CramMd5 => "AUTH CRAM-MD5".to_owned(),
            Mechanism::Login => "AUTH LOGIN".to_owned(),
            Mechanism::Plain => {
                let here = matches!(self.mail.server.host.as_str(), "localhost" | "127.0.0.1" | "::1");
                if !self.tls && !here {
                    return Err(DialogueError::Unencrypted);
                }
                let password = login.password.as_ref().map_or("", Secret::expose);
                let proof = format!("{}\0{}\0{password}", login.identity, login.username);
                format!("AUTH PLAIN {}", STANDARD.encode(proof))
            }
        };
        self.state = State::Auth(mechanism);
        say(line)
    }

    fn challenged(&mut self, mechanism: Mechanism, reply: &Reply) -> Result<Act, DialogueError> {
        let answer = match (reply.code, &self.mail.login) {
            (235, _) => return self.from(),
            (0, _) => return Err(DialogueError::Unreadable("the authentication")),
            (334, Some(login)) => respond(login, mechanism, &reply.text).ok_or(DialogueError::Challenge),
            _ => expect(reply, 235..=235, "the authentication").map(|()| String::new()),
        };
        match answer {
            Ok(answer) => {
                self.state = State::Auth(mechanism);
                say(STANDARD.encode(answer))
            }
            Err(error) => {
                self.state = State::AuthOver(error);
                say("*".to_owned())
            }
        }
    }

    fn from(&mut self) -> Result<Act, DialogueError> {
        let mut line = format!("MAIL FROM:<{}>", self.mail.from);
        for (extension, parameter) in [("8BITMIME", " BODY=8BITMIME"), ("SMTPUTF8", " SMTPUTF8")] {
            if self.offers(extension).is_some() {
                line.push_str(parameter);
            }
        }
        self.state = State::Mail;
        say(line)
    }

    fn recipient(&mut self, at: usize) -> Result<Act, DialogueError> {
        match self.mail.to.get(at) {
            Some(address) => {
                self.state = State::Recipient(at);
                say(format!("RCPT TO:<{address}>"))
            }
            None => {
                self.state = State::Data;
                say("DATA".to_owned())
            }
        }
    }
}

fn say(line: String) -> Result<Act, DialogueError> {
    if line.contains(['\r', '\n']) { Err(DialogueError::LineBreak) } else { Ok(Act::Say(Secret::new(line))) }
}

fn expect(reply: &Reply, codes: std::ops::RangeInclusive<u16>, what: &'static str) -> Result<(), DialogueError> {
    if codes.contains(&reply.code) {
        return Ok(());
    }
    if reply.code == 0 {
        return Err(DialogueError::Unreadable(what));
    }
    let text = logged(&reply.text);
    let text = if text.is_empty() { String::new() } else { format!(" {text}") };
    Err(DialogueError::Refused { what, code: reply.code, text })
}

/// By name, from the lines after the first.
fn extensions(text: &str) -> BTreeMap<String, String> {
    let lines = text.split('\n').skip(1).map(|line| line.split_once(' ').unwrap_or((line, "")));
    lines.map(|(name, parameters)| (name.to_owned(), parameters.to_owned())).collect()
}

/// The answer to a challenge; `None` if it can't be known.
fn respond(login: &Login, mechanism: Mechanism, challenge: &str) -> Option<String> {
    let challenge = STANDARD.decode(challenge.trim_end()).ok()?;
    match mechanism {
        Mechanism::Plain => None,
        Mechanism::CramMd5 => {
            let mut mac = Hmac::<Md5>::new_from_slice(login.secret.as_ref()?.expose().as_bytes()).ok()?;
            mac.update(&challenge);
            let mut answer = format!("{} ", login.username);
            for byte in mac.finalize().into_bytes() {
                write!(answer, "{byte:02x}").ok()?;
            }
            Some(answer)
        }
        // the second form of each is Microsoft's
        Mechanism::Login => match challenge.to_ascii_lowercase().as_slice() {
            b"username:" | b"user name\0" => Some(login.username.clone()),
            b"password:" | b"password\0" => Some(login.password.as_ref()?.expose().to_owned()),
            _ => None,
        },
    }
}
