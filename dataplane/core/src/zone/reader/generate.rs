//! `$GENERATE range lhs [ttl] [class] type rhs`, BIND's notation for runs of similar records.

use super::fields::{Fields, quote};
use super::lexer::{Fault, Lexer};
use super::read::{Reader, Scope, read_header};
use super::text;
use crate::wire::name;

/// Records that the directives of one zone may make.
const MAX_RECORDS: u64 = 1 << 20;
/// Octets of text that the directives of one zone may make.
const MAX_OCTETS: usize = 256 << 20;
/// Longest text of one generated name or RDATA: every octet of RDATA as `\DDD`, in quotes.
const MAX_TEXT: usize = 4 * 65_535 + 2;
/// Widest padded number, as in BIND.
const MAX_WIDTH: u32 = 127;

/// `start-stop[/step]`, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: u32,
    stop: u32,
    step: u32,
}

impl Reader {
    /// Makes the records of one directive, its name taken from `fields` already.
    pub fn generate(&mut self, fields: &mut Fields<'_>, line: u32, scope: &mut Scope) -> Result<(), Fault> {
        let word = fields.word("range")?;
        let range = read_range(word).ok_or_else(|| {
            fields.bad("range", "START-STOP or START-STOP/STEP, START at most STOP, STEP not 0")
        })?;
        let count = u64::from((range.stop - range.start) / range.step) + 1;
        self.generated = self.generated.saturating_add(count);
        if self.generated > MAX_RECORDS {
            let message =
                format!("$GENERATE makes more than {MAX_RECORDS} records in this zone: narrow the range");
            return Err(fields.fault(message));
        }
        let owner = fields.word("owner name template")?;
        let header = read_header(fields)?;
        let mut template = Vec::new();
        let token = fields.take("RDATA template")?;
        let place = fields.fault("");
        match fields.rest() {
            // One quoted string holds the whole RDATA as text.
            [] => template.extend_from_slice(fields.text(token)),
            _ => {
                fields.back();
                fields.raw_rest(&mut template);
            }
        }
        let mut row = Row::default();
        let mut tokens = Vec::new();
        let mut number = range.start;
        loop {
            let fault = |message: String| Fault {
                message: format!("$GENERATE at {number}: {message}"),
                ..place.clone()
            };
            row.make(owner, &template, number).map_err(|message| fault(message.to_owned()))?;
            self.generated_octets = self.generated_octets.saturating_add(row.owner.len() + row.rdata.len());
            if self.generated_octets > MAX_OCTETS {
                return Err(fault("more than 256 MiB of text in this zone: shorten the template".to_owned()));
            }
            if let Some(Err((_, error))) = Lexer::new(&row.rdata).next_entry(&mut tokens) {
                return Err(fault(error.message));
            }
            row.name.clear();
            if !row.owner.is_ascii() {
                return Err(fault(format!("the owner name '{}' is not ASCII", quote(&row.owner))));
            }
            name::push_text(&row.owner, Some(fields.origin), &mut row.name)
                .map_err(|error| fault(format!("bad owner name '{}': {error}", quote(&row.owner))))?;
            row.name.make_ascii_lowercase();
            scope.owner.clone_from(&row.name);
            scope.owner_known = true;
            let mut rdata = Fields::new(&row.rdata, &tokens, fields.origin);
            self.push_record(header, &mut rdata, line, scope).map_err(|error| fault(error.message))?;
            match number.checked_add(range.step) {
                Some(next) if next <= range.stop => number = next,
                _ => return Ok(()),
            }
        }
    }
}

/// Buffers for one generated record.
#[derive(Debug, Default)]
struct Row {
    owner: Vec<u8>,
    rdata: Vec<u8>,
    name: Vec<u8>,
}

impl Row {
    fn make(&mut self, owner: &[u8], rdata: &[u8], number: u32) -> Result<(), &'static str> {
        self.owner.clear();
        self.rdata.clear();
        push_template(owner, number, &mut self.owner)?;
        push_template(rdata, number, &mut self.rdata)
    }
}

fn read_range(word: &[u8]) -> Option<Range> {
    let mut halves = word.splitn(2, |&octet| octet == b'/');
    let mut ends = halves.next()?.splitn(2, |&octet| octet == b'-');
    let number = |digits| text::integer(digits, i32::MAX as u32);
    let range = Range {
        start: number(ends.next()?)?,
        stop: number(ends.next()?)?,
        step: halves.next().map_or(Some(1), number)?,
    };
    (range.step > 0 && range.start <= range.stop).then_some(range)
}

/// Appends `template` with each `$` or `${offset[,width[,base]]}` replaced by the number; `$$` is a
/// literal `$`, and a backslash with what it escapes is copied.
fn push_template(template: &[u8], number: u32, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = template;
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after.first()) {
            (b'\\', Some(&escaped)) => {
                out.extend_from_slice(&[octet, escaped]);
                rest = after.get(1..).unwrap_or_default();
            }
            (b'$', Some(b'$')) => {
                out.push(b'$');
                rest = after.get(1..).unwrap_or_default();
            }
            (b'$', Some(b'{')) => {
                let end = after.iter().position(|&octet| octet == b'}').ok_or(BAD_MODIFIER)?;
                let inside = after.get(1..end).unwrap_or_default();
                let modifier = Modifier::read(inside).ok_or(BAD_MODIFIER)?;
                modifier.push(i64::from(number), out)?;
                rest = after.get(end + 1..).unwrap_or_default();
            }
            (b'$', _) => Modifier::PLAIN.push(i64::from(number), out)?,
            _ => out.push(octet),
        }
        if out.len() > MAX_TEXT {
            return Err("the text is longer than any record data: shorten the template");
        }
    }
    Ok(())
}

const BAD_MODIFIER: &str = "a '${' must go on as offset, offset,width or offset,width,base and '}', \
                            the width at most 127 and the base one of d o x X n N";

/// What stands in the braces of `${offset,width,base}`.
#[derive(Debug, Clone, Copy)]
struct Modifier {
    offset: i64,
    width: usize,
    base: u8,
}

impl Modifier {
    const PLAIN: Modifier = Modifier { offset: 0, width: 0, base: b'd' };

    fn read(inside: &[u8]) -> Option<Modifier> {
        let mut parts = inside.split(|&octet| octet == b',');
        let offset = parts.next()?;
        let (negative, digits) = match offset.split_first()? {
            (b'-', digits) => (true, digits),
            (b'+', digits) => (false, digits),
            _ => (false, offset),
        };
        let offset = i64::from(text::integer(digits, i32::MAX as u32)?);
        let width = parts.next().map_or(Some(0), |digits| text::integer(digits, MAX_WIDTH))?;
        let base = match parts.next() {
            None => b'd',
            Some([base @ (b'd' | b'o' | b'x' | b'X' | b'n' | b'N')]) => *base,
            Some(_) => return None,
        };
        let offset = if negative { -offset } else { offset };
        parts.next().is_none().then_some(Modifier { offset, width: width as usize, base })
    }

    fn push(self, number: i64, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let value = number + self.offset;
        if matches!(self.base, b'n' | b'N') {
            let value = u64::try_from(value).map_err(|_| "a nibble number is negative: raise the offset")?;
            self.push_nibbles(value, out);
            return Ok(());
        }
        let size = value.unsigned_abs();
        let digits = match self.base {
            b'o' => format!("{size:o}"),
            b'x' => format!("{size:x}"),
            b'X' => format!("{size:X}"),
            _ => format!("{size}"),
        };
        let sign = if value < 0 { "-" } else { "" };
        out.extend_from_slice(sign.as_bytes());
        let zeros = self.width.saturating_sub(sign.len() + digits.len());
        out.extend(std::iter::repeat_n(b'0', zeros));
        out.extend_from_slice(digits.as_bytes());
        Ok(())
    }

    /// Hex digits, the least significant first, each as a label; the dots count for the width.
    fn push_nibbles(self, mut value: u64, out: &mut Vec<u8>) {
        let digits: &[u8; 16] = if self.base == b'N' { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
        let mut width = self.width;
        loop {
            out.extend(digits.get((value & 0xf) as usize));
            value >>= 4;
            width = width.saturating_sub(1);
            if width == 0 && value == 0 {
                return;
            }
            out.push(b'.');
            width = width.saturating_sub(1);
            if width == 0 && value == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(template: &str, number: u32) -> Result<String, &'static str> {
        let mut out = Vec::new();
        push_template(template.as_bytes(), number, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn templates_take_the_number() {
        for (template, number, wanted) in [
            ("host-$", 7, "host-7"),
            ("a$b$", 10, "a10b10"),
            ("$$", 1, "$"),
            ("\\$", 1, "\\$"),
            ("${0,3}", 7, "007"),
            ("${-10,4,d}", 3, "-007"),
            ("${16,0,x}", 239, "ff"),
            ("${0,4,X}", 171, "00AB"),
            ("${+1,0,o}", 7, "10"),
            ("${0,0,n}", 0x1a2, "2.a.1"),
            ("${0,8,n}", 0x1a, "a.1.0.0."),
            ("${0,7,N}", 0x1a, "A.1.0.0"),
            ("${0,1,n}", 0, "0"),
            ("${0,2,n}", 0, "0."),
        ] {
            assert_eq!(text(template, number).as_deref(), Ok(wanted), "{template}");
        }
    }

    #[test]
    fn bad_templates_say_so() {
        for template in
            ["${", "${}", "${x}", "${0,128}", "${0,0,b}", "${0,0,d,1}", "${-9,0,n}", "${99999999999}"]
        {
            assert!(text(template, 1).is_err(), "{template}");
        }
        assert!(text(&"${0,127}".repeat(3_000), 1).is_err());
    }

    #[test]
    fn ranges() {
        assert_eq!(read_range(b"1-10/3"), Some(Range { start: 1, stop: 10, step: 3 }));
        assert_eq!(read_range(b"0-0"), Some(Range { start: 0, stop: 0, step: 1 }));
        for word in ["", "1", "2-1", "1-2/0", "-1-2", "1-2-3", "1-2/", "1-2/3/4", "1-99999999999"] {
            assert_eq!(read_range(word.as_bytes()), None, "{word}");
        }
    }
}
