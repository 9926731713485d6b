//! What a template is once it is parsed, and how its parts print in errors.

use std::fmt;
use std::sync::Arc;

use super::functions::Function;

/// A template with a name: the text of a file or field, or a `define`.
#[derive(Debug)]
pub(super) struct Definition {
    /// By which `template` calls it.
    pub(super) name: Arc<str>,
    /// Where it stands.
    pub(super) source: Arc<Source>,
    pub(super) body: Vec<Node>,
}

/// A text with the name of its file; a field of the config has none.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: Arc<str>,
    pub(super) text: Arc<str>,
}

/// One piece of a body.
#[derive(Debug)]
pub(super) enum Node {
    Text(Arc<str>),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { at: usize, name: Arc<str>, pipe: Option<Pipe> },
    Break,
    Continue,
}

/// `if`, `with` and `range`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Option<Vec<Node>>,
}

/// Commands, each of which gets the result of the one before as its last argument.
#[derive(Debug)]
pub(super) struct Pipe {
    /// Offset in the text.
    pub(super) at: usize,
    /// `=` rather than `:=`.
    pub(super) assigns: bool,
    /// Variables that are set, with their `$`.
    pub(super) variables: Vec<Arc<str>>,
    pub(super) commands: Vec<Command>,
}

/// An operand or call with its arguments; never empty.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) args: Vec<Expr>,
}

/// One operand.
#[derive(Debug)]
pub(super) struct Expr {
    /// Offset in the text.
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Text { quoted: Arc<str>, value: Arc<str> },
    Field(Vec<Arc<str>>),
    Variable(Arc<str>, Vec<Arc<str>>),
    Function(&'static Function),
    Pipe(Pipe),
    Chain(Box<Expr>, Vec<Arc<str>>),
}

/// A number as it was written, and what it can be.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) text: Arc<str>,
    pub(super) int: Option<i64>,
    pub(super) float: Option<f64>,
    /// Whether it counts as a float where no type is wanted.
    pub(super) looks_float: bool,
}

impl Source {
    /// `file:line:column` of an offset; the column counts bytes from 0 (reference behaviour).
    pub(super) fn place(&self, at: usize) -> String {
        let (line, column) = self.line_column(at);
        format!("{}:{line}:{column}", self.file)
    }

    /// Line from 1 and byte column from 0.
    pub(super) fn line_column(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before.len() - start)
    }
}

/// Whether a body prints nothing but white space: such a one never replaces another of its name.
pub(super) fn is_blank(body: &[Node]) -> bool {
    body.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            f.write_str(&self.variables.join(", "))?;
            f.write_str(if self.assigns { " = " } else { " := " })?;
        }
        for (at, command) in self.commands.iter().enumerate() {
            if at > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, arg) in self.args.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            match &arg.kind {
                Kind::Pipe(pipe) => write!(f, "({pipe})")?,
                _ => arg.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |f: &mut fmt::Formatter<'_>, names: &[Arc<str>]| names.iter().try_for_each(|n| write!(f, ".{n}"));
        match &self.kind {
            Kind::Dot => f.write_str("."),
            Kind::Nil => f.write_str("nil"),
            Kind::Bool(value) => value.fmt(f),
            Kind::Number(number) => f.write_str(&number.text),
            Kind::Text { quoted, .. } => f.write_str(quoted),
            Kind::Field(names) => fields(f, names),
            Kind::Variable(name, names) => {
                f.write_str(name)?;
                fields(f, names)
            }
            Kind::Function(function) => f.write_str(function.name),
            Kind::Pipe(pipe) => pipe.fmt(f),
            Kind::Chain(of, names) => {
                match &of.kind {
                    Kind::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => of.fmt(f)?,
                }
                fields(f, names)
            }
        }
    }
}
