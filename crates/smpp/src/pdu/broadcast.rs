//! Cell broadcast (SMPP 5.0 §4.4, §4.6).

use super::address::{Address, SOURCE};
use super::table::body;
use crate::tlv::Tlvs;
use crate::values::DataCoding;

body! {
    /// broadcast_sm: a message to all phones in an area (SMPP 5.0 §4.4.1).
    BroadcastSm<'a> {
        /// Which service the message belongs to.
        service_type: &'a [u8] => string(6),
        /// Who sends it.
        source: Address<'a> => address(&SOURCE, 21),
        /// The id of a message to replace; otherwise empty.
        message_id: &'a [u8] => string(65),
        /// 0 is the lowest.
        priority_flag: u8 => byte(),
        /// When to start; empty for now.
        schedule_delivery_time: &'a [u8] => string(17),
        /// Until when; empty for the MC's default.
        validity_period: &'a [u8] => string(17),
        /// 1 replaces an older message.
        replace_if_present_flag: u8 => byte(),
        /// How the text is encoded.
        data_coding: DataCoding => byte(),
        /// The number of a text that the MC keeps; 0 for none.
        sm_default_msg_id: u8 => byte(),
        /// Area, content type, repetitions and interval are mandatory TLVs.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// broadcast_sm_resp (SMPP 5.0 §4.4.2).
    BroadcastSmResp<'a> {
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// Areas that failed, for one.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// query_broadcast_sm (SMPP 5.0 §4.6.1).
    QueryBroadcastSm<'a> {
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// Who sent it.
        source: Address<'a> => address(&SOURCE, 21),
        /// user_message_reference, for one.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// query_broadcast_sm_resp (SMPP 5.0 §4.6.2).
    QueryBroadcastSmResp<'a> {
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// message_state, and how it went in each area.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// cancel_broadcast_sm (SMPP 5.0 §4.6.3).
    CancelBroadcastSm<'a> {
        /// Which service the message belongs to.
        service_type: &'a [u8] => string(6),
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// Who sent it.
        source: Address<'a> => address(&SOURCE, 21),
        /// broadcast_content_type, for one.
        tlvs: Tlvs<'a> => tlvs(),
    }
}
