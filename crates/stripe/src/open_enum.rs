//! An enum of the values that Stripe documents, open to values that it adds later; for reading.
//!
//! To Stripe, a new event type or status is a compatible change, so an unknown value is kept as text and
//! never refused. Name and variant are in one row, so the two directions cannot disagree.

macro_rules! open_enum {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
            /// A value that this crate does not know, as Stripe wrote it.
            Other(String),
        }

        impl $type {
            /// Every known value, with its name.
            pub const ALL: &[(&str, $type)] = &[$(($name, $type::$variant),)+];

            /// The value that Stripe calls `name`; an unknown name is kept in `Other`.
            pub fn from_name(name: &str) -> $type {
                match name {
                    $($name => $type::$variant,)+
                    unknown => $type::Other(unknown.to_owned()),
                }
            }

            /// The name that Stripe uses.
            pub fn name(&self) -> &str {
                match self {
                    $($type::$variant => $name,)+
                    $type::Other(name) => name,
                }
            }
        }
    };
}

pub(crate) use open_enum;
