//! How a world goes on when all goes well from here on.

use crate::words::{Ask, Step, Wrong};
use crate::world::World;

impl World {
    /// Goes on without mishaps: `crashed` are gone, the others keep their memberships and claim what they can. Every
    /// slot must be somebody's soon. What nobody waits for arrives when all that is done, as late as can be.
    pub fn goes_on(mut self, crashed: &[usize]) -> Result<(), Wrong> {
        crashed.iter().try_for_each(|n| self.take(Step::Crash(*n)))?;
        let living: Vec<usize> = (0..self.nodes.len()).filter(|n| !crashed.contains(n)).collect();
        for _ in 0..8 {
            for n in &living {
                self.turn(*n)?;
            }
            if (0..self.rules.slots).all(|slot| living.iter().any(|n| self.acts(*n, slot))) {
                self.strays_arrive()?;
                return living.iter().rev().try_for_each(|n| self.turn(*n));
            }
            self.take(Step::Tick(self.rules.ttl / 2))?;
        }
        let idle = |slot: &u8| !living.iter().any(|n| self.acts(*n, *slot));
        (0..self.rules.slots).find(idle).map_or(Ok(()), |slot| Err(Wrong::NobodyActs(slot)))
    }

    fn strays_arrive(&mut self) -> Result<(), Wrong> {
        while let Some(place) = self.wire.iter().position(|request| !request.waited) {
            self.take(Step::Arrive(place))?;
        }
        Ok(())
    }

    /// What a node does again and again.
    fn turn(&mut self, n: usize) -> Result<(), Wrong> {
        if self.nodes[n].suspended {
            self.take(Step::Resume(n))?;
        }
        self.finish(n)?;
        // Who is in doubt comes back as another process.
        if self.nodes[n].maybe_released != 0 && self.nodes[n].alive {
            self.take(Step::Ask(n, Ask::Leave))?;
            self.finish(n)?;
        }
        if !self.nodes[n].alive {
            self.take(Step::Start(n))?;
        }
        self.take(Step::Ask(n, Ask::Keep))?;
        self.finish(n)?;
        for slot in 0..self.rules.slots {
            if self.asks(n).contains(&Ask::Claim(slot)) {
                self.take(Step::Ask(n, Ask::Claim(slot)))?;
                self.finish(n)?;
            }
        }
        Ok(())
    }

    /// What a node waits for arrives and is answered.
    fn finish(&mut self, n: usize) -> Result<(), Wrong> {
        let Some(place) = self.wire.iter().position(|r| r.waited && r.node == n) else { return Ok(()) };
        if self.wire[place].reply.is_none() {
            self.take(Step::Arrive(place))?;
        }
        if self.wire.iter().any(|r| r.waited && r.node == n) {
            self.take(Step::Answer(n))?;
        }
        Ok(())
    }
}
