//! The Python module `gslb._dataplane`: thin classes over `gslb-core`. Its types are declared in
//! `gslb/_dataplane.pyi`; bytes, ints and strings cross, and errors cross in `error.rs` only.

mod dataplane;
mod error;
mod names;
mod steering;
mod zone;

use pyo3::prelude::*;

/// The native data plane.
#[pymodule]
fn _dataplane(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<zone::PyOrigins>()?;
    module.add_class::<zone::PyZoneText>()?;
    module.add_class::<zone::PyZone>()?;
    module.add_class::<steering::PySteering>()?;
    module.add_class::<dataplane::PyDataPlane>()?;
    Ok(())
}
