//! Command ids (SMPP 3.4 §5.1.2.1).

use std::fmt;

/// A command_id as on the wire; bit 31 marks responses. Unknown numbers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CommandId(pub u32);

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        impl CommandId {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The name in the standard, such as `submit_sm`; `None` for unknown numbers.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// bind_receiver
    BIND_RECEIVER = 0x0000_0001, "bind_receiver";
    /// bind_transmitter
    BIND_TRANSMITTER = 0x0000_0002, "bind_transmitter";
    /// query_sm
    QUERY_SM = 0x0000_0003, "query_sm";
    /// submit_sm
    SUBMIT_SM = 0x0000_0004, "submit_sm";
    /// deliver_sm
    DELIVER_SM = 0x0000_0005, "deliver_sm";
    /// unbind
    UNBIND = 0x0000_0006, "unbind";
    /// replace_sm
    REPLACE_SM = 0x0000_0007, "replace_sm";
    /// cancel_sm
    CANCEL_SM = 0x0000_0008, "cancel_sm";
    /// bind_transceiver, since 3.4
    BIND_TRANSCEIVER = 0x0000_0009, "bind_transceiver";
    /// outbind, since 3.4, without a response
    OUTBIND = 0x0000_000B, "outbind";
    /// enquire_link
    ENQUIRE_LINK = 0x0000_0015, "enquire_link";
    /// submit_multi
    SUBMIT_MULTI = 0x0000_0021, "submit_multi";
    /// param_retrieve, 3.3 only
    PARAM_RETRIEVE = 0x0000_0022, "param_retrieve";
    /// query_last_msgs, 3.3 only
    QUERY_LAST_MSGS = 0x0000_0023, "query_last_msgs";
    /// query_msg_details, 3.3 only
    QUERY_MSG_DETAILS = 0x0000_0024, "query_msg_details";
    /// alert_notification, since 3.4, without a response
    ALERT_NOTIFICATION = 0x0000_0102, "alert_notification";
    /// data_sm, since 3.4
    DATA_SM = 0x0000_0103, "data_sm";
    /// broadcast_sm, since 5.0
    BROADCAST_SM = 0x0000_0111, "broadcast_sm";
    /// query_broadcast_sm, since 5.0
    QUERY_BROADCAST_SM = 0x0000_0112, "query_broadcast_sm";
    /// cancel_broadcast_sm, since 5.0
    CANCEL_BROADCAST_SM = 0x0000_0113, "cancel_broadcast_sm";
    /// generic_nack: the answer to what can't be answered otherwise
    GENERIC_NACK = 0x8000_0000, "generic_nack";
    /// bind_receiver_resp
    BIND_RECEIVER_RESP = 0x8000_0001, "bind_receiver_resp";
    /// bind_transmitter_resp
    BIND_TRANSMITTER_RESP = 0x8000_0002, "bind_transmitter_resp";
    /// query_sm_resp
    QUERY_SM_RESP = 0x8000_0003, "query_sm_resp";
    /// submit_sm_resp
    SUBMIT_SM_RESP = 0x8000_0004, "submit_sm_resp";
    /// deliver_sm_resp
    DELIVER_SM_RESP = 0x8000_0005, "deliver_sm_resp";
    /// unbind_resp
    UNBIND_RESP = 0x8000_0006, "unbind_resp";
    /// replace_sm_resp
    REPLACE_SM_RESP = 0x8000_0007, "replace_sm_resp";
    /// cancel_sm_resp
    CANCEL_SM_RESP = 0x8000_0008, "cancel_sm_resp";
    /// bind_transceiver_resp
    BIND_TRANSCEIVER_RESP = 0x8000_0009, "bind_transceiver_resp";
    /// enquire_link_resp
    ENQUIRE_LINK_RESP = 0x8000_0015, "enquire_link_resp";
    /// submit_multi_resp
    SUBMIT_MULTI_RESP = 0x8000_0021, "submit_multi_resp";
    /// param_retrieve_resp, 3.3 only
    PARAM_RETRIEVE_RESP = 0x8000_0022, "param_retrieve_resp";
    /// query_last_msgs_resp, 3.3 only
    QUERY_LAST_MSGS_RESP = 0x8000_0023, "query_last_msgs_resp";
    /// query_msg_details_resp, 3.3 only
    QUERY_MSG_DETAILS_RESP = 0x8000_0024, "query_msg_details_resp";
    /// data_sm_resp
    DATA_SM_RESP = 0x8000_0103, "data_sm_resp";
    /// broadcast_sm_resp
    BROADCAST_SM_RESP = 0x8000_0111, "broadcast_sm_resp";
    /// query_broadcast_sm_resp
    QUERY_BROADCAST_SM_RESP = 0x8000_0112, "query_broadcast_sm_resp";
    /// cancel_broadcast_sm_resp
    CANCEL_BROADCAST_SM_RESP = 0x8000_0113, "cancel_broadcast_sm_resp";
}

impl CommandId {
    /// Whether bit 31 is set. generic_nack counts as a response.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }

    /// The id that answers this request.
    #[must_use]
    pub const fn response(self) -> Self {
        Self(self.0 | 0x8000_0000)
    }

    /// Whether this is a request that the peer expects an answer to.
    #[must_use]
    pub const fn wants_response(self) -> bool {
        !self.is_response() && self.0 != Self::OUTBIND.0 && self.0 != Self::ALERT_NOTIFICATION.0
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
