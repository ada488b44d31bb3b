//! `token create`: a token for the API, shown once.

use clap::{Args, Subcommand, ValueEnum};
use engine::Edit;
use model::Timestamp;
use model::resources::{Scope, Token};
use serde_json::json;

use crate::config::{Sources, Span, load};
use crate::outcome::{Failure, Outcome, say};
use crate::storage::Storage;

/// Hexadecimal digits of a token's hash that its id is made of.
const ID_DIGITS: usize = 12;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, once
    Create(CreateArgs),
}

/// The token that is wanted.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Whose it is
    #[arg(long)]
    account: String,
    /// What it may do; several with commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [ScopeWord::Messages])]
    scope: Vec<ScopeWord>,
    /// When it ends: a time such as 2030-01-31T00:00:00Z, or a duration from now such as 90d
    #[arg(long)]
    expires: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sources: Sources,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScopeWord {
    /// Send, read and cancel the account's messages
    Messages,
    /// Read the account's messages
    Read,
    /// Everything, of every account
    Admin,
}

/// Makes the token.
pub async fn run(TokenCommand::Create(args): TokenCommand) -> Outcome {
    let storage = Storage::open(&load(&args.sources)?).await?;
    let vault = storage.vault();
    let (_, set) = engine::resources::load(&*storage.store, &vault).await?;
    if !set.accounts.iter().any(|account| account.id == args.account) {
        let known: Vec<&str> = set.accounts.iter().map(|account| account.id.as_str()).collect();
        let known =
            if known.is_empty() { "there are none yet".into() } else { format!("there are {}", known.join(", ")) };
        return Err(Failure::failed(format_args!(
            "there is no account \"{}\" ({known}); write it into a resources file and apply that first",
            args.account
        )));
    }
    let now = storage.store.now();
    let expires_at = args.expires.as_deref().map(|text| end(text, now)).transpose()?;
    let (token, sha256) = engine::new_token()?;
    let id = format!("token-{}", sha256.get(..ID_DIGITS).unwrap_or(&sha256));
    let scopes = args.scope.iter().map(|word| match word {
        ScopeWord::Messages => Scope::Messages,
        ScopeWord::Read => Scope::Read,
        ScopeWord::Admin => Scope::Admin,
    });
    let kept = Token {
        id: id.clone(),
        account: args.account.clone(),
        sha256,
        scopes: scopes.collect(),
        expires_at,
        networks: Vec::new(),
        created_at: now,
    };
    engine::resources::edit(&*storage.store, &vault, vec![Edit::Token(kept)]).await?;
    if args.json {
        return say(json!({ "id": id, "token": token, "account": args.account, "expires_at": expires_at }));
    }
    eprintln!("The token {id} of {} is shown now and never again:", args.account);
    say(token)
}

fn end(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    if let Ok(span) = text.parse::<Span>() {
        return Ok(now.plus_millis(i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX)));
    }
    match text.parse::<Timestamp>() {
        Ok(at) if at > now => Ok(at),
        Ok(_) => Err(Failure::failed(format_args!("--expires {text} is past"))),
        Err(_) => Err(Failure::failed(format_args!(
            "--expires {text} is neither a time such as 2030-01-31T00:00:00Z nor a duration such as 90d"
        ))),
    }
}
