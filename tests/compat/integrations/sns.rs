//! Amazon SNS; the signature itself is looked at by the tests of `live/sns.rs`.

use super::*;

const KEYS: &str = "sigv4: {region: eu-central-1, access_key: AKIAEXAMPLE, secret_key: s}";

const REFUSED: &str = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
    <Code>InvalidParameter</Code><Message>Invalid parameter: &lt;Topic&gt; &amp; more</Message></Error><RequestId>x</RequestId></ErrorResponse>";
const TAKEN: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>m</MessageId>\
    </PublishResult><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></PublishResponse>";
const XML: &str = "text/xml";

#[test]
fn sns() {
    let mut variants: Vec<String> = [
        ", api_url: 'http://sns.test'",
        ", api_url: 'http://sns.test/'",
        ", api_url: 'http://sns.test/{{ .Status }}/path'",
        ", api_url: '{{ .Nothing }}'",
        ", subject: ''",
        ", subject: '{{ .Status }} & more'",
        ", attributes: {b: '{{ .Status }}', a: 'x y', '{{ .Receiver }}': '', é: ü}",
        ", attributes: {'{{ .Nothing }}': x}",
        ", attributes: {a: b}, message: 'short'",
    ]
    .map(str::to_owned)
    .into();
    variants.push(format!(", message: {}", "x".repeat(256 << 10)));
    variants.push(format!(", message: {}, attributes: {{a: b}}", "x".repeat((256 << 10) + 1)));
    variants.extend(texts_of(&["subject", "message"]));
    let answers =
        [(400, REFUSED, XML), (403, REFUSED, XML), (429, REFUSED, XML), (500, REFUSED, XML), (400, "{}", JSON)];
    let good = (200, TAKEN, XML);
    compare_answers("sns", &format!("topic_arn: 'arn:aws:sns:eu-central-1:1:t', {KEYS}"), &variants, good, &answers);
    for to in [
        "topic_arn: 'arn:aws:sns:eu-central-1:1:{{ .CommonLabels.alertname }}.fifo'",
        "target_arn: 'arn:aws:sns:eu-central-1:1:endpoint/x'",
        "phone_number: '+49 {{ len .Alerts }}'",
        "topic_arn: t, target_arn: u, phone_number: '1'",
        "topic_arn: '{{ .Nothing }}'",
    ] {
        let long = [format!(", message: {}", "x".repeat(1600)), format!(", message: {}", "x".repeat(1601))];
        compare_answers("sns", &format!("{to}, {KEYS}"), &long, good, &[]);
    }
    for region in [
        "cn-north-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "us-isof-south-1",
        "eusc-de-east-1",
        "mars-north-9",
    ] {
        let keys = KEYS.replace("eu-central-1", region);
        compare_answers("sns", &format!("topic_arn: t, {keys}"), &[], good, &[]);
    }
}
