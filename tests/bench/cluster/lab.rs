//! A network of our own: this program runs in a fresh network namespace with a bridge in it, each member in another one
//! at the other end of a wire. Everything vanishes with the processes that hold it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

/// Of this program, on the bridge.
pub(crate) const HUB: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

/// The network, with wires to `members` namespaces.
pub(crate) struct Lab {
    holders: Vec<Child>,
}

impl Lab {
    /// Builds it in the namespace that this program is in, which must have nothing but a loopback.
    pub(crate) fn new(members: usize) -> anyhow::Result<Self> {
        let links = output(Command::new("ip").args(["-o", "link"]))?;
        ensure!(
            links.lines().all(|line| line.contains(": lo:") || line.contains("br0") || line.contains("wire")),
            "run it as root in a network namespace of its own: `unshare --net`"
        );
        ip("link set lo up")?;
        if !links.contains("br0") {
            ip("link add br0 type bridge")?;
            ip(&format!("addr add {HUB}/24 dev br0"))?;
        }
        ip("link set br0 up")?;
        let mut lab = Self { holders: Vec::new() };
        for member in 0..members {
            lab.holders.push(hold()?);
            let holder = lab.holders[member].id();
            ip(&format!("link add wire{member} type veth peer name eth0 netns {holder}"))?;
            ip(&format!("link set wire{member} master br0 up"))?;
            let address = address(member);
            let commands = [
                "link set lo up".to_owned(),
                format!("addr add {address}/24 dev eth0"),
                // nobody else has it: no need to ask around before it may be used
                format!("addr add {}/64 dev eth0 nodad", address6(member)),
                "link set eth0 up".to_owned(),
            ];
            for command in commands {
                let args = command.split(' ');
                run(lab.inside(member).arg("ip").args(args))?;
            }
        }
        lab.heal()?;
        Ok(lab)
    }

    /// A command that is run in a member's namespace, and killed when this program ends.
    pub(crate) fn inside(&self, member: usize) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "nsenter", &format!("--net=/proc/{}/ns/net", self.holders[member].id())]);
        command
    }

    /// Drops everything between a member and the others, without a word.
    pub(crate) fn cut_off(&self, member: usize) -> anyhow::Result<()> {
        let (own, hub) = (address(member), HUB);
        rule(&format!("ip saddr {own} ip daddr != {hub} drop"))?;
        rule(&format!("ip daddr {own} ip saddr != {hub} drop"))
    }

    /// Drops some of the packets between members.
    pub(crate) fn lose(&self, percent: u32) -> anyhow::Result<()> {
        rule(&format!("numgen random mod 100 < {percent} drop"))
    }

    /// Lets everything through.
    pub(crate) fn heal(&self) -> anyhow::Result<()> {
        run(Command::new("nft").args(["add table bridge lab; flush table bridge lab"]))?;
        run(Command::new("nft").args(["add chain bridge lab way { type filter hook forward priority 0; }"]))
    }

    /// Bytes that members have sent so far.
    pub(crate) fn bytes(&self) -> anyhow::Result<u64> {
        let mut sum = 0;
        for member in 0..self.holders.len() {
            let text = output(Command::new("ip").args(["-s", "-j", "link", "show", &format!("wire{member}")]))?;
            let link: serde_json::Value = serde_json::from_str(&text).context("reading what ip says")?;
            sum += link[0]["stats64"]["rx"]["bytes"].as_u64().context("no count of bytes")?;
        }
        Ok(sum)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for holder in &mut self.holders {
            let _ = holder.kill();
            let _ = holder.wait();
        }
        for member in 0..self.holders.len() {
            // it goes with its namespace, which the kernel may take down a moment later
            let _ = Command::new("ip").args(["link", "del", &format!("wire{member}")]).stderr(Stdio::null()).status();
        }
    }
}

/// Of a member.
pub(crate) fn address(member: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 99, 0, 11 + member as u8)
}

/// Of a member, for clusters that use no other.
pub(crate) fn address6(member: usize) -> Ipv6Addr {
    Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 0, 11 + member as u16)
}

/// A member's API.
pub(crate) fn api(member: usize) -> SocketAddr {
    SocketAddr::from((address(member), 9093))
}

/// A process in a new network namespace, which ends with this program.
fn hold() -> anyhow::Result<Child> {
    let own = std::fs::read_link("/proc/self/ns/net")?;
    let child = Command::new("unshare").args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let child = child.context("making a network namespace")?;
    let start = Instant::now();
    while std::fs::read_link(format!("/proc/{}/ns/net", child.id())).is_ok_and(|namespace| namespace == own) {
        ensure!(start.elapsed() < super::LIMIT, "no new network namespace");
        std::thread::sleep(super::PAUSE);
    }
    Ok(child)
}

fn ip(args: &str) -> anyhow::Result<()> {
    run(Command::new("ip").args(args.split(' ')))
}

fn rule(rule: &str) -> anyhow::Result<()> {
    run(Command::new("nft").arg(format!("add rule bridge lab way {rule}")))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    output(command).map(drop)
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("running {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
