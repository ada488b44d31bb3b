//! A SIM: its PIN, and its store for messages. It outlives every restart of its modem.

/// A message in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// 0 unread, 1 read, 2 unsent, 3 sent (3GPP 27.005 §3.1 `<stat>`).
    pub(super) state: u8,
    /// A status report.
    pub(super) report: bool,
    /// With the address of the SMSC in front.
    pub(super) pdu: Vec<u8>,
}

/// What the SIM says about its PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Open,
    Pin,
    Puk,
}

/// A SIM.
#[derive(Debug)]
pub(super) struct Sim {
    pub(super) lock: Lock,
    pub(super) tries: u8,
    pub(super) smsc: String,
    places: Vec<Option<Stored>>,
}

impl Sim {
    pub(super) fn new(locked: bool, tries: u8, smsc: &str, places: u16) -> Self {
        let lock = if locked { Lock::Pin } else { Lock::Open };
        Self { lock, tries, smsc: smsc.into(), places: vec![None; places.into()] }
    }

    /// Stores a message; its place, counted from 1, or `None` if there is none.
    pub(super) fn store(&mut self, stored: Stored) -> Option<u16> {
        let at = self.places.iter().position(Option::is_none)?;
        *self.places.get_mut(at)? = Some(stored);
        u16::try_from(at + 1).ok()
    }

    pub(super) fn get(&mut self, index: u16) -> Option<&mut Stored> {
        self.places.get_mut(usize::from(index).checked_sub(1)?)?.as_mut()
    }

    pub(super) fn delete(&mut self, index: u16) -> Option<Stored> {
        self.places.get_mut(usize::from(index).checked_sub(1)?)?.take()
    }

    /// What is stored, with places counted from 1.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (u16, &mut Stored)> {
        let numbered = (1u16..).zip(&mut self.places);
        numbered.filter_map(|(index, place)| Some((index, place.as_mut()?)))
    }

    pub(super) fn used(&self) -> usize {
        self.places.iter().flatten().count()
    }

    pub(super) fn total(&self) -> usize {
        self.places.len()
    }
}
