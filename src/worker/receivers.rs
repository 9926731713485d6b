//! `receivers test`: one notification to the integrations of one receiver, for an alert that is made up. With
//! `--dry-run` it is shown and not sent.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alerting::alert::PostedAlert;
use alerting::config::{Config, Integration, Receiver, Secret};
use alerting::label::LabelSet;
use alerting::matcher::Mode;
use alerting::nflog::{ReceiverData, SendReason};
use alerting::notify::{self, Data, Files, Notification, Outgoing, Step, Verdict};

use crate::clock;
use crate::deliver::{self, Deliverer};
use crate::reload::{self, LoadError, Reading};

/// `alertmanager-operator receivers`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Notify one receiver of an alert that is made up
    Test(TestFlags),
}

#[derive(Clone, Debug, clap::Args)]
struct TestFlags {
    /// The config
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The receiver's name
    #[arg(long, value_name = "NAME")]
    receiver: String,
    /// Only this integration of it, as `slack[0]`
    #[arg(long, value_name = "INTEGRATION")]
    integration: Option<String>,
    /// Show the requests instead of sending them; secrets of headers and URLs are hidden
    #[arg(long)]
    dry_run: bool,
    /// Labels of the alert, `name=value`; repeatable
    #[arg(long = "label", value_name = "LABEL", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Where links in the notification lead
    #[arg(long = "web.external-url", value_name = "URL", default_value = "http://localhost:9093")]
    external_url: String,
    /// For all requests to one integration
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// Why nothing was tried.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The config can't be used.
    #[error(transparent)]
    Config(LoadError),
    /// There's no such receiver.
    #[error("the config has no receiver `{0}`: it has {1}")]
    Receiver(String, String),
    /// It has no such integration.
    #[error("the receiver has no integration `{0}`: it has {1}")]
    Integration(String, String),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// For standard output.
    pub text: String,
    /// Whether all integrations took it.
    pub success: bool,
}

/// Requests that one notification may take.
const STEPS_MAX: usize = 20;

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) = pair.ok_or("a label is name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Shows or sends.
///
/// # Errors
/// When there's no such config, receiver or integration; what an integration says is in the text.
pub async fn run(flags: Flags) -> Result<Tested, TestError> {
    let Command::Test(flags) = flags.command;
    let reading = Reading { mode: Mode::default(), record_events: false };
    let config = reload::load(&flags.config, reading).await.map_err(TestError::Config)?;
    let names = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let receiver = config.receivers.iter().find(|receiver| *receiver.name == *flags.receiver).ok_or_else(|| {
        let all = config.receivers.iter().map(|receiver| format!("`{}`", receiver.name)).collect();
        TestError::Receiver(flags.receiver.clone(), names(all))
    })?;
    let name = |integration: &Integration| format!("{}[{}]", integration.kind, integration.index);
    let wanted = |integration: &&Integration| flags.integration.as_ref().is_none_or(|only| name(integration) == *only);
    let chosen: Vec<&Integration> = receiver.integrations.iter().filter(wanted).collect();
    if let (Some(only), true) = (&flags.integration, chosen.is_empty()) {
        let all = receiver.integrations.iter().map(name).collect();
        return Err(TestError::Integration(only.clone(), names(all)));
    }
    let data = made_up(receiver, &flags);
    let deliverer = Deliverer::new(PathBuf::new(), None);
    let (mut text, mut success) = (String::new(), true);
    for integration in chosen {
        let label: Arc<str> = format!("{}/{}", receiver.name, name(integration)).into();
        let limit = Duration::from_secs(flags.timeout);
        let tried = try_one(&config, integration, &data, &label, &deliverer, (flags.dry_run, limit));
        let tried = tokio::time::timeout(limit, tried).await;
        match tried.unwrap_or_else(|_| Err(format!("not within {limit:?}"))) {
            Ok(shown) if flags.dry_run => push(&mut text, &format!("# {label}\n{shown}\n")),
            Ok(_) => push(&mut text, &format!("{label}: ok\n")),
            Err(error) => {
                success = false;
                push(&mut text, &format!("{label}: failed: {error}\n"));
            }
        }
    }
    if text.is_empty() {
        push(&mut text, &format!("{}: has no integrations\n", receiver.name));
    }
    Ok(Tested { text, success })
}

fn push(text: &mut String, more: &str) {
    text.push_str(more);
}

fn made_up(receiver: &Receiver, flags: &TestFlags) -> Data {
    let now = clock::now();
    let usual = [("alertname", "ReceiverTest"), ("severity", "none")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    // of a name given twice the last one counts
    let labels = LabelSet::new(usual.into_iter().chain(flags.labels.iter().cloned()));
    let about =
        [("summary", "A test of this receiver"), ("description", "Somebody wants to know whether this arrives")];
    let alert = PostedAlert::new(labels.clone(), LabelSet::new(about), "".into(), Some(now), None);
    let group_labels = LabelSet::new([("alertname", labels.value("alertname"))]);
    Data {
        now,
        receiver: Arc::clone(&receiver.name),
        reason: SendReason::FirstNotification,
        group_key: format!("{{}}:{{alertname={:?}}}", labels.value("alertname")).into(),
        group_labels,
        route_labels: LabelSet::empty(),
        external_url: flags.external_url.trim_end_matches('/').to_owned(),
        alerts: vec![Arc::new(alert.received(now, Duration::from_secs(300)))],
    }
}

/// The requests as a text, or nothing once all are taken.
async fn try_one(
    config: &Config,
    integration: &Integration,
    data: &Data,
    label: &Arc<str>,
    deliverer: &Deliverer,
    (dry_run, limit): (bool, Duration),
) -> Result<String, String> {
    let paths: Vec<String> = notify::files(&integration.settings).into_iter().map(str::to_owned).collect();
    let files = if paths.is_empty() { Files::new() } else { deliver::read_files(paths, limit).await? };
    let notification = Notification {
        data,
        templates: &config.template_set,
        integration: label,
        stored: &ReceiverData::default(),
        token: None,
        files: &files,
    };
    let mut step = notify::request(&integration.settings, &notification).map_err(|error| error.text())?;
    if dry_run {
        return Ok(shown(&step.request));
    }
    for _ in 0..STEPS_MAX {
        let Step { request, then } = step;
        let response = match &request {
            Outgoing::Http(request) => deliverer.deliver(request, limit).await,
            Outgoing::Mail(mail) => deliverer.mail(mail, limit).await,
        };
        match then.verdict(&response.map_err(|error| error.message)?) {
            Verdict::Done { .. } => return Ok(String::new()),
            Verdict::Next(next) | Verdict::Learned { step: next, .. } => step = *next,
            Verdict::Expired { error } | Verdict::Retry { error, .. } | Verdict::GiveUp { error, .. } => {
                return Err(error);
            }
        }
    }
    Err(format!("no end after {STEPS_MAX} requests"))
}

/// The first request; what follows it depends on the answer.
fn shown(request: &Outgoing) -> String {
    let mut text = String::new();
    // writing to a text can't fail
    let _ = match request {
        Outgoing::Http(request) => {
            let lines = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
            let secret = request.secret_headers.iter().map(|(name, _)| format!("{name}: <secret>\n"));
            let head: String = lines.chain(secret).collect();
            let body = String::from_utf8_lossy(&request.body);
            write!(text, "{} {}\n{head}\n{body}\n", request.method, without_secrets(&request.url))
        }
        Outgoing::Mail(mail) => {
            let to = mail.to.join(", ");
            let message = String::from_utf8_lossy(&mail.message).replace('\r', "");
            write!(text, "mail to {to}\nfrom {}\nby {}\n\n{message}\n", mail.from, mail.server)
        }
    };
    text
}

/// Scheme and host: paths and queries of chats are their passwords.
fn without_secrets(url: &Secret) -> String {
    let Ok(parsed) = reqwest::Url::parse(url.expose()) else { return "<secret>".to_owned() };
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}/<secret>", parsed.scheme(), parsed.host_str().unwrap_or_default())
}
