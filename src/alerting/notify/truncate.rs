//! Texts that a receiver takes only up to a length; what is cut ends with an ellipsis.

const ELLIPSIS: char = '…';

/// At most `max` characters, which is more than 3.
pub(super) fn to_chars(mut text: String, max: usize) -> String {
    if text.char_indices().nth(max).is_some() {
        let end = text.char_indices().nth(max - 1).map_or(0, |(at, _)| at);
        text.truncate(end);
        text.push(ELLIPSIS);
    }
    text
}

/// At most `max` bytes, which is more than 3.
pub(super) fn to_bytes(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max - ELLIPSIS.len_utf8()));
        text.push(ELLIPSIS);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_has_the_length_and_says_so() {
        let chars = [("abcde", "abcde"), ("abcdef", "abcd…"), ("äöüßé", "äöüßé"), ("äöüßéx", "äöüß…"), ("", "")];
        for (text, cut) in chars {
            assert_eq!(to_chars(text.into(), 5), cut);
        }
        let bytes = [("abcdef", "abcdef"), ("abcdefg", "abc…"), ("ääää", "ä…"), ("äää", "äää"), ("\u{10000}abc", "…")];
        for (text, cut) in bytes {
            assert_eq!(to_bytes(text.into(), 6), cut);
        }
    }
}
