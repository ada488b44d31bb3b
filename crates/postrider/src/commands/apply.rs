//! `apply` and `diff`: the stored resources against a file. They work on the store itself, beside a
//! running gateway, which takes up what has changed within a second.

use std::path::PathBuf;

use clap::Args;
use engine::EditError;
use engine::resources::{Changed, Difference};
use serde_json::json;

use crate::boot::read_resources;
use crate::config::{Config, Sources, load};
use crate::instance::running;
use crate::outcome::{Failure, Outcome, say};
use crate::resources_file::SecretCheck;
use crate::storage::Storage;

/// Which file, and which store.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The resources file
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sources: Sources,
}

/// Makes the stored resources those of the file.
pub async fn apply(args: ApplyArgs) -> Outcome {
    let config = load(&args.sources)?;
    refuse_other_authority(&config)?;
    let storage = Storage::open(&config).await?;
    let vault = storage.vault();
    let set = read_resources(&args.file, SecretCheck { vault: Some(&vault), references: false })?;
    let applied = engine::resources::apply(&*storage.store, &vault, &set).await;
    let (version, differences) = applied.map_err(|error| faults_of(&args, error))?;
    if args.json {
        return say(json!({ "version": version, "changes": list(&differences) }));
    }
    show(&differences)?;
    match differences.len() {
        0 => say("nothing to change"),
        1 => say(format_args!("1 resource changed; this is version {version}")),
        n => say(format_args!("{n} resources changed; this is version {version}")),
    }
}

/// Shows what [`apply`] would change.
pub async fn diff(args: ApplyArgs) -> Outcome {
    let config = load(&args.sources)?;
    let storage = Storage::open(&config).await?;
    let vault = storage.vault();
    let set = read_resources(&args.file, SecretCheck { vault: Some(&vault), references: false })?;
    let differences = engine::resources::diff(&*storage.store, &vault, &set).await;
    let differences = differences.map_err(|error| faults_of(&args, error))?;
    if args.json {
        return say(json!({ "changes": list(&differences) }));
    }
    show(&differences)?;
    if differences.is_empty() { say("nothing to change") } else { Ok(()) }
}

/// A gateway that was started with `--resources` would undo what is changed behind its back.
fn refuse_other_authority(config: &Config) -> Outcome {
    match running(&config.data_directory()).and_then(|gateway| gateway.resources) {
        None => Ok(()),
        Some(file) => Err(Failure::failed(format_args!(
            "the running gateway takes its resources from {file} only; change that file and send SIGHUP"
        ))),
    }
}

fn faults_of(args: &ApplyArgs, error: EditError) -> Failure {
    match error {
        EditError::Faults(faults) => {
            let told = |fault: &model::resources::SetFault| format!("{}: {fault}", args.file.display());
            Failure::Configuration(faults.iter().map(told).collect())
        }
        error => error.into(),
    }
}

fn show(differences: &[Difference]) -> Outcome {
    for Difference { kind, id, what } in differences {
        let sign = match what {
            Changed::Added => '+',
            Changed::Changed => '~',
            Changed::Removed => '-',
        };
        say(format_args!("{sign} {} \"{id}\"", kind.as_str()))?;
    }
    Ok(())
}

fn list(differences: &[Difference]) -> Vec<serde_json::Value> {
    let word = |what| match what {
        Changed::Added => "added",
        Changed::Changed => "changed",
        Changed::Removed => "removed",
    };
    differences.iter().map(|d| json!({ "kind": d.kind.as_str(), "id": d.id, "change": word(d.what) })).collect()
}
