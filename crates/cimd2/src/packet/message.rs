//! Messages and what becomes of them: submit, deliver, status reports, enquiries, cancellations.
//!
//! A message is known by its destination and the SMSC's time stamp together. SMSCs do give the same time stamp to two
//! messages that were sent to one number within a second.

use super::table::{answer, body};
use crate::status::{StatusCode, StatusError};
use crate::time::RelativeTime;
use crate::values::{Octets, StatusReports, Values};

body! {
    /// submit message (03).
    Submit<'a> {
        /// Who is to get it; usually one.
        destinations: Values<'a> => DESTINATION,
        /// The sender's number. SMSCs append it to the account's own number, and many want none.
        originator: &'a [u8] => ORIGINATOR,
        /// A sender of letters, in the place of a number.
        alpha_originator: &'a [u8] => ALPHA_ORIGINATOR,
        /// GSM data coding scheme (3GPP 23.038 §4); absent is 0.
        dcs: Option<u8> => DCS,
        /// The user data header with its length octet.
        header: Octets<'a> => HEADER,
        /// The text in its notation, see [`write_text`](crate::write_text). SMSCs drop an empty one without a word.
        text: Option<&'a [u8]> => TEXT,
        /// What is no text of the default alphabet: UTF-16 for data coding 8, or data. At most 140 octets with the
        /// header.
        binary: Octets<'a> => BINARY,
        /// Whether more messages to this number follow.
        more_messages: Option<bool> => MORE_MESSAGES,
        /// How long to try.
        validity: Option<RelativeTime> => VALIDITY_RELATIVE,
        /// Until when to try, in the place of `validity`, see [`AbsoluteTime`](crate::AbsoluteTime).
        valid_until: &'a [u8] => VALIDITY_ABSOLUTE,
        /// GSM TP-PID.
        protocol_id: Option<u8> => PROTOCOL_ID,
        /// How long to wait before the first attempt.
        first_delivery: Option<RelativeTime> => FIRST_DELIVERY_RELATIVE,
        /// When to make the first attempt, in the place of `first_delivery`.
        first_delivery_at: &'a [u8] => FIRST_DELIVERY_ABSOLUTE,
        /// Whether the phone's answer shall go through the same SMSC.
        reply_path: Option<bool> => REPLY_PATH,
        /// Which status reports are wanted; absent leaves it to the account's profile.
        status_reports: Option<StatusReports> => STATUS_REPORTS,
        /// Whether the message can be cancelled.
        cancel_enabled: Option<bool> => CANCEL_ENABLED,
        /// Meaning is the SMSC's.
        tariff_class: Option<u8> => TARIFF_CLASS,
        /// 0–9, meaning is the SMSC's.
        service_description: Option<u8> => SERVICE_DESCRIPTION,
        /// 1 is the highest, 9 the lowest.
        priority: Option<u8> => PRIORITY,
    }
}

answer! {
    /// The answer to a [`Submit`].
    SubmitResp<'a> {
        /// The destination; with the time stamp, this is the message's identity.
        destination: &'a [u8] => DESTINATION,
        /// When the SMSC took the message, see [`AbsoluteTime`](crate::AbsoluteTime).
        timestamp: &'a [u8] => TIMESTAMP,
    }
}

body! {
    /// deliver message (20): from a phone.
    Deliver<'a> {
        /// Our number.
        destination: &'a [u8] => DESTINATION,
        /// Who sent it.
        originator: &'a [u8] => ORIGINATOR,
        /// The sender's IMSI.
        originator_imsi: &'a [u8] => ORIGINATOR_IMSI,
        /// The MSC that the sender was at.
        visited_msc: &'a [u8] => VISITED_MSC,
        /// GSM data coding scheme (3GPP 23.038 §4); absent is 0.
        dcs: Option<u8> => DCS,
        /// The user data header with its length octet.
        header: Octets<'a> => HEADER,
        /// The text in its notation, see [`septets`](crate::septets); USSD centers send empty ones.
        text: Option<&'a [u8]> => TEXT,
        /// What is no text of the default alphabet: UTF-16 for data coding 8, or data.
        binary: Octets<'a> => BINARY,
        /// GSM TP-PID.
        protocol_id: Option<u8> => PROTOCOL_ID,
        /// When the SMSC took the message, see [`AbsoluteTime`](crate::AbsoluteTime).
        timestamp: &'a [u8] => TIMESTAMP,
    }
}

body! {
    /// deliver status report (23).
    StatusReport<'a> {
        /// Who was to get the message.
        destination: &'a [u8] => DESTINATION,
        /// Who sent it, if the SMSC says so.
        originator: &'a [u8] => ORIGINATOR,
        /// What the SMSC said in its answer to the submission.
        timestamp: &'a [u8] => TIMESTAMP,
        /// What became of it.
        status: Option<StatusCode> => STATUS,
        /// Why it was not delivered.
        status_error: Option<StatusError> => STATUS_ERROR,
        /// When that was, see [`AbsoluteTime`](crate::AbsoluteTime).
        discharge_time: &'a [u8] => DISCHARGE_TIME,
        /// Few SMSCs add a text.
        text: Option<&'a [u8]> => TEXT,
    }
}

body! {
    /// enquire message status (04).
    EnquireStatus<'a> {
        /// Who was to get the message.
        destination: &'a [u8] => DESTINATION,
        /// What the SMSC said in its answer to the submission.
        timestamp: &'a [u8] => TIMESTAMP,
    }
}

answer! {
    /// The answer to an [`EnquireStatus`].
    EnquireStatusResp<'a> {
        /// Who was to get the message.
        destination: &'a [u8] => DESTINATION,
        /// What the SMSC said in its answer to the submission.
        timestamp: &'a [u8] => TIMESTAMP,
        /// What became of it.
        status: Option<StatusCode> => STATUS,
        /// Why it was not delivered.
        status_error: Option<StatusError> => STATUS_ERROR,
        /// When that was, see [`AbsoluteTime`](crate::AbsoluteTime).
        discharge_time: &'a [u8] => DISCHARGE_TIME,
    }
}

body! {
    /// delivery request (05): accounts that don't get messages by themselves ask for them.
    DeliveryRequest<'a> {
        /// 0 how many wait, 1 deliver one, 2 deliver all and go on doing so.
        mode: Option<u8> => DELIVERY_REQUEST_MODE,
    }
}

answer! {
    /// The answer to a [`DeliveryRequest`].
    DeliveryRequestResp<'a> {
        /// How many messages wait, for mode 0.
        count: Option<u16> => MESSAGE_COUNT,
    }
}

body! {
    /// cancel message (06).
    Cancel<'a> {
        /// 0–2: which messages are meant.
        mode: Option<u8> => CANCEL_MODE,
        /// Who was to get the message.
        destination: &'a [u8] => DESTINATION,
        /// What the SMSC said in its answer to the submission.
        timestamp: &'a [u8] => TIMESTAMP,
    }
}
