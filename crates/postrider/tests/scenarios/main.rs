//! The built program, as its users run it: one scenario a file.

mod commands;
mod demo;
mod process;
mod serve;
