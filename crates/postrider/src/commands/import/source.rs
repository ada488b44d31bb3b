//! Text of files whose encoding nobody has declared, within limits.

use std::path::Path;

use crate::fault::Fault;
use crate::outcome::{Failure, Outcome};

/// Octets of all files of one import together.
pub const OCTETS_MAX: usize = 4 << 20;

/// Octets of a file, which count against what is `left` of [`OCTETS_MAX`].
pub fn read(path: &Path, left: &mut usize) -> Outcome<Vec<u8>> {
    use std::io::Read as _;
    let told = |error: std::io::Error| Failure::file(path, format_args!("can't be read: {error}"));
    let file = std::fs::File::open(path).map_err(told)?;
    if !file.metadata().map_err(told)?.is_file() {
        return Err(Failure::file(path, "is no file"));
    }
    let mut octets = Vec::new();
    let limit = u64::try_from(*left).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut octets).map_err(told)?;
    if octets.len() > *left {
        return Err(Failure::file(path, format_args!("is more than the {OCTETS_MAX} octets that are read in all")));
    }
    *left -= octets.len();
    Ok(octets)
}

/// A line as UTF-8, or as ISO 8859-1 if it is none.
pub fn text(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().map(|octet| char::from(*octet)).collect(),
    }
}

/// Lines with their numbers.
pub fn lines(octets: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    octets.split(|octet| *octet == b'\n').enumerate().map(|(n, line)| (n + 1, line))
}

/// One fault at a line.
pub fn fault(file: &str, line: usize, told: impl std::fmt::Display) -> Failure {
    Failure::Configuration(vec![Fault { place: Some((line, 1)), ..Fault::new(told).of(file) }])
}
