//! Mails to servers on loopback that don't behave; `tests/compat` has all other dialogues.
#![allow(clippy::unwrap_used)]

use alerting::config::{HostPort, Secret, TlsConfig};
use alerting::notify::email::Login;
use tokio::io::AsyncBufReadExt;
use tokio::net::TcpListener;

use super::*;

/// A server that answers each line as it's told, and nothing after that.
async fn server(replies: &'static [&'static str]) -> (Mail, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        for reply in replies {
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                if !reply.starts_with("354") || line.ends_with("\r\n.\r\n") {
                    break;
                }
            }
            lines.push(line);
        }
        // until the other side hangs up
        let mut rest = String::new();
        let _gone = stream.read_to_string(&mut rest).await;
        lines.push(rest);
        lines
    });
    let login =
        Login { username: "me".into(), identity: String::new(), password: Some(Secret::new("s3cret")), secret: None };
    let mail = Mail {
        server: HostPort { host: "127.0.0.1".into(), port },
        hello: String::new(),
        implicit_tls: false,
        require_tls: false,
        tls: TlsConfig::default(),
        login: Some(login),
        from: "a@x".into(),
        to: vec!["b@x".into()],
        message: "Subject: x\r\n\r\n.\r\n".into(),
        integration: "team/email[0]".into(),
    };
    (mail, task)
}

async fn hand(mail: &Mail, limit: Duration) -> Result<Response, TransportError> {
    deliver(mail, Path::new(""), None, limit).await
}

#[tokio::test]
async fn who_says_nothing_is_left_in_time() {
    let (mail, _server) = server(&["220 hello"]).await;
    let error = hand(&mail, Duration::from_millis(50)).await.unwrap_err();
    assert!(error.timed_out, "{error:?}");
}

#[tokio::test]
async fn a_mail_that_was_taken_is_taken_even_without_a_goodbye() {
    let (mail, server) = server(&["220 hello", "250 x", "250 ok", "250 ok", "354 go", "250 taken"]).await;
    // the server answers no QUIT
    let response = hand(&mail, Duration::from_secs(60)).await.unwrap();
    assert_eq!((response.status, response.body.as_str()), (250, "taken"));
    let lines = server.await.unwrap();
    assert_eq!(lines[4], "Subject: x\r\n\r\n..\r\n.\r\n");
    assert_eq!(lines[5], "QUIT\r\n");
}

#[tokio::test]
async fn errors_show_the_servers_words_and_no_password() {
    let (mail, server) = server(&["220 hello", "250-x\r\n250 AUTH PLAIN", "535 no", "501 well"]).await;
    let error = hand(&mail, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.message, "the mail server refused the authentication: 535 no");
    assert_eq!(server.await.unwrap()[1..3], ["AUTH PLAIN AG1lAHMzY3JldA==\r\n", "*\r\n"]);

    let (mail, _server) = self::server(&["220 hello", "250 x"]).await;
    let gone = Mail { server: HostPort { host: "127.0.0.1".into(), port: "nowhere".into() }, ..mail };
    let error = hand(&gone, Duration::from_secs(60)).await.unwrap_err();
    assert!(error.message.contains("there is no port `nowhere`"), "{error:?}");
}

#[tokio::test]
async fn a_reply_without_end_is_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut mail, _server) = server(&[]).await;
    mail.server.port = listener.local_addr().unwrap().port().to_string();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while stream.write_all(&[b'2'; 4096]).await.is_ok() {}
    });
    let error = hand(&mail, Duration::from_secs(60)).await.unwrap_err();
    assert!(error.message.contains("longer than 65536 bytes"), "{error:?}");
    task.await.unwrap();
}
