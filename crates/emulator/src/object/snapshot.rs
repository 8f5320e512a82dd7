//! The objects that have events, and the table of each.
//!
//! Not here: endpoints and events, which have no events themselves.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stripe::write::{ApiVersion, Charge, Dispute, EarlyFraudWarning, PaymentIntent, Refund, Session};

use super::{Customer, Price, Product};
use crate::world::{HasId, Table, World};

/// A kind of object that has events.
pub(crate) trait ApiObject: HasId + Clone + PartialEq + Into<Snapshot> {
    fn table(world: &mut World) -> &mut Table<Self>;
}

macro_rules! snapshots {
    ($($(#[$doc:meta])* $kind:ident in $table:ident, $render:expr;)+) => {
        /// An object at one moment.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "object", rename_all = "snake_case")]
        pub enum Snapshot {
            $($(#[$doc])* $kind($kind),)+
        }

        impl Snapshot {
            /// As this version of Stripe's API renders it.
            #[must_use]
            pub fn render(&self, version: ApiVersion) -> Value {
                match self {
                    $(Self::$kind(object) => $render(object, version),)+
                }
            }

            /// The object's id.
            #[must_use]
            pub fn id(&self) -> &str {
                match self {
                    $(Self::$kind(object) => &object.id,)+
                }
            }
        }

        $(
            impl HasId for $kind {
                fn id(&self) -> &str {
                    &self.id
                }
            }

            impl From<$kind> for Snapshot {
                fn from(object: $kind) -> Self {
                    Self::$kind(object)
                }
            }

            impl ApiObject for $kind {
                fn table(world: &mut World) -> &mut Table<Self> {
                    &mut world.$table
                }
            }
        )+
    };
}

snapshots! {
    /// A product.
    Product in products, |object: &Product, _| object.render();
    /// A price.
    Price in prices, |object: &Price, _| object.render();
    /// A customer.
    Customer in customers, |object: &Customer, _| object.render();
    /// A Checkout session.
    Session in sessions, Session::render;
    /// A payment intent.
    PaymentIntent in payment_intents, PaymentIntent::render;
    /// A charge.
    Charge in charges, Charge::render;
    /// A refund.
    Refund in refunds, Refund::render;
    /// A dispute or an inquiry.
    Dispute in disputes, Dispute::render;
    /// An early fraud warning.
    EarlyFraudWarning in warnings, EarlyFraudWarning::render;
}
