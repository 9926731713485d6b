//! Mail servers and what is sent to them.

/// A server's behaviour and a receiver that sends to it.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// YAML of the receiver's `email_configs`, without addresses and the server.
    pub(super) settings: &'static str,
    /// The server is on `127.0.0.2` instead of `localhost`, or speaks TLS at once.
    pub(super) place: Place,
    /// Instead of the usual greeting.
    pub(super) banner: &'static str,
    /// What the server answers instead of the usual: to the next line that begins with the first text.
    pub(super) rules: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Here,
    Elsewhere,
    Tls,
}

const fn case(name: &'static str, settings: &'static str, rules: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, settings, place: Place::Here, banner: "", rules }
}

const LOGIN: &str =
    "require_tls: false, auth_username: me, auth_password: p4ss, auth_secret: s3cret, auth_identity: id";
const SECURE: &str = "auth_username: me, auth_password: p4ss, tls_config: {ca_file: ca.pem}";
const OPEN: &str = "require_tls: false";

/// Dialogues: the first connection is compared.
pub(super) const DIALOGUES: &[Case] = &[
    case("plain", OPEN, &[]),
    case("hello", "require_tls: false, hello: me.example", &[]),
    case("extensions", OPEN, &[("EHLO", "250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 100\r\n250 SMTPUTF8")]),
    case("eight", OPEN, &[("EHLO", "250-x\r\n250 8BITMIME")]),
    case("lower", OPEN, &[("EHLO", "250-x\r\n250 8bitmime")]),
    case("helo", OPEN, &[("EHLO", "502 what")]),
    case("helohello", "require_tls: false, hello: me", &[("EHLO", "502 what"), ("HELO", "250-x\r\n250 AUTH PLAIN")]),
    case("nohello", OPEN, &[("EHLO", "502 what"), ("HELO", "502 no")]),
    case("nohellotls", "hello: me", &[("EHLO", "502 what"), ("HELO", "502 no")]),
    case("garbage", OPEN, &[("EHLO", "what?")]),
    case("ehloclose", OPEN, &[("EHLO", "close")]),
    case("multi", OPEN, &[("EHLO", "250-x\r\nfunny\r\n251-y\r\n250 8BITMIME")]),
    case("notls", "", &[]),
    case("heloforced", "", &[("EHLO", "502 what")]),
    case(
        "starttls",
        SECURE,
        &[
            ("EHLO", "250-x\r\n250-AUTH CRAM-MD5\r\n250 STARTTLS"),
            ("EHLO", "250-x\r\n250 AUTH PLAIN LOGIN"),
            ("AUTH", "235 ok"),
        ],
    ),
    case("tlsrefused", SECURE, &[("EHLO", "250-x\r\n250 STARTTLS"), ("STARTTLS", "454 not now")]),
    case("tlsehlo", SECURE, &[("EHLO", "250-x\r\n250 STARTTLS"), ("EHLO", "500 no")]),
    case("untrusted", "auth_username: me, auth_password: p4ss", &[("EHLO", "250-x\r\n250 STARTTLS")]),
    case("othername", "tls_config: {ca_file: ca.pem, server_name: mail.test}", &[("EHLO", "250-x\r\n250 STARTTLS")]),
    case("wrongname", "tls_config: {ca_file: ca.pem, server_name: other.test}", &[("EHLO", "250-x\r\n250 STARTTLS")]),
    case("opportunity", OPEN, &[("EHLO", "250-x\r\n250 STARTTLS")]),
    Case {
        name: "implicit",
        settings: "force_implicit_tls: true, tls_config: {ca_file: ca.pem}",
        place: Place::Tls,
        banner: "",
        rules: &[],
    },
    Case {
        name: "implicitauth",
        settings: "force_implicit_tls: true, require_tls: true, auth_username: me, auth_password: p, tls_config: {ca_file: ca.pem}",
        place: Place::Tls,
        banner: "",
        rules: &[("EHLO", "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN"), ("AUTH", "235 ok")],
    },
    case("noauth", LOGIN, &[]),
    case("authplain", LOGIN, &[("EHLO", "250-x\r\n250 AUTH PLAIN LOGIN"), ("AUTH", "235 ok")]),
    case(
        "authlogin",
        LOGIN,
        &[
            ("EHLO", "250-x\r\n250 AUTH LOGIN PLAIN"),
            ("AUTH", "334 VXNlcm5hbWU6"),
            ("", "334 UGFzc3dvcmQ6"),
            ("", "235 ok"),
        ],
    ),
    case(
        "authcase",
        LOGIN,
        &[("EHLO", "250-x\r\n250 AUTH LOGIN"), ("AUTH", "334 dXNlcm5hbWU6"), ("", "334 cGFzc3dvcmQ6"), ("", "235 ok")],
    ),
    case(
        "authcram",
        LOGIN,
        &[("EHLO", "250-x\r\n250 AUTH CRAM-MD5 LOGIN"), ("AUTH", "334 PDEyMy40NTZAaG9zdD4="), ("", "235 ok")],
    ),
    case(
        "authskip",
        "require_tls: false, auth_username: me, auth_password: p4ss",
        &[
            ("EHLO", "250-x\r\n250 AUTH GSSAPI CRAM-MD5 LOGIN"),
            ("AUTH", "334 VXNlcm5hbWU6"),
            ("", "334 UGFzc3dvcmQ6"),
            ("", "235 ok"),
        ],
    ),
    case("authnone", LOGIN, &[("EHLO", "250-x\r\n250 AUTH GSSAPI NTLM")]),
    case("authempty", LOGIN, &[("EHLO", "250-x\r\n250 AUTH")]),
    case("authequals", LOGIN, &[("EHLO", "250-x\r\n250 AUTH=LOGIN")]),
    case("authanonymous", "require_tls: false, auth_password: p4ss", &[("EHLO", "250-x\r\n250 AUTH PLAIN")]),
    case(
        "authsecretonly",
        "require_tls: false, auth_username: me, auth_secret: s",
        &[("EHLO", "250-x\r\n250 AUTH PLAIN LOGIN")],
    ),
    case("authrefused", LOGIN, &[("EHLO", "250-x\r\n250 AUTH PLAIN"), ("AUTH", "535 5.7.8 no")]),
    case("authmore", LOGIN, &[("EHLO", "250-x\r\n250 AUTH PLAIN"), ("AUTH", "334 eA==")]),
    case("authasks", LOGIN, &[("EHLO", "250-x\r\n250 AUTH LOGIN"), ("AUTH", "334 V2hvPw==")]),
    case("authnobase", LOGIN, &[("EHLO", "250-x\r\n250 AUTH LOGIN"), ("AUTH", "334 ???")]),
    case("authgarbage", LOGIN, &[("EHLO", "250-x\r\n250 AUTH LOGIN"), ("AUTH", "x")]),
    case("authclose", LOGIN, &[("EHLO", "250-x\r\n250 AUTH LOGIN"), ("AUTH", "close")]),
    case(
        "authfiles",
        "require_tls: false, auth_username: me, auth_password_file: password.txt",
        &[("EHLO", "250-x\r\n250 AUTH PLAIN"), ("AUTH", "235 ok")],
    ),
    case(
        "secretfile",
        "require_tls: false, auth_username: me, auth_secret_file: password.txt",
        &[("EHLO", "250-x\r\n250 AUTH CRAM-MD5"), ("AUTH", "334 eA=="), ("", "235 ok")],
    ),
    Case {
        name: "farplain",
        settings: LOGIN,
        place: Place::Elsewhere,
        banner: "",
        rules: &[("EHLO", "250-x\r\n250 AUTH PLAIN LOGIN")],
    },
    Case {
        name: "farlogin",
        settings: LOGIN,
        place: Place::Elsewhere,
        banner: "",
        rules: &[
            ("EHLO", "250-x\r\n250 AUTH LOGIN PLAIN"),
            ("AUTH", "334 VXNlcm5hbWU6"),
            ("", "334 UGFzc3dvcmQ6"),
            ("", "235 ok"),
        ],
    },
    case("mailrefused", OPEN, &[("MAIL", "550 no")]),
    case("mailother", OPEN, &[("MAIL", "251 hm")]),
    case("rcptrefused", "require_tls: false", &[("RCPT", "250 ok"), ("RCPT", "550 who")]),
    case("rcptforward", OPEN, &[("RCPT", "251 will forward")]),
    case("datarefused", OPEN, &[("DATA", "451 later")]),
    case("messagerefused", OPEN, &[(".", "552 too big")]),
    case("messageclose", OPEN, &[(".", "close")]),
    case("quitrefused", OPEN, &[("QUIT", "500 stay")]),
    Case { name: "unwelcome", settings: OPEN, place: Place::Here, banner: "554 go away", rules: &[] },
    Case { name: "nobanner", settings: OPEN, place: Place::Here, banner: "close", rules: &[] },
    Case { name: "banner", settings: OPEN, place: Place::Here, banner: "220-hello\r\n220 there", rules: &[] },
];

/// Contents: all messages are compared.
pub(super) const CONTENTS: &[Case] = &[
    case("default", "", &[]),
    case(
        "text",
        "html: '', text: 'Plain {{ .GroupLabels.g }}: {{ range .Alerts }}{{ .Annotations.text }}\n.{{ end }}'",
        &[],
    ),
    case(
        "both",
        "text: '{{ template \"__text_alert_list\" .Alerts.Firing }}', html: '<b>{{ .CommonAnnotations.text }}</b>{{ range .Alerts }}<a href=\"{{ .GeneratorURL }}\">{{ .Annotations.text }}</a>{{ end }}'",
        &[],
    ),
    case("neither", "html: '', text: ''", &[]),
    case(
        "subject",
        "headers: {subject: 'Grüße {{ .Status }}: {{ range .Alerts }}{{ .Annotations.text }} {{ end }}', X-Priority: '1', from: 'Other <o@x>', reply-to: 'r@x'}",
        &[],
    ),
    case(
        "ownid",
        "headers: {message-id: '<{{ .GroupLabels.g }}@own>', To: '{{ .Receiver }}', date: never, x-empty: ''}",
        &[],
    ),
    case("threadday", "threading: {enabled: true, thread_by_date: daily}", &[]),
    case("threadnone", "threading: {enabled: true, thread_by_date: none}", &[]),
    case(
        "long",
        "html: '', text: '{{ range .Alerts }}{{ .Labels.long }}{{ .Annotations.long }}{{ end }}', headers: {Subject: '{{ range .Alerts }}{{ .Annotations.long }}{{ end }}'}",
        &[],
    ),
    case(
        "lines",
        "html: '{{ range .Alerts }}{{ .Annotations.lines | safeHtml }}{{ end }}', text: '{{ range .Alerts }}{{ .Annotations.lines }}{{ end }}', headers: {Subject: '{{ range .Alerts }}{{ .Annotations.lines }}{{ end }}'}",
        &[],
    ),
    case(
        "script",
        "html: '<script>var x = {{ .CommonLabels }}; var y = \"{{ .Status }}\"</script><p title={{ .Receiver }} onclick=\"f({{ .GroupLabels.g }})\">{{ .ExternalURL }}</p><style>p { color: {{ .Status }} }</style>'",
        &[],
    ),
];
