//! Fields of attachments, which three kinds of receivers have.

use super::super::error::ConfigError;
use super::super::form::{Form, not_null};
use super::super::out::Out;

/// A titled value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentField {
    /// Template.
    pub title: String,
    /// Template.
    pub value: String,
    /// Whether it can stand beside others; `None`: as `short_fields` says, if there is such a thing.
    pub short: Option<bool>,
}

/// Reads a list of them. `what`: the service, for the error texts; `types`: the reference's, of the list and its items.
pub(super) fn read(
    form: &mut Form<'_>,
    what: &str,
    types: (&str, &'static str),
) -> Result<Vec<AttachmentField>, ConfigError> {
    form.list("fields", types.0, |node, path| {
        not_null(node, path, &format!("field in {what} configuration"))?;
        let mut field = Form::open(node, path, types.1)?;
        let title = field.text("title", "")?;
        let value = field.text("value", "")?;
        let short = field.optional_flag("short", None)?;
        field.complete()?;
        field.refuse_if(title.is_empty(), "title", &format!("missing title in {what} field configuration"))?;
        field.refuse_if(value.is_empty(), "value", &format!("missing value in {what} field configuration"))?;
        Ok((AttachmentField { title, value, short }, field.done()?))
    })
}

/// Reads a list of those of Rocket.Chat: nothing in them has to be there, and all of it is printed.
pub(super) fn read_lax(form: &mut Form<'_>) -> Result<Vec<AttachmentField>, ConfigError> {
    form.list("fields", "[]*config.RocketchatAttachmentField", |node, path| {
        not_null(node, path, "field in Rocketchat configuration")?;
        let mut field = Form::open(node, path, "config.RocketchatAttachmentField")?;
        let short = field.optional_flag("short", None)?;
        if short.is_none() {
            field.printed().put("short", Out::Null);
        }
        let title = field.text_shown("title", "")?;
        let value = field.text_shown("value", "")?;
        Ok((AttachmentField { title, value, short }, field.done()?))
    })
}
