//! Explains an answer by giving it: builds the query, runs the serving path with a trace, decodes nothing anew.

use std::net::IpAddr;

use serde::Serialize;

use crate::publish::Published;
use crate::respond::{MAX_STREAM, Responder, Step, Transport};
use crate::wire::{Name, rtype};

#[derive(Serialize)]
struct Report<'a> {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    client: IpAddr,
    subnet: Option<&'a str>,
    generation: u64,
    steps: Vec<Step>,
    /// The response over UDP, in hexadecimal.
    wire: String,
}

/// The answer to (`name`, `rtype`) for `client`, as a JSON object: `steps` in order, and the response `wire` in
/// hexadecimal. `subnet` is `ADDRESS/LENGTH`, sent as RFC 7871 client subnet.
///
/// # Errors
/// A text that says what is wrong with `subnet`.
pub fn explain(
    state: &Published,
    responder: &mut Responder,
    name: &Name,
    rtype: u16,
    client: IpAddr,
    subnet: Option<&str>,
) -> Result<String, String> {
    let option = subnet.map(subnet_option).transpose()?.unwrap_or_default();
    let mut query = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    query.extend_from_slice(name.as_wire());
    query.extend_from_slice(&rtype.to_be_bytes());
    query.extend_from_slice(&[0, 1]);
    query.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0]);
    query.extend_from_slice(&(option.len() as u16).to_be_bytes());
    query.extend_from_slice(&option);
    let length = query.len();
    query.resize(MAX_STREAM, 0);
    let mut steps: Vec<Step> = Vec::new();
    let length = responder.answer(state, &mut query, length, client, Transport::Udp, &mut steps).unwrap_or(0);
    let wire = query.iter().take(length).map(|octet| format!("{octet:02x}")).collect();
    let report = Report {
        name: name.to_string(),
        rtype: rtype::to_text(rtype).to_string(),
        client,
        subnet,
        generation: state.generation,
        steps,
        wire,
    };
    serde_json::to_string(&report).map_err(|error| error.to_string())
}

/// The client subnet option for `ADDRESS/LENGTH`; host bits are cut off.
fn subnet_option(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("{text:?} is no subnet: write ADDRESS/LENGTH, such as 192.0.2.0/24");
    let (address, source) = text.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let source: u8 = source.parse().map_err(|_| wrong())?;
    let (family, octets, longest) = match address {
        IpAddr::V4(address) => (1, address.octets().to_vec(), 32),
        IpAddr::V6(address) => (2, address.octets().to_vec(), 128),
    };
    if source > longest {
        return Err(wrong());
    }
    let mut octets: Vec<u8> = octets.into_iter().take(usize::from(source).div_ceil(8)).collect();
    if let (Some(last), used @ 1..) = (octets.last_mut(), source % 8) {
        *last &= !(0xff >> used);
    }
    let mut option = vec![0, 8, 0, 4 + octets.len() as u8, 0, family, source, 0];
    option.extend_from_slice(&octets);
    Ok(option)
}
