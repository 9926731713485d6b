//! Go's regular expressions (RE2) by means of the crates that `regex` is made of: the same texts are accepted and mean the same.
//!
//! The two dialects are close. Where they are not, the expression is rewritten: `\d \w \s \b` are ASCII only, any
//! punctuation may be escaped, `{` that starts no repetition is a character, classes have no set operations.

mod class;
mod names;
mod plain;

use std::iter::Peekable;
use std::str::Chars;
use std::sync::{Arc, OnceLock};

use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind, Look};

/// Most that Go lets one repeat.
const REPEAT_MAX: u32 = 1000;
/// How deep Go lets groups nest.
const NEST_MAX: u32 = 1000;

/// An expression of so many words at most is kept as words: `db|web`, `node-[0-9]`.
const WORDS_MAX: usize = 64;

/// An expression so short, and without repetitions by number, is never too large to compile.
const SURELY_SMALL: usize = 256;

/// Most bytes of a compiled expression; the limit of the `regex` crate.
const COMPILED_MAX: usize = 10 << 20;

/// An expression that a whole text matches or doesn't.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// It matches these texts and no others; sorted.
    Words(Arc<[Arc<str>]>),
    /// Compiled when it's first needed: many are made that never meet a text.
    Pattern(Arc<Pattern>),
}

/// An expression that is no list of words.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As given if it's plain, else anchored and rewritten.
    text: Box<str>,
    plain: bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// Reads an expression as Go would, to be matched against whole texts.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        if plain::is_plain(pattern) {
            let plain = Pattern { text: pattern.into(), plain: true, compiled: OnceLock::new() };
            return Ok(Self::Pattern(Arc::new(plain)));
        }
        // wrapped first, as Go does: `a)|(b` is an expression then
        let wrapped = format!("^(?:{pattern})$");
        let rewritten = Rewriter::new(&wrapped).run()?;
        let parsed = parse(&rewritten)?;
        if let Some(words) = words(&parsed) {
            return Ok(Self::Words(words));
        }
        let compiled = OnceLock::new();
        if rewritten.len() > SURELY_SMALL || rewritten.contains('{') {
            let regex = compile(&parsed).map_err(|error| match error.size_limit() {
                Some(_) => "expression too large".to_owned(),
                None => error.to_string(),
            })?;
            let _ = compiled.set(Some(regex));
        }
        Ok(Self::Pattern(Arc::new(Pattern { text: rewritten.into(), plain: false, compiled })))
    }

    /// Whether the whole text matches.
    pub(super) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Words(words) => words.binary_search_by(|word| (**word).cmp(text)).is_ok(),
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

impl Pattern {
    fn is_match(&self, text: &str) -> bool {
        if self.plain
            && let Some(decided) = plain::decide(&self.text, text)
        {
            return decided;
        }
        let compiled = self.compiled.get_or_init(|| {
            let parsed = if self.plain { parse(&format!("^(?:{})$", self.text)) } else { parse(&self.text) };
            compile(&parsed.ok()?).ok()
        });
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// The texts that an expression matches, if they are few.
fn words(hir: &Hir) -> Option<Arc<[Arc<str>]>> {
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let [first, inner @ .., last] = parts.as_slice() else { return None };
    let anchored = matches!((first.kind(), last.kind()), (HirKind::Look(Look::Start), HirKind::Look(Look::End)));
    let inner = Hir::concat(inner.to_vec());
    if !anchored || !inner.properties().look_set().is_empty() {
        return None;
    }
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_total(WORDS_MAX).limit_literal_len(usize::MAX);
    let found = extractor.extract(&inner);
    if !found.is_exact() {
        return None;
    }
    let words = found.literals()?.iter().map(|word| std::str::from_utf8(word.as_bytes()).ok().map(Arc::from));
    let mut words: Vec<Arc<str>> = words.collect::<Option<_>>()?;
    words.sort_unstable();
    words.dedup();
    Some(words.into())
}

fn parse(rewritten: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new();
    parser.nest_limit(NEST_MAX).utf8(false).build().parse(rewritten).map_err(|error| {
        // the crate draws a picture of several lines; the last one says what is wrong
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        match last.strip_prefix("error: ").unwrap_or(last) {
            "unclosed group" => "missing closing )".to_owned(),
            "unopened group" => "unexpected )".to_owned(),
            "repetition operator missing expression" => "missing argument to repetition operator".to_owned(),
            other => other.to_owned(),
        }
    })
}

/// Compiles an expression that may match anywhere in a text, for those who want to know where.
pub(crate) fn compile_search(pattern: &str) -> Result<regex::bytes::Regex, String> {
    let rewritten = Rewriter::new(pattern).run()?;
    parse(&rewritten)?;
    regex::bytes::RegexBuilder::new(&rewritten).nest_limit(NEST_MAX).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "expression too large".to_owned(),
        other => other.to_string(),
    })
}

/// Without the automata that are built while they run: there may be thousands of expressions, each of which meets a
/// short text now and then, so that what counts is how little there is to build and to keep.
fn compile(hir: &Hir) -> Result<Regex, Box<BuildError>> {
    let config = Config::new()
        .utf8_empty(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(COMPILED_MAX))
        .hybrid(false)
        .onepass(false);
    Regex::builder().configure(config).build_from_hir(hir).map_err(Box::new)
}

struct Rewriter<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// Where the groups begin in `out` that are open.
    groups: Vec<usize>,
    /// Of groups so far.
    names: Vec<String>,
    last: Last,
}

/// What a repetition that comes next would repeat.
#[derive(Default)]
struct Last {
    /// Where it begins in `out`; `None`: nothing.
    atom: Option<usize>,
    /// It is a repetition itself.
    repeated: bool,
    /// Where in `out` flags follow it, `(?i)`: what they stand between belongs together in Go.
    flags: Option<usize>,
}

impl<'a> Rewriter<'a> {
    fn new(pattern: &'a str) -> Self {
        let out = String::with_capacity(pattern.len() + 8);
        Self { rest: pattern.chars().peekable(), out, groups: Vec::new(), names: Vec::new(), last: Last::default() }
    }

    fn run(mut self) -> Result<String, String> {
        let mut repeated = false;
        while let Some(c) = self.rest.next() {
            let repeats = match c {
                '*' | '+' | '?' => Some(c.to_string()),
                '{' => self.repetition()?,
                _ => None,
            };
            if let Some(mut operator) = repeats {
                if repeated {
                    return Err("invalid nested repetition operator".into());
                }
                operator.extend(self.rest.next_if_eq(&'?'));
                self.repeat(&operator)?;
                repeated = true;
                continue;
            }
            repeated = false;
            let start = self.out.len();
            match c {
                '(' => {
                    if self.group()? {
                        self.last.flags.get_or_insert(start);
                    } else {
                        self.groups.push(start);
                        self.last = Last::default();
                    }
                    continue;
                }
                ')' => {
                    self.out.push(')');
                    self.last = Last { atom: self.groups.pop(), ..Last::default() };
                    continue;
                }
                '|' => {
                    self.out.push('|');
                    self.last = Last::default();
                    continue;
                }
                '[' => self.class()?,
                '\\' => {
                    if !self.escape()? {
                        continue;
                    }
                }
                '{' => self.out.push_str("\\{"),
                c => self.out.push(c),
            }
            self.last = Last { atom: Some(start), ..Last::default() };
        }
        Ok(self.out)
    }

    /// Repeats what came last, in front of the flags that came after it.
    fn repeat(&mut self, operator: &str) -> Result<(), String> {
        let start = self.last.atom.ok_or_else(|| "missing argument to repetition operator".to_owned())?;
        let flags = self.out.split_off(self.last.flags.unwrap_or(self.out.len()));
        if self.last.repeated {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(operator);
        self.last.repeated = true;
        self.last.flags = if flags.is_empty() { None } else { Some(self.out.len()) };
        self.out.push_str(&flags);
        Ok(())
    }

    /// After `{`: `n}`, `n,}` or `n,m}`, taken; anything else is left and is no repetition.
    fn repetition(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.rest.clone();
        let Some(min) = number(&mut ahead) else { return Ok(None) };
        let mut max = Some(min);
        if ahead.next_if_eq(&',').is_some() {
            max = number(&mut ahead);
        }
        if ahead.next() != Some('}') {
            return Ok(None);
        }
        if min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX || max < min) {
            return Err("invalid repeat count".into());
        }
        self.rest = ahead;
        let max = max.map(|m| m.to_string()).unwrap_or_default();
        Ok(Some(format!("{{{min},{max}}}")))
    }

    /// After `(`: what follows a `?` up to the group's content. Tells whether there is none, but flags.
    fn group(&mut self) -> Result<bool, String> {
        let start = self.out.len();
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(false);
        }
        self.out.push('?');
        let unsupported = || "invalid or unsupported Perl syntax".to_owned();
        if self.rest.next_if_eq(&'P').is_some() {
            return if self.rest.peek() == Some(&'<') { self.group_name().map(|()| false) } else { Err(unsupported()) };
        }
        if self.rest.peek() == Some(&'<') {
            return self.group_name().map(|()| false);
        }
        let (mut on, mut off, mut negative) = (String::new(), String::new(), false);
        loop {
            match self.rest.next() {
                Some(c @ ('i' | 'm' | 's' | 'U')) => {
                    let flags = if negative { &mut off } else { &mut on };
                    if !flags.contains(c) {
                        flags.push(c);
                    }
                }
                Some('-') if !negative => negative = true,
                Some(end @ (':' | ')')) if !negative || !off.is_empty() => {
                    on.retain(|c| !off.contains(c));
                    self.out.push_str(&on);
                    if !off.is_empty() {
                        self.out.push('-');
                        self.out.push_str(&off);
                    }
                    self.out.push(end);
                    let only_flags = end == ')';
                    // `(?)` is nothing in Go and an error in the crate
                    if only_flags && on.is_empty() && off.is_empty() {
                        self.out.truncate(start);
                    }
                    return Ok(only_flags);
                }
                _ => return Err(unsupported()),
            }
        }
    }

    /// After `(?P` or `(?`: `<name>`. Go allows one twice; the first one has it, as with Go.
    fn group_name(&mut self) -> Result<(), String> {
        self.rest.next();
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some('>') if !name.is_empty() => break,
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                _ => return Err("invalid named capture".into()),
            }
        }
        let known = self.names.contains(&name);
        if known || name.starts_with(|c: char| c.is_ascii_digit()) {
            // no name in the crate: a group like any other
            self.out.pop();
        } else {
            self.out.push_str(&format!("P<{name}>"));
            self.names.push(name);
        }
        Ok(())
    }

    /// After `\` outside of a class. Tells whether what it wrote is one atom; if not, it has said itself what is last.
    fn escape(&mut self) -> Result<bool, String> {
        match self.rest.peek() {
            Some('A') => self.out.push_str("\\A"),
            Some('z') => self.out.push_str("\\z"),
            Some(c @ ('b' | 'B')) => self.out.push_str(&format!("(?-u:\\{c})")),
            Some('Q') => {
                self.rest.next();
                self.quoted();
                return Ok(false);
            }
            _ => {
                if self.class_escape(false)?.is_none() {
                    let c = self.char_escape()?;
                    self.literal(c);
                }
                return Ok(true);
            }
        }
        self.rest.next();
        Ok(true)
    }

    /// After `\Q`: characters up to `\E` or the end, each an atom.
    fn quoted(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.last = Last { atom: Some(self.out.len()), ..Last::default() };
            self.literal(c);
        }
    }

    /// After `\`: the escapes that stand for many characters.
    fn class_escape(&mut self, inside: bool) -> Result<Option<()>, String> {
        let Some(&c) = self.rest.peek() else { return Err("trailing backslash at end of expression".into()) };
        let set = match c {
            'd' | 'D' => "0-9",
            'w' | 'W' => "0-9A-Za-z_",
            's' | 'S' => "\\t\\n\\x0C\\r ",
            'p' | 'P' => return self.unicode_class().map(Some),
            _ => return Ok(None),
        };
        self.rest.next();
        match (c.is_ascii_uppercase(), inside) {
            (true, _) => self.out.push_str(&format!("[^{set}]")),
            (false, true) => self.out.push_str(set),
            (false, false) => self.out.push_str(&format!("[{set}]")),
        }
        Ok(Some(()))
    }

    /// `pN`, `p{Name}`, `p{^Name}` and the same with `P`.
    fn unicode_class(&mut self) -> Result<(), String> {
        let invalid = || "invalid character class range".to_owned();
        let mut negative = self.rest.next() == Some('P');
        let mut name = String::new();
        match self.rest.next() {
            Some('{') => {
                negative ^= self.rest.next_if_eq(&'^').is_some();
                loop {
                    match self.rest.next() {
                        Some('}') => break,
                        Some(c) => name.push(c),
                        None => return Err(invalid()),
                    }
                }
            }
            Some(c) => name.push(c),
            None => return Err(invalid()),
        }
        if !names::is_class(&name) {
            return Err(invalid());
        }
        let name = names::canonical(&name);
        if matches!(name.as_str(), "cs" | "surrogate") {
            // texts have no surrogates, and the crate no name for them
            self.out.push_str(if negative { "[\\s\\S]" } else { "[^\\s\\S]" });
            return Ok(());
        }
        let letter = if negative { 'P' } else { 'p' };
        self.out.push_str(&format!("\\{letter}{{{name}}}"));
        Ok(())
    }

    /// After `\`: the escapes that stand for one character.
    fn char_escape(&mut self) -> Result<char, String> {
        let invalid = || "invalid escape sequence".to_owned();
        let c = self.rest.next().ok_or_else(|| "trailing backslash at end of expression".to_owned())?;
        let code = match c {
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            'x' => self.hex().ok_or_else(invalid)?,
            '1'..='7' if !self.rest.peek().is_some_and(|c| c.is_digit(8)) => return Err(invalid()),
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) else { break };
                    code = code * 8 + digit.to_digit(8).unwrap_or_default();
                }
                code
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c as u32,
            _ => return Err(invalid()),
        };
        char::from_u32(code).ok_or_else(invalid)
    }

    /// After `\x`: two digits, or any number of them in braces.
    fn hex(&mut self) -> Option<u32> {
        if self.rest.next_if_eq(&'{').is_none() {
            return Some(self.rest.next()?.to_digit(16)? * 16 + self.rest.next()?.to_digit(16)?);
        }
        let mut code = self.rest.next()?.to_digit(16)?;
        loop {
            match self.rest.next()? {
                '}' => return Some(code),
                c => code = code.checked_mul(16)?.checked_add(c.to_digit(16)?)?,
            }
        }
    }

    /// One character that stands for itself, inside of a class or not.
    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() || !c.is_ascii() {
            self.out.push(c);
        } else {
            self.out.push_str(&format!("\\x{:02X}", c as u32));
        }
    }
}

/// A number without leading zeros; more than nine digits count as too many.
fn number(chars: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let first = chars.next_if(char::is_ascii_digit)?;
    if first == '0' && chars.peek().is_some_and(char::is_ascii_digit) {
        return None;
    }
    let mut value = first.to_digit(10)?;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        value = value.saturating_mul(10).saturating_add(digit.to_digit(10)?);
    }
    Some(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_of_words_are_seen_as_such() {
        let words = |pattern: &str| match Expression::new(pattern).unwrap() {
            Expression::Words(words) => Some(words.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Expression::Pattern(_) => None,
        };
        assert_eq!(words("db|web"), Some(vec!["db".into(), "web".into()]));
        assert_eq!(words("node-(a|b)?\\.x"), Some(vec!["node-.x".into(), "node-a.x".into(), "node-b.x".into()]));
        assert_eq!(words(""), Some(vec![String::new()]));
        for pattern in ["a.*", "a)|(b", "a$|b", "\\ba", "[a-z][a-z]", "(?m)a$"] {
            assert_eq!(words(pattern), None, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn plain_expressions_are_no_words_and_stay_as_they_are(pattern in "[a-cZ0\\[\\].*+?^=, :@/_-]{0,9}[.*]{0,2}") {
            if plain::is_plain(&pattern) {
                let wrapped = format!("^(?:{pattern})$");
                prop_assert_eq!(Rewriter::new(&wrapped).run(), Ok(wrapped.clone()));
                let parsed = parse(&wrapped).unwrap();
                prop_assert!(words(&parsed).is_none());
                prop_assert!(compile(&parsed).is_ok());
            }
        }

        #[test]
        fn plain_expressions_match_what_they_match_compiled(
            pattern in "([ab.]|\\[a-c\\]|\\[b0-9\\])?([.][*+]|\\[a-c0\\][*+]|[ab]){0,3}[.][+][ab]?", text in "[abc0é\n]{0,5}",
        ) {
            prop_assert!(plain::is_plain(&pattern), "{}", pattern);
            let regex = compile(&parse(&format!("^(?:{pattern})$")).unwrap()).unwrap();
            let expression = Expression::new(&pattern).unwrap();
            prop_assert_eq!(expression.is_match(&text), regex.is_match(&text));
        }

        #[test]
        fn words_match_what_the_expression_matches(pattern in "[ab|()?.é]{0,8}", text in "[abé]{0,4}") {
            if let Ok(expression) = Expression::new(&pattern) {
                let rewritten = Rewriter::new(&format!("^(?:{pattern})$")).run().unwrap();
                let regex = compile(&parse(&rewritten).unwrap()).unwrap();
                prop_assert_eq!(expression.is_match(&text), regex.is_match(&text));
            }
        }
    }
}
