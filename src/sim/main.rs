//! Several engines on a virtual network with a virtual clock. Everything that happens comes from one seed.
//!
//! `sim --seeds N` runs N seeds from `--from` on and ends with 1 if an invariant was broken; `sim --seed S --log`
//! replays one of them and prints what happened.

mod disk;
mod invariants;
mod plan;
mod receiver;
mod world;

use std::io::Write;
use std::process::ExitCode;

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

fn main() -> ExitCode {
    let flags = Flags::parse();
    let (from, count) = flags.seed.map_or((flags.from, flags.seeds), |seed| (seed, 1));
    let mut out = std::io::stdout().lock();
    let (mut broken, mut faulty, mut notifications) = (0_u64, 0_u64, 0_u64);
    for seed in from..from + count {
        let plan = Plan::draw(seed);
        faulty += u64::from(plan.faults);
        let mut world = World::new(plan, flags.log);
        world.run();
        notifications += world.receiver.accepted().count() as u64;
        let failures = invariants::check(&mut world);
        if flags.log {
            world.log.iter().for_each(|line| drop(writeln!(out, "{line}")));
        }
        if !failures.is_empty() {
            broken += 1;
            drop(writeln!(out, "seed {seed} breaks:"));
            failures.iter().for_each(|failure| drop(writeln!(out, "  {failure}")));
            drop(writeln!(out, "  replay: cargo run -p sim -- --seed {seed} --log"));
        }
    }
    let passed = count - broken;
    drop(writeln!(out, "{count} seeds, {faulty} of them with faults, {notifications} notifications received"));
    drop(writeln!(out, "{passed} passed, {broken} failed"));
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
