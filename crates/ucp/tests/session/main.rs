//! Sessions of both sides, in memory and on a simulated clock.

mod ending;
mod faults;
mod link;
mod login;
mod pair;
mod random;
mod traffic;
