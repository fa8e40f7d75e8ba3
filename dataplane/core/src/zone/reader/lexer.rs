//! Splits a master file into entries and an entry into tokens (RFC 1035 section 5.1).
//!
//! An entry is one line, or several joined by parentheses. Tokens are ranges of the source: nothing
//! is copied, and escapes stay as written until the field that needs the octets reads them.

/// Most tokens in one entry. The longest RDATA, 65,535 octets written as single hex digits, has
/// fewer; more mean a parenthesis that is never closed.
const MAX_TOKENS: usize = 200_000;

/// A part of the source that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Offset in the source of the octet at fault.
    pub at: usize,
    /// Rule id of the finding it becomes.
    pub rule: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Fault {
    /// A fault under the rule `zone-syntax`.
    pub fn new(at: usize, message: impl Into<String>) -> Fault {
        Fault { at, rule: "zone-syntax", message: message.into() }
    }
}

/// One word or quoted string of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Offset of the first octet, after the quote of a quoted string.
    pub start: u32,
    /// Offset after the last octet, before the quote of a quoted string.
    pub end: u32,
    /// It stood in quotes.
    pub quoted: bool,
    /// Nothing separates it from the token before, as in `key="value"`.
    pub glued: bool,
}

impl Token {
    /// Its octets, without quotes, escapes as written.
    pub fn text(self, source: &[u8]) -> &[u8] {
        source.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Offset where it begins in the source, its quote included.
    pub fn at(self) -> usize {
        self.start as usize - usize::from(self.quoted)
    }
}

/// Where an entry begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Offset of its first line.
    pub start: usize,
    /// Number of that line, from 1.
    pub line: u32,
    /// The line begins with a blank, so the owner is the last one stated.
    pub blank: bool,
}

/// Reads entries from a source of at most 4 GiB.
#[derive(Debug)]
pub struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    line: u32,
}

/// An opening parenthesis: its offset, and where its line ends.
struct Open {
    at: usize,
    line: u32,
}

impl<'a> Lexer<'a> {
    /// Starts at the first line of `source`.
    pub fn new(source: &'a [u8]) -> Lexer<'a> {
        Lexer { source, at: 0, line: 1 }
    }

    /// Reads the next entry that has tokens, into `tokens`; `None` at the end of the source. After a
    /// fault, reading goes on behind the entry, or behind the line of a parenthesis never closed.
    pub fn next_entry(&mut self, tokens: &mut Vec<Token>) -> Option<Result<Entry, (Entry, Fault)>> {
        tokens.clear();
        while self.at < self.source.len() {
            let entry = Entry {
                start: self.at,
                line: self.line,
                blank: matches!(self.source.get(self.at), Some(b' ' | b'\t')),
            };
            match self.scan(tokens) {
                Err(fault) => return Some(Err((entry, fault))),
                Ok(()) if tokens.is_empty() => {}
                Ok(()) => return Some(Ok(entry)),
            }
        }
        None
    }

    /// Scans one entry and moves behind it.
    fn scan(&mut self, tokens: &mut Vec<Token>) -> Result<(), Fault> {
        let source = self.source;
        let mut open: Vec<Open> = Vec::new();
        let mut fault = None;
        let mut glued = false;
        let mut complete = true;
        while let Some(&octet) = source.get(self.at) {
            match octet {
                b' ' | b'\t' => {
                    self.at += 1;
                    glued = false;
                }
                b'\n' | b'\r' => {
                    self.at += newline_length(source, self.at);
                    self.line = self.line.saturating_add(1);
                    glued = false;
                    if open.is_empty() {
                        break;
                    }
                }
                b';' => self.at = end_of_line(source, self.at),
                b'(' => {
                    open.push(Open { at: self.at, line: self.line });
                    self.at += 1;
                    glued = false;
                }
                b')' => {
                    if open.pop().is_none() && fault.is_none() {
                        fault = Some(Fault::new(self.at, "there is no '(' before this ')': remove it"));
                    }
                    self.at += 1;
                    glued = false;
                }
                _ => {
                    let (token, after, problem) = scan_token(source, self.at, glued);
                    tokens.push(token);
                    self.at = after;
                    glued = true;
                    if fault.is_none() {
                        fault = problem;
                    }
                }
            }
            if tokens.len() > MAX_TOKENS || open.len() > MAX_TOKENS {
                complete = false;
                break;
            }
        }
        // A parenthesis left open swallows what follows it: blame it, and go on behind its line.
        if let Some(first) = open.first() {
            self.at = end_of_line(source, first.at);
            self.at += newline_length(source, self.at);
            self.line = first.line.saturating_add(1);
            return Err(Fault::new(first.at, "this '(' is never closed: add the ')'"));
        }
        if !complete {
            let at = self.at;
            self.at = end_of_line(source, at);
            return Err(Fault::new(at, format!("the record has more than {MAX_TOKENS} fields: shorten it")));
        }
        fault.map_or(Ok(()), Err)
    }
}

/// Scans one token at `at`: the token, the offset behind it, and what is wrong with it.
fn scan_token(source: &[u8], at: usize, glued: bool) -> (Token, usize, Option<Fault>) {
    let quoted = source.get(at) == Some(&b'"');
    let start = at + usize::from(quoted);
    let mut end = start;
    let mut fault = None;
    let after = loop {
        match source.get(end) {
            Some(b'\\') => match source.get(end + 1) {
                Some(b'\n' | b'\r') | None => {
                    fault = Some(Fault::new(end, "a '\\' ends the line: write it as '\\\\', or remove it"));
                    break end + 1;
                }
                Some(_) => end += 2,
            },
            Some(b'"') if quoted => break end + 1,
            Some(b'\n' | b'\r') | None if quoted => {
                fault = Some(Fault::new(at, "this '\"' is never closed: add the '\"' on the same line"));
                break end;
            }
            Some(b' ' | b'\t' | b'\n' | b'\r' | b';' | b'(' | b')' | b'"') if !quoted => break end,
            None => break end,
            Some(_) => {
                let rest = source.get(end + 1..).unwrap_or_default();
                end += 1 + rest.iter().take_while(|octet| is_plain(**octet)).count();
            }
        }
    };
    (Token { start: start as u32, end: end as u32, quoted, glued }, after, fault)
}

/// Whether an octet is part of a word whatever is around it.
fn is_plain(octet: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [true; 256];
        let mut special = b" \t\n\r;()\"\\".as_slice();
        while let [octet, rest @ ..] = special {
            plain[*octet as usize] = false;
            special = rest;
        }
        plain
    };
    PLAIN.get(usize::from(octet)).is_some_and(|plain| *plain)
}

/// Offset of the newline that ends the line of `at`, or the length of the source.
fn end_of_line(source: &[u8], at: usize) -> usize {
    let rest = source.get(at..).unwrap_or_default();
    rest.iter().position(|octet| matches!(octet, b'\n' | b'\r')).map_or(source.len(), |length| at + length)
}

/// Octets of the newline at `at`: LF, CRLF or a lone CR; 0 where there is none.
fn newline_length(source: &[u8], at: usize) -> usize {
    match (source.get(at), source.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => 2,
        (Some(b'\r' | b'\n'), _) => 1,
        _ => 0,
    }
}

/// Line and column, both from 1, of the octet at `at`, counted from the start of its entry.
pub fn position(source: &[u8], entry: Entry, at: usize) -> (u32, u32) {
    let mut line = entry.line;
    let mut line_start = entry.start;
    loop {
        let end = end_of_line(source, line_start);
        let next = end + newline_length(source, end);
        if end >= at || next == end {
            let column = at.saturating_sub(line_start).saturating_add(1);
            return (line, u32::try_from(column).unwrap_or(u32::MAX));
        }
        line = line.saturating_add(1);
        line_start = next;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An entry's line and words, or its fault's line and column.
    type Read = Result<(u32, Vec<String>), (u32, u32)>;

    fn entries(text: &str) -> Vec<Read> {
        let source = text.as_bytes();
        let mut lexer = Lexer::new(source);
        let mut tokens = Vec::new();
        let mut all = Vec::new();
        while let Some(result) = lexer.next_entry(&mut tokens) {
            all.push(match result {
                Ok(entry) => Ok((
                    entry.line,
                    tokens
                        .iter()
                        .map(|token| String::from_utf8(token.text(source).to_vec()).unwrap())
                        .collect(),
                )),
                Err((entry, fault)) => Err(position(source, entry, fault.at)),
            });
        }
        all
    }

    fn words(line: u32, words: &[&str]) -> Read {
        Ok((line, words.iter().map(|word| (*word).to_owned()).collect()))
    }

    #[test]
    fn lines_comments_and_blank_lines() {
        assert_eq!(
            entries("; top\n\n a b ; c\r\n\t\r\nd\re"),
            [words(3, &["a", "b"]), words(5, &["d"]), words(6, &["e"])]
        );
    }

    #[test]
    fn parentheses_join_lines() {
        assert_eq!(
            entries("a ( b ; x )\n ( c ) \"(;\" )d\ne"),
            [words(1, &["a", "b", "c", "(;", "d"]), words(3, &["e"])]
        );
    }

    #[test]
    fn quotes_and_escapes_hide_what_is_special() {
        assert_eq!(entries("\"a \\\" ;b\" c\\ d\\;e"), [words(1, &["a \\\" ;b", "c\\ d\\;e"])]);
        assert_eq!(entries("\"\""), [words(1, &[""])]);
    }

    #[test]
    fn tokens_remember_what_touches_them() {
        let mut tokens = Vec::new();
        Lexer::new(b"k=\"v\" x").next_entry(&mut tokens).unwrap().unwrap();
        assert_eq!(
            tokens.iter().map(|t| (t.quoted, t.glued)).collect::<Vec<_>>(),
            [(false, false), (true, true), (false, false)]
        );
    }

    #[test]
    fn faults_name_their_place_and_reading_goes_on() {
        assert_eq!(entries("a \"b\nc"), [Err((1, 3)), words(2, &["c"])]);
        assert_eq!(entries("a )\nc"), [Err((1, 3)), words(2, &["c"])]);
        assert_eq!(entries("a b\\\nc"), [Err((1, 4)), words(2, &["c"])]);
        assert_eq!(
            entries("a\nb ( c\nd\ne"),
            [words(1, &["a"]), Err((2, 3)), words(3, &["d"]), words(4, &["e"])]
        );
        assert_eq!(entries("a (\n\"b\n c)\nd"), [Err((2, 1)), words(4, &["d"])]);
        assert_eq!(entries("("), [Err((1, 1))]);
    }

    #[test]
    fn an_endless_entry_is_cut() {
        let text = format!("({}", "a\n".repeat(MAX_TOKENS + 2));
        assert_eq!(entries(&text).first(), Some(&Err((1, 1))));
        let text = format!("{}\nz", "a ".repeat(MAX_TOKENS + 2));
        assert_eq!(entries(&text), [Err((1, 2 * MAX_TOKENS as u32 + 2)), words(2, &["z"])]);
    }
}
