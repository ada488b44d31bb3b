//! Connectors against simulated SMSCs, with an engine on a store in memory.

mod bench;
mod binds;
mod cimd2;
mod door;
mod faults;
mod flow;
mod http;
mod inquiries;
mod outbind;
mod tls;
mod ucp;
