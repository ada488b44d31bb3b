//! `apply` and `diff`: the stored resources against a file. They work on the store itself, beside a
//! running gateway, which takes up what has changed within a second; `apply` waits for that.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use engine::EditError;
use engine::resources::{Changed, Difference};
use serde_json::json;

use crate::boot::read_resources;
use crate::config::{Config, Sources, Span, load};
use crate::fault::Fault;
use crate::instance::running;
use crate::outcome::{Failure, Outcome, say};
use crate::resources_file::SecretCheck;
use crate::storage::Storage;

/// How often a running gateway is asked which resources it uses.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// What to apply, and how long to wait.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    to: FileArgs,
    /// How long to wait until a running gateway uses the new resources; 0s does not wait
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    wait: Span,
}

/// Which file, and which store.
#[derive(Debug, Args)]
pub struct FileArgs {
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
    let ApplyArgs { to: args, wait: Span(wait) } = args;
    let config = load(&args.sources)?;
    refuse_other_authority(&config)?;
    let storage = Storage::open(&config).await?;
    let vault = storage.vault();
    let set = read_resources(&args.file, SecretCheck { vault: Some(&vault), references: false })?;
    let applied = engine::resources::apply(&*storage.store, &vault, &set).await;
    let (version, differences) = applied.map_err(|error| faults_of(&args, error))?;
    if !args.json {
        show(&differences)?;
    }
    let taken = taken_up(&config.data_directory(), version, wait).await;
    if args.json {
        let in_force = match taken {
            Taken::InForce => Some(true),
            Taken::NotYet { .. } => Some(false),
            Taken::NobodyRuns => None,
        };
        say(json!({ "version": version, "changes": list(&differences), "in_force": in_force }))?;
    } else {
        let when = match taken {
            Taken::InForce => "in force now",
            Taken::NotYet { .. } => "stored",
            Taken::NobodyRuns => "in force when a gateway starts",
        };
        match differences.len() {
            0 => say("nothing to change")?,
            1 => say(format_args!("1 resource changed; this is version {version}, {when}"))?,
            n => say(format_args!("{n} resources changed; this is version {version}, {when}"))?,
        }
    }
    match taken {
        Taken::NotYet { pid, uses } if !wait.is_zero() => Err(Failure::failed(format_args!(
            "version {version} is stored, but after {wait:?} the gateway (process {pid}) still uses version {uses}; \
             it goes on trying, and its log says what stands in the way"
        ))),
        _ => Ok(()),
    }
}

/// Whether a running gateway uses what was stored.
#[derive(Clone, Copy)]
enum Taken {
    InForce,
    NotYet { pid: u32, uses: u64 },
    NobodyRuns,
}

/// Waits until the gateway of a data directory uses this version, if one runs.
async fn taken_up(data: &Path, version: u64, wait: Duration) -> Taken {
    let begun = Instant::now();
    loop {
        match running(data) {
            None => return Taken::NobodyRuns,
            Some(gateway) if gateway.version >= version => return Taken::InForce,
            Some(gateway) if begun.elapsed() >= wait => {
                return Taken::NotYet { pid: gateway.pid, uses: gateway.version };
            }
            Some(_) => tokio::time::sleep(ASK_EVERY.min(wait)).await,
        }
    }
}

/// Shows what [`apply`] would change.
pub async fn diff(args: FileArgs) -> Outcome {
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

fn faults_of(args: &FileArgs, error: EditError) -> Failure {
    match error {
        EditError::Faults(faults) => {
            let told = |fault: &model::resources::SetFault| Fault::new(fault).of(args.file.display());
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
