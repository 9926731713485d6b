//! Many silences: making one more, and what they cost those who meet them first.

use std::fmt::Write;
use std::net::SocketAddr;

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};

use super::{Figure, Sizes};
use crate::contender::Contender;
use crate::http::{self, Connection};
use crate::load::{Load, Times};
use crate::process::Process;

/// The region of the alerts that are flushed at once, all in one group.
const FLUSHED: &str = "eu-west-9";

/// Makes silences, then lets alerts meet them.
pub(super) fn run(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let config = format!(
        "route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 2h
  group_interval: 2h
  routes:
  - matchers: [region=\"{FLUSHED}\"]
    group_by: [region]
    group_wait: 3s
receivers:
- name: nobody
"
    );
    let process = Process::start(contender, &config)?;
    let load = Load::new(sizes.silenced);
    load.post(process.address, &Times::now()?)?;
    let last = sizes.silences / 10;
    make(process.address, 0..sizes.silences - last)?;
    let made = process.cost(|| make(process.address, sizes.silences - last..sizes.silences))?;
    let read = process.cost(|| {
        let answer = http::get(process.address, "/api/v2/alerts?active=false")?;
        let silenced = answer.matches("\"fingerprint\":").count();
        let wanted = (0..load.alerts).filter(|number| silenced_by_any(*number, sizes.silences)).count();
        ensure!(silenced == wanted, "{silenced} alerts are silenced instead of {wanted}");
        Ok(())
    });
    let read = read.context("the first look at the alerts")?;
    let flushed = Load { alerts: sizes.flushed, region: FLUSHED };
    // with what posting costs, which is little beside the flush of the reference
    let flush = process.cost(|| {
        flushed.post(process.address, &Times::now()?)?;
        std::thread::sleep(std::time::Duration::from_secs(4));
        Ok(())
    })?;
    let of = format!("with {} silences", sizes.silences);
    let scaled = |per: usize, of: usize| format!("{per} alerts (a goal for {of}): CPU");
    Ok(vec![
        Figure::cpu(format!("{of}; making the last {last}: CPU"), 0.3, made),
        Figure::cpu(format!("first GET after that of {}", scaled(sizes.silenced, 20_000)), 0.01, read),
        Figure::cpu(format!("taking and flushing {}", scaled(sizes.flushed, 5_000)), 0.01, flush),
    ])
}

/// Half of them name a pod. A quarter has a regular expression beside a value; the last quarter nothing else.
fn make(address: SocketAddr, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let mut connection = Connection::open(address)?;
    let (start, end) = (Timestamp::now(), Timestamp::now() + SignedDuration::from_hours(2));
    let mut body = String::new();
    for number in numbers {
        body.clear();
        write!(body, r#"{{"matchers":["#)?;
        let mut one = |separator: &str, name: &str, value: &str, regex: bool| {
            write!(body, r#"{separator}{{"name":"{name}","value":"{value}","isRegex":{regex},"isEqual":true}}"#)
        };
        match number % 4 {
            0 | 1 => one("", "pod", &pod(number * 3), false)?,
            2 => {
                one("", "namespace", &format!("payments-{:02}", number % 97), false)?;
                one(",", "pod", &format!("checkout-[0-9a-f]+-9{:04}[0-9]", number % 10_000), true)?;
            }
            _ => one("", "pod", &format!("{}|{}", pod(900_000 + number), pod(950_000 + number)), true)?,
        }
        write!(
            body,
            r#"],"startsAt":"{start:.3}","endsAt":"{end:.3}","createdBy":"somebody@example.com","comment":"being worked on, see ticket OPS-{number}"}}"#
        )?;
        connection.post("/api/v2/silences", &body)?;
    }
    Ok(())
}

fn pod(number: usize) -> String {
    format!("checkout-7d9f8b6c5d-{number:06}")
}

/// Only those that name a pod match any of the alerts.
fn silenced_by_any(alert: usize, silences: usize) -> bool {
    alert.is_multiple_of(3) && alert / 3 < silences && alert / 3 % 4 <= 1
}
