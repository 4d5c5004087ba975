//! What tells a file from another that has its name.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};

/// Bytes of a file that it is known by, at its start and before a position.
const SAMPLE_BYTES: usize = 256;

/// What tells a file from another that has its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// The number of the device it lies on.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// How it begins. Inodes are used again, and a file may be emptied and written anew.
    pub head: Sample,
    /// What lies before the position. Files written anew may begin as before, with a banner.
    pub tail: Sample,
}

/// Some bytes of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// BLAKE3 of the bytes, 32 hexadecimal digits; empty when there are none.
    pub hash: String,
    /// How many bytes: 256, or all when there are fewer.
    pub bytes: u32,
}

/// Device and inode.
pub(crate) type FileId = (u64, u64);

pub(crate) fn id(about: &Metadata) -> FileId {
    (about.dev(), about.ino())
}

impl FileMark {
    pub(crate) fn id(&self) -> FileId {
        (self.device, self.inode)
    }

    /// Whether it is the mark of `file`, read up to `offset`.
    pub(crate) fn is_of(&self, file: &File, offset: u64) -> io::Result<bool> {
        Ok(self.leads_to(file, offset)? && self.head.of_same(file)?.is_some())
    }

    /// Whether what lies in `file` before `offset` is what was read last.
    pub(crate) fn leads_to(&self, file: &File, offset: u64) -> io::Result<bool> {
        let Some(start) = offset.checked_sub(u64::from(self.tail.bytes)) else { return Ok(false) };
        let mut before = vec![0; SAMPLE_BYTES.min(self.tail.bytes as usize)];
        let n_bytes = read_at(file, &mut before, start)?;
        Ok(Sample::of_end(&before[..n_bytes]) == self.tail)
    }
}

impl Sample {
    /// The first bytes of `file`.
    pub(crate) fn of_start(file: &File) -> io::Result<Sample> {
        Ok(Sample::of_end(&first_bytes(file)?))
    }

    /// The last bytes of `bytes`.
    pub(crate) fn of_end(bytes: &[u8]) -> Sample {
        let bytes = &bytes[bytes.len().saturating_sub(SAMPLE_BYTES)..];
        if bytes.is_empty() {
            return Sample::default();
        }
        let hash = blake3::hash(bytes).to_hex();
        Sample { hash: hash[..32].to_owned(), bytes: bytes.len() as u32 }
    }

    /// How `file` begins now, as far as it begins as it did; `None` when it was written anew.
    pub(crate) fn of_same(&self, file: &File) -> io::Result<Option<Sample>> {
        let now = first_bytes(file)?;
        let n_bytes = self.bytes as usize;
        if now.len() < n_bytes || Sample::of_end(&now[..n_bytes]) != *self {
            return Ok(None);
        }
        Ok(Some(if now.len() == n_bytes { self.clone() } else { Sample::of_end(&now) }))
    }
}

/// The bytes that a file is known by.
pub(crate) fn first_bytes(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; SAMPLE_BYTES];
    let n_bytes = read_at(file, &mut bytes, 0)?;
    bytes.truncate(n_bytes);
    Ok(bytes)
}

/// Fills `bytes` from `offset` on, as far as the file goes.
pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut n_bytes = 0;
    while n_bytes < bytes.len() {
        match file.read_at(&mut bytes[n_bytes..], offset + n_bytes as u64) {
            Ok(0) => break,
            Ok(n) => n_bytes += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_bytes)
}
