#![allow(clippy::unwrap_used)]

use super::*;
use crate::time::Timestamp;

fn data() -> Data {
    sample_data(Timestamp::from_secs(1_700_000_000))
}

fn text(template: &str) -> String {
    match Templates::builtin().text(template, &data()) {
        Ok(text) => text,
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn the_built_in_templates_parse() {
    for text in defaults::texts() {
        assert_eq!(parse("", &text, Known::All).err(), None);
    }
    assert!(Templates::builtin().names().any(|name| name == "email.default.html"));
}

#[test]
fn values_print_themselves() {
    assert_eq!(text("{{ .GroupLabels }}"), "grouplabelkey1=grouplabelvalue1, grouplabelkey2=grouplabelvalue2");
    assert_eq!(text("{{ (index .Alerts 0).StartsAt.UTC.Format \"15:04\" }}"), "22:08");
    assert_eq!(text("{{ range .Alerts.Firing }}{{ .Labels.label1 | toUpper }}{{ end }}"), "VALUE1");
    assert_eq!(
        text("{{ .CommonLabels.Remove (stringSlice \"commonlabelkey1\") }}"),
        "commonlabelkey2=commonlabelvalue2"
    );
}

#[test]
fn errors_say_where() {
    assert_eq!(
        text("a\n {{ .Foo }}"),
        "error: template: :2:4: executing \"\" at <.Foo>: can't evaluate field Foo in type *template.Data"
    );
    let error = Templates::new([("dir/a.tmpl", "x\n{{ .X | upper }}\n")]).unwrap_err();
    insta::assert_snapshot!(error.picture(), @r#"
    a.tmpl:2:9: function "upper" not defined
      | {{ .X | upper }}
      |         ^
    "#);
    let templates = Templates::new([("dir/b.tmpl", "{{ define \"b\" }}\n\tü {{ .Foo }}{{ end }}")]).unwrap();
    let error = templates.text("{{ template \"b\" . }}", &data()).unwrap_err();
    insta::assert_snapshot!(error.picture(), @r#"
    b.tmpl:2:7: executing "b" at <.Foo>: can't evaluate field Foo in type *template.Data
      | 	ü {{ .Foo }}{{ end }}
      | 	     ^
    "#);
}

#[test]
fn each_limit_is_an_error_that_says_which() {
    let limits = Limits { steps: 50_000, bytes: 1000 };
    let templates = Templates::builtin().with_limits(limits);
    let refused = |mode, template: &str| templates.render(mode, template, &data()).unwrap_err().to_string();
    for mode in [Mode::Text, Mode::Html] {
        let cases = [
            ("{{ range 100000 }}{{ end }}", "takes more than 50000 steps"),
            ("{{ range 101 }}0123456789{{ end }}", "prints more than 1000 bytes"),
            (
                "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
                "exceeded maximum template depth (200)",
            ),
            ("{{ $x := \"12345678\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}", "the text is too long"),
            ("{{ $x := list 1 }}{{ range 100 }}{{ $x = list $x $x }}{{ end }}{{ $x }}", "text is too long"),
            ("{{ $x := list 1 }}{{ range 20000 }}{{ $x = append $x $x }}{{ end }}", "text is too long"),
            ("{{ printf \"%1000000d\" 1 }}", "text is too long"),
            ("{{ match \"((a{1000}){1000}){1000}\" \"a\" }}", "error parsing regexp"),
            ("{{ $x := list 1 }}{{ range 100 }}{{ $x = list $x }}{{ end }}", "nested too deeply"),
            ("{{ printf \"%[1]s%[1]s%[1]s\" (printf \"%400d\" 1) }}", "text is too long"),
            ("{{ join (printf \"%400d\" 1) (stringSlice \"a\" \"b\" \"c\") }}", "text is too long"),
            ("{{ range 3 }}{{ match (printf \"a{%d}\" .) \"a\" }}{{ end }}", "steps"),
            (
                "{{ $x := \"aaaaaaaaaaaaaaaaaaaa\" }}{{ range 3 }}{{ $x = reReplaceAll \"\" $x $x }}{{ end }}",
                "text is too long",
            ),
        ];
        for (template, why) in cases {
            let error = refused(mode, template);
            assert!(error.contains(why), "{mode:?} {template}: {error}");
        }
    }
    // each field has its own budget
    let nearly = "{{ range 20000 }}{{ end }}x";
    assert!((0..20).all(|_| templates.text(nearly, &data()).is_ok_and(|text| text == "x")));
}

#[test]
fn html_is_escaped_by_its_place() {
    let html = |template: &str| Templates::builtin().html(template, &data()).unwrap();
    let link = "<a href=\"{{ .ExternalURL }}?q={{ \"a b&c\" }}\">{{ \"<b>\" }}</a>";
    assert_eq!(html(link), "<a href=\"https://example.com?q=a%20b%26c\">&lt;b&gt;</a>");
}

#[test]
fn no_template_can_hold_a_member_up() {
    let limits = Limits { steps: 1000, bytes: 1000 };
    let templates = Templates::builtin().with_limits(limits);
    for endless in [
        "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
        "{{ range 1000000000 }}{{ end }}",
        "{{ $x := \"aaaaaaaa\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}",
        "{{ range 101 }}0123456789{{ end }}",
        "{{ printf \"%1000000d\" 1 }}",
    ] {
        assert!(templates.text(endless, &data()).is_err(), "{endless}");
    }
}

#[test]
fn labels_of_a_route_refer_to_each_other() {
    let mut data = data();
    data.route_labels = LabelSet::new([
        ("a", "{{ routeLabels \"b\" }}!"),
        ("b", "{{ .Receiver }} {{ .NotificationReason }}"),
        ("cycle", "{{ routeLabels \"other\" }}"),
        ("other", "{{ routeLabels \"cycle\" }}"),
        ("plain", "x"),
    ]);
    let rendered = Templates::builtin().route_labels(data);
    assert_eq!(rendered.labels.to_string(), "{a=\"receiver unknown!\", b=\"receiver unknown\", plain=\"x\"}");
    let failed: Vec<String> = rendered.failed.iter().map(|(name, error)| format!("{name}: {error}")).collect();
    assert_eq!(failed.len(), 2);
    assert!(failed[0].ends_with("route label cycle detected: cycle -> other -> cycle"), "{failed:?}");
}

#[test]
fn a_deep_template_is_an_error_on_a_small_stack() {
    let deep = |count: usize| format!("{}x{}", "{{ if true }}".repeat(count), "{{ end }}".repeat(count));
    let templates = Templates::builtin();
    let rendering = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        assert_eq!(templates.text(&deep(100), &data()).unwrap(), "x");
        assert_eq!(templates.html(&deep(100), &data()).unwrap(), "x");
        assert!(templates.text(&deep(100_000), &data()).is_err());
        let parens = format!("{{{{ {}1{} }}}}", "(".repeat(100), ")".repeat(100));
        assert_eq!(templates.text(&parens, &data()).unwrap(), "1");
        let recursive = "{{ define \"r\" }}{{ if true }}{{ template \"r\" . }}{{ end }}{{ end }}{{ template \"r\" . }}";
        assert!(templates.text(recursive, &data()).is_err());
        assert!(templates.html(recursive, &data()).is_err());
    });
    rendering.unwrap().join().unwrap();
}
