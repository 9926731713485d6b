//! The configs that are compared: written by hand, and made from those by damaging each line in turn.

/// Configs with all fields there are.
pub(super) fn whole() -> Vec<String> {
    let texts = include_str!("whole.txt").split("=== ").skip(1);
    texts.map(|text| text.split_once('\n').unwrap().1.to_owned()).collect()
}

/// Small configs, one for each rule.
pub(super) fn parts() -> Vec<String> {
    include_str!("parts.txt").lines().filter(|line| !line.starts_with('#')).map(completed).collect()
}

/// Adds what a part needs to be a config.
fn completed(part: &str) -> String {
    let mut text = part.replace("\\n", "\n");
    for (key, default) in [("route:", "route: {receiver: a}"), ("receivers:", "receivers: [{name: a}]")] {
        if !text.lines().any(|line| line.starts_with(key)) {
            text = format!("{text}\n{default}");
        }
    }
    text + "\n"
}

/// What values are replaced with.
const VALUES: [&str; 20] = [
    "",
    "~",
    "[]",
    "{}",
    "[x]",
    "{x: y}",
    "x",
    "yes",
    "1",
    "-1.5",
    "1d",
    "1h30m",
    "2024-01-02",
    "<secret>",
    "'{{ .X'",
    "\"a\\nb \"",
    "0x1f",
    "http://x/ y",
    "!!str 5",
    "!!int x",
];

/// The whole configs with one line damaged.
pub(super) fn damaged() -> Vec<String> {
    whole().iter().flat_map(|text| damage(text)).collect()
}

fn damage(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut damaged = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let mut put = |replacement: &[&str]| {
            let all = [&lines[..at], replacement, &lines[at + 1..]].concat();
            damaged.push(all.join("\n") + "\n");
        };
        put(&[]);
        let nope = format!("{}nope: 1", " ".repeat(key.len() - key.trim_start_matches([' ', '-']).len()));
        put(&[line, &line.replacen("- ", "  ", 1)]);
        if value.is_empty() {
            continue;
        }
        put(&[line, &nope]);
        for value in VALUES {
            put(&[&format!("{key}: {value}")]);
        }
    }
    damaged
}
