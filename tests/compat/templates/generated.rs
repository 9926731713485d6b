//! Templates put together at random, from a seed.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const OPERANDS: &[&str] = &[
    ".",
    "$",
    ".Status",
    ".Receiver",
    ".Alerts",
    ".Alerts.Firing",
    ".GroupLabels",
    ".CommonLabels",
    ".CommonLabels.Names",
    ".CommonLabels.job",
    ".CommonLabels.missing",
    ".CommonAnnotations.summary",
    "1",
    "-3",
    "2.5",
    "\"text\"",
    "\"a.b:c\"",
    "\"\"",
    "true",
    "false",
    "nil",
    "'x'",
    "(index .Alerts 0)",
    "(index $.Alerts 1).Labels",
    "(index $.Alerts 0).StartsAt",
    "(list 1 \"b\")",
    "(dict \"k\" 2)",
    "(stringSlice \"p\" \"q\")",
    ".Labels",
    ".Name",
    ".CommonLabels.SortedPairs",
];

const FUNCTIONS: &[(&str, usize)] = &[
    ("and", 2),
    ("or", 2),
    ("not", 1),
    ("eq", 2),
    ("ne", 2),
    ("lt", 2),
    ("le", 2),
    ("gt", 2),
    ("ge", 2),
    ("len", 1),
    ("index", 2),
    ("slice", 2),
    ("print", 2),
    ("println", 1),
    ("html", 1),
    ("js", 1),
    ("urlquery", 1),
    ("toUpper", 1),
    ("toLower", 1),
    ("title", 1),
    ("trimSpace", 1),
    ("join", 2),
    ("match", 2),
    ("safeHtml", 1),
    ("urlUnescape", 1),
    ("reReplaceAll", 3),
    ("stringSlice", 2),
    ("date", 2),
    ("tz", 2),
    ("humanizeDuration", 1),
    ("toDate", 2),
    ("toJson", 1),
    ("base64encode", 1),
    ("base64decode", 1),
    ("list", 2),
    ("append", 2),
    ("dict", 2),
    ("routeLabels", 1),
];

const TEXTS: &[&str] = &[
    ".Status",
    ".Receiver",
    "$.ExternalURL",
    "\"a.b:c d\"",
    "\"\"",
    "$.CommonLabels.job",
    "$.CommonLabels.missing",
    "(index $.Alerts 0).Labels.instance",
    "$.CommonAnnotations.summary",
    "(print $.CommonLabels)",
    "(toJson $.Alerts)",
    "((index $.Alerts 0).StartsAt.Format \"2006 Jan\")",
    "(join \"+\" $.CommonLabels.Values)",
    "(printf \"%d-%s\" 7 \"x\")",
];
const TEXT_FUNCTIONS: &[&str] = &[
    "toUpper",
    "toLower",
    "title",
    "trimSpace",
    "html",
    "js",
    "urlquery",
    "base64encode",
    "printf \"<%s>\"",
    "print 1",
    "reReplaceAll \"[a-m]+\" \"<$0>\"",
    "printf \"%q\"",
    "toJson",
    "printf \"%.3s|%8s\" \"wxyz\"",
];
const CONDITIONS: &[&str] = &[
    "eq .Status \"firing\"",
    "gt (len $.Alerts) 2",
    "and .Status $.CommonLabels.missing",
    "or $.CommonLabels.missing 0",
    "not $.GroupLabels",
    "ne $.CommonLabels.job \"node\"",
    "match \"n.de\" $.CommonLabels.job",
    "$.CommonLabels.severity",
];
const LISTS: &[&str] = &[
    "$.Alerts",
    "$.Alerts.Firing",
    "$.Alerts.Resolved",
    "$.CommonLabels.SortedPairs",
    "$.CommonLabels.Names",
    "list 1 2 3",
    "$.CommonAnnotations",
    "3",
    "stringSlice \"p\" \"q\"",
    "dict \"b\" 1 \"a\" 2",
    "slice $.Alerts 1",
];

/// A template most of which makes sense.
fn fitting(rng: &mut StdRng, depth: u32) -> String {
    let inner = |rng: &mut StdRng| if depth == 0 { "|".to_owned() } else { fitting(rng, depth - 1) };
    let mut text = format!("$.Status | {}", pick(rng, TEXT_FUNCTIONS));
    if depth > 1 {
        text = format!("{} | {}", pick(rng, TEXTS), pick(rng, TEXT_FUNCTIONS));
    }
    match rng.random_range(0..6) {
        0 => format!("{{{{ {text} }}}}"),
        1 => format!("{{{{ $x := {text} }}}}{{{{ $x }}}} {{{{- len $x -}}}} "),
        2 => format!("{{{{ if {} }}}}{}{{{{ else }}}}{}{{{{ end }}}}", pick(rng, CONDITIONS), inner(rng), inner(rng)),
        3 => format!(
            "{{{{ range $i, $e := {} }}}}{{{{ $e }}}}{}{{{{ end }}}}",
            pick(rng, &LISTS[..5]),
            inner_of_loop(rng)
        ),
        4 => format!("{{{{ range {} }}}}{{{{ . }}}}{{{{ else }}}}none{{{{ end }}}}{}", pick(rng, LISTS), inner(rng)),
        _ => format!("{{{{ with {} }}}}{{{{ . }}}}{{{{ end }}}}\n{}", pick(rng, TEXTS), inner(rng)),
    }
}

fn inner_of_loop(rng: &mut StdRng) -> String {
    pick(
        rng,
        &["{{ if $i }}, {{ end }}", "{{ break }}", "{{ continue }}x", "{{ $i | printf \"%03d\" }}", "{{ $.Status }}"],
    )
    .to_owned()
}

/// The template of a seed.
pub(super) fn template(seed: u64) -> String {
    let mut rng = StdRng::seed_from_u64(seed);
    if seed.is_multiple_of(2) {
        return fitting(&mut rng, 3);
    }
    let count = rng.random_range(1..4);
    (0..count).map(|_| node(&mut rng, 3)).collect()
}

fn pick<'a>(rng: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.choose(rng).unwrap()
}

fn node(rng: &mut StdRng, depth: u32) -> String {
    let choice = if depth == 0 { rng.random_range(0..5) } else { rng.random_range(0..10) };
    match choice {
        0 => pick(rng, &[" text ", "\n", "a < b & c", "é"]).to_owned(),
        1..=4 => {
            let (left, right) = (pick(rng, &["{{ ", "{{- "]), pick(rng, &[" }}", " -}}"]));
            format!("{left}{}{right}", pipe(rng, 2))
        }
        5 => format!(
            "{{{{ if {} }}}}{}{{{{ else }}}}{}{{{{ end }}}}",
            pipe(rng, 1),
            node(rng, depth - 1),
            node(rng, depth - 1)
        ),
        6 => format!("{{{{ with {} }}}}{}{{{{ end }}}}", pipe(rng, 1), node(rng, depth - 1)),
        7 => format!("{{{{ range {} }}}}{}{{{{ end }}}}", pick(rng, OPERANDS), node(rng, depth - 1)),
        8 => format!(
            "{{{{ range $k, $v := {} }}}}{{{{ $k }}}}={{{{ $v }}}}{}{{{{ end }}}}",
            pick(rng, OPERANDS),
            node(rng, depth - 1)
        ),
        _ => format!("{{{{ $x := {} }}}}{{{{ $x }}}}{{{{ $x = {} }}}}{{{{ $x }}}}", pipe(rng, 1), pipe(rng, 1)),
    }
}

fn pipe(rng: &mut StdRng, depth: u32) -> String {
    let mut pipe = command(rng, depth);
    while rng.random_bool(0.3) {
        pipe = format!(
            "{pipe} | {}",
            pick(rng, &["print", "len", "toUpper", "toJson", "not", "printf \"%v\"", "title", "join \",\""])
        );
    }
    pipe
}

fn command(rng: &mut StdRng, depth: u32) -> String {
    if rng.random_bool(0.3) {
        return pick(rng, OPERANDS).to_owned();
    }
    let (name, arity) = FUNCTIONS.choose(rng).unwrap();
    let args: String = (0..*arity).map(|_| format!(" {}", operand(rng, depth))).collect();
    format!("{name}{args}")
}

fn operand(rng: &mut StdRng, depth: u32) -> String {
    if depth > 0 && rng.random_bool(0.25) {
        return format!("({})", command(rng, depth - 1));
    }
    pick(rng, OPERANDS).to_owned()
}
