//! Mails and dialogues as the reference makes them; `tests/compat` compares with the reference itself.
#![allow(clippy::unwrap_used)]

use super::*;

fn mail() -> Mail {
    Mail {
        server: HostPort { host: "mail.example".into(), port: "25".into() },
        hello: String::new(),
        implicit_tls: false,
        require_tls: false,
        tls: TlsConfig::default(),
        login: None,
        from: "a@x".into(),
        to: vec!["b@x".into(), "c@x".into()],
        message: Bytes::from_static(b"hi"),
        integration: "team/email[0]".into(),
    }
}

fn login() -> Login {
    Login {
        username: "me".into(),
        identity: String::new(),
        password: Some(Secret::new("p4ss")),
        secret: Some(Secret::new("s3cret")),
    }
}

/// What is said to a server that answers this, each answer with its code; `>` before what is done, `!` before an error.
fn said(mail: &Mail, replies: &[&str]) -> Vec<String> {
    let mut dialogue = Dialogue::new(mail);
    let mut said = Vec::new();
    for reply in replies {
        let (code, text) = reply.split_at(3);
        let reply = Reply { code: code.parse().unwrap(), text: text.trim_start().to_owned() };
        let act = dialogue.heard(&reply);
        let act = if act == Ok(Act::StartTls) {
            said.push(">tls".into());
            dialogue.secured()
        } else {
            act
        };
        said.push(match act {
            Ok(Act::Say(line)) => line.expose().to_owned(),
            Ok(Act::StartTls) => ">tls".into(),
            Ok(Act::Content) => ">content".into(),
            Ok(Act::Done) => ">done".into(),
            Err(error) => format!("!{error}"),
        });
    }
    said
}

#[test]
fn a_mail_goes_out() {
    let plain =
        said(&mail(), &["220 hi", "250 x\nPIPELINING\n8BITMIME\nSMTPUTF8", "250", "250", "251", "354", "250 taken"]);
    let from = "MAIL FROM:<a@x> BODY=8BITMIME SMTPUTF8";
    assert_eq!(plain, ["EHLO localhost", from, "RCPT TO:<b@x>", "RCPT TO:<c@x>", "DATA", ">content", ">done"]);

    let secure = Mail { require_tls: true, hello: "me.example".into(), login: Some(login()), ..mail() };
    let secure = said(&secure, &["220", "250 x\nSTARTTLS", "220", "250 x\nAUTH GSSAPI PLAIN", "235", "250"]);
    let proof = "AUTH PLAIN AG1lAHA0c3M=";
    assert_eq!(
        secure,
        ["EHLO me.example", "STARTTLS", ">tls", "EHLO me.example", proof, "MAIL FROM:<a@x>", "RCPT TO:<b@x>"]
    );
}

#[test]
fn who_asks_for_proof_gets_it() {
    let mail = Mail { login: Some(login()), ..mail() };
    // the example of RFC 2195, with another secret
    let cram = said(
        &mail,
        &["220", "250 x\nAUTH CRAM-MD5 PLAIN", "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"],
    );
    assert_eq!(cram[1], "AUTH CRAM-MD5");
    assert!(cram[2].starts_with("bWUg"), "{cram:?}");
    let login = said(&mail, &["220", "250 x\nAUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"]);
    assert_eq!(login[1..], ["AUTH LOGIN", "bWU=", "cDRzcw==", "MAIL FROM:<a@x>"]);
    for (replies, last) in [
        (&["220", "250 x\nAUTH PLAIN"][..], "!authenticating to the mail server: PLAIN without TLS"),
        (&["220", "250 x\nAUTH GSSAPI NTLM"], "!authenticating to the mail server: it offers `GSSAPI NTLM`"),
        (&["220", "250 x\nAUTH LOGIN", "334 V2hvPw==", "501"], "!authenticating to the mail server: it asks"),
        (&["220", "250 x\nAUTH LOGIN", "535 no", "501"], "!the mail server refused the authentication: 535 no"),
        (&["220", "250 x\nAUTH LOGIN", "334 ***", "501"], "!authenticating to the mail server: it asks"),
    ] {
        let said = said(&mail, replies);
        assert!(said.last().unwrap().starts_with(last), "{replies:?}: {said:?}");
        assert_eq!(said.len() > 3, said.contains(&"*".to_owned()), "{said:?}");
    }
}

#[test]
fn refusals_are_said() {
    let secure = Mail { require_tls: true, ..mail() };
    for (mail, replies, last) in [
        (mail(), &["554 go away"][..], "!the mail server refused the connection: 554 go away"),
        (mail(), &["220", "500", "500 no"], "!the mail server refused EHLO and HELO: 500 no"),
        (secure.clone(), &["220", "500", "250 x"], "!the mail server doesn't offer STARTTLS"),
        (secure.clone(), &["220", "250 x"], "!the mail server doesn't offer STARTTLS"),
        (secure, &["220", "250 x\nSTARTTLS", "454 not now"], "!the mail server refused STARTTLS: 454 not now"),
        (mail(), &["220", "500", "250", "550 no such"], "!the mail server refused MAIL: 550 no such"),
        (mail(), &["220", "250", "250", "550"], "!the mail server refused RCPT: 550"),
        (mail(), &["220", "250", "250", "250", "250", "000"], "!reading the mail server's reply to DATA"),
        (mail(), &["220", "250", "250", "250", "250", "354", "552 big"], "!the mail server refused the message: 552"),
    ] {
        let said = said(&mail, replies);
        assert!(said.last().unwrap().starts_with(last), "{replies:?}: {said:?}");
    }
    let broken = Mail { from: "a@x\r\nQUIT".into(), ..mail() };
    assert!(said(&broken, &["220", "250"])[1].starts_with("!an address, or `hello`, has a line break"));
}

#[test]
fn the_host_of_a_message_id_is_the_one_of_links() {
    for (url, wanted) in
        [("http://am.example:9093/x", "am.example"), ("https://u:p@[::1]:9093", "::1"), ("am", "localhost.localdomain")]
    {
        assert_eq!(host(url), wanted);
    }
}
