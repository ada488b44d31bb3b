//! Messages: submit_sm, deliver_sm, submit_multi, data_sm, replace_sm, and their answers
//! (SMPP 3.4 §4.4–4.7, §4.10).

use super::address::{Address, DESTINATION, SOURCE};
use super::multi::{Destinations, Failures};
use super::table::body;
use crate::tlv::{Tag, Tlvs};
use crate::values::{DataCoding, EsmClass, MessageType, RegisteredDelivery};

macro_rules! message {
    (
        $(#[$doc:meta])*
        $name:ident<$lt:lifetime> {
            $(#[$to_doc:meta])* $to:ident: $to_type:ty => $to_kind:ident($($to_arg:expr),*)
        }
    ) => {
        body! {
            $(#[$doc])*
            $name<$lt> {
                /// Which service the message belongs to; usually empty.
                service_type: &$lt [u8] => string(6),
                /// Who sends it.
                source: Address<$lt> => address(&SOURCE, 21),
                $(#[$to_doc])*
                $to: $to_type => $to_kind($($to_arg),*),
                /// Mode, type and GSM features.
                esm_class: EsmClass => byte(),
                /// GSM TP-PID.
                protocol_id: u8 => byte(),
                /// 0 is the lowest.
                priority_flag: u8 => byte(),
                /// When to send it; empty for now. See [`SmppTime`](crate::SmppTime).
                schedule_delivery_time: &$lt [u8] => string(17),
                /// Until when to try; empty for the MC's default.
                validity_period: &$lt [u8] => string(17),
                /// Which receipts are wanted.
                registered_delivery: RegisteredDelivery => byte(),
                /// 1 replaces an older message with the same source, destination and service type.
                replace_if_present_flag: u8 => byte(),
                /// How the text is encoded.
                data_coding: DataCoding => byte(),
                /// The number of a text that the MC keeps; 0 for none.
                sm_default_msg_id: u8 => byte(),
                /// The text, with its user data header if esm_class says so.
                short_message: &$lt [u8] => message(),
                /// Optional parameters.
                tlvs: Tlvs<$lt> => tlvs(),
            }
        }

        impl<$lt> $name<$lt> {
            /// The text: short_message, or message_payload when that is empty (SMPP 3.4 §5.3.2.32).
            #[must_use]
            pub fn user_data(&self) -> &$lt [u8] {
                user_data(self.short_message, self.tlvs)
            }

            /// Message, receipt or acknowledgement.
            #[must_use]
            pub fn message_type(&self) -> MessageType {
                self.esm_class.message_type()
            }
        }
    };
}

message! {
    /// submit_sm: a message from the ESME (SMPP 3.4 §4.4.1).
    SubmitSm<'a> {
        /// Who is to get it.
        destination: Address<'a> => address(&DESTINATION, 21)
    }
}

message! {
    /// deliver_sm: a message or a receipt from the MC (SMPP 3.4 §4.6.1).
    DeliverSm<'a> {
        /// Who is to get it.
        destination: Address<'a> => address(&DESTINATION, 21)
    }
}

message! {
    /// submit_multi: one message to many (SMPP 3.4 §4.5.1).
    SubmitMulti<'a> {
        /// Who is to get it.
        destinations: Destinations<'a> => destinations()
    }
}

body! {
    /// submit_sm_resp (SMPP 3.4 §4.4.2).
    SubmitSmResp<'a> {
        /// The MC's id for the message, whatever characters it likes.
        message_id: &'a [u8] => issued_id(),
        /// Since 5.0.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// deliver_sm_resp (SMPP 3.4 §4.6.2).
    DeliverSmResp<'a> {
        /// Not used: send it empty.
        message_id: &'a [u8] => string(65),
        /// Since 5.0.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// submit_multi_resp (SMPP 3.4 §4.5.2).
    SubmitMultiResp<'a> {
        /// The MC's id, usually one for all destinations.
        message_id: &'a [u8] => issued_id(),
        /// Where it failed.
        failures: Failures<'a> => failures(),
        /// Since 5.0.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// data_sm: a message in either direction, all but the addresses in TLVs (SMPP 3.4 §4.7.1).
    DataSm<'a> {
        /// Which service the message belongs to; usually empty.
        service_type: &'a [u8] => string(6),
        /// Who sends it.
        source: Address<'a> => address(&SOURCE, 65),
        /// Who is to get it.
        destination: Address<'a> => address(&DESTINATION, 65),
        /// Mode, type and GSM features.
        esm_class: EsmClass => byte(),
        /// Which receipts are wanted.
        registered_delivery: RegisteredDelivery => byte(),
        /// How the text is encoded.
        data_coding: DataCoding => byte(),
        /// Optional parameters; the text is in message_payload.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

impl<'a> DataSm<'a> {
    /// The text.
    #[must_use]
    pub fn user_data(&self) -> &'a [u8] {
        user_data(b"", self.tlvs)
    }

    /// Message, receipt or acknowledgement.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.esm_class.message_type()
    }
}

body! {
    /// data_sm_resp (SMPP 3.4 §4.7.2).
    DataSmResp<'a> {
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// Why it failed, for one.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

body! {
    /// replace_sm: a new text for a message on its way; there is no data_coding (SMPP 3.4 §4.10.1).
    ReplaceSm<'a> {
        /// The MC's id for the message.
        message_id: &'a [u8] => string(65),
        /// Who sent it.
        source: Address<'a> => address(&SOURCE, 21),
        /// A new time to send it; empty leaves the old one.
        schedule_delivery_time: &'a [u8] => string(17),
        /// A new end; empty leaves the old one.
        validity_period: &'a [u8] => string(17),
        /// Which receipts are wanted.
        registered_delivery: RegisteredDelivery => byte(),
        /// The number of a text that the MC keeps; 0 for none.
        sm_default_msg_id: u8 => byte(),
        /// The new text.
        short_message: &'a [u8] => message(),
        /// Since 5.0, for message_payload.
        tlvs: Tlvs<'a> => tlvs(),
    }
}

impl<'a> ReplaceSm<'a> {
    /// The new text.
    #[must_use]
    pub fn user_data(&self) -> &'a [u8] {
        user_data(self.short_message, self.tlvs)
    }
}

fn user_data<'a>(short_message: &'a [u8], tlvs: Tlvs<'a>) -> &'a [u8] {
    if !short_message.is_empty() {
        return short_message;
    }
    tlvs.get(Tag::MESSAGE_PAYLOAD).map(|tlv| tlv.value).unwrap_or_default()
}
