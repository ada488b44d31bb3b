//! `import`: another gateway's configuration as a resources file, and what of it has no counterpart.
//!
//! A reader ([`kannel`], [`jasmin`]) turns a file into [`section::Section`]s: settings with their
//! places. Translators take the settings that they know out of a section and put resources into a
//! [`draft::Draft`]; whatever is still in the section then is told as left out, so that nothing can be
//! forgotten in silence. A rule is never made wider than it was: if a condition has no counterpart, the
//! whole rule is left out. [`draft::Draft::finish`] takes out what `check` would refuse.
//!
//! Standard error has places, keys and reasons, never a value: values may be secrets.

mod common;
mod draft;
mod jasmin;
mod kannel;
mod pattern;
mod section;
mod source;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::outcome::{Failure, Outcome, say};

/// Whose configuration it is.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Kannel's configuration file, with what it includes
    Kannel(FileArgs),
    /// A script or transcript of jcli, Jasmin's console
    Jasmin(FileArgs),
}

/// What to import, and where to.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The configuration to import
    file: PathBuf,
    /// Write the resources here, readable by you alone; a file that exists is not overwritten
    ///
    /// Without it they go to standard output, secrets and all.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object: resources (null with --out), config, and what was left out
    #[arg(long)]
    json: bool,
}

/// Imports, and tells what was left out.
pub fn run(command: &ImportCommand) -> Outcome {
    let (args, draft) = match command {
        ImportCommand::Kannel(args) => (args, kannel::import(&args.file)?),
        ImportCommand::Jasmin(args) => (args, jasmin::import(&args.file)?),
    };
    let imported = draft.finish()?;
    let text = imported.toml();
    if let Some(out) = &args.out {
        write_private(out, &text)?;
    }
    if args.json {
        let resources = if args.out.is_some() { serde_json::Value::Null } else { imported.resources_json() };
        let left_out: Vec<_> = imported.left_out.iter().map(draft::LeftOut::json).collect();
        return say(json!({ "resources": resources, "config": imported.config.json(), "left_out": left_out }));
    }
    imported.left_out.iter().for_each(|left| eprintln!("{left}"));
    eprintln!("{}", imported.summary());
    match args.out {
        Some(_) => Ok(()),
        None => say(text.trim_end()),
    }
}

/// Writes a new file of mode 0600, whole or not at all.
fn write_private(path: &Path, text: &str) -> Outcome {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let cant = |error: std::io::Error| Failure::failed(format_args!("{} can't be written: {error}", path.display()));
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(cant)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(cant)?;
    file.persist_noclobber(path).map_err(|error| cant(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
