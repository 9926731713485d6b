//! Scenario files: read, and written back with what was seen.

use std::time::Duration;

use alerting::duration::parse_prometheus;

/// A file: lines before the first scenario are kept as they are.
#[derive(Debug)]
pub(crate) struct File {
    head: Vec<String>,
    pub(crate) scenarios: Vec<Scenario>,
}

/// One scenario.
#[derive(Debug, Default)]
pub(crate) struct Scenario {
    pub(crate) title: String,
    /// Lines before the first step, as they are.
    head: Vec<String>,
    pub(crate) config: String,
    pub(crate) options: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
}

/// Something that happens.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its place, for errors.
    pub(crate) place: String,
    /// Since the start.
    pub(crate) at: Duration,
    pub(crate) words: Vec<String>,
    /// Configuration below a `reload`.
    pub(crate) config: String,
    /// Its own line, and those that follow it, without what was seen.
    lines: Vec<String>,
}

/// Reads a file; panics at what it does not understand.
pub(crate) fn read(name: &str, text: &str) -> File {
    let mut file = File { head: Vec::new(), scenarios: Vec::new() };
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        if let Some(title) = line.strip_prefix("== ") {
            file.scenarios.push(Scenario { title: title.to_owned(), ..Scenario::default() });
            continue;
        }
        let Some(scenario) = file.scenarios.last_mut() else {
            file.head.push(line.to_owned());
            continue;
        };
        scenario.line(place, line);
    }
    file
}

/// The file with what `run` sees: lines for each step.
pub(crate) fn write(file: &File, run: impl Fn(&Scenario) -> Vec<Vec<String>>) -> String {
    let mut lines = file.head.clone();
    for scenario in &file.scenarios {
        lines.push(format!("== {}", scenario.title));
        lines.extend(scenario.head.iter().cloned());
        for (step, seen) in scenario.steps.iter().zip(run(scenario)) {
            let own = 1 + step.config.lines().count();
            lines.extend(step.lines[..own].iter().cloned());
            lines.extend(seen.into_iter().map(|line| format!("      > {line}")));
            lines.extend(step.lines[own..].iter().cloned());
        }
    }
    lines.join("\n") + "\n"
}

impl Scenario {
    fn line(&mut self, place: String, line: &str) {
        let trimmed = line.trim();
        if trimmed.starts_with('>') {
            return;
        }
        if let Some(config) = trimmed.strip_prefix('|') {
            let config = format!("{}\n", config.strip_prefix(' ').unwrap_or(config));
            match self.steps.last_mut() {
                Some(step) => {
                    step.config += &config;
                    step.lines.push(line.to_owned());
                }
                None => {
                    self.config += &config;
                    self.head.push(line.to_owned());
                }
            }
            return;
        }
        if trimmed.is_empty() || trimmed.starts_with('#') {
            let lines = self.steps.last_mut().map_or(&mut self.head, |step| &mut step.lines);
            lines.push(line.to_owned());
            return;
        }
        if let Some(options) = trimmed.strip_prefix("with ") {
            let pairs = options.split(',').map(|option| {
                let (name, value) = option.trim().split_once(' ').unwrap_or_else(|| panic!("{place}: `{option}`"));
                (name.to_owned(), value.trim().to_owned())
            });
            self.options.extend(pairs);
            self.head.push(line.to_owned());
            return;
        }
        let mut words = trimmed.split_whitespace().map(str::to_owned);
        let at = words.next().unwrap_or_default();
        let at = duration(&at).unwrap_or_else(|| panic!("{place}: `{at}` is no time"));
        assert!(self.steps.last().is_none_or(|last| last.at <= at), "{place}: earlier than the step before");
        let words = words.collect();
        self.steps.push(Step { place, at, words, config: String::new(), lines: vec![line.to_owned()] });
    }
}

/// Like `1m30s`; `1.5s` too.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    match parse_prometheus(text) {
        Ok(duration) => Some(duration),
        Err(_) => text.strip_suffix('s')?.parse().ok().map(Duration::from_secs_f64),
    }
}
