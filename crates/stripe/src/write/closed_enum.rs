//! The macro behind the words that Stripe writes into a field: an enum, closed because only what is known is
//! ever written.
//!
//! Variant and word stand in one row, so what is rendered and what serde stores cannot disagree. Not here:
//! words that are read; those stay open to what Stripe adds (`open_enum`).

macro_rules! closed_enum {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $type {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Stripe's word for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

pub(super) use closed_enum;
