//! Classes, `[a-z]`, which know set operations in one dialect and not in the other.

use super::Rewriter;

impl Rewriter<'_> {
    /// After `[`.
    pub(super) fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        self.out.extend(self.rest.next_if_eq(&'^'));
        let mut first = true;
        loop {
            let next = *self.rest.peek().ok_or_else(|| "missing closing ]".to_owned())?;
            if next == '[' && self.named_class()? {
                first = false;
                continue;
            }
            self.rest.next();
            match next {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => {
                    if self.class_escape(true)?.is_none() {
                        let low = self.char_escape()?;
                        self.range(low)?;
                    }
                }
                low => self.range(low)?,
            }
            first = false;
        }
    }

    /// `[:name:]` within a class, taken; anything else is left and is no name.
    fn named_class(&mut self) -> Result<bool, String> {
        let mut ahead = self.rest.clone();
        ahead.next();
        let text: String = ahead.collect();
        let Some((name, _)) = text.strip_prefix(':').and_then(|t| t.split_once(":]")) else { return Ok(false) };
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "word", "xdigit",
        ];
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err("invalid character class range".into());
        }
        self.out.push_str(&format!("[:{name}:]"));
        for _ in 0..name.len() + 4 {
            self.rest.next();
        }
        Ok(true)
    }

    /// A character of a class, or the range that it begins.
    fn range(&mut self, low: char) -> Result<(), String> {
        self.literal(low);
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || matches!(ahead.peek(), Some(']') | None) {
            return Ok(());
        }
        self.rest = ahead;
        let high = match self.rest.next() {
            Some('\\') => self.char_escape()?,
            Some(c) => c,
            None => return Ok(()),
        };
        if high < low {
            return Err("invalid character class range".into());
        }
        self.out.push('-');
        self.literal(high);
        Ok(())
    }
}
