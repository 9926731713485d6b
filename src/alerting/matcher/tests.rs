//! Tables and laws of matchers.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// What a text gives in one mode: the matchers, `!` before them when there was a warning, or `error`.
fn list(mode: Mode, text: &str) -> String {
    match parse_list(mode, text) {
        Ok((matchers, warning)) => {
            let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
            format!("{}{}", if warning.is_some() { "! " } else { "" }, texts.join(","))
        }
        Err(_) => "error".into(),
    }
}

#[test]
fn the_modes_differ_as_the_references() {
    let rows = [
        ("foo=bar", r#"foo="bar""#, r#"foo="bar""#, r#"foo="bar""#),
        ("foo=", r#"foo="""#, "error", r#"! foo="""#),
        (r#"foo="a\bc""#, r#"foo="a\\bc""#, "foo=\"a\u{8}c\"", r#"! foo="a\\bc""#),
        (r#""foo🙂"=bar"#, "error", r#"foo🙂="bar""#, r#"foo🙂="bar""#),
        ("foo=~[a-z]{2}x", r#"foo=~"[a-z]{2}x""#, "error", r#"! foo=~"[a-z]{2}x""#),
        ("foo=~[a-z]{2}", r#"foo=~"[a-z]{2""#, "error", r#"! foo=~"[a-z]{2""#),
        ("{foo=bar", r#"foo="bar""#, "error", r#"! foo="bar""#),
        ("", "", "", ""),
        ("{}", "", "", ""),
        (",", "error", "error", "error"),
        ("foo=bar,", r#"foo="bar""#, r#"foo="bar""#, r#"foo="bar""#),
        (",foo=bar", "error", "error", "error"),
        ("{ a = b , c !~ \"d,e\" }", r#"a="b",c!~"d,e""#, r#"a="b",c!~"d,e""#, r#"a="b",c!~"d,e""#),
        ("a:b=c", r#"a:b="c""#, r#"a:b="c""#, r#"a:b="c""#),
        (r#""a b"="c""#, "error", r#""a b"="c""#, r#""a b"="c""#),
        (r#"a="\u00e9\x41""#, r#"a="\\u00e9\\x41""#, r#"a="éA""#, r#"! a="\\u00e9\\x41""#),
        (r#"a="\xff""#, r#"a="\\xff""#, "error", r#"! a="\\xff""#),
        (r#"a="b"c"#, "error", "error", "error"),
        ("a=~(", "error", "error", "error"),
    ];
    for (text, classic, strict, fallback) in rows {
        assert_eq!(list(Mode::Classic, text), classic, "classic {text}");
        assert_eq!(list(Mode::Utf8Strict, text), strict, "strict {text}");
        assert_eq!(list(Mode::Fallback, text), fallback, "fallback {text}");
    }
}

#[test]
fn errors_are_the_references() {
    let rows = [
        (Mode::Fallback, "foo", "bad matcher format: foo"),
        (Mode::Fallback, r#"foo=b"r"#, r#"matcher value contains unescaped double quote: b"r"#),
        (Mode::Utf8Strict, "foo=", "end of input: expected label value"),
        (Mode::Utf8Strict, "foo", "end of input: expected an operator such as '=', '!=', '=~' or '!~'"),
        (Mode::Utf8Strict, "{foo=bar", "0:8: end of input: expected close brace"),
        (Mode::Utf8Strict, "foo=bar}", "0:8: }: expected opening brace"),
        (Mode::Utf8Strict, "foo=bar,,", "8:9: unexpected ,: expected a matcher or close brace after comma"),
        (
            Mode::Utf8Strict,
            "foo!bar",
            "3:4: !: expected one of '=~': expected an operator such as '=', '!=', '=~' or '!~'",
        ),
        (Mode::Utf8Strict, r#"foo="bar"#, r#"4:8: "bar: missing end ": expected label value"#),
        (Mode::Utf8Strict, "a='b'", "2:3: ': invalid input: expected label value"),
        (Mode::Fallback, "a=~(", "error parsing regexp: missing closing ): `^(?:()$`"),
    ];
    for (mode, text, message) in rows {
        assert_eq!(parse_list(mode, text).unwrap_err().message, message, "{text}");
    }
}

#[test]
fn a_filter_is_one_matcher_without_braces() {
    let one = |mode, text| parse_one(mode, text).map(|(m, _)| m.to_string()).map_err(|e| e.message);
    assert_eq!(one(Mode::Fallback, "a=b"), Ok(r#"a="b""#.into()));
    assert_eq!(one(Mode::Fallback, "{a=b}"), Err("unexpected open or close brace: {a=b}".into()));
    assert_eq!(one(Mode::Utf8Strict, "a=b,c=d"), Err("expected 1 matcher, found 2".into()));
    assert_eq!(one(Mode::Utf8Strict, ""), Err("no matchers".into()));
    // the older syntax takes the rest of the text as the value
    assert_eq!(one(Mode::Classic, "a=b,c=d"), Ok(r#"a="b,c=d""#.into()));
    assert_eq!(one(Mode::Fallback, "a=b,c=d"), Ok(r#"a="b,c=d""#.into()));
}

#[test]
fn regexes_are_re2() {
    let rows = [
        ("a|b", &["a", "b"][..], &["ab", "xa", ""][..]),
        ("", &[""], &["a"]),
        (".*", &["", "abc"], &["a\nb"]),
        ("(?s).*", &["a\nb"], &[]),
        (r"\d+\w", &["1_"], &["٣a", "1é"]),
        (r"[\d-]+", &["1-2"], &["a"]),
        (r"a\b.*", &["aé", "a"], &["ab"]),
        ("[a-z]{2", &["a{2"], &["ab"]),
        ("a{,2}", &["a{,2}"], &["aa"]),
        (r"\<a\>", &["<a>"], &["a"]),
        ("[[a&&b]+", &["[&b"], &["c"]),
        (r"\Qa.b\E+", &["a.bb"], &["axb"]),
        ("a)|(b", &["a", "ax", "xb"], &["c"]),
        ("(?i)É", &["é"], &["e"]),
        (r"[^\s]\x{e9}", &["xé"], &[" é"]),
        (r"\pL\P{Lu}", &["ab"], &["aB"]),
        ("[[:alpha:]]", &["a"], &["1"]),
    ];
    for (pattern, matching, others) in rows {
        let matcher = Matcher::new(Op::Regex, "a", pattern).unwrap();
        matching.iter().for_each(|text| assert!(matcher.matches_value(text), "{pattern} should match {text}"));
        others.iter().for_each(|text| assert!(!matcher.matches_value(text), "{pattern} should not match {text}"));
    }
    for pattern in ["a**", "*a", "(?x)a", "a{1001}", "a{2,1}", r"\Z", r"\1", "[b-a]", "[a", "[[:foo:]]", r"a\"] {
        assert!(Matcher::new(Op::NotRegex, "a", pattern).is_err(), "{pattern}");
    }
}

#[test]
fn absent_labels_are_empty() {
    let labels = LabelSet::new([("a", "b")]);
    let matches = |op, name: &str, value: &str| Matcher::new(op, name, value).unwrap().matches(&labels);
    assert!(matches(Op::Equal, "a", "b") && !matches(Op::Equal, "a", "c"));
    assert!(matches(Op::Equal, "x", "") && matches(Op::NotEqual, "x", "b"));
    assert!(matches(Op::Regex, "x", ".*") && !matches(Op::NotRegex, "x", ""));
}

#[test]
fn they_sort_by_name_value_operator() {
    let matcher = |op, name: &str, value: &str| Matcher::new(op, name, value).unwrap();
    let mut matchers = [
        matcher(Op::Equal, "b", "1"),
        matcher(Op::NotRegex, "a", "1"),
        matcher(Op::Equal, "a", "2"),
        matcher(Op::Equal, "a", "1"),
        matcher(Op::Regex, "a", "1"),
    ];
    matchers.sort();
    let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    assert_eq!(texts, [r#"a="1""#, r#"a=~"1""#, r#"a!~"1""#, r#"a="2""#, r#"b="1""#]);
}

#[test]
fn label_names() {
    assert!(valid_label_name(Mode::Classic, "_a1") && !valid_label_name(Mode::Classic, "1a"));
    assert!(!valid_label_name(Mode::Classic, "a:b") && !valid_label_name(Mode::Classic, ""));
    assert!(valid_label_name(Mode::Fallback, "é b") && !valid_label_name(Mode::Utf8Strict, ""));
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![Just(Op::Equal), Just(Op::NotEqual)]
}

proptest! {
    #[test]
    fn what_is_printed_reads_the_same(name in ".{1,8}", op in op(), value in ".{0,12}") {
        let matcher = Matcher::new(op, name, value).unwrap();
        // names that a quoted Go string can hold in its short form are enough for the newer syntax
        let (read, _) = parse_one(Mode::Utf8Strict, &matcher.to_string()).unwrap();
        prop_assert_eq!(read, matcher);
    }

    #[test]
    fn classic_reads_what_is_printed(name in "[a-z_][a-z0-9_]{0,8}", op in op(), value in "(?s).{0,12}") {
        let matcher = Matcher::new(op, name, value).unwrap();
        let (read, _) = parse_one(Mode::Classic, &matcher.to_string()).unwrap();
        prop_assert_eq!(read, matcher);
    }

    #[test]
    fn junk_is_refused_calmly(text in r#"([a-c "\\{}=!~,\[\]()*+?|^$.é-]|\\[a-zA-Z0-9]|\(\?[imsUP<>-]){0,24}"#) {
        for mode in [Mode::Classic, Mode::Utf8Strict, Mode::Fallback] {
            let _ = (parse_list(mode, &text), parse_one(mode, &text));
        }
        let _ = Matcher::new(Op::Regex, "a", text);
    }
}
