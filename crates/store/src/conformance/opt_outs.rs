//! Opt-outs.

use model::{Address, OptOut, OptOutId, OptOutKey};

use super::World;
use crate::{Changes, OptOutFilter};

fn opt_out(world: &World, account: &str, phone: &str, sender: Option<&str>) -> OptOut {
    let sender = sender.map(|sender| Address::sender(sender, None).expect("a sender"));
    let phone = Address::recipient(phone, None).expect("a number");
    OptOut {
        id: OptOutId(world.samples.id().0),
        key: OptOutKey { account: account.into(), phone, sender },
        created_at: world.clock.now(),
        message: Some(world.samples.id()),
    }
}

fn put(opt_outs: &[OptOut]) -> Changes {
    Changes { opt_outs: opt_outs.to_vec(), ..Changes::default() }
}

fn gone(opt_out: &OptOut) -> Changes {
    Changes { opt_outs_done: vec![opt_out.key.clone()], ..Changes::default() }
}

async fn all(world: &World, filter: OptOutFilter) -> Vec<OptOut> {
    world.store.opt_outs(&filter, None, 100).await.unwrap()
}

/// Newest first, strictly older than the cursor, and by every filter.
pub async fn they_come_back_as_they_were_put(world: &World) {
    let mut put_in = vec![
        opt_out(world, "shop", "+447700900001", None),
        opt_out(world, "shop", "+447700900001", Some("SHOP")),
        opt_out(world, "bank", "+447700900001", None),
        opt_out(world, "shop", "+447700900002", Some("+447700900000")),
    ];
    put_in[3].message = None;
    world.commit(put(&put_in)).await;
    let newest_first: Vec<OptOut> = put_in.iter().rev().cloned().collect();
    assert_eq!(all(world, OptOutFilter::default()).await, newest_first);
    let page = world.store.opt_outs(&OptOutFilter::default(), Some(newest_first[0].id), 2).await.unwrap();
    assert_eq!(page, newest_first[1..3]);
    let of_shop = OptOutFilter { account: Some("shop".into()), ..OptOutFilter::default() };
    assert_eq!(all(world, of_shop.clone()).await.len(), 3);
    let phone = Some(put_in[0].key.phone.clone());
    let both = all(world, OptOutFilter { phone: phone.clone(), ..of_shop }).await;
    assert_eq!(both, [put_in[1].clone(), put_in[0].clone()]);
    assert_eq!(all(world, OptOutFilter { phone, ..OptOutFilter::default() }).await.len(), 3);
    let one = OptOutFilter { id: Some(put_in[2].id), ..OptOutFilter::default() };
    assert_eq!(all(world, one).await, [put_in[2].clone()]);
}

/// There is one for each phone and sender: who asks again has asked before.
pub async fn one_that_is_there_is_left_as_it_is(world: &World) {
    let first = opt_out(world, "shop", "+447700900001", None);
    let again = OptOut { message: None, ..opt_out(world, "shop", "+447700900001", None) };
    world.commit(put(std::slice::from_ref(&first))).await;
    world.commit(put(&[again, first.clone()])).await;
    assert_eq!(all(world, OptOutFilter::default()).await, [first]);
}

/// One that is gone may come anew; what is not there can go.
pub async fn they_go_and_come_again(world: &World) {
    let (first, other) =
        (opt_out(world, "shop", "+447700900001", None), opt_out(world, "shop", "+447700900001", Some("SHOP")));
    world.commit(put(&[first.clone(), other.clone()])).await;
    world.commit(gone(&first)).await;
    world.commit(gone(&first)).await;
    assert_eq!(all(world, OptOutFilter::default()).await, std::slice::from_ref(&other));
    let anew = opt_out(world, "shop", "+447700900001", None);
    world.commit(put(std::slice::from_ref(&anew))).await;
    assert_eq!(all(world, OptOutFilter::default()).await, [anew, other]);
}
