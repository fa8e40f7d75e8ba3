//! What a check of a zone found, and where.

use std::fmt;

/// How bad a finding is. Only errors keep a zone from being compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The zone cannot be served.
    Error,
    /// The zone can be served, but surely not as meant.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// `error`, `warning` or `info`, as the control plane writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// One thing that reading or checking a zone found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable id such as `zone-syntax`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The file, as its path was given or as `$INCLUDE` completed it.
    pub file: String,
    /// Line from 1, or 0 for the whole file.
    pub line: u32,
    /// Column in octets from 1, or 0 for the whole line.
    pub column: u32,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column] {
            if number == 0 {
                break;
            }
            write!(f, ":{number}")?;
        }
        write!(f, ": {}: {} [{}]", self.severity.as_str(), self.message, self.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_only_the_place_it_knows() {
        let mut finding = Finding {
            rule: "zone-soa",
            severity: Severity::Error,
            file: "a.zone".into(),
            line: 0,
            column: 0,
            message: "no SOA".into(),
        };
        assert_eq!(finding.to_string(), "a.zone: error: no SOA [zone-soa]");
        finding.line = 3;
        assert_eq!(finding.to_string(), "a.zone:3: error: no SOA [zone-soa]");
        finding.column = 7;
        assert_eq!(finding.to_string(), "a.zone:3:7: error: no SOA [zone-soa]");
    }
}
