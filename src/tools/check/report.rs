//! What was found, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::examine::{Checked, Fault};

/// As `amtool check-config` tells it, with the wrong line shown.
pub(super) fn text(checked: &[Checked]) -> String {
    let mut out = String::new();
    // writing to a String does not fail
    for one in checked {
        let cluster = one.cluster.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let verdict = if one.faults.is_empty() { "SUCCESS" } else { "FAILED" };
        let _ = writeln!(out, "Checking '{}'{cluster}  {verdict}", one.file.display());
        if let Some(found) = &one.found {
            let _ = writeln!(
                out,
                "Found:\n - global config\n - route\n - {} inhibit rules\n - {} receivers\n - {} templates",
                found.inhibit_rules, found.receivers, found.templates
            );
        }
        for warning in &one.warnings {
            let _ = writeln!(out, "warning: {warning}");
        }
        for fault in &one.faults {
            out.push_str(&fault_text(fault));
        }
        out.push('\n');
    }
    out
}

/// `file:line:column: path: message`, the line, and a caret under the place.
fn fault_text(fault: &Fault) -> String {
    let mut out = fault.file.display().to_string();
    for number in [fault.line, fault.line.and(fault.column)].into_iter().flatten() {
        let _ = write!(out, ":{number}");
    }
    out.push_str(": ");
    if !fault.path.is_empty() {
        let _ = write!(out, "{}: ", fault.path);
    }
    let _ = writeln!(out, "{}", fault.message.replace('\n', " "));
    if let (Some(source), Some(line)) = (&fault.source, fault.line) {
        let gutter = format!("{line} | ");
        let _ = writeln!(out, "{gutter}{source}");
        if let Some(column) = fault.column {
            // a tab stays one, so that the caret stands below what it means
            let before = source.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' });
            let _ = writeln!(out, "{}{}^", " ".repeat(gutter.len()), before.collect::<String>());
        }
    }
    out
}

/// `{"ok": …, "checked": [{"file", "cluster", "ok", "found", "warnings", "errors"}]}`.
pub(super) fn json(checked: &[Checked]) -> String {
    let rows: Vec<Value> = checked
        .iter()
        .map(|one| {
            let found = one.found.map(|found| {
                json!({
                    "inhibitRules": found.inhibit_rules,
                    "receivers": found.receivers,
                    "templates": found.templates,
                    "timeIntervals": found.time_intervals,
                })
            });
            let faults = one.faults.iter().map(|fault| {
                json!({
                    "file": fault.file.display().to_string(),
                    "line": fault.line,
                    "column": fault.column,
                    "path": fault.path,
                    "message": fault.message,
                    "source": fault.source,
                })
            });
            json!({
                "file": one.file.display().to_string(),
                "cluster": one.cluster,
                "ok": one.faults.is_empty(),
                "found": found,
                "warnings": one.warnings,
                "errors": faults.collect::<Vec<_>>(),
            })
        })
        .collect();
    let ok = checked.iter().all(|one| one.faults.is_empty());
    format!("{:#}\n", json!({ "ok": ok, "checked": rows }))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::examine;
    use super::*;
    use crate::Syntax;

    const GOOD: &str = "route: {receiver: x}\nreceivers: [{name: x}]\n";
    const MANIFEST: &str = "\
apiVersion: alertmanager.dev/v1alpha1
kind: AlertmanagerCluster
metadata: {name: main}
spec: {replicas: 1, config: {configMapRef: {name: c}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  alertmanager.yml: |
    route:
      receiver: nobody
    receivers:
    - name: x
";

    /// Two template files, whatever the pattern.
    fn find(_: &str) -> Result<Vec<(PathBuf, String)>, String> {
        let files = [("t/good.tmpl", "{{ define \"a\" }}x{{ end }}"), ("t/bad.tmpl", "one\n  {{ .X | nope }}\n")];
        Ok(files.map(|(path, text)| (PathBuf::from(path), text.to_owned())).into())
    }

    fn checked(files: &[(&str, &str)]) -> String {
        let files: Vec<_> = files.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect();
        text(&examine::all(&files, &Syntax::default(), &find))
    }

    #[test]
    fn tells_what_is_there_and_what_is_wrong() {
        let wrong = "route:\n  receiver: x\n  routes:\n  - matchers: ['=']\nreceivers: [{name: x}]\n";
        insta::assert_snapshot!(checked(&[("good.yml", GOOD), ("wrong.yml", wrong), ("empty.yml", "")]), @r#"
        Checking 'good.yml'  SUCCESS
        Found:
         - global config
         - route
         - 0 inhibit rules
         - 1 receivers
         - 0 templates

        Checking 'wrong.yml'  FAILED
        wrong.yml:4:16: route.routes[0].matchers[0]: bad matcher format: =
        4 |   - matchers: ['=']
                           ^

        Checking 'empty.yml'  FAILED
        empty.yml: no route provided in config
        "#);
    }

    #[test]
    fn templates_are_parsed() {
        let out = checked(&[("a.yml", &format!("{GOOD}templates: [x]\n"))]);
        assert!(out.contains("\n - 1 templates\n"), "{out}");
        assert!(out.contains("\nt/bad.tmpl:2:"), "{out}");
        assert!(out.contains("\n2 |   {{ .X | nope }}\n"), "{out}");
    }

    #[test]
    fn template_files_of_a_cluster_are_in_its_manifest() {
        let named = MANIFEST.replace("nobody", "x").replace("    route:", "    templates: [x.tmpl]\n    route:");
        let out = checked(&[("all.yaml", &named)]);
        assert!(out.contains("FAILED") && out.contains("names none of the files of spec.config.templates"), "{out}");
        let referring = named.replace("{name: c}}}", "{name: c}, templates: [{configMapRef: {name: texts}}]}}");
        let map = |text: &str| {
            format!(
                "{referring}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: texts}}\ndata: {{x.tmpl: '{text}'}}\n"
            )
        };
        let out = checked(&[("all.yaml", &map("{{ define \"a\" }}b{{ end }}"))]);
        assert!(out.contains("SUCCESS") && out.contains("\n - 1 templates\n"), "{out}");
        let out = checked(&[("all.yaml", &map("{{ nope }}"))]);
        assert!(out.contains("FAILED") && out.contains("template file `x.tmpl`, line 1"), "{out}");
    }

    #[test]
    fn finds_the_line_in_a_manifest() {
        insta::assert_snapshot!(checked(&[("all.yaml", MANIFEST)]), @r#"
        Checking 'all.yaml' (default/main)  FAILED
        all.yaml:12:17: route.receiver: undefined receiver "nobody" used in route
        12 |       receiver: nobody
                             ^
        "#);
        let fixed = MANIFEST.replace("nobody", "x");
        insta::assert_snapshot!(checked(&[("all.yaml", &fixed)]), @r"
        Checking 'all.yaml' (default/main)  SUCCESS
        Found:
         - global config
         - route
         - 0 inhibit rules
         - 1 receivers
         - 0 templates
        ");
        let apart = fixed.split("---\n").collect::<Vec<_>>();
        insta::assert_snapshot!(checked(&[("a.yaml", apart[0])]), @r"
        Checking 'a.yaml'  FAILED
        a.yaml:1: ConfigMap c, key alertmanager.yml is in none of the files
        1 | apiVersion: alertmanager.dev/v1alpha1
        ");
        insta::assert_snapshot!(checked(&[("a.yaml", apart[1])]), @r"
        Checking 'a.yaml'  FAILED
        a.yaml: no AlertmanagerCluster in a.yaml
        ");
    }

    #[test]
    fn programs_get_the_same() {
        let files = [(PathBuf::from("a.yml"), "route: {receiver: x}\n".to_owned())];
        insta::assert_snapshot!(json(&examine::all(&files, &Syntax::default(), &find)), @r#"
        {
          "checked": [
            {
              "cluster": null,
              "errors": [
                {
                  "column": 19,
                  "file": "a.yml",
                  "line": 1,
                  "message": "undefined receiver \"x\" used in route",
                  "path": "route.receiver",
                  "source": "route: {receiver: x}"
                }
              ],
              "file": "a.yml",
              "found": null,
              "ok": false,
              "warnings": []
            }
          ],
          "ok": false
        }
        "#);
    }
}
