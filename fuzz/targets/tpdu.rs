//! Any octets as a TPDU, with and without an SMSC address in front: what is read can be written, and
//! what was written is read and written as the same. Only a name that ends with "@" may change once:
//! its last septet can't be told from filling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sms::tpdu::{Direction, Timestamp, Tpdu, join_smsc, split_smsc};

fuzz_target!(|octets: &[u8]| {
    for direction in [Direction::ToPhone, Direction::FromPhone, Direction::Either] {
        check(octets, direction);
        if let Ok((smsc, tpdu)) = split_smsc(octets) {
            assert!(join_smsc(smsc.as_ref(), tpdu).ends_with(tpdu));
            check(tpdu, direction);
        }
    }
    if let Some(stamp) = octets.first_chunk::<7>().and_then(Timestamp::decode) {
        assert_eq!(Timestamp::decode(&stamp.encode()), Some(stamp));
        let _ = stamp.unix_seconds();
    }
});

fn check(octets: &[u8], direction: Direction) {
    let Ok(tpdu) = Tpdu::decode(octets, direction) else { return };
    match &tpdu {
        Tpdu::Deliver(deliver) => drop(deliver.user_data.decode(deliver.coding)),
        Tpdu::Submit(submit) => {
            drop(submit.user_data.decode(submit.coding));
            let _ = submit.validity.duration();
        }
        _ => {}
    }
    let again = |octets: &[u8]| Tpdu::decode(octets, direction).map(|tpdu| tpdu.encode());
    let written = again(&tpdu.encode()).expect("what was written can be read");
    assert_eq!(again(&written), Ok(written));
}
