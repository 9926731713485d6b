//! The newer matcher syntax: any text as a name, quotes with Go's escapes, balanced braces.

use super::mode::ParseError;
use super::{Matcher, Op, is_reserved};

/// Reads a list, with or without braces; a comma may end it.
pub(super) fn parse_list(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let mut lexer = Lexer { text, start: 0, at: 0, start_column: 0, column: 0 };
    let mut matchers = Vec::new();
    let braced = lexer.peek()?.is_some_and(|t| t.kind == Kind::Open);
    if braced {
        lexer.next()?;
    }
    match lexer.peek()? {
        None | Some(Token { kind: Kind::Close, .. }) => {}
        Some(_) => read_matchers(&mut lexer, &mut matchers)?,
    }
    match (lexer.peek()?, braced) {
        (Some(Token { kind: Kind::Close, .. }), true) => drop(lexer.next()?),
        (None, true) => return fail(format!("0:{}: end of input: expected close brace", lexer.column)),
        (Some(t), true) => return fail(format!("0:{}: {}: expected close brace", lexer.column, t.unexpected())),
        (Some(Token { kind: Kind::Close, .. }), false) => {
            lexer.next()?;
            return fail(format!("0:{}: }}: expected opening brace", lexer.column));
        }
        (_, false) => {}
    }
    match lexer.next().map_err(|e| e.followed_by("expected end of input"))? {
        None => Ok(matchers),
        Some(t) => fail(format!("{}: {}: expected end of input", t.place(), t.text)),
    }
}

/// Reads exactly one matcher.
pub(super) fn parse_one(text: &str) -> Result<Matcher, ParseError> {
    let mut matchers = parse_list(text)?;
    match (matchers.pop(), matchers.len()) {
        (Some(matcher), 0) => Ok(matcher),
        (None, _) => fail("no matchers".into()),
        (Some(_), others) => fail(format!("expected 1 matcher, found {}", others + 1)),
    }
}

/// Reads matchers up to the closing brace or the end.
fn read_matchers(lexer: &mut Lexer<'_>, matchers: &mut Vec<Matcher>) -> Result<(), ParseError> {
    loop {
        let name = lexer.expect("expected label name", |k| matches!(k, Kind::Quoted | Kind::Unquoted))?;
        let name = name.unquoted()?;
        let op = lexer.expect("expected an operator such as '=', '!=', '=~' or '!~'", |k| matches!(k, Kind::Op(_)))?;
        let Kind::Op(op) = op.kind else { return fail(op.unexpected()) };
        let value = lexer.expect("expected label value", |k| matches!(k, Kind::Quoted | Kind::Unquoted))?;
        let value = value.unquoted()?;
        let failed = |error| ParseError::new(format!("failed to create matcher: {error}"));
        matchers.push(Matcher::new(op, name, value).map_err(failed)?);
        let after = "expected a comma or close brace";
        match lexer.peek().map_err(|e| e.followed_by(after))? {
            None | Some(Token { kind: Kind::Close, .. }) => return Ok(()),
            Some(Token { kind: Kind::Comma, .. }) => lexer.next()?,
            Some(t) => return fail(format!("{}: {after}", t.unexpected())),
        };
        let after = "expected a matcher or close brace after comma";
        match lexer.peek().map_err(|e| e.followed_by(after))? {
            None | Some(Token { kind: Kind::Close, .. }) => return Ok(()),
            Some(Token { kind: Kind::Quoted | Kind::Unquoted, .. }) => {}
            Some(t) => return fail(format!("{}: {after}", t.unexpected())),
        }
    }
}

fn fail<T>(message: String) -> Result<T, ParseError> {
    Err(ParseError::new(message))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Comma,
    Op(Op),
    Quoted,
    Unquoted,
}

#[derive(Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    /// In characters, from 0.
    start: usize,
    end: usize,
}

impl Token<'_> {
    fn place(&self) -> String {
        format!("{}:{}", self.start, self.end)
    }

    fn unexpected(&self) -> String {
        format!("{}: unexpected {}", self.place(), self.text)
    }

    fn unquoted(&self) -> Result<String, ParseError> {
        match self.kind {
            Kind::Quoted => unquote(self.text)
                .ok_or_else(|| ParseError::new(format!("{}: {}: invalid input", self.place(), self.text))),
            _ => Ok(self.text.to_owned()),
        }
    }
}

/// Cuts the text into tokens. Offsets are bytes, columns characters.
#[derive(Clone, Copy)]
struct Lexer<'a> {
    text: &'a str,
    start: usize,
    at: usize,
    start_column: usize,
    column: usize,
}

impl<'a> Lexer<'a> {
    /// The next token without taking it.
    fn peek(&self) -> Result<Option<Token<'a>>, ParseError> {
        let mut ahead = *self;
        ahead.next()
    }

    /// Takes the next token; `None` at the end.
    fn next(&mut self) -> Result<Option<Token<'a>>, ParseError> {
        while self.first().is_some_and(char::is_whitespace) {
            self.advance();
            (self.start, self.start_column) = (self.at, self.column);
        }
        let Some(first) = self.first() else { return Ok(None) };
        let kind = match first {
            '{' => self.single(Kind::Open),
            '}' => self.single(Kind::Close),
            ',' => self.single(Kind::Comma),
            '=' | '!' => self.operator(first)?,
            '"' => self.quoted()?,
            c if is_reserved(c) => {
                self.advance();
                return fail(format!("{}: {}: invalid input", self.place(), self.cut()));
            }
            _ => {
                while self.first().is_some_and(|c| !is_reserved(c)) {
                    self.advance();
                }
                Kind::Unquoted
            }
        };
        let token = Token { kind, text: self.cut(), start: self.start_column, end: self.column };
        (self.start, self.start_column) = (self.at, self.column);
        Ok(Some(token))
    }

    fn expect(&mut self, wanted: &str, accept: impl Fn(Kind) -> bool) -> Result<Token<'a>, ParseError> {
        match self.peek().map_err(|e| e.followed_by(wanted))? {
            None => fail(format!("end of input: {wanted}")),
            Some(t) if accept(t.kind) => {
                self.next()?;
                Ok(t)
            }
            Some(t) => fail(format!("{}: {wanted}", t.unexpected())),
        }
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.advance();
        kind
    }

    fn operator(&mut self, first: char) -> Result<Kind, ParseError> {
        self.advance();
        let op = match (first, self.first()) {
            ('=', Some('~')) => Op::Regex,
            ('=', _) => return Ok(Kind::Op(Op::Equal)),
            (_, Some('=')) => Op::NotEqual,
            (_, Some('~')) => Op::NotRegex,
            (_, None) => {
                return fail(format!("{}: unexpected end of input, expected one of '=~'", self.place()));
            }
            (_, Some(_)) => return fail(format!("{}: {}: expected one of '=~'", self.place(), self.cut())),
        };
        self.advance();
        Ok(Kind::Op(op))
    }

    fn quoted(&mut self) -> Result<Kind, ParseError> {
        self.advance();
        let mut escaped = false;
        while let Some(c) = self.first() {
            self.advance();
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Ok(Kind::Quoted),
                _ => {}
            }
        }
        fail(format!("{}: {}: missing end \"", self.place(), self.cut()))
    }

    fn first(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn advance(&mut self) {
        if let Some(c) = self.first() {
            self.at += c.len_utf8();
            self.column += 1;
        }
    }

    fn cut(&self) -> &'a str {
        self.text.get(self.start..self.at).unwrap_or_default()
    }

    fn place(&self) -> String {
        format!("{}:{}", self.start_column, self.column)
    }
}

/// Resolves a double-quoted Go string; `None` when it is none or not UTF-8.
fn unquote(quoted: &str) -> Option<String> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '"' => return None,
            '\\' => {}
            c => {
                push(&mut bytes, c);
                continue;
            }
        }
        match chars.next()? {
            'a' => push(&mut bytes, '\u{7}'),
            'b' => push(&mut bytes, '\u{8}'),
            'f' => push(&mut bytes, '\u{c}'),
            'n' => push(&mut bytes, '\n'),
            'r' => push(&mut bytes, '\r'),
            't' => push(&mut bytes, '\t'),
            'v' => push(&mut bytes, '\u{b}'),
            c @ ('\\' | '"') => push(&mut bytes, c),
            'u' => push(&mut bytes, char::from_u32(digits(&mut chars, 4, 16)?)?),
            'U' => push(&mut bytes, char::from_u32(digits(&mut chars, 8, 16)?)?),
            'x' => bytes.push(u8::try_from(digits(&mut chars, 2, 16)?).ok()?),
            c @ '0'..='7' => {
                let value = c.to_digit(8)? * 64 + digits(&mut chars, 2, 8)?;
                bytes.push(u8::try_from(value).ok()?);
            }
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Exactly `count` digits.
fn digits(chars: &mut std::str::Chars<'_>, count: usize, radix: u32) -> Option<u32> {
    (0..count).try_fold(0_u32, |value, _| value.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?))
}
