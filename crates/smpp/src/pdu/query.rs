//! Asking about messages, and notifications about subscribers (SMPP 3.4 §4.8, §4.9, §4.12).

use super::address::{Address, DESTINATION, ESME, SOURCE};
use super::table::body;
use crate::tlv::Tlvs;
use crate::values::MessageState;

body! {
    /// query_sm: what became of a message (SMPP 3.4 §4.8.1).
    QuerySm<'a> {
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// Who sent it.
        source: Address<'a> => address(&SOURCE, 21),
    }
}

body! {
    /// query_sm_resp (SMPP 3.4 §4.8.2).
    QuerySmResp<'a> {
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// When it reached its final state; empty before.
        final_date: &'a [u8] => string(17),
        /// Its state.
        message_state: MessageState => byte(),
        /// A network error, if it failed.
        error_code: u8 => byte(),
    }
}

body! {
    /// cancel_sm: stop one message, or all between two addresses (SMPP 3.4 §4.9.1).
    CancelSm<'a> {
        /// Which service the messages belong to.
        service_type: &'a [u8] => string(6),
        /// The MC's id; empty for all that match the addresses.
        message_id: &'a [u8] => string(65),
        /// Who sent it.
        source: Address<'a> => address(&SOURCE, 21),
        /// Who was to get it.
        destination: Address<'a> => address(&DESTINATION, 21),
    }
}

body! {
    /// alert_notification: a subscriber can be reached again. It has no answer (SMPP 3.4 §4.12.1).
    AlertNotification<'a> {
        /// The subscriber.
        source: Address<'a> => address(&SOURCE, 65),
        /// The ESME that asked for the alert.
        esme: Address<'a> => address(&ESME, 65),
        /// ms_availability_status.
        tlvs: Tlvs<'a> => tlvs(),
    }
}
