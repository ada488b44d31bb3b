//! Sessions of both sides, in memory and on a simulated clock.

mod ending;
mod link;
mod login;
mod numbers;
mod pair;
mod random;
mod traffic;
