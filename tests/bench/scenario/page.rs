//! The page of a program that has many alerts: what the first view of it costs, and what pages that follow cost those who
//! post.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::Value;

use super::{Figure, Sizes, Unit, mebibytes, quiet_config};
use crate::contender::Contender;
use crate::http::{self, Cache};
use crate::load::{Load, Times};
use crate::process::Process;

/// Pages that are open while alerts are posted.
const PAGES: usize = 20;

/// What the page shows at first.
const STATES: &str = "silenced=false&inhibited=false&muted=false&limit=100";

/// For how long at least alerts are posted again and again, so that what pages cost isn't lost in the noise.
const MEASURED: Duration = Duration::from_secs(10);

/// Between an answer to a page and its next question.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at the page, then posts with and without pages that look.
pub(super) fn run(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let process = Process::start(contender, &quiet_config())?;
    let load = Load::new(sizes.read);
    let times = Times::now()?;
    load.post(process.address, &times)?;
    let mut bytes = 0;
    let look = || {
        bytes = first_view(contender, process.address)?;
        Ok(())
    };
    let first = process.cost(look).context("looking at the page")?;
    let facets = process.cost(|| facets(contender, process.address, &mut Cache::default()))?;
    let again = process.cost(|| first_view(contender, process.address).map(drop))?;

    let mut times = times.later();
    // once before, so that both find the same
    load.post(process.address, &times)?;
    // rounds, and how many of them in a second
    let mut post = || -> anyhow::Result<(f64, f64)> {
        let (start, mut rounds) = (Instant::now(), 0.0);
        while start.elapsed() < MEASURED {
            times = times.later();
            load.post(process.address, &times)?;
            rounds += 1.0;
        }
        Ok((rounds, rounds / start.elapsed().as_secs_f64()))
    };
    let (mut alone, mut seen) = ((0.0, 0.0), (0.0, 0.0));
    let cpu_alone = process.cost(|| post().map(|posted| alone = posted))?;
    let cpu_seen = process.cost(|| watched(contender, process.address, &mut post).map(|posted| seen = posted))?;
    let per_post = (cpu_seen.as_secs_f64() / seen.0) / (cpu_alone.as_secs_f64() / alone.0);
    Ok(vec![
        Figure::cpu(format!("first rows of {} alerts: CPU", load.alerts), 0.1, first),
        Figure { goal: None, ..Figure::cpu("labels and their values, beside the rows: CPU", 0.1, facets) },
        Figure::cpu("the same again: CPU", 0.1, again),
        Figure::new("bytes of the first view", Unit::Mebibytes, Some(0.1), mebibytes(bytes)),
        Figure::new(
            format!("posts in a second while {PAGES} pages look, of those without"),
            Unit::Share,
            Some(1.0),
            seen.1 / alone.1,
        ),
        Figure::new("its CPU for each of those posts, of that without", Unit::Share, Some(0.2), per_post),
    ])
}

/// What a browser asks for until alerts are seen; the bytes of the answers.
fn first_view(contender: &Contender, address: SocketAddr) -> anyhow::Result<u64> {
    let mut bytes = 0;
    if contender.is_ours() {
        for path in ["/", "/assets/app.js", "/assets/app.css"] {
            bytes += http::get(address, path)?.len() as u64;
        }
    }
    Ok(bytes + view(contender, address, &mut Cache::default())?)
}

/// What a page that is open asks for when something has changed; the bytes of the answers.
fn view(contender: &Contender, address: SocketAddr, cache: &mut Cache) -> anyhow::Result<u64> {
    let mut bytes = 0;
    let mut get = |path: &str| -> anyhow::Result<String> {
        let body = cache.get(address, path)?;
        bytes += body.len() as u64;
        Ok(body)
    };
    if contender.is_ours() {
        let groups = get(&format!("/api/ui/v1/groups?{STATES}"))?;
        let groups: Value = serde_json::from_str(&groups).context("reading groups")?;
        let of = groups["groups"][0]["id"].as_str().context("there is no group")?;
        get(&format!("/api/ui/v1/rows?{STATES}&of={of}"))?;
    } else {
        // its page isn't in what Go builds of its module: what that page asks for is
        get("/api/v2/receivers")?;
        get("/api/v2/alerts/groups?silenced=false&inhibited=false&muted=false&active=true")?;
    }
    Ok(bytes)
}

/// What is asked for beside the rows; the reference's page has nothing like it.
fn facets(contender: &Contender, address: SocketAddr, cache: &mut Cache) -> anyhow::Result<()> {
    if contender.is_ours() {
        cache.get(address, &format!("/api/ui/v1/facets?{STATES}"))?;
    }
    Ok(())
}

/// Does something while pages are open.
fn watched<T>(
    contender: &Contender,
    address: SocketAddr,
    act: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let over = AtomicBool::new(false);
    let page = || {
        let mut cache = Cache::default();
        while !over.load(Ordering::Relaxed) {
            // one that is refused asks again, as pages do
            let _ = view(contender, address, &mut cache).and_then(|_| facets(contender, address, &mut cache));
            thread::sleep(PAUSE);
        }
    };
    thread::scope(|scope| {
        let pages: Vec<_> = (0..PAGES).map(|_| scope.spawn(page)).collect();
        let done = act();
        over.store(true, Ordering::Relaxed);
        for page in pages {
            page.join().map_err(|_| anyhow!("a page panicked"))?;
        }
        done
    })
}
