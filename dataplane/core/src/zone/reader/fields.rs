//! The tokens of one entry as fields: taken in order, each read as what it should be.

use super::lexer::{Fault, Token};
use super::text;
use crate::wire::{name, rtype};

/// Longest TTL (RFC 2181 section 8).
pub const MAX_TTL: u32 = 0x7fff_ffff;
/// Longest character-string (RFC 1035 section 3.3).
pub const MAX_STRING: usize = 255;
/// Longest RDATA.
pub const MAX_RDATA: usize = 65_535;

/// Most octets of the source that a message quotes.
const QUOTE: usize = 60;

/// Reads the tokens of an entry from left to right. Every method that takes a field names it with
/// `what`, for the message of its [`Fault`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    source: &'a [u8],
    tokens: &'a [Token],
    next: usize,
    /// Origin in force, wire format, case as written.
    pub origin: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(source: &'a [u8], tokens: &'a [Token], origin: &'a [u8]) -> Fields<'a> {
        Fields { source, tokens, next: 0, origin }
    }

    /// The next token, not taken.
    pub fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    /// The next token when it is a word (not quoted), not taken.
    pub fn peek_word(&self) -> Option<&'a [u8]> {
        self.peek().filter(|token| !token.quoted).map(|token| token.text(self.source))
    }

    /// Passes over the next token.
    pub fn skip(&mut self) {
        self.next += 1;
    }

    /// Puts the last token taken back.
    pub fn back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }

    /// Offset where the entry's first token begins.
    pub fn start(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.at())
    }

    /// The tokens not yet taken.
    pub fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.next..).unwrap_or_default()
    }

    /// The octets of a token.
    pub fn text(&self, token: Token) -> &'a [u8] {
        token.text(self.source)
    }

    /// A fault at the last token taken.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        let last = self.next.checked_sub(1).and_then(|at| self.tokens.get(at));
        Fault::new(last.map_or(0, |token| token.at()), message)
    }

    /// A fault at the last token taken, which it quotes.
    pub fn bad(&self, what: &str, wanted: &str) -> Fault {
        let last = self.next.checked_sub(1).and_then(|at| self.tokens.get(at));
        let shown = last.map_or_else(String::new, |token| quote(self.text(*token)));
        self.fault(format!("{what} '{shown}' is not {wanted}"))
    }

    /// The next token, quoted or not.
    pub fn take(&mut self, what: &str) -> Result<Token, Fault> {
        match self.peek() {
            Some(token) => {
                self.next += 1;
                Ok(token)
            }
            None => {
                let end = self.tokens.last().map_or(0, |token| token.end as usize);
                Err(Fault::new(end, format!("the {what} is missing: add it")))
            }
        }
    }

    /// The next token as a word; quotes are a fault.
    pub fn word(&mut self, what: &str) -> Result<&'a [u8], Fault> {
        let token = self.take(what)?;
        if token.quoted {
            return Err(self.fault(format!("the {what} stands in quotes: remove them")));
        }
        Ok(self.text(token))
    }

    fn integer(&mut self, what: &str, max: u32) -> Result<u32, Fault> {
        let word = self.word(what)?;
        text::integer(word, max).ok_or_else(|| self.bad(what, &format!("a number from 0 to {max}")))
    }

    pub fn u8(&mut self, what: &str) -> Result<u8, Fault> {
        self.integer(what, u32::from(u8::MAX)).map(|value| value as u8)
    }

    pub fn u16(&mut self, what: &str) -> Result<u16, Fault> {
        self.integer(what, u32::from(u16::MAX)).map(|value| value as u16)
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, Fault> {
        self.integer(what, u32::MAX)
    }

    /// A time span with or without units, at most `max` seconds.
    pub fn seconds(&mut self, what: &str, max: u32) -> Result<u32, Fault> {
        let word = self.word(what)?;
        text::seconds(word, max)
            .ok_or_else(|| self.bad(what, &format!("a time from 0 to {max} seconds, such as 3600 or 1h30m")))
    }

    /// A domain name, completed with the origin, appended to `out` in wire format.
    pub fn name(&mut self, what: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
        let word = self.word(what)?;
        if !word.is_ascii() {
            return Err(self.bad(what, "ASCII: write the xn-- form (RFC 5890), or \\DDD for each octet"));
        }
        name::push_text(word, Some(self.origin), out)
            .map_err(|error| self.fault(format!("bad {what} '{}': {error}", quote(word))))
    }

    /// A type as a mnemonic or `TYPEnnn`.
    pub fn rtype(&mut self, what: &str) -> Result<u16, Fault> {
        let word = self.word(what)?;
        rtype::from_text(word)
            .ok_or_else(|| self.bad(what, "a type: write its mnemonic, such as AAAA, or TYPE and its number"))
    }

    /// A word or quoted string with its escapes read, at most `max` octets, appended to `out`.
    pub fn octets(&mut self, what: &str, max: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let token = self.take(what)?;
        let start = out.len();
        let mut rest = self.text(token);
        while let Some((&octet, after)) = rest.split_first() {
            rest = after;
            if octet == b'\\' {
                let (value, used) = name::escape(rest).map_err(|_| {
                    self.bad(
                        what,
                        "well escaped: use \\DDD with DDD from 000 to 255, or \\ and one character",
                    )
                })?;
                out.push(value);
                rest = rest.get(used..).unwrap_or_default();
            } else {
                out.push(octet);
            }
        }
        let length = out.len() - start;
        if length > max {
            return Err(self.fault(format!("the {what} has {length} octets, more than {max}: split it")));
        }
        Ok(())
    }

    /// A character-string: a length octet and at most 255 octets.
    pub fn string(&mut self, what: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
        let at = out.len();
        out.push(0);
        self.octets(what, MAX_STRING, out)?;
        let length = out.len() - at - 1;
        if let Some(place) = out.get_mut(at) {
            *place = length as u8;
        }
        Ok(())
    }

    /// All the letters of the remaining words, at least one word unless `may_be_empty`.
    fn letters(
        &mut self,
        what: &str,
        may_be_empty: bool,
    ) -> Result<impl Iterator<Item = u8> + use<'a>, Fault> {
        let words = self.rest();
        if words.is_empty() && !may_be_empty {
            self.take(what)?;
        }
        for _ in words {
            self.word(what)?;
        }
        let source = self.source;
        Ok(words.iter().flat_map(move |token| token.text(source).iter().copied()))
    }

    /// The rest of the entry as hex digits, which blanks may split.
    pub fn hex(&mut self, what: &str, may_be_empty: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let letters = self.letters(what, may_be_empty)?;
        text::push_hex(letters, out)
            .ok_or_else(|| self.fault(format!("the {what} is not an even number of hex digits")))
    }

    /// The rest of the entry as base64, which blanks may split.
    pub fn base64(&mut self, what: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
        let letters = self.letters(what, false)?;
        text::push_base64(letters, out)
            .ok_or_else(|| self.fault(format!("the {what} is not base64 with its padding (RFC 4648)")))
    }

    /// Checks that nothing is left.
    pub fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(token) => {
                let shown = quote(self.text(token));
                Err(Fault::new(
                    token.at(),
                    format!("'{shown}' is one field too many: remove it, or quote text that has blanks"),
                ))
            }
        }
    }

    /// The rest of the entry as it was written, without comments and parentheses, its tokens
    /// separated by one space where anything separated them.
    pub fn raw_rest(&self, out: &mut Vec<u8>) {
        for (index, token) in self.rest().iter().enumerate() {
            if index > 0 && !token.glued {
                out.push(b' ');
            }
            if token.quoted {
                out.push(b'"');
            }
            out.extend_from_slice(self.text(*token));
            if token.quoted {
                out.push(b'"');
            }
        }
    }
}

/// Octets of the source as a message shows them: printable, and not too many.
pub fn quote(octets: &[u8]) -> String {
    let shown = octets.get(..QUOTE).unwrap_or(octets);
    let mut text: String = String::from_utf8_lossy(shown).escape_debug().collect();
    text = text.replace("\\\\", "\\").replace("\\'", "'").replace("\\\"", "\"");
    if shown.len() < octets.len() {
        text.push('…');
    }
    text
}
