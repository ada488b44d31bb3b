//! The operations of the session itself: login, logout, alive, set, get; and the answer that carries nothing.

use super::table::{answer, body};
use crate::parameter::Tag;
use crate::values::Secret;

body! {
    /// login (01): always the first packet, with the number 1.
    Login<'a> {
        /// Who.
        user: &'a [u8] => USER,
        /// Its password.
        password: Secret<'a> => PASSWORD,
        /// Which of several sessions of one account this is.
        subaddress: Option<u16> => SUBADDRESS,
        /// How many requests may be unanswered at a time. SMSCs that don't know windows refuse the login over it, with
        /// 104 or 105.
        window: Option<u16> => WINDOW,
    }
}

body! {
    /// set (08): change something of the account, such as the password.
    Set<'a> {
        /// The new password.
        password: Secret<'a> => PASSWORD,
    }
}

body! {
    /// get (09): ask the SMSC for something.
    Get<'a> {
        /// For what: usually [`Tag::SMSC_TIME`].
        parameter: Option<Tag> => GET_PARAMETER,
    }
}

answer! {
    /// The answer to a [`Get`].
    GetResp<'a> {
        /// What the SMSC's clock says, see [`AbsoluteTime`](crate::AbsoluteTime).
        smsc_time: &'a [u8] => SMSC_TIME,
    }
}

answer! {
    /// An answer that says no more than whether it worked.
    Answer<'a> {}
}
