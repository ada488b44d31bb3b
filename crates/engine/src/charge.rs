//! Charge: what a message costs and who pays, and what is given back of it.
//!
//! The price is taken in the commit that accepts the message ([`store::Claim`]), and what was never
//! submitted is given back in the commit that ends it, so both happen once, whatever crashes.

use model::resources::Money;
use model::{Address, Body, Charge, LedgerEntry, LedgerId, LedgerKind, Message, PartStatus, Sum, Timestamp};

use crate::accept::Refusal;
use crate::world::{AccountView, World};

/// What a part to `to` costs by the prices of the account, or else of the nearest one above it.
pub(crate) fn own_price(account: &AccountView, to: &Address) -> Option<Money> {
    account.chain().find_map(|account| account.admission.as_ref()?.prices.as_ref())?.of(to)
}

/// What is charged for a message that has its price, if the account or one above it is prepaid: the
/// nearest one pays.
pub(crate) fn of(account: &AccountView, body: &Body) -> Result<Option<Box<Charge>>, Refusal> {
    let Some((payer, prepaid)) = account.payer() else { return Ok(None) };
    let price = body.price().filter(|price| price.currency == prepaid.currency);
    let Some(price) = price else { return Err(Refusal::NoPrice(body.routed_to().clone(), prepaid.currency)) };
    Ok(Some(Box::new(Charge { payer: payer.id.clone(), price })))
}

/// What is given back for a message that has just ended: the parts that no carrier has.
pub(crate) fn refund(
    world: &World,
    message: &Message,
    now: Timestamp,
    next_id: impl FnOnce() -> LedgerId,
) -> Option<LedgerEntry> {
    let charge = message.body.charge.as_ref()?;
    let prepaid = world.account(&charge.payer).and_then(|view| view.account.prepaid.as_ref());
    let refused_too = prepaid.is_some_and(|prepaid| prepaid.refund_rejected);
    let parts = &message.progress.parts;
    let never_sent = parts.iter().enumerate().filter(|(n, part)| match part.status {
        PartStatus::Canceled | PartStatus::Expired | PartStatus::Failed => message.progress.never_reached(*n),
        PartStatus::Rejected => refused_too && part.submitted_at.is_none(),
        _ => false,
    });
    let amount = Sum::from(charge.share(never_sent.count(), parts.len()));
    (amount > Sum::ZERO).then(|| LedgerEntry {
        id: next_id(),
        account: charge.payer.clone(),
        at: now,
        kind: LedgerKind::Refund,
        amount,
        message: Some(message.body.id),
        note: None,
    })
}
