//! Names and addresses as they cross the boundary: presentation format, absolute.

use std::net::IpAddr;

use gslb_core::wire::Name;

use crate::error::{Error, Result};

/// A lower-case name from absolute presentation format.
pub fn name(text: &str) -> Result<Name> {
    let name =
        Name::from_text(text.as_bytes(), None).map_err(|error| Error::Value(format!("{text:?}: {error}")))?;
    Ok(name.to_lowercase())
}

/// An IP address.
pub fn address(text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| Error::Value(format!("{text:?} is not an IP address")))
}
