//! Escaping for HTML, by where in the document a value stands: the library does it.
//!
//! Two steps. The template itself is checked once, as Go checks it: its blocks must end where they began, values may
//! only stand where they can be escaped. Then what a rendering printed, texts and values in their order, is escaped as
//! a template of its own, whose contexts are those of the checked one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gotmpl::parse::{self as tree, Pos};
use gotmpl::{SafeKind, html};

use super::ast::{Branch, Command, Definition, Expr, Kind, Node, Pipe};
use super::error::TemplateError;
use super::exec::Scope;
use super::functions;
use super::print;
use super::value::Value;

/// What a rendering printed.
#[derive(Debug)]
pub(super) enum Piece {
    Text(Arc<str>),
    Value(gotmpl::Value, Option<Escaper>),
}

/// A function at the end of an action that escapes too, and is merged with what its place needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Escaper(&'static str);

impl Escaper {
    pub(super) fn of(function: &str) -> Option<Self> {
        ["html", "urlquery"].into_iter().find(|name| *name == function).map(Self)
    }
}

/// A value as the library escapes it.
pub(super) fn value(value: &Value) -> gotmpl::Value {
    let safe = |kind, text: &Arc<str>| gotmpl::Value::Safe { kind, s: text.clone() };
    match value {
        Value::Html(text) => safe(SafeKind::Html, text),
        Value::Url(text) => safe(SafeKind::Url, text),
        // Go's HTML templates print nothing for nothing
        Value::Nil => gotmpl::Value::Nil,
        Value::Data(_) => {
            let mut text = String::new();
            print::action(value, &mut text);
            gotmpl::Value::String(text.into())
        }
        Value::Float(float) if !(1e-4..1e6).contains(&float.abs()) && *float != 0.0 => {
            gotmpl::Value::String(print::float(*float).into())
        }
        other => print::plain(other),
    }
}

/// About how many bytes it prints.
pub(super) fn size(value: &gotmpl::Value) -> usize {
    match value {
        gotmpl::Value::String(text) | gotmpl::Value::Safe { s: text, .. } => text.len(),
        other => other.to_string().len(),
    }
}

/// Name of the text to escape in the library's set of templates.
const MAIN: &str = "\u{1}";
const START: Pos = Pos { offset: 0, line: 1 };

fn library() -> Result<html::Template, TemplateError> {
    let start = format!("{{{{template {MAIN:?} .}}}}").replace("\\u{1}", "\\x01");
    html::Template::new("").parse(&start).map_err(|error| failure(&error))
}

/// The pieces as one text, each value escaped for its place.
pub(super) fn escape(pieces: Vec<Piece>) -> Result<String, TemplateError> {
    let mut values = BTreeMap::new();
    let mut nodes: Vec<tree::Node> = Vec::with_capacity(pieces.len());
    let mut text = String::new();
    let flush = |text: &mut String, nodes: &mut Vec<tree::Node>| {
        if !text.is_empty() {
            nodes.push(tree::Node::Text(tree::TextNode { pos: START, text: std::mem::take(text).into() }));
        }
    };
    for piece in pieces {
        let (value, escaper) = match piece {
            Piece::Text(part) => {
                text.push_str(&part);
                continue;
            }
            Piece::Value(value, escaper) => (value, escaper),
        };
        flush(&mut text, &mut nodes);
        let operand = match value {
            gotmpl::Value::String(text) => tree::Expr::String(START, text),
            value => {
                let name = format!("v{}", values.len());
                values.insert(Arc::from(name.as_str()), value);
                tree::Expr::Field(START, vec![name.into()])
            }
        };
        let mut commands = vec![tree::CommandNode { pos: START, args: vec![operand] }];
        if let Some(Escaper(name)) = escaper {
            commands.push(tree::CommandNode { pos: START, args: vec![tree::Expr::Identifier(START, name.into())] });
        }
        let pipe = tree::PipeNode { pos: START, decl: Vec::new(), commands, is_assign: false };
        nodes.push(tree::Node::Action(tree::ActionNode { pos: START, pipe }));
    }
    flush(&mut text, &mut nodes);
    let list = tree::ListNode { pos: START, nodes };
    let template = library()?.add_parse_tree(MAIN, list).map_err(|error| failure(&error))?;
    template.execute_to_string(&gotmpl::Value::Map(Arc::new(values))).map_err(|error| failure(&error))
}

/// Whether values can be escaped everywhere in the template, on all of its ways.
pub(super) fn check(main: &Definition, scope: Scope<'_>) -> Result<(), TemplateError> {
    let mut library = library()?;
    for function in functions::all().filter(|function| !function.builtin) {
        library = library.func(function.name, |_| Ok(gotmpl::Value::Nil));
    }
    let mut called = BTreeSet::new();
    let mut waiting = vec![(MAIN, main)];
    while let Some((name, definition)) = waiting.pop() {
        let list = Converter { definition, called: Vec::new() }.list_with_calls(&definition.body);
        for call in list.1 {
            if called.insert(call)
                && let Some(found) = scope.find(call)
            {
                waiting.push((call, found));
            }
        }
        library = library.add_parse_tree(name, list.0).map_err(|error| failure(&error))?;
    }
    // of a name that nobody has: what is defined is escaped, nothing is executed
    match library.execute_template_to_string("\u{2}", &gotmpl::Value::Nil) {
        Err(error @ gotmpl::TemplateError::Escape { .. }) => Err(failure(&error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn failure(error: &gotmpl::TemplateError) -> TemplateError {
    let text = match error {
        gotmpl::TemplateError::Escape { name, line, description, .. } => {
            let name = name.as_deref().filter(|name| *name != MAIN).unwrap_or_default();
            match line {
                0 => format!("html/template:{name}: {description}"),
                line => format!("html/template:{name}:{line}: {description}"),
            }
        }
        other => format!("html/template: {other}"),
    };
    TemplateError::Escape(text)
}

/// An escaper at the end is judged where it is merged, when the rendering is escaped: the library takes the one that it
/// merged on its first way through a `range` for a second one.
fn without_escaper(pipe: &Pipe) -> &[Command] {
    match pipe.commands.split_last() {
        Some((last, before @ [.., one]))
            if last.args.len() == 1 && is_escaper(&last.args[0]) && !is_escaper(&one.args[0]) =>
        {
            before
        }
        _ => &pipe.commands,
    }
}

fn is_escaper(expr: &Expr) -> bool {
    matches!(&expr.kind, Kind::Function(function) if Escaper::of(function.name).is_some())
}

/// From our tree to the library's.
struct Converter<'t> {
    definition: &'t Definition,
    called: Vec<&'t str>,
}

impl<'t> Converter<'t> {
    fn list_with_calls(mut self, nodes: &'t [Node]) -> (tree::ListNode, Vec<&'t str>) {
        let list = self.list(nodes);
        (list, self.called)
    }

    fn pos(&self, at: usize) -> Pos {
        Pos::new(at, self.definition.source.line_column(at).0)
    }

    fn list(&mut self, nodes: &'t [Node]) -> tree::ListNode {
        tree::ListNode { pos: START, nodes: nodes.iter().map(|node| self.node(node)).collect() }
    }

    fn node(&mut self, node: &'t Node) -> tree::Node {
        match node {
            Node::Text(text) => tree::Node::Text(tree::TextNode { pos: START, text: text.clone() }),
            Node::Action(pipe) => {
                tree::Node::Action(tree::ActionNode { pos: self.pos(pipe.at), pipe: self.pipe(pipe) })
            }
            Node::If(branch) => tree::Node::If(self.branch(branch)),
            Node::With(branch) => tree::Node::With(self.branch(branch)),
            Node::Range(branch) => tree::Node::Range(self.branch(branch)),
            Node::Template { at, name, pipe } => {
                self.called.push(name);
                let pipe = pipe.as_ref().map(|pipe| self.pipe(pipe));
                tree::Node::Template(tree::TemplateNode { pos: self.pos(*at), name: (&**name).into(), pipe })
            }
            Node::Break => tree::Node::Break(START),
            Node::Continue => tree::Node::Continue(START),
        }
    }

    fn branch(&mut self, branch: &'t Branch) -> tree::IfNode {
        tree::IfNode {
            pos: self.pos(branch.pipe.at),
            pipe: self.pipe(&branch.pipe),
            body: self.list(&branch.body),
            else_body: branch.otherwise.as_ref().map(|nodes| self.list(nodes)),
        }
    }

    fn pipe(&self, pipe: &Pipe) -> tree::PipeNode {
        tree::PipeNode {
            pos: self.pos(pipe.at),
            decl: pipe.variables.iter().map(|name| (&**name).into()).collect(),
            commands: without_escaper(pipe).iter().map(|command| self.command(command)).collect(),
            is_assign: pipe.assigns,
        }
    }

    fn command(&self, command: &Command) -> tree::CommandNode {
        tree::CommandNode { pos: START, args: command.args.iter().map(|arg| self.expr(arg)).collect() }
    }

    fn expr(&self, expr: &Expr) -> tree::Expr {
        let pos = self.pos(expr.at);
        let names = |names: &[Arc<str>]| names.iter().map(|name| (&**name).into()).collect();
        match &expr.kind {
            Kind::Dot => tree::Expr::Dot(pos),
            Kind::Nil => tree::Expr::Nil(pos),
            Kind::Bool(value) => tree::Expr::Bool(pos, *value),
            Kind::Number(number) => tree::Expr::Number(pos, tree::Number::Int(number.int.unwrap_or_default())),
            Kind::Text { value, .. } => tree::Expr::String(pos, value.clone()),
            Kind::Field(fields) => tree::Expr::Field(pos, names(fields)),
            Kind::Variable(name, fields) => tree::Expr::Variable(pos, (&**name).into(), names(fields)),
            Kind::Function(function) => tree::Expr::Identifier(pos, function.name.into()),
            Kind::Pipe(pipe) => tree::Expr::Pipe(pos, self.pipe(pipe)),
            Kind::Chain(of, fields) => tree::Expr::Chain(pos, Box::new(self.expr(of)), names(fields)),
        }
    }
}
