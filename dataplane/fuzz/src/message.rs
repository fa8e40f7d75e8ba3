//! Reads a message with nothing of the data plane's own: what it cannot read, or reads in two ways, is a broken law.

/// Names have at most this many octets uncompressed (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 255;

/// One record, its owner uncompressed and in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub owner: Vec<u8>,
    pub rtype: u16,
    pub class: u16,
    pub ttl: u32,
    /// Names in it uncompressed, case kept.
    pub rdata: Vec<u8>,
}

/// A message read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: u16,
    /// The flags octets.
    pub flags: [u8; 2],
    /// The question as it stands, if there is one.
    pub question: Vec<u8>,
    /// Answer, authority, additional.
    pub sections: [Vec<Record>; 3],
}

impl Message {
    /// Reads `octets`, all of them.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(octets: &[u8]) -> Result<Message, String> {
        let mut reader = Reader { octets, at: 0 };
        let id = reader.number()?;
        let flags = reader.number()?.to_be_bytes();
        let questions = reader.number()?;
        let counts = [reader.number()?, reader.number()?, reader.number()?];
        if questions > 1 {
            return Err(format!("{questions} questions"));
        }
        let start = reader.at;
        if questions == 1 {
            // A compressed question would not be the question that was asked.
            reader.plain_name()?;
            reader.take(4)?;
        }
        let question = octets[start..reader.at].to_vec();
        let mut sections = [Vec::new(), Vec::new(), Vec::new()];
        for (section, count) in sections.iter_mut().zip(counts) {
            for _ in 0..count {
                section.push(reader.record()?);
            }
        }
        if reader.at != octets.len() {
            return Err(format!("{} octets behind the last record", octets.len() - reader.at));
        }
        Ok(Message { id, flags, question, sections })
    }

    /// The OPT record, which only the additional section may hold, and once.
    ///
    /// # Errors
    /// There are more, or elsewhere, or not at the root.
    pub fn opt(&self) -> Result<Option<&Record>, String> {
        let [answer, authority, additional] = &self.sections;
        if answer.iter().chain(authority).any(|record| record.rtype == 41) {
            return Err("an OPT record in a section of data".to_owned());
        }
        let mut found = additional.iter().filter(|record| record.rtype == 41);
        let opt = found.next();
        if found.next().is_some() || opt.is_some_and(|opt| opt.owner != [0]) {
            return Err("two OPT records, or one that is not at the root".to_owned());
        }
        Ok(opt)
    }

    /// The response code with the bits of the OPT record (RFC 6891 section 6.1.3).
    pub fn rcode(&self) -> u16 {
        let high = self.opt().ok().flatten().map_or(0, |opt| opt.ttl >> 24);
        u16::from(self.flags[1] & 0x0f) | (high as u16) << 4
    }

    pub fn truncated(&self) -> bool {
        self.flags[0] & 0x02 != 0
    }
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let taken = self
            .octets
            .get(self.at..self.at + count)
            .ok_or_else(|| format!("{count} octets wanted at {} of {}", self.at, self.octets.len()))?;
        self.at += count;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u16, String> {
        let octets = self.take(2)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }

    fn plain_name(&mut self) -> Result<Vec<u8>, String> {
        let start = self.at;
        let name = self.name()?;
        if self.at - start == name.len() {
            Ok(name)
        } else {
            Err(format!("a pointer in the name at {start}"))
        }
    }

    /// A name; each pointer must point before the part that it ends (RFC 1035 section 4.1.4), so none can loop.
    fn name(&mut self) -> Result<Vec<u8>, String> {
        let mut name = Vec::new();
        let (mut at, mut part, mut end) = (self.at, self.at, None);
        loop {
            let length =
                usize::from(*self.octets.get(at).ok_or_else(|| format!("a name cut short at {at}"))?);
            match length {
                0..=63 => {
                    let label = self
                        .octets
                        .get(at..=at + length)
                        .ok_or_else(|| format!("a label cut short at {at}"))?;
                    name.extend_from_slice(label);
                    if name.len() > MAX_NAME {
                        return Err(format!("a name of more than 255 octets at {}", self.at));
                    }
                    at += length + 1;
                    if length == 0 {
                        self.at = end.unwrap_or(at);
                        return Ok(name);
                    }
                }
                0xc0.. => {
                    let low =
                        *self.octets.get(at + 1).ok_or_else(|| format!("a pointer cut short at {at}"))?;
                    let target = (length & 0x3f) << 8 | usize::from(low);
                    if target >= part || target < 12 {
                        return Err(format!(
                            "a pointer at {at} to {target}, in a name part that starts at {part}"
                        ));
                    }
                    end = end.or(Some(at + 2));
                    (at, part) = (target, target);
                }
                _ => return Err(format!("a label of type {:#x} at {at}", length & 0xc0)),
            }
        }
    }

    fn record(&mut self) -> Result<Record, String> {
        let mut owner = self.name()?;
        owner.make_ascii_lowercase();
        let (rtype, class) = (self.number()?, self.number()?);
        let ttl = u32::from(self.number()?) << 16 | u32::from(self.number()?);
        let length = usize::from(self.number()?);
        let end = self.at + length;
        let mut rdata = Vec::new();
        for (before, compressed) in names_of(rtype) {
            rdata.extend_from_slice(self.take(*before)?);
            let name = if *compressed { self.name() } else { self.plain_name() }?;
            rdata.extend_from_slice(&name);
        }
        let rest = end.checked_sub(self.at).ok_or_else(|| format!("RDATA of type {rtype} past {end}"))?;
        rdata.extend_from_slice(self.take(rest)?);
        Ok(Record { owner, rtype, class, ttl, rdata })
    }
}

/// The names in the RDATA of a type: the octets before each, and whether it may be compressed: only in the types of
/// RFC 1035 (RFC 3597 section 4).
fn names_of(rtype: u16) -> &'static [(usize, bool)] {
    match rtype {
        2..=5 | 7..=9 | 12 => &[(0, true)],
        6 | 14 => &[(0, true), (0, true)],
        15 => &[(2, true)],
        33 => &[(6, false)],
        39 => &[(0, false)],
        46 => &[(18, false)],
        64 | 65 => &[(2, false)],
        _ => &[],
    }
}
