//! `ZoneText` and `Zone`: a zone as read, and a zone compiled.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gslb_core::wire::Name;
use gslb_core::wire::rtype::number;
use gslb_core::zone::build::build;
use gslb_core::zone::check::select::{Fence, Pattern, PatternError, Selection, Subject, digest};
use gslb_core::zone::check::{Existence, Origins, Surroundings};
use gslb_core::zone::finding::Finding;
use gslb_core::zone::node::Flags;
use gslb_core::zone::reader::{ZoneText, read_zone};
use gslb_core::zone::records::Record;
use gslb_core::zone::table::Zone;
use gslb_core::zone::update::Change;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::names;

/// (rule, severity, file, line, column, message)
type FindingRow = (&'static str, &'static str, String, u32, u32, String);
/// (target, origin of the zone it lies in, type, file, line)
type LeadRow = (String, String, u16, String, u32);
/// (owner, type, TTL, RDATA, file, line)
type RecordRow = (String, u16, u32, Vec<u8>, String, u32);
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

/// See `gslb/_dataplane.pyi`.
#[pyclass(name = "Origins", module = "gslb._dataplane", frozen)]
pub struct PyOrigins(Arc<Origins>);

#[pymethods]
impl PyOrigins {
    #[new]
    fn new(origins: Vec<String>) -> Result<PyOrigins> {
        Ok(PyOrigins(Arc::new(wire_names(&origins)?)))
    }
}

/// Names as the core compares them.
fn wire_names<T: FromIterator<Box<[u8]>>>(texts: &[String]) -> Result<T> {
    texts.iter().map(|text| Ok(names::name(text)?.as_wire().into())).collect()
}

fn patterns(texts: &[String]) -> Result<Vec<Pattern>> {
    let parse = |text: &String| text.parse().map_err(|error: PatternError| Error::Value(error.to_string()));
    texts.iter().map(parse).collect()
}

fn file_of(zone: &ZoneText, file: u16) -> String {
    zone.files().get(usize::from(file)).cloned().unwrap_or_default()
}

fn record_row(zone: &ZoneText, record: Record<'_>) -> RecordRow {
    let owner = gslb_core::wire::name::to_text(record.owner);
    (owner, record.rtype, record.ttl, record.rdata.to_vec(), file_of(zone, record.file), record.line)
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

    #[pyo3(signature = (origins = None, steered = Vec::new()))]
    fn check(
        &self,
        py: Python<'_>,
        origins: Option<&PyOrigins>,
        steered: Vec<String>,
    ) -> Result<(Vec<FindingRow>, Vec<LeadRow>)> {
        let origins = origins.map(|origins| Arc::clone(&origins.0)).unwrap_or_default();
        let around = Surroundings { origins, steered: wire_names(&steered)? };
        py.detach(|| {
            let mut zone = self.lock();
            let (findings, leads) = zone.check_among(&around);
            let leads = leads.into_iter().filter_map(|lead| {
                let record = zone.records().get(lead.index)?;
                let (target, origin) = (lead.target.to_string(), lead.origin.to_string());
                Some((target, origin, record.rtype, file_of(&zone, record.file), record.line))
            });
            let row =
                |one: Finding| (one.rule, one.severity.as_str(), one.file, one.line, one.column, one.message);
            Ok((findings.into_iter().map(row).collect(), leads.collect()))
        })
    }

    fn presence(&self, py: Python<'_>, targets: Vec<String>, steered: Vec<String>) -> Result<Vec<u8>> {
        let steered: HashSet<Box<[u8]>> = wire_names(&steered)?;
        let targets = targets.iter().map(|text| names::name(text)).collect::<Result<Vec<Name>>>()?;
        py.detach(|| {
            let zone = self.lock();
            let wanted = targets.iter().map(Name::as_wire);
            let origin = zone.origin().as_wire();
            let existence = Existence::of(origin, zone.records(), steered.iter().map(|name| &**name), wanted);
            Ok(targets.iter().map(|target| existence.presence(target.as_wire()) as u8).collect())
        })
    }

    #[allow(clippy::too_many_arguments)] // Python gives them by keyword
    #[pyo3(signature = (types, limit, *, except_types = Vec::new(), owners = None, ttl_below = None, ttl_above = None))]
    fn records(
        &self,
        py: Python<'_>,
        types: Vec<u16>,
        limit: usize,
        except_types: Vec<u16>,
        owners: Option<Vec<String>>,
        ttl_below: Option<u32>,
        ttl_above: Option<u32>,
    ) -> Result<Vec<RecordRow>> {
        let owners = owners.map(|texts| wire_names(&texts)).transpose()?;
        let selection = Selection { types, except_types, owners, ttl_below, ttl_above };
        py.detach(|| {
            let zone = self.lock();
            Ok(selection.of(zone.records()).take(limit).map(|record| record_row(&zone, record)).collect())
        })
    }

    #[pyo3(signature = (types, limit, *, of_owners, allow, forbid))]
    fn misfits(
        &self,
        py: Python<'_>,
        types: Vec<u16>,
        limit: usize,
        of_owners: bool,
        allow: Vec<String>,
        forbid: Vec<String>,
    ) -> Result<Vec<RecordRow>> {
        let subject = if of_owners { Subject::Owner } else { Subject::Target };
        let fence = Fence { subject, allow: patterns(&allow)?, forbid: patterns(&forbid)? };
        let selection = Selection { types, ..Selection::default() };
        py.detach(|| {
            let zone = self.lock();
            let broken = selection.of(zone.records()).filter(|record| fence.is_broken_by(*record));
            Ok(broken.take(limit).map(|record| record_row(&zone, record)).collect())
        })
    }

    fn digest(&self, py: Python<'_>) -> [u8; 16] {
        py.detach(|| digest(self.lock().records()).to_be_bytes())
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
            self.0
                .nodes_with(Flags::ALIAS)
                .filter_map(|node| {
                    let set = node.set(number::ALIAS)?;
                    Some((to_text(node.name), to_text(set.rdata().next()?), set.ttl()))
                })
                .collect()
        })
    }

    #[pyo3(signature = (offset, limit, rtype=None))]
    fn rrsets(
        &self,
        py: Python<'_>,
        offset: usize,
        limit: usize,
        rtype: Option<u16>,
    ) -> (Vec<RRsetRow>, Option<usize>) {
        py.detach(|| {
            let page = self.0.page(offset, limit, rtype);
            let rows = page.rows.iter().map(|(name, set)| {
                let rdata = set.rdata().map(<[u8]>::to_vec).collect();
                (gslb_core::wire::name::to_text(name), set.rtype, set.ttl(), rdata)
            });
            (rows.collect(), page.next)
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
