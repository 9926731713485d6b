//! From text to tokens, as Go's template language has them.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Text,
    Left,
    Right,
    Space,
    Pipe,
    Declare,
    Assign,
    OpenParen,
    CloseParen,
    /// Any other printable character; only `,` has a use.
    Other,
    Dot,
    Field,
    Variable,
    Identifier,
    Keyword,
    Bool,
    Nil,
    Number,
    Char,
    Quoted,
    Raw,
    End,
    /// The text can't be read from here on.
    Bad,
}

/// A token and its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub(super) token: Token,
    pub(super) at: usize,
    pub(super) text: &'a str,
    /// Of [`Token::Bad`].
    pub(super) problem: String,
}

const KEYWORDS: [&str; 10] = ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// Reads all tokens; the last one is [`Token::End`] or [`Token::Bad`].
pub(super) fn tokens(text: &str) -> Vec<Item<'_>> {
    let mut lexer = Lexer { text, at: 0, start: 0, depth: 0, items: Vec::new() };
    if let Err(problem) = lexer.run() {
        lexer.items.push(Item { token: Token::Bad, at: lexer.start, text: "", problem });
    }
    lexer.items
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    start: usize,
    depth: u32,
    items: Vec<Item<'a>>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn emit(&mut self, token: Token) {
        let text = &self.text[self.start..self.at];
        self.items.push(Item { token, at: self.start, text, problem: String::new() });
        self.start = self.at;
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.start = self.at;
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(found) = self.rest().find("{{") {
            let text = &self.text[self.start..self.at + found];
            let trims = trims_left(&self.text[self.at + found + 2..]);
            let shown = if trims { text.trim_end_matches(is_space) } else { text };
            self.at = self.start + shown.len();
            if !shown.is_empty() {
                self.emit(Token::Text);
            }
            self.skip(text.len() - shown.len());
            let marker = if trims { 2 } else { 0 };
            if self.rest()[2 + marker..].starts_with("/*") {
                self.comment(2 + marker)?;
            } else {
                self.at += 2;
                self.emit(Token::Left);
                self.skip(marker);
                self.action()?;
            }
        }
        self.at = self.text.len();
        if self.at > self.start {
            self.emit(Token::Text);
        }
        self.emit(Token::End);
        Ok(())
    }

    fn comment(&mut self, opening: usize) -> Result<(), String> {
        self.skip(opening);
        let Some(end) = self.rest()[2..].find("*/") else { return Err("unclosed comment".into()) };
        self.at += end + 4;
        match self.closing() {
            Some(trims) => self.close(trims),
            None => return Err("comment ends before closing delimiter".into()),
        }
        Ok(())
    }

    /// At the end of an action: whether it trims.
    fn closing(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with(is_space) && rest[1..].starts_with("-}}") {
            return Some(true);
        }
        rest.starts_with("}}").then_some(false)
    }

    fn close(&mut self, trims: bool) {
        self.skip(if trims { 4 } else { 2 });
        if trims {
            let rest = self.rest();
            self.skip(rest.len() - rest.trim_start_matches(is_space).len());
        }
    }

    fn action(&mut self) -> Result<(), String> {
        self.depth = 0;
        loop {
            if let Some(trims) = self.closing() {
                if self.depth > 0 {
                    return Err("unclosed left paren".into());
                }
                if trims {
                    self.skip(2);
                }
                self.at += 2;
                self.emit(Token::Right);
                if trims {
                    let rest = self.rest();
                    self.skip(rest.len() - rest.trim_start_matches(is_space).len());
                }
                return Ok(());
            }
            let Some(c) = self.next() else { return Err("unclosed action".into()) };
            match c {
                c if is_space(c) => {
                    while self.peek().is_some_and(is_space) && self.closing().is_none() {
                        self.next();
                    }
                    self.emit(Token::Space);
                }
                '=' => self.emit(Token::Assign),
                ':' => match self.next() {
                    Some('=') => self.emit(Token::Declare),
                    _ => return Err("expected :=".into()),
                },
                '|' => self.emit(Token::Pipe),
                '"' => self.quoted('"', "quoted string", Token::Quoted)?,
                '\'' => self.quoted('\'', "character constant", Token::Char)?,
                '`' => match self.rest().find('`') {
                    Some(end) => {
                        self.at += end + 1;
                        self.emit(Token::Raw);
                    }
                    None => return Err("unterminated raw quoted string".into()),
                },
                '$' => self.name(Token::Variable, Token::Variable)?,
                '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => self.name(Token::Field, Token::Dot)?,
                '.' | '+' | '-' | '0'..='9' => {
                    self.at = self.start;
                    self.number()?;
                }
                c if is_word(c) => self.word()?,
                '(' => {
                    self.depth += 1;
                    self.emit(Token::OpenParen);
                }
                ')' => {
                    self.depth = self.depth.checked_sub(1).ok_or("unexpected right paren")?;
                    self.emit(Token::CloseParen);
                }
                c if c.is_ascii_graphic() => self.emit(Token::Other),
                c => return Err(format!("unrecognized character in action: {}", code_point(c))),
            }
        }
    }

    fn at_end_of_word(&self) -> Result<(), String> {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(c) if is_space(c) || self.rest().starts_with("}}") => Ok(()),
            Some(c) => Err(format!("bad character {}", code_point(c))),
        }
    }

    fn name(&mut self, token: Token, alone: Token) -> Result<(), String> {
        if self.at_end_of_word().is_ok() {
            self.emit(alone);
            return Ok(());
        }
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        self.at_end_of_word()?;
        self.emit(token);
        Ok(())
    }

    fn word(&mut self) -> Result<(), String> {
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        self.at_end_of_word()?;
        let token = match &self.text[self.start..self.at] {
            "true" | "false" => Token::Bool,
            "nil" => Token::Nil,
            word if KEYWORDS.contains(&word) => Token::Keyword,
            _ => Token::Identifier,
        };
        self.emit(token);
        Ok(())
    }

    fn quoted(&mut self, quote: char, what: &str, token: Token) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\\') if !matches!(self.next(), None | Some('\n')) => {}
                Some(c) if c == quote => break,
                None | Some('\n' | '\\') => return Err(format!("unterminated {what}")),
                Some(_) => {}
            }
        }
        self.emit(token);
        Ok(())
    }

    fn run_of(&mut self, digits: &str) {
        while self.peek().is_some_and(|c| digits.contains(c)) {
            self.next();
        }
    }

    fn accept(&mut self, any: &str) -> bool {
        let found = self.peek().is_some_and(|c| any.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn number(&mut self) -> Result<(), String> {
        const DECIMAL: &str = "0123456789_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.run_of(digits);
        if self.accept(".") {
            self.run_of(digits);
        }
        let exponent = if digits == DECIMAL { "eE" } else { "pP" };
        if digits.len() >= DECIMAL.len() && self.accept(exponent) {
            self.accept("+-");
            self.run_of(DECIMAL);
        }
        if self.peek().is_some_and(|c| is_word(c) || c == '+' || c == '-') {
            // Go reads a second number after a sign: complex ones are of no use here
            if self.accept("+-") {
                self.run_of(DECIMAL);
            } else {
                self.next();
            }
            return Err(format!("bad number syntax: {:?}", &self.text[self.start..self.at]));
        }
        self.emit(Token::Number);
        Ok(())
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn trims_left(after: &str) -> bool {
    after.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space))
}

fn code_point(c: char) -> String {
    format!("U+{:04X} '{c}'", c as u32)
}
