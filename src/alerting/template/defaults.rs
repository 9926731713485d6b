//! The built-in templates.

const DEFAULT: &str = include_str!("default.tmpl");
const EMAIL: &str = include_str!("email.tmpl");

const FONT: &str = "font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box;";

/// Texts of the built-in templates; they define names and print nothing.
pub(super) fn texts() -> [String; 2] {
    [DEFAULT.to_owned(), email()]
}

fn email() -> String {
    let alert = |kind: &str, color: &str| {
        format!(
            "<td class=\"alert alert-{kind}\" style=\"margin: 0; {FONT} vertical-align: top; font-size: 16px; \
             color: #fff; font-weight: 500; padding: 20px; text-align: center; border-radius: 3px 3px 0 0; \
             background-color: #{color};\" valign=\"top\" align=\"center\" bgcolor=\"#{color}\">"
        )
    };
    let block = "<td class=\"content-block\" style=\"@base@ vertical-align: top; padding: 0 0 20px;\" valign=\"top\">";
    EMAIL
        .replace("@alert warning E6522C@", &alert("warning", "E6522C"))
        .replace("@alert good 68B90F@", &alert("good", "68B90F"))
        .replace("@block@", block)
        .replace("@br@", "<br style=\"@base@\">")
        .replace("@strong@", "<strong style=\"@base@\">")
        .replace("@tr@", "<tr style=\"@base@\">")
        .replace("@base@", &format!("margin: 0; {FONT} font-size: 14px;"))
        .replace("@font@", FONT)
}
