//! Carries a template out: a walk over its tree, in Go's order and with Go's complaints.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::bytes::Regex;

use super::ast::{Branch, Command, Definition, Expr, Kind, Node, Pipe};
use super::call::{Context, Param};
use super::error::{ParseError, TemplateError};
use super::functions::Function;
use super::gotime::GoTime;
use super::html::{Escaper, Piece};
use super::members::{Member, member};
use super::value::Value;
use super::{Limits, Mode, Templates, bounds, print, quote};

/// How deep templates and blocks may be inside of each other, so that nobody's stack runs out.
const DEPTH_MAX: u32 = 200;

/// What all executions of one rendering share: its data, its budget, the route labels rendered so far.
pub(super) struct Shared<'a> {
    pub(super) templates: &'a Templates,
    pub(super) mode: Mode,
    pub(super) root: Value,
    pub(super) now: GoTime,
    pub(super) limits: Limits,
    pub(super) steps: u64,
    pub(super) depth: u32,
    pub(super) regexes: BTreeMap<String, Regex>,
    /// Results of route labels.
    pub(super) labels: BTreeMap<Arc<str>, Arc<str>>,
    /// Route labels that are being rendered, the outermost first.
    pub(super) busy: Vec<Arc<str>>,
}

/// Where the definitions of a rendering are found: the field's own first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'t> {
    pub(super) own: &'t [Arc<Definition>],
    pub(super) base: &'t BTreeMap<Arc<str>, Arc<Definition>>,
}

impl<'t> Scope<'t> {
    pub(super) fn find(self, name: &str) -> Option<&'t Definition> {
        let own = self.own.iter().find(|definition| *definition.name == *name);
        own.or_else(|| self.base.get(name)).map(|definition| &**definition)
    }
}

/// What came out.
pub(super) enum Out {
    Text(String),
    Html { pieces: Vec<Piece>, bytes: usize },
}

enum Stop {
    Break,
    Continue,
    Failed(Box<TemplateError>),
}

type Step<T> = Result<T, Stop>;

/// What errors are about.
#[derive(Clone, Copy)]
enum At<'t> {
    Start,
    Expr(&'t Expr),
    Command(&'t Command),
    Pipe(&'t Pipe),
    Call(usize, &'t str, Option<&'t Pipe>),
}

pub(super) struct Exec<'t, 's, 'a> {
    scope: Scope<'t>,
    shared: &'s mut Shared<'a>,
    current: &'t Definition,
    at: At<'t>,
    variables: Vec<(&'t str, Value)>,
    out: Out,
}

/// Carries `main` out with the shared data.
pub(super) fn run<'t>(main: &'t Definition, scope: Scope<'t>, shared: &mut Shared<'_>) -> Result<Out, TemplateError> {
    let root = shared.root.clone();
    let out = match shared.mode {
        Mode::Text => Out::Text(String::new()),
        Mode::Html => Out::Html { pieces: Vec::new(), bytes: 0 },
    };
    let variables = vec![("$", root.clone())];
    let mut exec = Exec { scope, shared, current: main, at: At::Start, variables, out };
    match exec.walk(&root, &main.body) {
        Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(exec.out),
        Err(Stop::Failed(error)) => Err(*error),
    }
}

impl<'t> Exec<'t, '_, '_> {
    fn fail<T>(&self, message: impl Into<String>) -> Step<T> {
        let (at, context) = match self.at {
            At::Start => (0, String::new()),
            At::Expr(expr) => (expr.at, expr.to_string()),
            At::Command(command) => (command.args[0].at, command.to_string()),
            At::Pipe(pipe) => (pipe.at, pipe.to_string()),
            At::Call(at, name, pipe) => {
                let pipe = pipe.map(|pipe| format!(" {pipe}")).unwrap_or_default();
                (at, format!("{{{{template {}{pipe}}}}}", quote(name)))
            }
        };
        let place = self.current.source.place(at);
        let name = quote(&self.current.name);
        let message = message.into();
        let message = format!("executing {name} at <{context}>: {message}");
        let text = format!("template: {place}: {message}");
        let place = ParseError::new(&self.current.source, at, message);
        Err(Stop::Failed(Box::new(TemplateError::Execute { text, at: Some(Box::new(place)) })))
    }

    fn require<T>(&self, result: Result<T, String>) -> Step<T> {
        result.or_else(|message| self.fail(message))
    }

    /// Counts work; fails when there was too much.
    fn spend(&mut self, steps: usize) -> Step<()> {
        self.shared.steps = self.shared.steps.saturating_sub(steps as u64);
        if self.shared.steps == 0 {
            return self.fail(format!("takes more than {} steps", self.shared.limits.steps));
        }
        Ok(())
    }

    fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        self.shared.depth += 1;
        if self.shared.depth > DEPTH_MAX {
            return self.fail(format!("exceeded maximum template depth ({DEPTH_MAX})"));
        }
        let result = run(self);
        self.shared.depth -= 1;
        result
    }

    fn emit_text(&mut self, text: &Arc<str>) -> Step<()> {
        let bytes = match &mut self.out {
            Out::Text(out) => {
                out.push_str(text);
                out.len()
            }
            Out::Html { pieces, bytes } => {
                pieces.push(Piece::Text(text.clone()));
                *bytes += text.len();
                *bytes
            }
        };
        self.check_size(bytes)
    }

    fn emit_value(&mut self, value: Value, escaper: Option<Escaper>) -> Step<()> {
        if value.basic().is_none() {
            // counted before it is printed
            let printed = bounds::printed(std::slice::from_ref(&value), self.shared.limits.bytes);
            self.weighed(printed)?;
        }
        let bytes = match &mut self.out {
            Out::Text(out) => {
                print::action(&value, out);
                out.len()
            }
            Out::Html { pieces, bytes } => {
                let piece = super::html::value(&value);
                *bytes += super::html::size(&piece);
                pieces.push(Piece::Value(piece, escaper));
                *bytes
            }
        };
        self.check_size(bytes)
    }

    fn check_size(&self, bytes: usize) -> Step<()> {
        if bytes > self.shared.limits.bytes {
            return self.fail(format!("prints more than {} bytes", self.shared.limits.bytes));
        }
        Ok(())
    }

    // --- nodes ---

    fn walk(&mut self, dot: &Value, nodes: &'t [Node]) -> Step<()> {
        for node in nodes {
            self.spend(1)?;
            match node {
                Node::Text(text) => self.emit_text(text)?,
                Node::Action(pipe) => self.action(dot, pipe)?,
                Node::If(branch) => self.nested(|exec| exec.condition(dot, branch, false))?,
                Node::With(branch) => self.nested(|exec| exec.condition(dot, branch, true))?,
                Node::Range(branch) => self.nested(|exec| exec.range(dot, branch))?,
                Node::Template { at, name, pipe } => {
                    self.at = At::Call(*at, name, pipe.as_ref());
                    self.nested(|exec| exec.template(dot, name, pipe.as_ref()))?;
                }
                Node::Break => return Err(Stop::Break),
                Node::Continue => return Err(Stop::Continue),
            }
        }
        Ok(())
    }

    fn action(&mut self, dot: &Value, pipe: &'t Pipe) -> Step<()> {
        self.at = At::Pipe(pipe);
        if self.shared.mode == Mode::Html && pipe.variables.is_empty() {
            // an escaper at the end is merged with those that the place needs
            if let Some((last, before)) = pipe.commands.split_last()
                && let Kind::Function(function) = &last.args[0].kind
                && let Some(escaper) = Escaper::of(function.name)
            {
                if !before.is_empty() && last.args.len() == 1 {
                    let value = self.commands(dot, before)?;
                    return self.emit_value(value, Some(escaper));
                }
                if before.is_empty() && last.args.len() > 1 {
                    let mut args = Vec::new();
                    for arg in &last.args[1..] {
                        args.push(self.arg(dot, Param::Any, arg)?);
                    }
                    return self.emit_value(Value::text(print::sprint(&args)), Some(escaper));
                }
            }
        }
        let value = self.pipe(dot, pipe)?;
        if pipe.variables.is_empty() {
            self.emit_value(value, None)?;
        }
        Ok(())
    }

    fn condition(&mut self, dot: &Value, branch: &'t Branch, with: bool) -> Step<()> {
        let mark = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?;
        let result = if value.is_true() {
            self.walk(if with { &value } else { dot }, &branch.body)
        } else {
            branch.otherwise.as_ref().map_or(Ok(()), |nodes| self.walk(dot, nodes))
        };
        self.variables.truncate(mark);
        result
    }

    fn range(&mut self, dot: &Value, branch: &'t Branch) -> Step<()> {
        let outer = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?;
        let pairs = branch.pipe.variables.len() > 1;
        let ran = match &value {
            Value::Int(_)
            | Value::Int64(_)
            | Value::Byte(_)
            | Value::Duration(_)
            | Value::Month(_)
            | Value::Weekday(_) => {
                if pairs {
                    let shown = print::text(&value);
                    return self.fail(format!("can't use {shown} to iterate over more than one variable"));
                }
                let count = value.as_int().unwrap_or_default();
                let of_type = |number: i64| match &value {
                    Value::Int64(_) => Value::Int64(number),
                    _ => Value::Int(number),
                };
                self.iterate(branch, (0..count).map(|number| (Value::Nil, of_type(number))))?
            }
            Value::Kv(labels) => {
                let labels = labels.clone();
                self.iterate(branch, labels.iter().map(|(name, value)| (Value::text(name), Value::text(value))))?
            }
            Value::Map(map) => {
                let map = map.clone();
                self.iterate(branch, map.iter().map(|(key, value)| (Value::Text(key.clone()), value.clone())))?
            }
            Value::Nil => false,
            list if list.len().is_some() && list.as_text().is_none() => {
                let list = list.clone();
                let elements = (0..list.len().unwrap_or_default())
                    .map_while(|at| Some((Value::Int(i64::try_from(at).ok()?), list.element(at)?)));
                self.iterate(branch, elements)?
            }
            other => {
                let mut shown = String::new();
                print::action(other, &mut shown);
                return self.fail(format!("range can't iterate over {shown}"));
            }
        };
        if !ran && let Some(nodes) = &branch.otherwise {
            self.walk(dot, nodes)?;
        }
        self.variables.truncate(outer);
        Ok(())
    }

    /// Runs the body for each; tells whether there was any.
    fn iterate(&mut self, branch: &'t Branch, elements: impl Iterator<Item = (Value, Value)>) -> Step<bool> {
        let mark = self.variables.len();
        let names = &branch.pipe.variables;
        let mut ran = false;
        for (index, element) in elements {
            self.spend(1)?;
            ran = true;
            if branch.pipe.assigns {
                match names.as_slice() {
                    [one] => self.assign(one, element.clone())?,
                    [first, second, ..] => {
                        self.assign(first, index)?;
                        self.assign(second, element.clone())?;
                    }
                    [] => {}
                }
            } else {
                // the pipe has pushed them: the element on top, the index below
                if !names.is_empty() {
                    self.variables[mark - 1].1 = element.clone();
                }
                if names.len() > 1 {
                    self.variables[mark - 2].1 = index;
                }
            }
            let result = self.walk(&element, &branch.body);
            self.variables.truncate(mark);
            match result {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(failed) => return Err(failed),
            }
        }
        Ok(ran)
    }

    fn template(&mut self, dot: &Value, name: &str, pipe: Option<&'t Pipe>) -> Step<()> {
        let Some(called) = self.scope.find(name) else {
            return self.fail(format!("template {} not defined", quote(name)));
        };
        let dot = match pipe {
            Some(pipe) => self.pipe(dot, pipe)?,
            None => Value::Nil,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let caller = std::mem::replace(&mut self.current, called);
        let result = self.walk(&dot, &called.body);
        // an error names the template that it is in
        result?;
        self.current = caller;
        self.variables = variables;
        Ok(())
    }

    // --- pipelines ---

    fn assign(&mut self, name: &str, value: Value) -> Step<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some(slot) => slot.1 = value,
            None => return self.fail(format!("undefined variable: {name}")),
        }
        Ok(())
    }

    fn pipe(&mut self, dot: &Value, pipe: &'t Pipe) -> Step<Value> {
        self.at = At::Pipe(pipe);
        let value = self.commands(dot, &pipe.commands)?;
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn commands(&mut self, dot: &Value, commands: &'t [Command]) -> Step<Value> {
        let mut last = None;
        for command in commands {
            last = Some(self.command(dot, command, last)?);
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn command(&mut self, dot: &Value, command: &'t Command, last: Option<Value>) -> Step<Value> {
        self.spend(1)?;
        let (first, args) = (&command.args[0], &command.args[1..]);
        match &first.kind {
            Kind::Field(_) => return self.field(dot, first, args, last),
            Kind::Chain(..) => return self.chain(dot, first, args, last),
            Kind::Function(function) => {
                return self.function(dot, At::Command(command), first, function, args, last);
            }
            Kind::Variable(..) => return self.variable(dot, first, args, last),
            Kind::Pipe(pipe) => {
                self.no_arguments(first, args, last.as_ref())?;
                return self.nested(|exec| exec.pipe(dot, pipe));
            }
            _ => {}
        }
        self.at = At::Expr(first);
        self.no_arguments(first, args, last.as_ref())?;
        match &first.kind {
            Kind::Dot => Ok(dot.clone()),
            Kind::Nil => self.fail("nil is not a command"),
            _ => self.constant(first),
        }
    }

    fn no_arguments(&self, first: &Expr, args: &[Expr], last: Option<&Value>) -> Step<()> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        let shown = match &first.kind {
            Kind::Pipe(pipe) => pipe.to_string(),
            _ => first.to_string(),
        };
        self.fail(format!("can't give argument to non-function {shown}"))
    }

    fn constant(&self, expr: &Expr) -> Step<Value> {
        match &expr.kind {
            Kind::Bool(value) => Ok(Value::Bool(*value)),
            Kind::Text { value, .. } => Ok(Value::Text(value.clone())),
            Kind::Number(number) => match (number.looks_float, number.float, number.int) {
                (true, Some(float), _) => Ok(Value::Float(float)),
                (_, _, Some(int)) => Ok(Value::Int(int)),
                _ => self.fail(format!("{} overflows int", number.text)),
            },
            _ => self.fail(format!("can't evaluate command {}", quote(&expr.to_string()))),
        }
    }

    fn field(&mut self, dot: &Value, expr: &'t Expr, args: &'t [Expr], last: Option<Value>) -> Step<Value> {
        self.at = At::Expr(expr);
        let Kind::Field(names) = &expr.kind else { return Ok(Value::Nil) };
        self.fields(dot, dot.clone(), expr, names, args, last)
    }

    fn variable(&mut self, dot: &Value, expr: &'t Expr, args: &'t [Expr], last: Option<Value>) -> Step<Value> {
        self.at = At::Expr(expr);
        let Kind::Variable(name, names) = &expr.kind else { return Ok(Value::Nil) };
        let found = self.variables.iter().rev().find(|(known, _)| *known == &**name);
        let Some(value) = found.map(|(_, value)| value.clone()) else {
            return self.fail(format!("undefined variable: {name}"));
        };
        if names.is_empty() {
            self.no_arguments(expr, args, last.as_ref())?;
            return Ok(value);
        }
        self.fields(dot, value, expr, names, args, last)
    }

    fn chain(&mut self, dot: &Value, expr: &'t Expr, args: &'t [Expr], last: Option<Value>) -> Step<Value> {
        self.at = At::Expr(expr);
        let Kind::Chain(of, names) = &expr.kind else { return Ok(Value::Nil) };
        let receiver = self.nested(|exec| exec.arg(dot, Param::Raw, of))?;
        self.fields(dot, receiver, expr, names, args, last)
    }

    fn fields(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        expr: &'t Expr,
        names: &'t [Arc<str>],
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Step<Value> {
        let Some((method, path)) = names.split_last() else { return Ok(receiver) };
        for name in path {
            receiver = self.member(dot, &receiver, expr, name, &[], None)?;
        }
        self.member(dot, &receiver, expr, method, args, last)
    }

    fn member(
        &mut self,
        dot: &Value,
        receiver: &Value,
        expr: &'t Expr,
        name: &str,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Step<Value> {
        if matches!(receiver, Value::Nil) {
            return Ok(Value::Nil);
        }
        let type_name = receiver.type_name();
        let has_args = !args.is_empty() || last.is_some();
        match member(receiver, name) {
            Member::Method(method) => {
                let given = args.len() + usize::from(last.is_some());
                if given != method.params.len() {
                    return self.wrong_count(name, method.params.len(), given);
                }
                if method.results > 1 {
                    return self.fail(refusal(name, method.results));
                }
                let values = self.args(dot, method.params, None, args, last)?;
                let result = self.called((method.run)(receiver, &values), name, At::Expr(expr))?;
                self.charge(&values, &result)?;
                Ok(result)
            }
            Member::Value(_) if has_args => {
                self.fail(format!("{name} has arguments but cannot be invoked as function"))
            }
            Member::Entry(_) if has_args => self.fail(format!("{name} is not a method but has arguments")),
            Member::Value(value) | Member::Entry(value) => Ok(value),
            Member::Hidden => self.fail(format!("{name} is an unexported field of struct type {type_name}")),
            Member::None => self.fail(format!("can't evaluate field {name} in type {type_name}")),
        }
    }

    // --- calls ---

    fn wrong_count<T>(&self, name: &str, want: usize, got: usize) -> Step<T> {
        self.fail(format!("wrong number of args for {name}: want {want} got {got}"))
    }

    fn function(
        &mut self,
        dot: &Value,
        whole: At<'t>,
        expr: &'t Expr,
        function: &'static Function,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Step<Value> {
        self.at = At::Expr(expr);
        let (name, given) = (function.name, args.len() + usize::from(last.is_some()));
        let fixed = function.params.len();
        if function.rest.is_none() && given != fixed {
            return self.wrong_count(name, fixed, given);
        }
        if given < fixed {
            return self.fail(format!("wrong number of args for {name}: want at least {fixed} got {}", args.len()));
        }
        if matches!(name, "and" | "or") {
            let mut value = Value::Nil;
            for arg in args {
                value = self.arg(dot, Param::Raw, arg)?;
                if value.is_true() == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let callee = if name == "call" { args.first().map(Expr::to_string).unwrap_or_default() } else { String::new() };
        let values = self.args(dot, function.params, function.rest, args, last)?;
        let printed = match function.prints {
            true => bounds::printed(&values, self.shared.limits.bytes),
            false => bounds::made(&values, self.shared.limits.bytes),
        };
        self.weighed(printed)?;
        let result = if name == "routeLabels" {
            self.route_label(super::functions::text(&values[0]))
        } else {
            let shared = &mut *self.shared;
            let bytes_max = shared.limits.bytes;
            let regexes = &mut shared.regexes;
            let mut context = Context { now: &shared.now, bytes_max, callee, regexes, extra_steps: 0 };
            let result = (function.run)(&mut context, &values);
            let extra = context.extra_steps;
            self.spend(extra)?;
            result
        };
        let result = self.called(result, name, whole)?;
        self.charge(&values, &result)?;
        Ok(result)
    }

    /// What a call came to; its failure is one of the whole call.
    fn called(&mut self, result: Result<Value, String>, name: &str, whole: At<'t>) -> Step<Value> {
        result.or_else(|error| {
            self.at = whole;
            self.fail(format!("error calling {name}: {error}"))
        })
    }

    /// Long values cost more, and none may be larger than what may be printed.
    fn charge(&mut self, args: &[Value], result: &Value) -> Step<()> {
        let lengths = args.iter().chain([result]).filter_map(Value::len);
        self.spend(lengths.sum::<usize>() / 32)?;
        let made = bounds::made(std::slice::from_ref(result), self.shared.limits.bytes);
        self.weighed(made)
    }

    /// Takes what was counted as work, or fails with why it's too much.
    fn weighed(&mut self, bytes: Result<usize, &'static str>) -> Step<()> {
        match bytes {
            Ok(bytes) => self.spend(bytes / 64),
            Err(error) => self.fail(error),
        }
    }

    fn args(
        &mut self,
        dot: &Value,
        params: &'static [Param],
        rest: Option<Param>,
        args: &'t [Expr],
        last: Option<Value>,
    ) -> Step<Vec<Value>> {
        let param = |at: usize| params.get(at).copied().or(rest).unwrap_or(Param::Any);
        let mut values = Vec::with_capacity(args.len() + 1);
        for (at, arg) in args.iter().enumerate() {
            values.push(self.arg(dot, param(at), arg)?);
        }
        if let Some(last) = last {
            values.push(self.require(param(args.len()).accept(last))?);
        }
        Ok(values)
    }

    fn arg(&mut self, dot: &Value, param: Param, expr: &'t Expr) -> Step<Value> {
        self.at = At::Expr(expr);
        let value = match &expr.kind {
            Kind::Nil if param.may_be_nil() => return Ok(Value::Nil),
            Kind::Nil => return self.fail(format!("cannot assign nil to {}", param.type_name())),
            Kind::Dot => dot.clone(),
            Kind::Field(_) => self.field(dot, expr, &[], None)?,
            Kind::Variable(..) => self.variable(dot, expr, &[], None)?,
            Kind::Chain(..) => self.chain(dot, expr, &[], None)?,
            Kind::Pipe(pipe) => self.nested(|exec| exec.pipe(dot, pipe))?,
            Kind::Function(function) => self.function(dot, At::Expr(expr), expr, function, &[], None)?,
            Kind::Bool(_) | Kind::Number(_) | Kind::Text { .. } => return self.constant_arg(param, expr),
        };
        self.require(param.accept(value))
    }

    fn constant_arg(&self, param: Param, expr: &Expr) -> Step<Value> {
        match (param, &expr.kind) {
            (Param::Any | Param::Raw, _) => self.constant(expr),
            (Param::Text, Kind::Text { value, .. }) => Ok(Value::Text(value.clone())),
            (Param::Text, _) => self.fail(format!("expected string; found {expr}")),
            (Param::Int | Param::Duration, Kind::Number(number)) if number.int.is_some() => {
                Ok(Value::Int(number.int.unwrap_or_default()))
            }
            (Param::Int | Param::Duration, _) => self.fail(format!("expected integer; found {expr}")),
            _ => self.fail(format!("can't handle {expr} for arg of type {}", param.type_name())),
        }
    }

    fn route_label(&mut self, name: &str) -> Result<Value, String> {
        let depth = self.shared.depth;
        let label = self.shared.route_label(name).map_err(|error| error.to_string());
        self.shared.depth = depth;
        label.map(Value::Text)
    }
}

/// Go's templates call what returns one value, or one and an error.
fn refusal(name: &str, results: u8) -> String {
    if results > 2 {
        return format!("function {name} has {results} return values; should be 1 or 2");
    }
    let second = if name == "ZoneBounds" { "time.Time" } else { "int" };
    format!("invalid function signature for {name}: second return value should be error; is {second}")
}

impl Shared<'_> {
    /// The rendered route label; empty if there's none of that name.
    pub(super) fn route_label(&mut self, name: &str) -> Result<Arc<str>, TemplateError> {
        let Value::Data(data) = &self.root else { return Ok("".into()) };
        let data = data.clone();
        let Some(raw) = data.route_labels.get(name) else { return Ok("".into()) };
        if data.labels_rendered {
            return Ok(raw.into());
        }
        if let Some(rendered) = self.labels.get(name) {
            return Ok(rendered.clone());
        }
        if self.busy.iter().any(|busy| **busy == *name) {
            let path: Vec<&str> = self.busy.iter().map(|busy| &**busy).chain([name]).collect();
            return Err(TemplateError::anywhere(format!("route label cycle detected: {}", path.join(" -> "))));
        }
        self.busy.push(name.into());
        self.depth += 10;
        let rendered = if self.depth > DEPTH_MAX {
            Err(TemplateError::anywhere("route labels refer to each other too deeply".to_owned()))
        } else {
            let templates = self.templates;
            templates.render_shared(raw, self)
        };
        self.depth = self.depth.saturating_sub(10);
        self.busy.pop();
        let rendered: Arc<str> = rendered?.into();
        self.labels.insert(name.into(), rendered.clone());
        Ok(rendered)
    }
}
