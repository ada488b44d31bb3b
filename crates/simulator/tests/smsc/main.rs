//! The SMSC as its clients see it.

mod faults;
mod loads;
mod peer;
mod receipts;
