//! Commands that have their place and are not built yet.

use clap::Args;

/// Whatever is said to such a command.
#[derive(Debug, Args)]
pub struct Rest {
    /// Taken as it comes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}
