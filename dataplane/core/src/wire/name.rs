//! Domain names in wire format (RFC 1035 section 3.1), at most 255 octets, labels at most 63.
//!
//! Names that are compared or hashed are kept in lower case (RFC 4343). A label's length octet is
//! at most 63, below `A` (65), so folding a whole wire name octet by octet cannot damage it.

use std::fmt;

/// Longest name in wire format, root label included (RFC 1035 section 2.3.4).
pub const MAX_NAME: usize = 255;
/// Longest label (RFC 1035 section 2.3.4).
pub const MAX_LABEL: usize = 63;

/// Why octets or text are not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The input ended inside the name.
    #[error("the name is cut short")]
    Short,
    /// A label of more than 63 octets, or a length octet that is not a plain label.
    #[error("a label is longer than 63 octets")]
    LongLabel,
    /// More than 255 octets.
    #[error("the name is longer than 255 octets")]
    LongName,
    /// Two dots in a row, or a dot at the start.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A backslash that starts no valid escape (`\.` or `\DDD`, 000 to 255).
    #[error("the name has a bad escape: use \\DDD with DDD from 000 to 255, or \\ and one character")]
    BadEscape,
    /// A relative name where there is no origin to complete it.
    #[error("the name is relative: end it with a dot")]
    Relative,
}

/// An owned, absolute, uncompressed wire-format name. Case is kept as given; use
/// [`Name::to_lowercase`] for a key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The root name.
    pub fn root() -> Name {
        Name(Box::new([0]))
    }

    /// Takes exactly one uncompressed wire-format name.
    ///
    /// # Errors
    /// [`NameError`] when `wire` is not one whole valid name.
    pub fn from_wire(wire: &[u8]) -> Result<Name, NameError> {
        let length = wire_length(wire)?;
        if length != wire.len() {
            return Err(NameError::LongName);
        }
        Ok(Name(wire.into()))
    }

    /// Reads a name in presentation format (RFC 1035 section 5.1); a relative one is completed with `origin`.
    ///
    /// # Errors
    /// [`NameError`] says which rule the text breaks.
    pub fn from_text(text: &[u8], origin: Option<&[u8]>) -> Result<Name, NameError> {
        let mut buffer = Vec::with_capacity(text.len() + 2);
        push_text(text, origin, &mut buffer)?;
        Ok(Name(buffer.into()))
    }

    /// The wire-format octets, ending in the root label.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The same name folded to lower case.
    pub fn to_lowercase(&self) -> Name {
        Name(self.0.to_ascii_lowercase().into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_text(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", to_text(&self.0))
    }
}

/// Length in octets of the uncompressed name that `wire` starts with.
///
/// # Errors
/// [`NameError::Short`], [`NameError::LongLabel`] (also for a compression pointer) or [`NameError::LongName`].
pub fn wire_length(wire: &[u8]) -> Result<usize, NameError> {
    let mut at = 0;
    loop {
        let length = usize::from(*wire.get(at).ok_or(NameError::Short)?);
        if length > MAX_LABEL {
            return Err(NameError::LongLabel);
        }
        at += 1 + length;
        if at > MAX_NAME {
            return Err(NameError::LongName);
        }
        if length == 0 {
            return Ok(at);
        }
        if at > wire.len() {
            return Err(NameError::Short);
        }
    }
}

/// Appends the wire form of the presentation-format name `text` to `out`. `@` alone means the origin.
///
/// # Errors
/// [`NameError`]; `out` may then hold part of the name.
pub fn push_text(text: &[u8], origin: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    if text == b"@" {
        out.extend_from_slice(origin.ok_or(NameError::Relative)?);
        return Ok(());
    }
    if text == b"." {
        out.push(0);
        return Ok(());
    }
    if text.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    let mut label = out.len();
    out.push(0);
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let plain = rest.iter().position(|octet| matches!(octet, b'.' | b'\\')).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..plain).unwrap_or_default());
        at += plain + 1;
        match rest.get(plain) {
            Some(b'.') => {
                close_label(out, label)?;
                label = out.len();
                out.push(0);
            }
            Some(_) => {
                let (value, used) = escape(text.get(at..).unwrap_or_default())?;
                out.push(value);
                at += used;
            }
            None => break,
        }
    }
    if out.len() == label + 1 {
        // The text ended with a dot: the open label is the root.
    } else {
        close_label(out, label)?;
        out.extend_from_slice(origin.ok_or(NameError::Relative)?);
    }
    if out.len() - start > MAX_NAME {
        return Err(NameError::LongName);
    }
    Ok(())
}

fn close_label(out: &mut [u8], label: usize) -> Result<(), NameError> {
    let length = out.len() - label - 1;
    if length == 0 {
        return Err(NameError::EmptyLabel);
    }
    if length > MAX_LABEL {
        return Err(NameError::LongLabel);
    }
    if let Some(octet) = out.get_mut(label) {
        *octet = length as u8;
    }
    Ok(())
}

/// The octet that the text after a backslash stands for, and how many octets of text it took.
///
/// # Errors
/// [`NameError::BadEscape`].
pub fn escape(text: &[u8]) -> Result<(u8, usize), NameError> {
    match *text {
        [a, b, c, ..] if a.is_ascii_digit() => {
            if !b.is_ascii_digit() || !c.is_ascii_digit() {
                return Err(NameError::BadEscape);
            }
            let value = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
            Ok((u8::try_from(value).map_err(|_| NameError::BadEscape)?, 3))
        }
        [a, ..] if !a.is_ascii_digit() => Ok((a, 1)),
        _ => Err(NameError::BadEscape),
    }
}

/// Presentation format of a wire name, absolute, with the escapes of RFC 1035 section 5.1. Octets
/// that do not form a name are shown as far as they go.
pub fn to_text(wire: &[u8]) -> String {
    let mut text = String::with_capacity(wire.len());
    for label in labels(wire) {
        for &octet in label {
            match octet {
                b'"' | b'(' | b')' | b'.' | b';' | b'\\' | b'@' | b'$' => {
                    text.push('\\');
                    text.push(char::from(octet));
                }
                0x21..=0x7e => text.push(char::from(octet)),
                _ => {
                    text.push('\\');
                    text.push_str(&format!("{octet:03}"));
                }
            }
        }
        text.push('.');
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}

/// The labels of a wire name from left to right, without the root label.
pub fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let (&length, tail) = rest.split_first()?;
        let length = usize::from(length);
        if length == 0 || length > tail.len() {
            return None;
        }
        let (label, after) = tail.split_at(length);
        rest = after;
        Some(label)
    })
}

/// The name without its leftmost label, or `None` for the root.
pub fn parent(wire: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*wire.first()?);
    if length == 0 {
        return None;
    }
    wire.get(length + 1..)
}

/// Number of labels, the root label not counted.
pub fn label_count(wire: &[u8]) -> usize {
    labels(wire).count()
}

/// Whether `name` is `ancestor` or below it. Both must be in the same case.
pub fn is_within(name: &[u8], ancestor: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(ancestor.len()) else { return false };
    if name.get(start..) != Some(ancestor) {
        return false;
    }
    // The equal tail must begin where a label begins.
    let mut at = 0;
    while at < start {
        match name.get(at) {
            Some(&length) => at += 1 + usize::from(length),
            None => return false,
        }
    }
    at == start
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn wire(text: &str) -> Vec<u8> {
        Name::from_text(text.as_bytes(), None).unwrap().as_wire().to_vec()
    }

    #[test]
    fn text_and_wire_are_inverse() {
        for text in ["www.example.com.", ".", "a\\.b.example.", "\\000\\255.x.", "*.example."] {
            assert_eq!(to_text(&wire(text)), text);
        }
    }

    #[test]
    fn relative_names_take_the_origin() {
        let origin = wire("example.com.");
        let name = Name::from_text(b"www", Some(&origin)).unwrap();
        assert_eq!(name.to_string(), "www.example.com.");
        assert_eq!(Name::from_text(b"@", Some(&origin)).unwrap().to_string(), "example.com.");
        assert_eq!(Name::from_text(b"www", None), Err(NameError::Relative));
    }

    #[test]
    fn bad_text_says_why() {
        let long = "a".repeat(64) + ".";
        assert_eq!(Name::from_text(long.as_bytes(), None), Err(NameError::LongLabel));
        assert_eq!(Name::from_text(b"a..b.", None), Err(NameError::EmptyLabel));
        assert_eq!(Name::from_text(b".a.", None), Err(NameError::EmptyLabel));
        assert_eq!(Name::from_text(b"a\\256.", None), Err(NameError::BadEscape));
        let deep = "a.".repeat(128);
        assert_eq!(Name::from_text(deep.as_bytes(), None), Err(NameError::LongName));
        assert!(Name::from_text("a.".repeat(127).as_bytes(), None).is_ok());
    }

    #[test]
    fn within_compares_whole_labels() {
        assert!(is_within(&wire("a.b.c."), &wire("b.c.")));
        assert!(is_within(&wire("b.c."), &wire("b.c.")));
        assert!(is_within(&wire("b.c."), &[0]));
        assert!(!is_within(&wire("xb.c."), &wire("b.c.")));
        assert!(!is_within(&wire("c."), &wire("b.c.")));
    }
}
