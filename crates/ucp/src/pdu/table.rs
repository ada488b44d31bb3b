//! The macro that turns a table of fields into a struct, its reader, its writer and its description.

/// What a set of fields can do: be read, be written, be described.
pub(super) trait Body<'a>: Sized {
    fn read(reader: &mut super::read::Reader<'a>) -> Result<Self, crate::DecodeError>;
    fn write(&self, writer: &mut super::write::Writer<'_>) -> Result<(), crate::EncodeError>;
    fn visit(&self, visitor: &mut super::fields::Visitor<'_>);
}

/// One body: its fields in wire order, each with its type, the way it is read and written, which names a method
/// of `Reader`, `Writer` and `Visitor`, and first of its arguments its name in the standard.
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
                Ok(Self { $( $field: reader.$kind($($arg),*)?, )* })
            }

            #[inline]
            fn write(&self, writer: &mut $crate::pdu::write::Writer<'_>) -> Result<(), $crate::EncodeError> {
                $( writer.$kind($($arg,)* self.$field)?; )*
                Ok(())
            }

            fn visit(&self, visitor: &mut $crate::pdu::fields::Visitor<'_>) {
                $( visitor.$kind($($arg,)* self.$field); )*
            }
        }
    };
}

pub(super) use body;
