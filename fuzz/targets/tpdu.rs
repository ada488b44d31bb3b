//! Any octets as a TPDU, with and without an SMSC address in front: what is read is written and read
//! as the same. Only a name may change, once and in a way that is known: see [`settled`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use sms::tpdu::{Address, Direction, Timestamp, Tpdu, TypeOfNumber, join_smsc, split_smsc};
use sms::{Shift, decode_gsm7, encode_gsm7};

fuzz_target!(|octets: &[u8]| {
    for direction in [Direction::ToPhone, Direction::FromPhone, Direction::Either] {
        check(octets, direction);
        if let Ok((smsc, tpdu)) = split_smsc(octets) {
            let joined = join_smsc(smsc.as_ref(), tpdu);
            assert_eq!(split_smsc(&joined), Ok((smsc, tpdu)));
            check(tpdu, direction);
        }
    }
    if let Some(stamp) = octets.first_chunk::<7>().and_then(Timestamp::decode) {
        assert_eq!(Timestamp::decode(&stamp.encode()), Some(stamp));
        let _ = stamp.unix_seconds();
    }
});

fn check(octets: &[u8], direction: Direction) {
    let Ok(mut read) = Tpdu::decode(octets, direction) else { return };
    match &read {
        Tpdu::Deliver(deliver) => drop(deliver.user_data.decode(deliver.coding)),
        Tpdu::Submit(submit) => {
            drop(submit.user_data.decode(submit.coding));
            let _ = submit.validity.duration();
        }
        _ => {}
    }
    let mut again = Tpdu::decode(&read.encode(), direction).expect("what was written can be read");
    let written = again.encode();
    assert_eq!(Tpdu::decode(&written, direction).as_ref(), Ok(&again), "it settles at once");
    let names = (take_address(&mut read), take_address(&mut again));
    assert_eq!(again, read);
    if let (Some(before), Some(after)) = names {
        assert_eq!(after.type_of_address(), before.type_of_address());
        assert_eq!(after.text(), settled(&before));
    }
}

/// Takes the address out, so that the rest can be compared.
fn take_address(tpdu: &mut Tpdu) -> Option<Address> {
    let address = match tpdu {
        Tpdu::Deliver(deliver) => &mut deliver.originator,
        Tpdu::Submit(submit) => &mut submit.destination,
        Tpdu::StatusReport(report) => &mut report.recipient,
        Tpdu::DeliverReport(_) | Tpdu::SubmitReport(_) => return None,
    };
    Some(std::mem::replace(address, Address::number("").expect("no digit is wrong")))
}

/// An address's text after it was written. A name is cut to the eleven septets that fit, and of eight,
/// which fill seven octets to the last bit, a final "@" can't be told from filling.
fn settled(address: &Address) -> String {
    if address.type_of_number() != TypeOfNumber::Alphanumeric {
        return address.text().to_owned();
    }
    let mut septets = encode_gsm7(address.text(), Shift::default()).expect("what was read from septets");
    septets.truncate(11);
    if septets.len() == 8 && septets.last() == Some(&0) {
        septets.pop();
    }
    decode_gsm7(&septets, Shift::default())
}
