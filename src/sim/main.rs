//! Several engines on a virtual network with a virtual clock. Everything that happens comes from one seed.
//!
//! `sim --seeds N` runs N seeds from `--from` on and ends with 1 if an invariant was broken; `sim --seed S --log`
//! replays one of them and prints what happened.

mod disk;
mod invariants;
mod plan;
mod queue;
mod receiver;
mod world;

use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;

use crate::plan::Plan;
use crate::world::World;

/// Runs clusters of engines through drawn histories and checks what they sent.
#[derive(Parser, Debug)]
struct Flags {
    /// How many seeds to run.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Print what happened.
    #[arg(long)]
    log: bool,
}

/// What became of some runs.
#[derive(Debug, Default)]
struct Outcome {
    broken: u64,
    faulty: u64,
    notifications: u64,
    text: String,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let (from, count) = flags.seed.map_or((flags.from, flags.seeds), |seed| (seed, 1));
    let next = AtomicU64::new(from);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(count as usize).max(1);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let run = || {
            let mut outcome = Outcome::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= from + count {
                    return outcome;
                }
                run_one(seed, flags.log, &mut outcome);
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let panicked = |_| Outcome { broken: 1, text: "a run panicked\n".into(), ..Outcome::default() };
        running.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    });
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    let (broken, faulty, notifications) = (sum(|o| o.broken), sum(|o| o.faulty), sum(|o| o.notifications));
    let mut out = std::io::stdout().lock();
    outcomes.iter().for_each(|outcome| drop(write!(out, "{}", outcome.text)));
    let passed = count.saturating_sub(broken);
    drop(writeln!(out, "{count} seeds, {faulty} of them with faults, {notifications} notifications received"));
    drop(writeln!(out, "{passed} passed, {broken} failed"));
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_one(seed: u64, logging: bool, outcome: &mut Outcome) {
    let plan = Plan::draw(seed);
    outcome.faulty += u64::from(plan.faults);
    let mut world = World::new(plan, logging);
    world.run();
    outcome.notifications += world.receiver.accepted().count() as u64;
    let failures = invariants::check(&mut world);
    let mut lines = std::mem::take(&mut world.log);
    if !failures.is_empty() {
        outcome.broken += 1;
        lines.push(format!("seed {seed} breaks:"));
        lines.extend(failures.iter().map(|failure| format!("  {failure}")));
        lines.push(format!("  replay: cargo run -p sim -- --seed {seed} --log"));
    }
    lines.iter().for_each(|line| {
        outcome.text.push_str(line);
        outcome.text.push('\n');
    });
}
