//! `$ORIGIN`, `$TTL` and `$INCLUDE` (RFC 1035 section 5.1, RFC 2308 section 4).

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::fields::{Fields, MAX_TTL, quote};
use super::lexer::{Fault, Token};
use super::read::{Reader, Scope};

/// Files that may include one another in a chain, the zone's own file counted.
const MAX_DEPTH: usize = 16;
/// Files read for one zone.
const MAX_FILES: usize = 1_000;
/// Octets read for one zone: offsets into a source have 32 bits.
const MAX_OCTETS: u64 = 2 << 30;
/// Longest path in an `$INCLUDE`.
const MAX_PATH: usize = 4_096;

impl Reader {
    /// Does what the directive in `tokens` says.
    pub fn read_directive(
        &mut self,
        source: &[u8],
        tokens: &[Token],
        line: u32,
        scope: &mut Scope,
    ) -> Result<(), Fault> {
        let origin = scope.origin.clone();
        let mut fields = Fields::new(source, tokens, &origin);
        let word = fields.word("directive")?;
        match word.to_ascii_uppercase().as_slice() {
            b"$ORIGIN" => {
                let mut name = Vec::new();
                fields.name("origin", &mut name)?;
                fields.end()?;
                scope.origin = name;
                self.origin_stated |= !self.has_soa;
                Ok(())
            }
            b"$TTL" => {
                let ttl = fields.seconds("TTL", MAX_TTL)?;
                fields.end()?;
                scope.default_ttl = Some(ttl);
                Ok(())
            }
            b"$INCLUDE" => self.include(&mut fields, scope),
            b"$GENERATE" => self.generate(&mut fields, line, scope),
            _ => Err(fields.bad("directive", "known: use $ORIGIN, $TTL, $INCLUDE or $GENERATE")),
        }
    }

    /// `$INCLUDE file [origin]`
    fn include(&mut self, fields: &mut Fields<'_>, scope: &Scope) -> Result<(), Fault> {
        let mut file = Vec::new();
        fields.octets("file name", MAX_PATH, &mut file)?;
        let place = fields.fault("");
        let mut inner = scope.clone();
        if fields.peek().is_some() {
            inner.origin.clear();
            fields.name("origin", &mut inner.origin)?;
        }
        fields.end()?;
        let result = match &scope.directory {
            Some(directory) => self.read_file(&directory.join(OsStr::from_bytes(&file)), inner),
            None => Err("this zone was not read from a file, so it cannot include one".to_owned()),
        };
        result.map_err(|message| {
            let message = format!("cannot include '{}': {message}", quote(&file));
            Fault { rule: "zone-include", message, ..place }
        })
    }

    /// Reads the file at `path`, which `scope` must allow for but for its file and directory.
    ///
    /// # Errors
    /// Why the file was not read at all. Faults inside it become findings.
    pub fn read_file(&mut self, path: &Path, mut scope: Scope) -> Result<(), String> {
        let metadata = fs::metadata(path).map_err(|error| format!("{error}: {}", path.display()))?;
        let identity = (metadata.dev(), metadata.ino());
        if self.open_files.contains(&identity) {
            return Err(format!("{} is being read already, so it would include itself", path.display()));
        }
        if self.open_files.len() >= MAX_DEPTH {
            return Err(format!("files include one another more than {MAX_DEPTH} deep: flatten them"));
        }
        if self.files_read >= MAX_FILES {
            return Err(format!("the zone includes more than {MAX_FILES} files: join some"));
        }
        let text = self.load(path, &metadata)?;
        self.files_read += 1;
        let name = path.to_string_lossy();
        let files = &mut self.zone.records.files;
        let index = files.iter().position(|file| *file == name).unwrap_or_else(|| {
            files.push(name.into_owned());
            files.len() - 1
        });
        // At most MAX_FILES, so it fits.
        scope.file = index as u16;
        scope.directory = Some(path.parent().map_or_else(PathBuf::new, Path::to_path_buf));
        self.open_files.push(identity);
        self.read_source(&text, &mut scope);
        self.open_files.pop();
        Ok(())
    }

    fn load(&mut self, path: &Path, metadata: &fs::Metadata) -> Result<Vec<u8>, String> {
        if !metadata.is_file() {
            // Opening a pipe or a device might block for ever.
            return Err(format!("{} is not a regular file", resolved(path).display()));
        }
        let room = MAX_OCTETS.saturating_sub(self.octets_read);
        let mut text = Vec::with_capacity(usize::try_from(metadata.len().min(room)).unwrap_or(0));
        fs::File::open(path)
            .and_then(|file| file.take(room + 1).read_to_end(&mut text))
            .map_err(|error| format!("{error}: {}", resolved(path).display()))?;
        let length = text.len() as u64;
        if length > room {
            return Err("the zone's files hold more than 2 GiB: split the zone".to_owned());
        }
        self.octets_read += length;
        Ok(text)
    }
}

/// The path that leads to the file without links, for people.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}
