//! The SMSC as its clients see it.

mod faults;
mod inquiries;
mod loads;
mod peer;
mod receipts;
