//! The dialogue with a mail server over TCP and TLS; what is said is the business of `alerting::notify::email`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alerting::notify::email::{Act, Dialogue, DialogueError, Mail, Reply, dotted};
use alerting::notify::{Response, TransportError};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::material::{Material, MaterialError};
use super::tls::{self, TlsError};
use crate::net::lookup::Lookup;

/// How long a server may take to say goodbye. The mail is with it, or isn't, by then.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// Bytes of one reply that are read before it makes no sense any more.
const REPLY_MAX: usize = 64 << 10;

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("looking the mail server up")]
    Lookup(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("connecting to the mail server")]
    Connect(#[source] io::Error),
    #[error(transparent)]
    Material(MaterialError),
    #[error("setting TLS up")]
    Tls(#[source] TlsError),
    #[error("the mail server's name can't be in a certificate")]
    Name,
    #[error("beginning TLS with the mail server")]
    Handshake(#[source] io::Error),
    #[error("talking to the mail server")]
    Io(#[source] io::Error),
    #[error("reading the mail server's reply: it is longer than {REPLY_MAX} bytes")]
    Reply,
    #[error(transparent)]
    Dialogue(DialogueError),
}

/// With or without TLS.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

struct Connection {
    wire: BufReader<Box<dyn Wire>>,
}

/// Hands a mail over within `limit`.
///
/// # Errors
/// When the server doesn't say that it has it.
pub(super) async fn deliver(
    mail: &Mail,
    base: &Path,
    lookup: Option<Arc<Lookup>>,
    limit: Duration,
) -> Result<Response, TransportError> {
    let mut connection = None;
    let delivered = tokio::time::timeout(limit, hand_over(mail, base, lookup, &mut connection)).await;
    let talks = match &delivered {
        Ok(Ok(_)) => true,
        Ok(Err(MailError::Dialogue(error))) => !matches!(error, DialogueError::Unwelcome(_)),
        _ => false,
    };
    if let (Some(mut connection), true) = (connection, talks) {
        let farewell = async {
            connection.write(b"QUIT\r\n").await?;
            connection.reply().await
        };
        // whatever it answers changes nothing
        let _ = tokio::time::timeout(FAREWELL_MAX, farewell).await;
    }
    match delivered {
        Ok(Ok(reply)) => Ok(Response { status: reply.code, body: reply.text, ..Response::default() }),
        Ok(Err(error)) => Err(TransportError { message: crate::log::chain(&error), timed_out: false }),
        Err(_) => Err(TransportError { message: format!("the mail was not taken within {limit:?}"), timed_out: true }),
    }
}

async fn hand_over(
    mail: &Mail,
    base: &Path,
    lookup: Option<Arc<Lookup>>,
    kept: &mut Option<Connection>,
) -> Result<Reply, MailError> {
    // also where it may not be needed: what can't work is better known before
    let tls = match mail.implicit_tls || mail.require_tls {
        true => Some(client(mail, base).await?),
        false => None,
    };
    let mut stream: Box<dyn Wire> = Box::new(connect(mail, lookup).await?);
    if let (true, Some(tls)) = (mail.implicit_tls, &tls) {
        stream = secured(stream, mail, tls).await?;
    }
    let connection = kept.insert(Connection { wire: BufReader::new(stream) });
    let mut dialogue = Dialogue::new(mail);
    loop {
        let reply = connection.reply().await?;
        let act = match (dialogue.heard(&reply).map_err(MailError::Dialogue)?, &tls) {
            (Act::StartTls, Some(tls)) => {
                connection.start_tls(mail, tls).await?;
                dialogue.secured().map_err(MailError::Dialogue)?
            }
            (act, _) => act,
        };
        match act {
            Act::Say(line) => connection.write(format!("{}\r\n", line.expose()).as_bytes()).await?,
            Act::Content => connection.write(&dotted(&mail.message)).await?,
            Act::Done => return Ok(reply),
            // only who has TLS ready is asked for it
            Act::StartTls => return Err(MailError::Dialogue(DialogueError::NoTls)),
        }
    }
}

async fn client(mail: &Mail, base: &Path) -> Result<Arc<ClientConfig>, MailError> {
    let material = Material::read(&mail.tls, base).await.map_err(MailError::Material)?;
    let mut config = tls::config(&mail.tls, &material, false).map_err(MailError::Tls)?;
    // those are HTTP's
    config.alpn_protocols.clear();
    Ok(Arc::new(config))
}

async fn connect(mail: &Mail, lookup: Option<Arc<Lookup>>) -> Result<TcpStream, MailError> {
    let (host, port) = (mail.server.host.as_str(), mail.server.port.as_str());
    let port = match (port.parse::<u16>(), port) {
        (Ok(port), _) => port,
        (_, "smtp") => 25,
        (_, "submission") => 587,
        (_, "submissions" | "smtps") => 465,
        _ => return Err(MailError::Connect(io::Error::other(format!("there is no port `{port}`")))),
    };
    let addresses = match lookup {
        Some(lookup) if host.parse::<std::net::IpAddr>().is_err() => {
            let found = lookup.addresses(host).await.map_err(|error| MailError::Lookup(error.into()))?;
            found.into_iter().map(|ip| std::net::SocketAddr::new(ip, port)).collect()
        }
        _ => match tokio::net::lookup_host((host, port)).await {
            Ok(found) => found.collect::<Vec<_>>(),
            Err(error) => return Err(MailError::Lookup(error.into())),
        },
    };
    TcpStream::connect(addresses.as_slice()).await.map_err(MailError::Connect)
}

async fn secured(wire: Box<dyn Wire>, mail: &Mail, tls: &Arc<ClientConfig>) -> Result<Box<dyn Wire>, MailError> {
    let name = mail.tls.server_name.as_ref().unwrap_or(&mail.server.host).clone();
    let name = ServerName::try_from(name).map_err(|_| MailError::Name)?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, wire).await.map_err(MailError::Handshake)?;
    Ok(Box::new(stream))
}

impl Connection {
    async fn write(&mut self, data: &[u8]) -> Result<(), MailError> {
        self.wire.write_all(data).await.map_err(MailError::Io)?;
        self.wire.flush().await.map_err(MailError::Io)
    }

    /// What the server has said before in the clear is not believed.
    async fn start_tls(&mut self, mail: &Mail, tls: &Arc<ClientConfig>) -> Result<(), MailError> {
        let nothing: Box<dyn Wire> = Box::new(tokio::io::join(tokio::io::empty(), tokio::io::sink()));
        let plain = std::mem::replace(&mut self.wire, BufReader::new(nothing)).into_inner();
        self.wire = BufReader::new(secured(plain, mail, tls).await?);
        Ok(())
    }

    /// One reply, of one or more lines.
    async fn reply(&mut self) -> Result<Reply, MailError> {
        let mut left = REPLY_MAX;
        let first = self.line(&mut left).await?;
        let (code, mut more, text) = taken_apart(&first).unwrap_or((0, false, ""));
        let mut reply = Reply { code, text: text.to_owned() };
        while more {
            let line = self.line(&mut left).await?;
            reply.text.push('\n');
            // what has another form belongs to the text as well (reference behaviour)
            match taken_apart(&line) {
                Some((code, continues, text)) if code == reply.code => {
                    more = continues;
                    reply.text.push_str(text);
                }
                _ => reply.text.push_str(&line),
            }
        }
        Ok(reply)
    }

    async fn line(&mut self, left: &mut usize) -> Result<String, MailError> {
        let mut line = Vec::new();
        loop {
            *left = left.checked_sub(1).ok_or(MailError::Reply)?;
            match self.wire.read_u8().await.map_err(MailError::Io)? {
                b'\n' => break,
                byte => line.push(byte),
            }
        }
        if line.ends_with(b"\r") {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

/// Code, whether more lines follow, and text.
fn taken_apart(line: &str) -> Option<(u16, bool, &str)> {
    let more = match line.as_bytes().get(3)? {
        b' ' => false,
        b'-' => true,
        _ => return None,
    };
    let code = line.get(..3)?.parse().ok().filter(|code| *code >= 100)?;
    Some((code, more, line.get(4..)?))
}

#[cfg(test)]
mod tests;
