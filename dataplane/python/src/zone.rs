//! `ZoneText` and `Zone`: a zone as read, and a zone compiled.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gslb_core::wire::Name;
use gslb_core::wire::rtype::number;
use gslb_core::zone::build::build;
use gslb_core::zone::reader::{ZoneText, read_zone};
use gslb_core::zone::table::{Flags, Zone};
use gslb_core::zone::update::Change;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::names;

/// (rule, severity, file, line, column, message)
type FindingRow = (&'static str, &'static str, String, u32, u32, String);
/// (name, type, TTL, RDATA)
type RRsetRow = (String, u16, u32, Vec<Vec<u8>>);

/// See `gslb/_dataplane.pyi`.
#[pyclass(name = "ZoneText", module = "gslb._dataplane", frozen)]
pub struct PyZoneText(Mutex<ZoneText>);

impl PyZoneText {
    fn lock(&self) -> MutexGuard<'_, ZoneText> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyZoneText {
    #[staticmethod]
    fn read(py: Python<'_>, path: &str, origin: &str) -> Result<PyZoneText> {
        let origin = names::name(origin)?;
        Ok(PyZoneText(Mutex::new(py.detach(|| read_zone(Path::new(path), &origin)))))
    }

    #[getter]
    fn origin(&self) -> String {
        self.lock().origin().to_string()
    }

    #[getter]
    fn record_count(&self) -> usize {
        self.lock().records().len()
    }

    #[getter]
    fn files(&self) -> Vec<String> {
        self.lock().files().to_vec()
    }

    fn pending(&self) -> Vec<(usize, u16, String, String)> {
        let row = |pending: &gslb_core::zone::reader::Pending| {
            (pending.index, pending.rtype, pending.text.clone(), pending.origin.to_string())
        };
        self.lock().pending().map(row).collect()
    }

    fn fill(&self, index: usize, rdata: &[u8]) -> Result<()> {
        Ok(self.lock().fill(index, rdata)?)
    }

    fn reject(&self, index: usize, message: &str) -> Result<()> {
        Ok(self.lock().reject(index, message)?)
    }

    fn check(&self, py: Python<'_>) -> Vec<FindingRow> {
        let findings = py.detach(|| self.lock().check());
        findings
            .into_iter()
            .map(|one| (one.rule, one.severity.as_str(), one.file, one.line, one.column, one.message))
            .collect()
    }

    fn owners(&self, names: Vec<String>) -> Result<Vec<Vec<(u16, String, u32)>>> {
        let names = names.iter().map(|text| names::name(text)).collect::<Result<Vec<Name>>>()?;
        let zone = self.lock();
        let rows = zone.owners(&names);
        let row = |(rtype, file, line): (u16, &str, u32)| (rtype, file.to_owned(), line);
        Ok(rows.into_iter().map(|of_name| of_name.into_iter().map(row).collect()).collect())
    }

    fn compile(&self, py: Python<'_>, steered: Vec<(String, u32)>) -> Result<PyZone> {
        let steered = steered
            .into_iter()
            .map(|(text, index)| Ok((names::name(&text)?, index)))
            .collect::<Result<Vec<(Name, u32)>>>()?;
        py.detach(|| {
            let zone = self.lock();
            let records = zone.compilable().map_err(|findings| {
                Error::Value(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            })?;
            Ok(PyZone(Arc::new(build(zone.origin(), records, &steered)?)))
        })
    }
}

/// See `gslb/_dataplane.pyi`.
#[pyclass(name = "Zone", module = "gslb._dataplane", frozen)]
pub struct PyZone(pub Arc<Zone>);

#[pymethods]
impl PyZone {
    #[getter]
    fn origin(&self) -> String {
        self.0.origin().to_string()
    }

    #[getter]
    fn serial(&self) -> u32 {
        self.0.soa().serial
    }

    #[getter]
    fn record_count(&self) -> usize {
        self.0.record_count()
    }

    #[getter]
    fn name_count(&self) -> usize {
        self.0.name_count()
    }

    fn rrset(&self, name: &str, rtype: u16) -> Result<Option<(u32, Vec<Vec<u8>>)>> {
        let name = names::name(name)?;
        let node = self.0.node(name.as_wire());
        Ok(node
            .and_then(|node| node.set(rtype))
            .map(|set| (set.ttl(), set.rdata().map(<[u8]>::to_vec).collect())))
    }

    fn aliases(&self, py: Python<'_>) -> Vec<(String, String, u32)> {
        use gslb_core::wire::name::to_text;
        py.detach(|| {
            let with_alias = self.0.nodes().filter(|node| node.flags.any(Flags::ALIAS));
            with_alias
                .filter_map(|node| {
                    let set = node.set(number::ALIAS)?;
                    Some((to_text(node.name), to_text(set.rdata().next()?), set.ttl()))
                })
                .collect()
        })
    }

    fn rrsets(&self, py: Python<'_>, offset: usize, limit: usize) -> Vec<RRsetRow> {
        py.detach(|| {
            let sets = self.0.nodes().flat_map(|node| node.sets().map(move |set| (node.name, set)));
            sets.skip(offset)
                .take(limit)
                .map(|(name, set)| {
                    let rdata = set.rdata().map(<[u8]>::to_vec).collect();
                    (gslb_core::wire::name::to_text(name), set.rtype, set.ttl(), rdata)
                })
                .collect()
        })
    }

    fn with_rrsets(&self, py: Python<'_>, changes: Vec<RRsetRow>) -> Result<PyZone> {
        let changes = changes
            .into_iter()
            .map(|(text, rtype, ttl, rdata)| Ok(Change { name: names::name(&text)?, rtype, ttl, rdata }))
            .collect::<Result<Vec<Change>>>()?;
        let zone = py.detach(|| self.0.with_rrsets(&changes))?;
        Ok(PyZone(Arc::new(zone)))
    }
}
