//! Stories as text: what is configured, and what happens when.

use std::collections::BTreeMap;

/// The moment that a story's times count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zero {
    /// Soon after the programs have started.
    Start,
    /// A full minute of the wall clock.
    Minute,
    /// Both programs have loaded the second configuration.
    Reload,
    /// Both programs are up again.
    Restart,
}

/// One story.
#[derive(Clone, Debug)]
pub(super) struct Story {
    /// File and number in it: a label value and part of receiver names.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) zero: Zero,
    /// The configuration, and what of it is other after the reload.
    pub(super) before: Fragment,
    pub(super) after: Fragment,
    pub(super) steps: Vec<Step>,
    /// When all has been said, in seconds.
    pub(super) end: f64,
    /// What is told here and by the reference if that differs, and why.
    pub(super) differs: Option<Difference>,
}

/// A difference that is meant.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) why: String,
    pub(super) here: Vec<String>,
    /// Empty if what the reference does is left to chance.
    pub(super) there: Vec<String>,
}

/// A story's part of the shared configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Fragment {
    /// Fields of its route, a YAML flow mapping without the braces.
    pub(super) route: String,
    /// Its receivers: each a list of webhooks, each of those the fields of a YAML flow mapping.
    pub(super) receivers: Vec<Vec<String>>,
    pub(super) inhibit: Vec<String>,
    pub(super) intervals: BTreeMap<String, String>,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// In seconds.
    pub(super) at: f64,
    pub(super) text: String,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Post {
        alerts: Vec<Named>,
        resolved: bool,
        times: Times,
    },
    Silence {
        name: String,
        matchers: Vec<(String, String, String)>,
        from: f64,
        lasts: f64,
    },
    Expire(String),
    /// Nothing; tells what came before from what comes after.
    Mark,
    /// The webhook of that number in the story, or all of them.
    Answer {
        hook: Option<usize>,
        answer: Answer,
    },
}

/// Labels beside the story's.
pub(super) type Named = BTreeMap<String, String>;

#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// Relative to the step.
    pub(super) starts: Option<f64>,
    pub(super) ends: Option<f64>,
    /// No end is posted.
    pub(super) no_end: bool,
    /// No start is posted.
    pub(super) no_start: bool,
    pub(super) note: Option<String>,
}

/// What a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    Status(u16),
    /// 200 after so many seconds.
    Slow(f64),
}

impl Answer {
    /// No good answer, or none while anybody waits for it.
    pub(super) fn refuses(self) -> bool {
        match self {
            Self::Status(status) => status >= 300,
            Self::Slow(seconds) => seconds > 20.0,
        }
    }
}

/// Reads the stories of a file; panics at what it does not understand.
pub(super) fn read(file: &str, text: &str) -> Vec<Story> {
    let mut stories: Vec<Story> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            let name = format!("{file}-{}", stories.len() + 1);
            stories.push(Story::new(name, title.to_owned()));
            continue;
        }
        let place = || format!("{file}.txt:{}: {line}", number + 1);
        let story = stories.last_mut().unwrap_or_else(|| panic!("{}: before the first title", place()));
        story.line(line).unwrap_or_else(|| panic!("{}: not understood", place()));
    }
    stories
}

impl Story {
    fn new(name: String, title: String) -> Self {
        Self {
            name,
            title,
            zero: Zero::Start,
            before: Fragment::default(),
            after: Fragment::default(),
            steps: Vec::new(),
            end: 0.0,
            differs: None,
        }
    }

    fn line(&mut self, line: &str) -> Option<()> {
        if let Some((head, rest)) = line.split_once(": ")
            && !head.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        {
            return self.header(head, rest.trim());
        }
        let (time, what) = line.split_once(' ')?;
        if time == "end" {
            self.end = what.trim().parse().ok()?;
            return Some(());
        }
        let at = time.parse().ok()?;
        let action = action(what.trim())?;
        self.steps.push(Step { at, text: what.trim().to_owned(), action });
        Some(())
    }

    fn header(&mut self, head: &str, rest: &str) -> Option<()> {
        let expected = |differs: &mut Option<Difference>, here: bool| {
            let differs = differs.as_mut()?;
            if here { &mut differs.here } else { &mut differs.there }.push(rest.to_owned());
            Some(())
        };
        match head {
            "zero" => {
                self.zero = match rest {
                    "minute" => Zero::Minute,
                    "reload" => Zero::Reload,
                    "restart" => Zero::Restart,
                    _ => return None,
                }
            }
            "differs" => {
                self.differs = Some(Difference { why: rest.to_owned(), here: Vec::new(), there: Vec::new() });
            }
            "here" => return expected(&mut self.differs, true),
            "there" => return expected(&mut self.differs, false),
            _ => match head.strip_prefix("then ") {
                Some(head) => self.after.field(head, rest)?,
                None => self.before.field(head, rest)?,
            },
        }
        Some(())
    }

    /// The configuration at the start, or after the reload.
    pub(super) fn fragment(&self, reloaded: bool) -> Fragment {
        let mut fragment = self.before.clone();
        if reloaded {
            let after = self.after.clone();
            if !after.route.is_empty() {
                fragment.route = after.route;
            }
            if !after.receivers.is_empty() {
                fragment.receivers = after.receivers;
            }
            if !after.inhibit.is_empty() {
                fragment.inhibit = after.inhibit;
            }
        }
        if fragment.receivers.is_empty() {
            fragment.receivers.push(vec![String::new()]);
        }
        fragment
    }

    /// How many webhooks it has at most.
    pub(super) fn hooks(&self) -> usize {
        let count = |reloaded| self.fragment(reloaded).receivers.iter().map(Vec::len).sum();
        usize::max(count(false), count(true))
    }

    /// The earliest time of it.
    pub(super) fn begin(&self) -> f64 {
        self.steps.iter().map(|step| step.at).fold(0.0, f64::min)
    }
}

impl Fragment {
    fn field(&mut self, head: &str, rest: &str) -> Option<()> {
        match head {
            "route" => rest.clone_into(&mut self.route),
            "receiver" => self.receivers.push(rest.split('|').map(|hook| hook.trim().to_owned()).collect()),
            "inhibit" => self.inhibit.push(rest.to_owned()),
            _ => {
                let name = head.strip_prefix("interval ")?;
                self.intervals.insert(name.to_owned(), rest.to_owned());
            }
        }
        Some(())
    }
}

fn action(text: &str) -> Option<Action> {
    let mut words = text.split_whitespace();
    let verb = words.next()?;
    Some(match verb {
        "fire" | "resolve" => {
            let (mut alerts, mut times) = (Vec::new(), Times::default());
            for word in words {
                match word.split_once('=') {
                    Some(("@starts", value)) => times.starts = Some(value.parse().ok()?),
                    Some(("@ends", value)) => times.ends = Some(value.parse().ok()?),
                    Some(("@note", value)) => times.note = Some(value.to_owned()),
                    _ if word == "@noend" => times.no_end = true,
                    _ if word == "@nostart" => times.no_start = true,
                    _ => alerts.push(named(word)?),
                }
            }
            Action::Post { alerts, resolved: verb == "resolve", times }
        }
        "silence" => {
            let name = words.next()?.to_owned();
            let (mut matchers, mut from, mut lasts) = (Vec::new(), 0.0, 0.0);
            while let Some(word) = words.next() {
                match word {
                    "for" => lasts = words.next()?.parse().ok()?,
                    "from" => from = words.next()?.parse().ok()?,
                    _ => matchers.push(matcher(word)?),
                }
            }
            Action::Silence { name, matchers, from, lasts }
        }
        "mark" => Action::Mark,
        "expire" => Action::Expire(words.next()?.to_owned()),
        "answer" => {
            let first = words.next()?;
            let (hook, first) = match first.strip_prefix('#') {
                Some(hook) => (Some(hook.parse().ok()?), words.next()?),
                None => (None, first),
            };
            let answer = match first {
                "slow" => Answer::Slow(words.next()?.parse().ok()?),
                status => Answer::Status(status.parse().ok()?),
            };
            Action::Answer { hook, answer }
        }
        _ => return None,
    })
}

/// `instance,label=value,…`
fn named(word: &str) -> Option<Named> {
    let mut parts = word.split(',');
    let mut labels = BTreeMap::from([("alertname".to_owned(), "Down".to_owned())]);
    labels.insert("instance".to_owned(), parts.next()?.to_owned());
    for part in parts {
        let (name, value) = part.split_once('=')?;
        if value.is_empty() {
            labels.remove(name);
        } else {
            labels.insert(name.to_owned(), value.to_owned());
        }
    }
    Some(labels)
}

fn matcher(word: &str) -> Option<(String, String, String)> {
    let ops = ["=~", "!~", "!=", "="];
    let (name, op, value) = ops.iter().find_map(|op| {
        let (name, value) = word.split_once(op)?;
        Some((name, *op, value))
    })?;
    Some((name.to_owned(), op.to_owned(), value.to_owned()))
}
