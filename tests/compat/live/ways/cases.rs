//! Ways to connect, and what servers say on the way.

/// What a server says.
pub(super) enum Answer {
    /// Go there.
    To(u16, &'static str),
    /// No more than a status.
    Status(u16),
}

/// One receiver.
pub(super) struct Case {
    /// Is part of every URL of it.
    pub(super) name: &'static str,
    /// Where the notification goes first.
    pub(super) url: &'static str,
    /// YAML.
    pub(super) http: &'static str,
    /// Paths that don't answer 200.
    pub(super) hops: &'static [(&'static str, Answer)],
    /// So many are compared: what is tried again never ends.
    pub(super) requests: usize,
}

impl Case {
    /// YAML of the receiver's integration. Opsgenie has an `Authorization` of its own.
    pub(super) fn integration(&self) -> String {
        let Self { url, http, .. } = self;
        match self.name.starts_with("own") {
            true => format!("opsgenie_configs: [{{api_url: '{url}', api_key: k3y, http_config: {{{http}}}}}]"),
            false => format!("webhook_configs: [{{url: '{url}', http_config: {{{http}}}}}]"),
        }
    }
}

const fn case(
    name: &'static str,
    url: &'static str,
    http: &'static str,
    hops: &'static [(&'static str, Answer)],
    requests: usize,
) -> Case {
    Case { name, url, http, hops, requests }
}

use Answer::{Status, To};

const BASIC: &str = "basic_auth: {username: me, password: p4ss}";
const HEADERS: &str =
    "http_headers: {X-Plain: {values: [a, b]}, X-Secret: {secrets: [s], files: [secret.txt]}, Cookie: {values: [c=d]}}";

/// All of them.
pub(super) const CASES: &[Case] = &[
    // credentials and headers
    case("plain", "http://@A@/plain", "", &[], 1),
    case("basic", "http://@A@/basic", BASIC, &[], 1),
    case("nopass", "http://@A@/nopass", "basic_auth: {username: me}", &[], 1),
    case(
        "passfile",
        "http://@A@/passfile",
        "basic_auth: {username_file: secret.txt, password_file: secret.txt}",
        &[],
        1,
    ),
    case("bearer", "http://@A@/bearer", "authorization: {credentials: t0ken}", &[], 1),
    case("scheme", "http://@A@/scheme", "authorization: {type: Custom, credentials_file: secret.txt}", &[], 1),
    case("headers", "http://@A@/headers", HEADERS, &[], 1),
    case("inurl", "http://us%20er:p%40ss@@A@/inurl", "", &[], 1),
    case("urlbasic", "http://user:pass@@A@/urlbasic", BASIC, &[], 1),
    case("urlname", "http://user@@A@/urlname", "authorization: {credentials: t0ken}", &[], 1),
    case("ownkey", "http://@A@/ownkey/", BASIC, &[], 1),
    // redirects
    case("r301", "http://@A@/r301", BASIC, &[("/r301", To(301, "/end/r301"))], 2),
    case("r302", "http://@A@/r302", HEADERS, &[("/r302", To(302, "/end/r302"))], 2),
    case("r303", "http://@A@/x/r303?q=1", "", &[("/x/r303?q=1", To(303, "../end/r303"))], 2),
    case("r307", "http://@A@/r307", BASIC, &[("/r307", To(307, "?again=r307"))], 2),
    case("r308", "http://@A@/r308", "authorization: {credentials: t}", &[("/r308", To(308, "//@A@/end/r308#frag"))], 2),
    case("r300", "http://@A@/r300", "", &[("/r300", To(300, "/end/r300"))], 1),
    case("r304", "http://@A@/r304", "", &[("/r304", To(304, "/end/r304"))], 1),
    case("nowhere", "http://@A@/nowhere", "", &[("/nowhere", Status(302))], 1),
    case(
        "mixed",
        "http://@A@/mixed",
        BASIC,
        &[("/mixed", To(303, "/mixed/2")), ("/mixed/2", To(307, "/end/mixed"))],
        3,
    ),
    case(
        "notwanted",
        "http://@A@/notwanted",
        "follow_redirects: false",
        &[("/notwanted", To(302, "/end/notwanted"))],
        1,
    ),
    case("port", "http://@A@/port", BASIC, &[("/port", To(307, "http://@C@/end/port"))], 2),
    case("other", "http://@A@/other", BASIC, &[("/other", To(307, "http://@B@/end/other"))], 2),
    case(
        "otherbearer",
        "http://@A@/otherbearer",
        "authorization: {credentials: t}",
        &[("/otherbearer", To(302, "http://@B@/end/otherbearer"))],
        2,
    ),
    case("otherhead", "http://@A@/otherhead", HEADERS, &[("/otherhead", To(307, "http://@B@/end/otherhead"))], 2),
    case(
        "back",
        "http://@A@/back",
        BASIC,
        &[("/back", To(307, "http://@B@/back/2")), ("/back/2", To(307, "http://@A@/end/back"))],
        3,
    ),
    case("locuser", "http://@A@/locuser", "", &[("/locuser", To(307, "http://x:y@@A@/end/locuser"))], 2),
    case("ownmoved", "http://@A@/ownmoved/", "", &[("/ownmoved/v2/alerts", To(307, "http://@A@/end/ownmoved"))], 2),
    case("ownother", "http://@A@/ownother/", "", &[("/ownother/v2/alerts", To(307, "http://@B@/end/ownother"))], 2),
    case("loop", "http://@A@/loop", "", &[("/loop", To(302, "/loop"))], 10),
    case(
        "refused",
        "http://@A@/refused",
        BASIC,
        &[("/refused", To(302, "/end/refused")), ("/end/refused", Status(400))],
        2,
    ),
    // proxies
    case("proxy", "http://proxy.test/x", "proxy_url: 'http://@A@'", &[], 1),
    case("proxyuser", "http://proxyuser.test/x", "proxy_url: 'http://u%20u:p@@A@', basic_auth: {username: me}", &[], 1),
    case(
        "proxyport",
        "http://proxyport.test:8080/x?y=z",
        "proxy_url: 'http://@A@', proxy_connect_header: {X-Connect: [no]}",
        &[],
        1,
    ),
    case("proxyself", "http://@C@/proxyself", "proxy_url: 'http://@A@'", &[], 1),
    case("past", "http://@C@/past", "proxy_url: 'http://@B@', no_proxy: '@AIP@'", &[], 1),
    case("notpast", "http://notpast.test/x", "proxy_url: 'http://@B@', no_proxy: '@AIP@,.notpast.test'", &[], 1),
    case("itself", "http://@C@/itself", "proxy_url: 'http://@B@', no_proxy: other.test", &[], 1),
    case(
        "connect",
        "https://connect.test/x",
        "proxy_url: 'http://u:p@@A@', proxy_connect_header: {X-Connect: [a, b]}",
        &[],
        1,
    ),
    case("tunnel", "https://tunnel.test:8443/x", "proxy_url: 'http://@A@', authorization: {credentials: t}", &[], 1),
    case("env", "http://env.test/x", "proxy_from_environment: true", &[], 1),
    case(
        "envconnect",
        "https://envconnect.test/x",
        "proxy_from_environment: true, proxy_connect_header: {X-Connect: [e]}",
        &[],
        1,
    ),
    case("envpast", "http://@C@/envpast", "proxy_from_environment: true", &[], 1),
    case(
        "proxymoved",
        "http://proxymoved.test/x",
        "proxy_url: 'http://@A@'",
        &[("http://proxymoved.test/x", To(307, "http://@C@/end/proxymoved"))],
        2,
    ),
    case("socks", "http://socks.test/socks", "proxy_url: 'socks5://@S@'", &[], 2),
    case("sockshost", "http://sockshost.test:81/sockshost", "proxy_url: 'socks5h://u:p@@S@'", &[], 2),
    // tokens
    case(
        "tokhead",
        "http://@A@/tokhead",
        "oauth2: {client_id: 'i d', client_secret: 's&3', token_url: 'http://@A@/t/tokhead'}",
        &[],
        2,
    ),
    case(
        "tokform",
        "http://@A@/tokform",
        "oauth2: {client_id: id, client_secret_file: secret.txt, token_url: 'http://@A@/t/tokform'}",
        &[],
        3,
    ),
    case(
        "tokparam",
        "http://@A@/tokparam",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokparam', scopes: [a, 'b c'], endpoint_params: {audience: 'x&y', resource: z}}",
        &[],
        2,
    ),
    case(
        "tokgrant",
        "http://@A@/tokgrant",
        "oauth2: {client_id: id, token_url: 'http://@A@/t/tokgrant', endpoint_params: {grant_type: password}}",
        &[],
        2,
    ),
    case(
        "toktext",
        "http://@A@/toktext",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/toktext'}",
        &[],
        2,
    ),
    case(
        "tokkind",
        "http://@A@/tokkind",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokkind'}",
        &[],
        2,
    ),
    case(
        "tokmac",
        "http://@A@/tokmac",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokmac'}",
        &[],
        2,
    ),
    case(
        "tokerror",
        "http://@A@/tokerror",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokerror'}",
        &[],
        2,
    ),
    case(
        "tokempty",
        "http://@A@/tokempty",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokempty'}",
        &[],
        2,
    ),
    case(
        "tokmoved",
        "http://@A@/tokmoved",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/moved/tokmoved'}",
        &[("/moved/tokmoved", To(307, "http://@B@/t/tokmoved"))],
        3,
    ),
    case(
        "tokother",
        "http://@A@/tokother",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokother'}",
        &[("/tokother", To(307, "http://@B@/end/tokother"))],
        3,
    ),
    case(
        "tokproxy",
        "http://@A@/tokproxy",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://tok.test/t/tokproxy', proxy_url: 'http://@B@'}",
        &[],
        2,
    ),
    case(
        "owntoken",
        "http://@A@/owntoken/",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/owntoken'}",
        &[],
        2,
    ),
    case(
        "tokuser",
        "http://user:pass@@A@/tokuser",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokuser'}",
        &[],
        2,
    ),
    case(
        "tokheaders",
        "http://@A@/tokheaders",
        "oauth2: {client_id: id, client_secret: s, token_url: 'http://@A@/t/tokheaders'}, http_headers: {X-Plain: {values: [a]}}",
        &[],
        2,
    ),
    case(
        "jwt256",
        "http://@A@/jwt256",
        "oauth2: {client_id: id, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_certificate_key_file: pkcs8.pem, token_url: 'http://@A@/t/jwt256', scopes: [a, b]}",
        &[],
        2,
    ),
    case(
        "jwt512",
        "http://@A@/jwt512",
        "oauth2: {client_id: id, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_certificate_key_file: pkcs1.pem, client_certificate_key_id: key1, signature_algorithm: RS512, iss: me, audience: them, token_url: 'http://@A@/t/jwt512', claims: {sub: other, jti: given, n: 3, list: [1, x, true]}, endpoint_params: {grant_type: assertion, x: 'y z'}}",
        &[],
        2,
    ),
];

/// What a token server says; it's told whether there was an `Authorization`.
type Token = fn(bool) -> (u16, &'static str, &'static str);

const JSON: &str = "application/json";

const GOOD: Token = |_| (200, JSON, r#"{"access_token":"tok3n","token_type":"bearer","expires_in":3600}"#);

/// The token servers.
pub(super) const TOKENS: &[(&str, Token)] = &[
    ("/t/tokhead", GOOD),
    ("/t/tokform", |header| if header { (401, JSON, r#"{"error":"invalid_client"}"#) } else { GOOD(false) }),
    ("/t/tokparam", GOOD),
    ("/t/tokgrant", |_| (201, "", r#"{"ACCESS_TOKEN":"up","expires_in":"60","more":[1]}"#)),
    ("/t/toktext", |_| (200, "text/plain; charset=utf-8", "access_token=a%20b+c&token_type=basic&expires_in=9")),
    ("/t/tokkind", |_| (200, JSON, r#"{"access_token":"t","token_type":"DPoP"}"#)),
    ("/t/tokmac", |_| (200, JSON, r#"{"access_token":"t","token_type":"Mac","expires_in":null}"#)),
    ("/t/tokerror", |_| (200, JSON, r#"{"access_token":"t","error":"no"}"#)),
    ("/t/tokempty", |_| (200, JSON, r#"{"token_type":"bearer"}"#)),
    ("/t/tokmoved", |header| if header { GOOD(true) } else { (200, JSON, r#"{"access_token":"moved"}"#) }),
    ("/t/tokother", GOOD),
    ("/t/tokproxy", GOOD),
    ("/t/owntoken", GOOD),
    ("/t/tokuser", GOOD),
    ("/t/tokheaders", GOOD),
    ("/t/jwt256", |_| (200, "text/plain", r#"{"access_token":"jt","expires_in":60}"#)),
    ("/t/jwt512", |_| (200, JSON, r#"{"access_token":"jt","token_type":"MAC"}"#)),
];
