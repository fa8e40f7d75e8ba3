//! Questions about the server itself, in class CH (RFC 4892).

use super::Answer;
use crate::publish::Identity;
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::rtype::number;
use crate::wire::writer::Writer;

/// Class CH (RFC 1035 section 3.2.4).
pub(super) const CLASS_CHAOS: u16 = 3;

/// Answers `version.server`, `id.server` and their older names; what is not configured is refused.
pub(super) fn answer(name: &FoldedName, qtype: u16, identity: &Identity, writer: &mut Writer<'_>) -> Answer {
    let text = match name.as_wire() {
        b"\x07version\x04bind\0" | b"\x07version\x06server\0" => &identity.version,
        b"\x02id\x06server\0" | b"\x08hostname\x04bind\0" => &identity.name,
        _ => &None,
    };
    let Some(text) = text else { return Answer::code(Rcode::Refused) };
    if !matches!(qtype, number::TXT | number::ANY) {
        return Answer::authoritative(Rcode::NoError);
    }
    match writer.chaos_text(text) {
        // No zone of class CH is served: what NSD and Knot leave clear, too.
        Ok(()) => Answer::code(Rcode::NoError),
        Err(full) => full.into(),
    }
}
