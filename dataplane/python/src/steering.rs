//! `Steering`: compiled policies, pools and geo data.

use std::sync::Arc;

use gslb_core::steer::Steering;
use pyo3::prelude::*;

use crate::error::{Error, Result};

/// See `gslb/_dataplane.pyi`.
#[pyclass(name = "Steering", module = "gslb._dataplane", frozen)]
pub struct PySteering(pub Arc<Steering>);

#[pymethods]
impl PySteering {
    #[staticmethod]
    fn compile(py: Python<'_>, document: &str) -> Result<PySteering> {
        // Reading databases takes seconds at the largest: other Python threads go on meanwhile.
        let steering = py.detach(|| Steering::compile(document))?;
        Ok(PySteering(Arc::new(steering)))
    }

    #[getter]
    fn endpoint_count(&self) -> usize {
        self.0.endpoint_count()
    }

    #[getter]
    fn name_count(&self) -> usize {
        self.0.name_count()
    }

    fn examples(&self, py: Python<'_>, kind: &str, value: &str, limit: usize) -> Result<Vec<String>> {
        let found = py.detach(|| self.0.examples(kind, value, limit)).map_err(Error::Value)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }
}
