//! The macro that turns a table of parameters into a struct, its reader and its writer.

use super::write::Writer;
use crate::error::{DecodeError, EncodeError};
use crate::parameter::Parameters;

/// What the parameters of an operation can do: be read, be written.
pub(super) trait Body<'a>: Sized {
    /// With `lenient` values that can't be read are as if absent.
    fn read(parameters: Parameters<'a>, lenient: bool) -> Result<Self, DecodeError>;
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError>;
}

/// One operation: its fields in the order in which they are sent, each with its parameter.
macro_rules! body {
    (
        $(#[$doc:meta])*
        $name:ident<$lt:lifetime> {
            $( $(#[$field_doc:meta])* $field:ident: $type:ty => $tag:ident, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name<$lt> {
            $( $(#[$field_doc])* pub $field: $type, )*
            /// Parameters that have no field here, as they came or as they are to be sent.
            pub extra: $crate::parameter::Parameters<$lt>,
        }

        impl<$lt> $crate::packet::table::Body<$lt> for $name<$lt> {
            #[inline]
            fn read(
                parameters: $crate::parameter::Parameters<$lt>,
                lenient: bool,
            ) -> Result<Self, $crate::error::DecodeError> {
                #[allow(unused_imports, reason = "not every operation has fields")]
                use $crate::packet::field::Field;
                let mut body = Self { extra: parameters.without(&[$($crate::parameter::Tag::$tag),*]), ..Self::default() };
                for piece in parameters.pieces() {
                    let Ok(parameter) = piece else {
                        if lenient {
                            continue;
                        }
                        return Err($crate::error::DecodeError::Syntax);
                    };
                    let read = match parameter.tag {
                        $( $crate::parameter::Tag::$tag => Field::take(&mut body.$field, parameter, parameters), )*
                        _ => true,
                    };
                    if !read && !lenient {
                        return Err($crate::error::DecodeError::Value { tag: parameter.tag });
                    }
                }
                Ok(body)
            }

            #[inline]
            fn write(&self, writer: &mut $crate::packet::write::Writer<'_>) -> Result<(), $crate::error::EncodeError> {
                #[allow(unused_imports, reason = "not every operation has fields")]
                use $crate::packet::field::Field;
                $( Field::put(&self.$field, $crate::parameter::Tag::$tag, writer)?; )*
                writer.extra(self.extra)
            }
        }
    };
}

/// The same for the answer to a request, which also says whether it succeeded.
macro_rules! answer {
    (
        $(#[$doc:meta])*
        $name:ident<$lt:lifetime> {
            $( $(#[$field_doc:meta])* $field:ident: $type:ty => $tag:ident, )*
        }
    ) => {
        $crate::packet::table::body! {
            $(#[$doc])*
            $name<$lt> {
                $( $(#[$field_doc])* $field: $type => $tag, )*
                /// How it went; [`ErrorCode::OK`](crate::ErrorCode::OK) is not sent.
                error: $crate::error_code::ErrorCode => ERROR,
                /// What the peer says to it, if anything.
                error_text: &$lt [u8] => ERROR_TEXT,
            }
        }

        impl $name<'_> {
            /// The answer to a request that failed.
            #[must_use]
            pub fn failed(error: $crate::error_code::ErrorCode) -> Self {
                Self { error, ..Self::default() }
            }
        }
    };
}

pub(super) use {answer, body};
