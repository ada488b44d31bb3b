//! Sessions of both sides, in memory and on a simulated clock.

mod binding;
mod ending;
mod faults;
mod link;
mod pair;
mod random;
mod traffic;
mod versions;
