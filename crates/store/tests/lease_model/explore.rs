//! Looks for what is wrong: in everything that can happen, or in long random histories.

use std::collections::{HashSet, VecDeque};

use crate::words::{Rules, Step, Wrong};
use crate::world::World;

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// This goes wrong by these steps.
    Wrong(Wrong, Vec<Step>),
    /// Nothing, in as many different states; all there are, if so it says.
    Nothing { states: usize, all: bool },
}

/// Goes through everything that can happen, the shortest histories first, until `most` states were seen. Time
/// goes by `tick` by `tick`.
pub fn everything(rules: &Rules, tick: i64, most: usize) -> Found {
    let start = World::new(rules.clone());
    let mut seen = HashSet::from([start.fingerprint()]);
    // Where each state was come to from.
    let mut ways: Vec<(usize, Step)> = vec![(0, Step::Tick(0))];
    let mut ahead = VecDeque::from([(0, start)]);
    while let Some((place, world)) = ahead.pop_front() {
        let mut steps = world.steps();
        steps.push(Step::Tick(tick));
        for step in steps {
            let mut next = world.clone();
            if let Err(wrong) = next.take(step) {
                return Found::Wrong(wrong, history(&ways, place, step));
            }
            if !seen.insert(next.fingerprint()) {
                continue;
            }
            let crashed = [&[][..], &[0], &[1]][ways.len() % 3];
            if ways.len().is_multiple_of(4)
                && let Err(wrong) = next.clone().goes_on(crashed)
            {
                return Found::Wrong(wrong, history(&ways, place, step));
            }
            ways.push((place, step));
            ahead.push_back((ways.len() - 1, next));
            if ways.len() >= most {
                return Found::Nothing { states: ways.len(), all: false };
            }
        }
    }
    Found::Nothing { states: ways.len(), all: true }
}

fn history(ways: &[(usize, Step)], mut place: usize, last: Step) -> Vec<Step> {
    let mut steps = vec![last];
    while place != 0 {
        steps.push(ways[place].1);
        place = ways[place].0;
    }
    steps.reverse();
    steps
}

/// Lives through `histories` of `length` random steps each. Every one has clocks of its own, as far from the
/// store's as `drift` allows, in millionths.
pub fn at_random(rules: &Rules, drift: i64, histories: u64, length: usize) -> Found {
    let mut steps_taken = 0;
    for seed in 1..=histories {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let rate = |dice: &mut Dice| match dice.below(4) {
            0 => 1_000_000 - drift,
            1 => 1_000_000 + drift,
            _ => 1_000_000 - drift + dice.below(2 * drift as u64 + 1) as i64,
        };
        let rates = rules.rates.iter().map(|_| rate(&mut dice)).collect();
        let mut world = World::new(Rules { rates, ..rules.clone() });
        let mut history = Vec::new();
        for _ in 0..length {
            let step = dice.step(&world);
            history.push(step);
            if let Err(wrong) = world.take(step) {
                return Found::Wrong(wrong, history);
            }
        }
        steps_taken += history.len();
        let crashed: Vec<usize> = (1..rules.rates.len()).filter(|_| dice.below(2) == 0).collect();
        if let Err(wrong) = world.goes_on(&crashed) {
            return Found::Wrong(wrong, history);
        }
    }
    Found::Nothing { states: steps_taken, all: false }
}

/// Numbers that look random (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % end.max(1)
    }

    /// Mostly what a healthy node does, with mishaps in between; time goes by in little steps and in long pauses,
    /// and often just as far as something ends.
    fn step(&mut self, world: &World) -> Step {
        if self.below(4) == 0 {
            let ends = world.ends();
            return Step::Tick(match self.below(6) {
                0 => 1 + self.below(3 * world.rules.ttl as u64) as i64,
                1 | 2 if !ends.is_empty() => ends[self.below(ends.len() as u64) as usize],
                _ => 1 + self.below(world.rules.ttl as u64 / 20) as i64,
            });
        }
        let mut steps = world.steps();
        let mishap = |step: &Step| matches!(step, Step::Crash(_) | Step::GiveUp(_) | Step::Lose(_));
        if self.below(12) != 0 && !steps.iter().all(mishap) {
            steps.retain(|step| !mishap(step));
        }
        steps[self.below(steps.len() as u64) as usize]
    }
}
