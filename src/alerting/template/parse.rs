//! From tokens to a tree; refuses what Go's parser refuses.

use std::sync::Arc;

use super::ast::{Branch, Command, Definition, Expr, Kind, Node, Number, Pipe, Source, is_blank};
use super::error::ParseError;
use super::functions::{self, Function};
use super::lex::{Item, Token, tokens};
use super::quote;

/// How deep blocks and parentheses may nest, so that nobody's stack runs out.
const DEPTH_MAX: u32 = 150;

/// Which functions a text may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Those of the template language and Alertmanager's own.
    All,
    /// Those of the template language only.
    Builtin,
}

/// A text as a template: itself, and what it defines.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) main: Arc<Definition>,
    pub(super) defines: Vec<Arc<Definition>>,
}

/// Parses `text`, which is called `name`.
pub(super) fn parse(name: &str, text: &str, known: Known) -> Result<Parsed, ParseError> {
    let source = Arc::new(Source { file: name.into(), text: text.into() });
    let mut parser = Parser {
        source: &source,
        items: tokens(text),
        next: 0,
        furthest: 0,
        variables: vec!["$".into()],
        ranges: 0,
        depth: 0,
        known,
        action: None,
        defines: Vec::new(),
    };
    let body = parser.file()?;
    let defines = std::mem::take(&mut parser.defines);
    // the file's own text is the first of its name
    if !is_blank(&body)
        && let Some(twice) = defines.iter().find(|d| *d.name == *name && !is_blank(&d.body))
    {
        return Err(parser.error(format!("template: multiple definition of template {}", quote(&twice.name))));
    }
    Ok(Parsed { main: Arc::new(Definition { name: name.into(), source: source.clone(), body }), defines })
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    items: Vec<Item<'a>>,
    next: usize,
    furthest: usize,
    variables: Vec<Arc<str>>,
    /// How many ranges are open.
    ranges: u32,
    depth: u32,
    known: Known,
    /// Where the action at hand began.
    action: Option<usize>,
    defines: Vec<Arc<Definition>>,
}

/// Why a list ended.
enum Ended {
    End,
    Else,
}

impl<'a> Parser<'a> {
    fn error(&self, message: String) -> ParseError {
        let at = self.items.get(self.furthest).map_or(self.source.text.len(), |item| item.at);
        ParseError::new(self.source, at, message)
    }

    fn item(&mut self, index: usize) -> Item<'a> {
        let index = index.min(self.items.len() - 1);
        self.furthest = self.furthest.max(index);
        self.items[index].clone()
    }

    fn take(&mut self) -> Item<'a> {
        let item = self.item(self.next);
        self.next += 1;
        item
    }

    fn peek(&mut self) -> Item<'a> {
        self.item(self.next)
    }

    fn skip_space(&mut self) {
        while self.peek().token == Token::Space {
            self.next += 1;
        }
    }

    fn take_solid(&mut self) -> Item<'a> {
        self.skip_space();
        self.take()
    }

    fn peek_solid(&mut self) -> Item<'a> {
        self.skip_space();
        self.peek()
    }

    fn unexpected(&self, item: &Item<'_>, context: &str) -> ParseError {
        if item.token == Token::Bad {
            let line = |at| self.source.line_column(at).0;
            let problem = item.problem.as_str();
            let elsewhere = self.action.filter(|action| line(*action) != line(item.at));
            let extra = elsewhere.map(|action| {
                let started = format!(" in action started at {}:{}", self.source.file, line(action));
                if problem.ends_with(" action") { started[" in action".len()..].to_owned() } else { started }
            });
            return self.error(format!("{problem}{}", extra.unwrap_or_default()));
        }
        self.error(format!("unexpected {} in {context}", shown(item)))
    }

    fn expect_right(&mut self, context: &str) -> Result<(), ParseError> {
        let item = self.take_solid();
        match item.token {
            Token::Right => Ok(()),
            _ => Err(self.unexpected(&item, context)),
        }
    }

    fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("max expression depth exceeded".to_owned()));
        }
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn file(&mut self) -> Result<Vec<Node>, ParseError> {
        let mut body = Vec::new();
        loop {
            let item = self.peek();
            if item.token == Token::End {
                return Ok(body);
            }
            if item.token == Token::Left {
                let before = self.next;
                self.take();
                let word = self.take_solid();
                if word.token == Token::Keyword && word.text == "define" {
                    self.define()?;
                    continue;
                }
                self.next = before;
            }
            match self.text_or_action()? {
                Ok(node) => body.push(node),
                Err(Ended::End) => return Err(self.error("unexpected {{end}}".to_owned())),
                Err(Ended::Else) => return Err(self.error("unexpected {{else}}".to_owned())),
            }
        }
    }

    fn define(&mut self) -> Result<(), ParseError> {
        let item = self.take_solid();
        let name = self.template_name(&item, "define clause")?;
        self.expect_right("define clause")?;
        // a definition has variables of its own
        let outer = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let ranges = std::mem::take(&mut self.ranges);
        let body = self.defined_body("define clause")?;
        (self.variables, self.ranges) = (outer, ranges);
        self.add(name, body)
    }

    fn defined_body(&mut self, context: &str) -> Result<Vec<Node>, ParseError> {
        match self.list()? {
            (body, Ended::End) => Ok(body),
            (_, Ended::Else) => Err(self.error(format!("unexpected {{{{else}}}} in {context}"))),
        }
    }

    fn add(&mut self, name: Arc<str>, body: Vec<Node>) -> Result<(), ParseError> {
        let definition = Arc::new(Definition { name, source: self.source.clone(), body });
        match self.defines.iter_mut().find(|d| d.name == definition.name) {
            Some(earlier) if is_blank(&earlier.body) => *earlier = definition,
            Some(_) if is_blank(&definition.body) => {}
            Some(_) => {
                let message = format!("template: multiple definition of template {}", quote(&definition.name));
                return Err(self.error(message));
            }
            None => self.defines.push(definition),
        }
        Ok(())
    }

    fn list(&mut self) -> Result<(Vec<Node>, Ended), ParseError> {
        let mut nodes = Vec::new();
        while self.peek_solid().token != Token::End {
            match self.text_or_action()? {
                Ok(node) => nodes.push(node),
                Err(ended) => return Ok((nodes, ended)),
            }
        }
        Err(self.error("unexpected EOF".to_owned()))
    }

    fn text_or_action(&mut self) -> Result<Result<Node, Ended>, ParseError> {
        let item = self.take_solid();
        match item.token {
            Token::Text => Ok(Ok(Node::Text(item.text.into()))),
            Token::Left => {
                self.action = Some(item.at);
                let node = self.nested(Self::action);
                self.action = None;
                node
            }
            _ => Err(self.unexpected(&item, "input")),
        }
    }

    fn action(&mut self) -> Result<Result<Node, Ended>, ParseError> {
        let item = self.peek_solid();
        if item.token == Token::Keyword && item.text != "define" {
            self.take();
            return match item.text {
                "else" => {
                    let next = self.peek_solid();
                    if next.token != Token::Keyword || !matches!(next.text, "if" | "with") {
                        self.expect_right("else")?;
                    }
                    Ok(Err(Ended::Else))
                }
                "end" => {
                    self.expect_right("end")?;
                    Ok(Err(Ended::End))
                }
                "if" => Ok(Ok(Node::If(self.control("if")?))),
                "with" => Ok(Ok(Node::With(self.control("with")?))),
                "range" => Ok(Ok(Node::Range(self.control("range")?))),
                "template" => Ok(Ok(self.call_template()?)),
                "block" => Ok(Ok(self.block()?)),
                word => {
                    self.expect_right(&format!("{{{{{word}}}}}"))?;
                    if self.ranges == 0 {
                        return Err(self.error(format!("{{{{{word}}}}} outside {{{{range}}}}")));
                    }
                    Ok(Ok(if word == "break" { Node::Break } else { Node::Continue }))
                }
            };
        }
        Ok(Ok(Node::Action(self.pipe("command", Token::Right)?)))
    }

    fn control(&mut self, word: &'static str) -> Result<Branch, ParseError> {
        let variables = self.variables.len();
        let pipe = self.pipe(word, Token::Right)?;
        let inside = u32::from(word == "range");
        self.ranges += inside;
        let (body, ended) = self.list()?;
        self.ranges -= inside;
        let otherwise = match ended {
            Ended::End => None,
            Ended::Else => Some(self.otherwise(word)?),
        };
        self.variables.truncate(variables);
        Ok(Branch { pipe, body, otherwise })
    }

    fn otherwise(&mut self, word: &'static str) -> Result<Vec<Node>, ParseError> {
        let next = self.peek();
        if next.token == Token::Keyword && next.text == word && word != "range" {
            // the `end` of the inner one ends both
            self.take();
            let branch = self.nested(|parser| parser.control(word))?;
            return Ok(vec![if word == "if" { Node::If(branch) } else { Node::With(branch) }]);
        }
        match self.list()? {
            (nodes, Ended::End) => Ok(nodes),
            (_, Ended::Else) => Err(self.error("expected end; found {{else}}".to_owned())),
        }
    }

    fn template_name(&self, item: &Item<'_>, context: &str) -> Result<Arc<str>, ParseError> {
        match item.token {
            Token::Quoted | Token::Raw => self.unquote(item.text),
            _ => Err(self.unexpected(item, context)),
        }
    }

    fn call_template(&mut self) -> Result<Node, ParseError> {
        let item = self.take_solid();
        let name = self.template_name(&item, "template clause")?;
        let pipe = if self.peek_solid().token == Token::Right {
            self.take();
            None
        } else {
            Some(self.pipe("template clause", Token::Right)?)
        };
        Ok(Node::Template { at: item.at, name, pipe })
    }

    fn block(&mut self) -> Result<Node, ParseError> {
        let item = self.take_solid();
        let name = self.template_name(&item, "block clause")?;
        let pipe = self.pipe("block clause", Token::Right)?;
        let outer = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let ranges = std::mem::take(&mut self.ranges);
        let body = self.defined_body("block clause")?;
        (self.variables, self.ranges) = (outer, ranges);
        self.add(name.clone(), body)?;
        Ok(Node::Template { at: item.at, name, pipe: Some(pipe) })
    }

    fn pipe(&mut self, context: &str, end: Token) -> Result<Pipe, ParseError> {
        let mut pipe = Pipe { at: self.peek_solid().at, assigns: false, variables: Vec::new(), commands: Vec::new() };
        self.declarations(context, &mut pipe)?;
        loop {
            let item = self.take_solid();
            match item.token {
                token if token == end => break,
                Token::Bool
                | Token::Char
                | Token::Dot
                | Token::Field
                | Token::Identifier
                | Token::Number
                | Token::Nil
                | Token::Raw
                | Token::Quoted
                | Token::Variable
                | Token::OpenParen => {
                    self.next -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&item, context)),
            }
        }
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (stage, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Kind::Bool(_) | Kind::Dot | Kind::Nil | Kind::Number(_) | Kind::Text { .. } = &command.args[0].kind {
                return Err(self.error(format!("non executable command in pipeline stage {}", stage + 1)));
            }
        }
        Ok(pipe)
    }

    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Result<(), ParseError> {
        loop {
            let variable = self.peek_solid();
            if variable.token != Token::Variable {
                return Ok(());
            }
            let before = self.next;
            self.take();
            let next = self.peek_solid();
            let declares = match next.token {
                Token::Assign | Token::Declare => true,
                Token::Other if next.text == "," => false,
                _ => {
                    self.next = before;
                    return Ok(());
                }
            };
            self.take();
            let name: Arc<str> = variable.text.into();
            pipe.variables.push(name.clone());
            self.variables.push(name);
            if declares {
                pipe.assigns = next.token == Token::Assign;
                return Ok(());
            }
            if context == "range" && pipe.variables.len() < 2 {
                match self.peek_solid().token {
                    Token::Variable | Token::Right | Token::CloseParen => continue,
                    _ => return Err(self.error("range can only initialize variables".to_owned())),
                }
            }
            return Err(self.error(format!("too many declarations in {context}")));
        }
    }

    fn command(&mut self) -> Result<Command, ParseError> {
        let mut args = Vec::new();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                args.push(operand);
            }
            let item = self.take();
            match item.token {
                Token::Space => continue,
                Token::Right | Token::CloseParen => self.next -= 1,
                Token::Pipe => {}
                _ => return Err(self.unexpected(&item, "operand")),
            }
            break;
        }
        if args.is_empty() {
            return Err(self.error("empty command".to_owned()));
        }
        Ok(Command { args })
    }

    fn operand(&mut self) -> Result<Option<Expr>, ParseError> {
        let Some(mut term) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.token != Token::Field {
            return Ok(Some(term));
        }
        let mut more = Vec::new();
        while self.peek().token == Token::Field {
            more.push(Arc::from(&self.take().text[1..]));
        }
        match &mut term.kind {
            Kind::Field(names) | Kind::Variable(_, names) => {
                names.extend(more);
                term.at = first.at;
            }
            Kind::Bool(_) | Kind::Text { .. } | Kind::Number(_) | Kind::Nil | Kind::Dot => {
                return Err(self.error(format!("unexpected . after term {}", quote(&term.to_string()))));
            }
            Kind::Function(_) | Kind::Pipe(_) | Kind::Chain(..) => {
                term = Expr { at: first.at, kind: Kind::Chain(Box::new(term), more) };
            }
        }
        Ok(Some(term))
    }

    fn function(&self, name: &str) -> Result<&'static Function, ParseError> {
        let found = functions::find(name).filter(|f| f.builtin || self.known == Known::All);
        found.ok_or_else(|| self.error(format!("function {} not defined", quote(name))))
    }

    fn term(&mut self) -> Result<Option<Expr>, ParseError> {
        let item = self.take_solid();
        let kind = match item.token {
            Token::Identifier => Kind::Function(self.function(item.text)?),
            Token::Dot => Kind::Dot,
            Token::Nil => Kind::Nil,
            Token::Variable => {
                if !self.variables.iter().any(|known| **known == *item.text) {
                    return Err(self.error(format!("undefined variable {}", quote(item.text))));
                }
                Kind::Variable(item.text.into(), Vec::new())
            }
            Token::Field => Kind::Field(vec![item.text[1..].into()]),
            Token::Bool => Kind::Bool(item.text == "true"),
            Token::Number => Kind::Number(self.number(item.text)?),
            Token::Char => {
                let c = self.character(item.text)?;
                let (int, float) = (Some(i64::from(c)), Some(f64::from(c)));
                Kind::Number(Number { text: item.text.into(), int, float, looks_float: false })
            }
            Token::OpenParen => Kind::Pipe(self.nested(|p| p.pipe("parenthesized pipeline", Token::CloseParen))?),
            Token::Quoted | Token::Raw => Kind::Text { quoted: item.text.into(), value: self.unquote(item.text)? },
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        let at = match &kind {
            Kind::Pipe(pipe) => pipe.at,
            _ => item.at,
        };
        Ok(Some(Expr { at, kind }))
    }

    fn unquote(&self, text: &str) -> Result<Arc<str>, ParseError> {
        let inner = &text[1..text.len() - 1];
        if text.starts_with('`') {
            return Ok(inner.replace('\r', "").into());
        }
        let value = super::literal::unescape(inner, '"').ok_or_else(|| self.error("invalid syntax".to_owned()))?;
        Ok(value.into())
    }

    fn character(&self, text: &str) -> Result<u32, ParseError> {
        let malformed = || self.error(format!("malformed character constant: {text}"));
        let value = super::literal::unescape(&text[1..text.len() - 1], '\'').filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| self.error("invalid syntax".to_owned()))?;
        let mut chars = value.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c as u32),
            _ => Err(malformed()),
        }
    }

    fn number(&self, text: &str) -> Result<Number, ParseError> {
        super::literal::number(text).map_err(|message| self.error(message))
    }
}

/// How a token is named in an error.
fn shown(item: &Item<'_>) -> String {
    match item.token {
        Token::End => "EOF".to_owned(),
        Token::Keyword | Token::Dot | Token::Nil => format!("<{}>", item.text),
        // by bytes in the reference; whole characters here
        _ if item.text.len() > 10 => format!("{}...", quote(&item.text.chars().take(10).collect::<String>())),
        _ => quote(item.text),
    }
}
