//! DNAME: a CNAME is made for every name below it (RFC 6672).

use super::Answer;
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::MAX_NAME;
use crate::wire::rtype::number;
use crate::wire::writer::{IMAGE_HEAD, Image, OWNER_IS_QUESTION, Owner, Section, Writer};
use crate::zone::node::Node;

/// A CNAME made from a DNAME, as an RRset image.
pub(super) struct Alias {
    image: [u8; IMAGE_HEAD + MAX_NAME],
    length: usize,
}

impl Alias {
    /// `name` with its suffix `owner` replaced by `target`; `None` when the result is too long for a name.
    fn new(name: &[u8], owner: &[u8], target: &[u8], ttl: u32) -> Option<Alias> {
        let kept = name.get(..name.len().checked_sub(owner.len())?)?;
        let rdata_length = kept.len() + target.len();
        let mut image = [0; IMAGE_HEAD + MAX_NAME];
        let (head, rdata) = image.split_at_mut(IMAGE_HEAD);
        rdata.get_mut(..kept.len())?.copy_from_slice(kept);
        rdata.get_mut(kept.len()..rdata_length)?.copy_from_slice(target);
        let [t1, t2] = number::CNAME.to_be_bytes();
        let [a, b, c, d] = ttl.to_be_bytes();
        let [l1, l2] = (rdata_length as u16).to_be_bytes();
        let [o1, o2] = OWNER_IS_QUESTION;
        head.copy_from_slice(&[o1, o2, t1, t2, 0, 1, a, b, c, d, l1, l2]);
        Some(Alias { image, length: IMAGE_HEAD + rdata_length })
    }

    fn image(&self) -> Image<'_> {
        Image { rtype: number::CNAME, count: 1, octets: self.image.get(..self.length).unwrap_or_default() }
    }

    /// Where it leads.
    pub fn target(&self) -> &[u8] {
        self.image.get(IMAGE_HEAD..self.length).unwrap_or_default()
    }
}

/// The answer below a DNAME: the DNAME, and the CNAME it makes for the name asked (RFC 6672 section 3.2); YXDOMAIN
/// when the new name would be too long (section 2.2). A DNAME that stands in the answer `already` is not repeated.
pub(super) fn substitute(
    node: Node<'_>,
    already: bool,
    name: &FoldedName,
    owner: Owner<'_>,
    writer: &mut Writer<'_>,
) -> Result<Alias, Answer> {
    let Some(set) = node.set(number::DNAME) else { return Err(Answer::code(Rcode::ServFail)) };
    if !already && writer.rrset(Section::Answer, Owner::Name(node.name), set, None).is_err() {
        writer.close();
    }
    let target = set.rdata().next().unwrap_or_default();
    let alias = Alias::new(name.as_wire(), node.name, target, set.ttl())
        .ok_or(Answer::authoritative(Rcode::YxDomain))?;
    if writer.rrset(Section::Answer, owner, alias.image(), None).is_err() {
        writer.close();
    }
    Ok(alias)
}
