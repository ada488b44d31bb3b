//! `export`: the stored resources as a resources file.

use clap::Args;
use serde_json::{Value, json};

use crate::config::{Sources, load};
use crate::outcome::{Outcome, say};
use crate::resources_file::write;
use crate::storage::Storage;

/// What to export.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Tokens that were made with `token create` too, by their hash
    #[arg(long)]
    tokens: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sources: Sources,
}

/// Prints the file. Secrets stay sealed: they can be read with this installation's key only.
pub async fn run(args: ExportArgs) -> Outcome {
    let config = load(&args.sources)?;
    let storage = Storage::open_existing(&config).await?;
    let documents = storage.store.resources().await?.documents;
    if !args.json {
        return say(write(&documents, args.tokens)?.trim_end());
    }
    let mut all = json!({});
    for document in documents.iter().filter(|d| args.tokens || d.kind != model::resources::Kind::Token) {
        let resource: Value = serde_json::from_str(&document.json)?;
        match &mut all[document.kind.as_str()] {
            Value::Array(list) => list.push(resource),
            none => *none = json!([resource]),
        }
    }
    say(all)
}
