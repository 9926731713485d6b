//! From which directory relative paths count.

/// The directory of the config file; `None` leaves paths as they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory(pub(super) Option<String>);

impl Directory {
    /// The path as it is from the working directory. Empty and absolute paths stay as they are.
    pub(super) fn join(&self, path: &str) -> String {
        match &self.0 {
            Some(directory) if !path.is_empty() && !path.starts_with('/') => {
                if directory.is_empty() {
                    clean(path)
                } else {
                    clean(&format!("{directory}/{path}"))
                }
            }
            _ => path.to_owned(),
        }
    }
}

/// A pattern of Go's `filepath.Glob`, as one of the crate `glob`: `**` is no more than `*` there, and classes are negated
/// with `^`.
pub fn glob_pattern(pattern: &str) -> String {
    let mut translated = pattern.replace("[^", "[!");
    while translated.contains("**") {
        translated = translated.replace("**", "*");
    }
    translated
}

/// Removes `.`, `..` and double slashes as far as the text alone allows it.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".into(),
        (false, path) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_as_go_does() {
        let join = |directory: &str, path| Directory(Some(directory.into())).join(path);
        assert_eq!(join("/etc/am", "t/*.tmpl"), "/etc/am/t/*.tmpl");
        assert_eq!(join("/etc/am/", "../x//y/./z"), "/etc/x/y/z");
        assert_eq!(join(".", "x"), "x");
        assert_eq!(join("", "./x"), "x");
        assert_eq!(join("conf", "../../x"), "../x");
        assert_eq!(join("/a", "../../x"), "/x");
        assert_eq!((join("/a", "/b/../c"), join("/a", "")), ("/b/../c".into(), String::new()));
        assert_eq!(Directory::default().join("../x"), "../x");
    }
}
