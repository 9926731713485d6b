//! The user's story on a real Kubernetes node: kubectl, a real Prometheus, amtool. `make kube-test` runs it.
//!
//! Every test brings the sample cluster to its initial state by itself ([`sample::Sample::ready`]), so that each runs
//! alone as well as after the others. They share one cluster, hence `--test-threads=1`. Without a node they fail and
//! say how to get one.

// the seconds that something took are worth a line; nothing is asserted about them
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod kubectl;
mod prometheus;
mod sample;
mod sink;
mod wait;

mod backups;
mod certificates;
mod chart;
mod config;
mod delete;
mod diagnose;
mod drill;
mod heal;
mod health;
mod ingress;
mod install;
mod lint;
mod load;
mod monitoring;
mod mutations;
mod neighbours;
mod notify;
mod outage;
mod owned;
mod pause;
mod samples;
mod scale;
mod volumes;
