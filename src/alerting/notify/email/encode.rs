//! How texts travel in mails: encoded words (RFC 2047) in headers, quoted-printable (RFC 2045) in bodies, dots doubled in
//! the dialogue (RFC 5321), with the line breaks of the reference.

/// Characters of a line of quoted-printable, with the `=` at its end.
const LINE_MAX: usize = 76;

/// Characters of an encoded word, without what's around them.
const WORD_MAX: usize = 75 - "=?UTF-8?q?".len() - "?=".len();

/// A header's value: as it is if it's printable ASCII, else as encoded words.
pub(super) fn header(value: &str) -> String {
    if value.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
        return value.to_owned();
    }
    let mut text = String::from("=?utf-8?q?");
    let mut length = 0;
    for c in value.chars() {
        let plain = matches!(c, ' '..='~') && !matches!(c, '=' | '?' | '_');
        let size = if plain { 1 } else { 3 * c.len_utf8() };
        if length + size > WORD_MAX {
            text.push_str("?= =?utf-8?q?");
            length = 0;
        }
        length += size;
        match c {
            ' ' => text.push('_'),
            c if plain => text.push(c),
            c => escaped(c, &mut text),
        }
    }
    text.push_str("?=");
    text
}

fn escaped(c: char, to: &mut String) {
    c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escaped_byte(byte, to));
}

fn escaped_byte(byte: u8, to: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    to.push('=');
    to.push(DIGITS[usize::from(byte >> 4)]);
    to.push(DIGITS[usize::from(byte & 15)]);
}

/// A body as quoted-printable; every kind of line break becomes CRLF.
pub(super) fn quoted_printable(text: &str, to: &mut String) {
    let mut line = Line { to, length: 0 };
    let mut after_cr = false;
    for byte in text.bytes() {
        match byte {
            b'\n' if after_cr => {}
            b'\n' | b'\r' => line.end(),
            b'=' => line.put_escaped(byte),
            b'!'..=b'~' | b' ' | b'\t' => line.put(char::from(byte)),
            _ => line.put_escaped(byte),
        }
        after_cr = match byte {
            b'\r' => true,
            // an escape leaves this as it was (reference behaviour)
            b'!'..=b'<' | b'>'..=b'~' | b' ' | b'\t' | b'\n' => false,
            _ => after_cr,
        };
    }
    line.protect_space();
}

struct Line<'a> {
    to: &'a mut String,
    length: usize,
}

impl Line<'_> {
    fn put(&mut self, c: char) {
        if self.length == LINE_MAX - 1 {
            self.soft_break();
        }
        self.to.push(c);
        self.length += 1;
    }

    fn put_escaped(&mut self, byte: u8) {
        if LINE_MAX - 1 - self.length < 3 {
            self.soft_break();
        }
        escaped_byte(byte, self.to);
        self.length += 3;
    }

    fn soft_break(&mut self) {
        self.to.push_str("=\r\n");
        self.length = 0;
    }

    fn end(&mut self) {
        self.protect_space();
        self.to.push_str("\r\n");
        self.length = 0;
    }

    /// Space at the end of a line could get lost.
    fn protect_space(&mut self) {
        let last = self.to.bytes().last().filter(|last| self.length > 0 && matches!(last, b' ' | b'\t'));
        if let Some(space) = last {
            self.to.pop();
            self.length -= 1;
            self.put_escaped(space);
        }
    }
}

/// A message as it's sent after `DATA`: dots at the start of lines doubled, all lines ended by CRLF, and the final dot.
pub fn dotted(message: &[u8]) -> Vec<u8> {
    let mut to = Vec::with_capacity(message.len() + 16);
    let (mut before, mut at_start) = (b'\n', true);
    for &byte in message {
        if at_start && byte == b'.' {
            to.push(b'.');
        }
        if byte == b'\n' && before != b'\r' {
            to.push(b'\r');
        }
        to.push(byte);
        at_start = byte == b'\n';
        before = byte;
    }
    if !at_start {
        to.extend_from_slice(if before == b'\r' { b"\n" } else { b"\r\n" });
    }
    to.extend_from_slice(b".\r\n");
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_words_only_if_they_must() {
        assert_eq!(header("[FIRING:1] a_b = c?"), "[FIRING:1] a_b = c?");
        assert_eq!(header("ü_ =?x\n"), "=?utf-8?q?=C3=BC=5F_=3D=3Fx=0A?=");
        let long = header(&"ü".repeat(20));
        assert_eq!(long.matches("?= =?utf-8?q?").count(), 1, "{long}");
        assert!(long.split(' ').all(|word| word.len() <= 75));
    }

    #[test]
    fn bodies_keep_lines_short_and_spaces_alive() {
        let of = |text: &str| {
            let mut to = String::new();
            quoted_printable(text, &mut to);
            to
        };
        for (text, wanted) in [
            ("a=b\n", "a=3Db\r\n"),
            ("a \nb\t", "a=20\r\nb=09"),
            ("a\r\nb\rc\n\nd", "a\r\nb\r\nc\r\n\r\nd"),
            ("ü", "=C3=BC"),
        ] {
            assert_eq!(of(text), wanted);
        }
        assert_eq!(of(&"x".repeat(76)), format!("{}=\r\nx", "x".repeat(75)));
        assert!(of(&"ü".repeat(100)).lines().all(|line| line.len() <= 76));
    }

    #[test]
    fn dots_are_doubled_and_lines_ended() {
        for (text, wanted) in [
            ("", ".\r\n"),
            ("a\n.b\r\n..", "a\r\n..b\r\n...\r\n.\r\n"),
            ("a\r", "a\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
        ] {
            assert_eq!(dotted(text.as_bytes()), wanted.as_bytes(), "{text:?}");
        }
    }
}
