//! `postrider`: an SMS gateway in one program.
//!
//! This crate is the only one that knows all the others. It reads the command line ([`cli`], one
//! file a command under [`commands`]), the configuration of the process ([`config`]) and resources
//! files ([`resources_file`]), opens the store with its key ([`storage`]), and puts a gateway
//! together ([`boot`]), which `serve` and `demo` both run.
//!
//! * [`instance`]: one gateway to a data directory, and where it is. [`signals`]: how it is told.
//! * [`log`]: what it says on standard error. [`outcome`]: how commands end, and exit codes.
//! * [`api`]: commands that ask a running gateway. [`timeline`]: what they show of a message, in [`colour`].
//! * [`toml_reader`]: every [`fault`] of a file at once, with its place and what to do.

mod api;
mod bench;
mod boot;
mod cli;
mod colour;
mod commands;
mod config;
mod fault;
mod hex;
mod instance;
mod listeners;
mod log;
mod node;
mod outcome;
mod resources_file;
mod signals;
mod storage;
mod timeline;
mod toml_reader;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run()
}
