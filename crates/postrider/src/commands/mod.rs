//! One file a command.

pub mod apply;
pub mod check;
pub mod connector;
pub mod decode;
pub mod demo;
pub mod encode;
pub mod explain;
pub mod export;
pub mod import;
pub mod later;
pub mod replay;
pub mod send;
pub mod serve;
pub mod simulate;
pub mod token;
