//! The macro that turns a table of fields into a struct, its reader, its writer and its description.

/// What a body can do: be read, be written, be described.
pub(super) trait Body<'a>: Sized {
    fn read(reader: &mut super::read::Reader<'a>) -> Result<Self, crate::DecodeError>;
    fn write(&self, writer: &mut super::write::Writer<'_>) -> Result<(), crate::EncodeError>;
    fn visit(&self, visitor: &mut super::fields::Visitor<'_>);
    fn is_blank(&self) -> bool;
}

/// One body: its fields in wire order, each with its type and the way it is read and written, which
/// names a method of `Reader`, `Writer` and `Visitor`.
macro_rules! body {
    (
        $(#[$doc:meta])*
        $name:ident<$lt:lifetime> {
            $( $(#[$field_doc:meta])* $field:ident: $type:ty => $kind:ident($($arg:expr),*), )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name<$lt> {
            $( $(#[$field_doc])* pub $field: $type, )*
        }

        impl<$lt> $crate::pdu::table::Body<$lt> for $name<$lt> {
            #[inline]
            fn read(reader: &mut $crate::pdu::read::Reader<$lt>) -> Result<Self, $crate::DecodeError> {
                Ok(Self { $( $field: reader.$kind(stringify!($field) $(, $arg)*)?, )* })
            }

            #[inline]
            fn write(&self, writer: &mut $crate::pdu::write::Writer<'_>) -> Result<(), $crate::EncodeError> {
                $( writer.$kind(stringify!($field), self.$field $(, $arg)*)?; )*
                Ok(())
            }

            fn visit(&self, visitor: &mut $crate::pdu::fields::Visitor<'_>) {
                $( visitor.$kind(stringify!($field), self.$field $(, $arg)*); )*
            }

            fn is_blank(&self) -> bool {
                *self == Self::default()
            }
        }
    };
}

pub(super) use body;
