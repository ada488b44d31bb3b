//! How a command ends: done, failed, or with something wrong in what it was configured with.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::fault::Fault;

/// The exit code for faults of the configuration, as `sysexits.h` has it.
const CONFIGURATION: u8 = 78;

/// What every command gives back.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The configuration or the resources are wrong. Exit code 78.
    Configuration(Vec<Fault>),
    /// They are, and the faults have been told. Exit code 78.
    ToldConfiguration,
    /// Anything else. Exit code 1.
    Failed(anyhow::Error),
    /// It failed, and has already said so. Exit code 1.
    Told,
    /// Whoever read the output has gone. Exit code 0, as other tools of a pipe do.
    NobodyReads,
}

impl Failure {
    /// One fault of the configuration, in a sentence.
    pub fn configuration(told: impl fmt::Display) -> Self {
        Self::Configuration(vec![Fault::new(told)])
    }

    /// One fault of a file as a whole.
    pub fn file(file: &Path, told: impl fmt::Display) -> Self {
        Self::Configuration(vec![Fault::new(told).of(file.display())])
    }

    /// A failure that is told in one sentence.
    pub fn failed(what: impl fmt::Display) -> Self {
        Self::Failed(anyhow::anyhow!("{what}"))
    }

    /// Something that has its place in the command line and is not built yet.
    pub fn not_yet(what: impl fmt::Display) -> Self {
        Self::failed(format_args!("{what} is not supported yet"))
    }

    /// Says what went wrong on standard error, and gives the exit code.
    pub fn tell(self) -> ExitCode {
        match self {
            Self::Configuration(faults) => {
                faults.iter().for_each(|fault| eprintln!("{fault}"));
                ExitCode::from(CONFIGURATION)
            }
            Self::ToldConfiguration => ExitCode::from(CONFIGURATION),
            Self::Failed(error) => {
                eprintln!("postrider: {error:#}");
                ExitCode::FAILURE
            }
            Self::Told => ExitCode::FAILURE,
            Self::NobodyReads => ExitCode::SUCCESS,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Writes one line to standard output.
pub fn say(line: impl fmt::Display) -> Outcome {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::NobodyReads),
        written => Ok(written?),
    }
}
