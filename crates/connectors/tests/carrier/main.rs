//! Connectors against simulated SMSCs, with an engine on a store in memory.

mod bench;
mod binds;
mod cimd2;
mod faults;
mod flow;
mod inquiries;
mod outbind;
mod tls;
mod ucp;
