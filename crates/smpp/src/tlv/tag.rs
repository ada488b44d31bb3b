//! The tags that the standard defines (SMPP 3.4 §5.3.2, 5.0 §4.8.1).

use std::fmt;

/// A TLV tag as on the wire; 0x1400–0x3FFF belong to vendors.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u16);

/// How the value of a TLV is meant to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// A big-endian number.
    Integer,
    /// Text, often but not always with a NUL at its end.
    Text,
    /// Octets.
    Octets,
}

macro_rules! tags {
    ($($name:ident = $number:literal, $text:literal, $kind:ident;)*) => {
        impl Tag {
            $(#[doc = concat!("`", $text, "`")] pub const $name: Self = Self($number);)*

            /// The name in the standard; `None` for tags it does not define.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            /// How its value is meant to be read.
            #[must_use]
            pub fn kind(self) -> TagKind {
                match self.0 {
                    $($number => TagKind::$kind,)*
                    _ => TagKind::Octets,
                }
            }
        }
    };
}

tags! {
    DEST_ADDR_SUBUNIT = 0x0005, "dest_addr_subunit", Integer;
    DEST_NETWORK_TYPE = 0x0006, "dest_network_type", Integer;
    DEST_BEARER_TYPE = 0x0007, "dest_bearer_type", Integer;
    DEST_TELEMATICS_ID = 0x0008, "dest_telematics_id", Integer;
    SOURCE_ADDR_SUBUNIT = 0x000D, "source_addr_subunit", Integer;
    SOURCE_NETWORK_TYPE = 0x000E, "source_network_type", Integer;
    SOURCE_BEARER_TYPE = 0x000F, "source_bearer_type", Integer;
    SOURCE_TELEMATICS_ID = 0x0010, "source_telematics_id", Integer;
    QOS_TIME_TO_LIVE = 0x0017, "qos_time_to_live", Integer;
    PAYLOAD_TYPE = 0x0019, "payload_type", Integer;
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D, "additional_status_info_text", Text;
    RECEIPTED_MESSAGE_ID = 0x001E, "receipted_message_id", Text;
    MS_MSG_WAIT_FACILITIES = 0x0030, "ms_msg_wait_facilities", Integer;
    PRIVACY_INDICATOR = 0x0201, "privacy_indicator", Integer;
    SOURCE_SUBADDRESS = 0x0202, "source_subaddress", Octets;
    DEST_SUBADDRESS = 0x0203, "dest_subaddress", Octets;
    USER_MESSAGE_REFERENCE = 0x0204, "user_message_reference", Integer;
    USER_RESPONSE_CODE = 0x0205, "user_response_code", Integer;
    SOURCE_PORT = 0x020A, "source_port", Integer;
    DESTINATION_PORT = 0x020B, "destination_port", Integer;
    SAR_MSG_REF_NUM = 0x020C, "sar_msg_ref_num", Integer;
    LANGUAGE_INDICATOR = 0x020D, "language_indicator", Integer;
    SAR_TOTAL_SEGMENTS = 0x020E, "sar_total_segments", Integer;
    SAR_SEGMENT_SEQNUM = 0x020F, "sar_segment_seqnum", Integer;
    SC_INTERFACE_VERSION = 0x0210, "sc_interface_version", Integer;
    CALLBACK_NUM_PRES_IND = 0x0302, "callback_num_pres_ind", Integer;
    CALLBACK_NUM_ATAG = 0x0303, "callback_num_atag", Octets;
    NUMBER_OF_MESSAGES = 0x0304, "number_of_messages", Integer;
    CALLBACK_NUM = 0x0381, "callback_num", Octets;
    DPF_RESULT = 0x0420, "dpf_result", Integer;
    SET_DPF = 0x0421, "set_dpf", Integer;
    MS_AVAILABILITY_STATUS = 0x0422, "ms_availability_status", Integer;
    NETWORK_ERROR_CODE = 0x0423, "network_error_code", Octets;
    MESSAGE_PAYLOAD = 0x0424, "message_payload", Octets;
    DELIVERY_FAILURE_REASON = 0x0425, "delivery_failure_reason", Integer;
    MORE_MESSAGES_TO_SEND = 0x0426, "more_messages_to_send", Integer;
    MESSAGE_STATE = 0x0427, "message_state", Integer;
    CONGESTION_STATE = 0x0428, "congestion_state", Integer;
    USSD_SERVICE_OP = 0x0501, "ussd_service_op", Integer;
    BROADCAST_CHANNEL_INDICATOR = 0x0600, "broadcast_channel_indicator", Integer;
    BROADCAST_CONTENT_TYPE = 0x0601, "broadcast_content_type", Octets;
    BROADCAST_CONTENT_TYPE_INFO = 0x0602, "broadcast_content_type_info", Octets;
    BROADCAST_MESSAGE_CLASS = 0x0603, "broadcast_message_class", Integer;
    BROADCAST_REP_NUM = 0x0604, "broadcast_rep_num", Integer;
    BROADCAST_FREQUENCY_INTERVAL = 0x0605, "broadcast_frequency_interval", Octets;
    BROADCAST_AREA_IDENTIFIER = 0x0606, "broadcast_area_identifier", Octets;
    BROADCAST_ERROR_STATUS = 0x0607, "broadcast_error_status", Integer;
    BROADCAST_AREA_SUCCESS = 0x0608, "broadcast_area_success", Integer;
    BROADCAST_END_TIME = 0x0609, "broadcast_end_time", Text;
    BROADCAST_SERVICE_GROUP = 0x060A, "broadcast_service_group", Octets;
    BILLING_IDENTIFICATION = 0x060B, "billing_identification", Octets;
    SOURCE_NETWORK_ID = 0x060D, "source_network_id", Text;
    DEST_NETWORK_ID = 0x060E, "dest_network_id", Text;
    SOURCE_NODE_ID = 0x060F, "source_node_id", Octets;
    DEST_NODE_ID = 0x0610, "dest_node_id", Octets;
    DEST_ADDR_NP_RESOLUTION = 0x0611, "dest_addr_np_resolution", Integer;
    DEST_ADDR_NP_INFORMATION = 0x0612, "dest_addr_np_information", Octets;
    DEST_ADDR_NP_COUNTRY = 0x0613, "dest_addr_np_country", Octets;
    DISPLAY_TIME = 0x1201, "display_time", Integer;
    SMS_SIGNAL = 0x1203, "sms_signal", Integer;
    MS_VALIDITY = 0x1204, "ms_validity", Integer;
    ALERT_ON_MESSAGE_DELIVERY = 0x130C, "alert_on_message_delivery", Integer;
    ITS_REPLY_TYPE = 0x1380, "its_reply_type", Integer;
    ITS_SESSION_INFO = 0x1383, "its_session_info", Integer;
}

impl Tag {
    /// Whether the tag is in the range that belongs to vendors (0x1400–0x3FFF).
    #[must_use]
    pub const fn is_vendor(self) -> bool {
        self.0 >= 0x1400 && self.0 <= 0x3FFF
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04X}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
