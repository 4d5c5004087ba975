//! A log to read: a file or standard input, as long as it is lines of text.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;

use crate::{Failure, clock};

/// A log that is open.
pub(crate) struct Input {
    /// Its bytes.
    pub(crate) bytes: Box<dyn Read>,
    /// A moment at or shortly after its last line was written.
    pub(crate) near: Timestamp,
}

/// How files begin that are no lines of text, what they are and what shows their text.
const PACKED: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "gzip", "zcat"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstdcat"),
    (b"\xfd7zXZ\0", "xz", "xzcat"),
    (b"BZh", "bzip2", "bzcat"),
    (b"\xff\xfe", "UTF-16", "iconv -f UTF-16"),
    (b"\xfe\xff", "UTF-16", "iconv -f UTF-16"),
];

impl Input {
    /// Opens `file`; `-` is standard input, of which nothing is read yet.
    pub(crate) fn open(file: &Path) -> Result<Input> {
        if file == Path::new("-") {
            return Ok(Input { bytes: Box::new(io::stdin().lock()), near: clock::now() });
        }
        let wanted = |error: io::Error| {
            Failure::new(
                format!("wanted to read the log {}", file.display()),
                "give a file that can be read, or pipe the lines in",
            )
            .because(error)
        };
        let input = File::open(file).map_err(wanted)?;
        let about = input.metadata().map_err(wanted)?;
        if about.is_dir() {
            return Err(Failure::new(
                format!("wanted a log, found the directory {}", file.display()),
                "give the files in it",
            )
            .into());
        }
        let near = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        Ok(Input { bytes: Box::new(input), near: near.unwrap_or_else(clock::now) })
    }

    /// Looks at what comes first and refuses what is packed: its bytes would only be taken for unknown lines.
    ///
    /// It waits for the first bytes, and for no more than that.
    pub(crate) fn unpacked(mut self, file: &Path) -> Result<Input> {
        let mut first = vec![0; 1 << 16];
        let n = loop {
            match self.bytes.read(&mut first) {
                Ok(n) => break n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let what = format!("wanted to read {}", file.display());
                    return Err(Failure::new(what, "give a file that can be read").because(error).into());
                }
            }
        };
        first.truncate(n);
        if let Some((_, name, tool)) = PACKED.iter().find(|(mark, ..)| first.starts_with(mark)) {
            let shown = file.display();
            return Err(Failure::new(
                format!("wanted lines of text, found {name} data in {shown}"),
                format!("unpack it first: {tool} {shown} | dice route"),
            )
            .into());
        }
        Ok(Input { bytes: Box::new(Cursor::new(first).chain(self.bytes)), ..self })
    }
}
