//! `title`: the first letter of each word large, the others small.

/// American English title case (reference behaviour).
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_word, mut after_mid) = (false, false);
    for c in text.chars() {
        let mid = is_mid(c);
        // one of these may stand inside of a word, two may not
        if mid && after_mid {
            in_word = false;
        }
        after_mid = mid;
        if is_cased(c) {
            match in_word {
                true => out.extend(c.to_lowercase()),
                false => push_title(c, &mut out),
            }
            in_word = true;
            continue;
        }
        out.push(c);
        if !mid && !continues_word(c) {
            in_word = false;
        }
    }
    out
}

fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || ('\u{1c4}'..='\u{1cc}').contains(&c)
}

fn push_title(c: char, out: &mut String) {
    match c {
        // digraphs have a title form of their own
        '\u{1c4}'..='\u{1c6}' => out.push('\u{1c5}'),
        '\u{1c7}'..='\u{1c9}' => out.push('\u{1c8}'),
        '\u{1ca}'..='\u{1cc}' => out.push('\u{1cb}'),
        '\u{1f1}'..='\u{1f3}' => out.push('\u{1f2}'),
        c => {
            // of several letters only the first is large
            let mut upper = c.to_uppercase();
            let first = upper.next().unwrap_or(c);
            out.push(first);
            let small = first.is_uppercase();
            upper.for_each(|rest| if small { out.extend(rest.to_lowercase()) } else { out.push(rest) });
        }
    }
}

/// Joins letters: an apostrophe, a full stop, a colon, a middle dot.
fn is_mid(c: char) -> bool {
    matches!(
        c,
        '\'' | '.'
            | ':'
            | '\u{b7}'
            | '\u{387}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{2024}'
            | '\u{2027}'
            | '\u{fe13}'
            | '\u{fe52}'
            | '\u{fe55}'
            | '\u{ff07}'
            | '\u{ff0e}'
            | '\u{ff1a}'
    )
}

fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}')
}
