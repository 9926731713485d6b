//! Drives the real binary: three workers on loopback by `local`, one worker by amtool, and what the program refuses.
//!
//! Every test has loopback addresses of its own, so that all run side by side, and beside anything else.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod http;
mod peers;
mod process;
mod running;
mod sample;
mod wait;

mod amtool;
mod backup;
mod commands;
mod diagnose;
mod drill;
mod durable;
mod edits;
mod flags;
mod mail;
mod management;
mod monitor;
mod moving;
mod notify;
mod receivers;
mod refusals;
mod runbooks;
mod sockets;
mod standalone;
mod stop;
mod why;
