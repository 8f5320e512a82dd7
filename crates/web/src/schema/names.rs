//! The closed lists of names, as schemas: each is generated from the type that the program uses. Lists that
//! this crate defines are next to their definition. docs/errors.md explains the names.

use engine::clock::{ClockState, Doubt, TimeCandidate};
use ledger::posting::{Account, CauseKind};
use ledger::{HoldState, NoticeKind, Outcome, PaymentStatus, Reason, TransactionKind};
use store::{ActionKind, ActionState, DeliveryState, KeyKind, Mode};

/// Defines a schema for each closed list of names.
macro_rules! name_schemas {
    ($($(#[doc = $doc:literal])+ $name:ident: $list:expr;)+) => { $(
        $(#[doc = $doc])+
        pub(crate) enum $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};

                let names: Vec<&str> = $list.collect();
                let text = concat!($($doc),+).trim_ascii();
                let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
                schema.description(Some(text)).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )+ };
}

pub(crate) use name_schemas;

name_schemas! {
    /// The result of an event.
    OutcomeName: Outcome::ALL.iter().map(|outcome| outcome.as_str());
    /// Why something needs a decision by a person.
    ReasonName: Reason::ALL.iter().map(|reason| reason.as_str());
    /// The kind of a transaction.
    TransactionKindName: TransactionKind::ALL.iter().map(|kind| kind.as_str());
    /// An account of the ledger.
    AccountName: Account::ALL.iter().map(|account| account.as_str());
    /// The state of a hold.
    HoldStatus: HoldState::ALL.iter().map(|state| state.as_str());
    /// The status of a payment.
    PaymentState: PaymentStatus::ALL.iter().map(|status| status.as_str());
    /// Which time is trusted: the machine's clock, neither, or the kept time.
    ClockStateName: ClockState::ALL.iter().map(|state| state.as_str());
    /// Why the machine's clock is not trusted.
    ClockReason: Doubt::ALL.iter().map(|why| why.as_str());
    /// The machine's clock, or the last trusted time plus the time elapsed since.
    ClockTime: TimeCandidate::ALL.iter().map(|side| side.as_str());
    /// The kind of an action.
    ActionKindName: ActionKind::ALL.iter().map(|kind| kind.as_str());
    /// The state of an action.
    ActionStateName: ActionState::ALL.iter().map(|state| state.as_str());
    /// The kind of an API key.
    KeyKindName: KeyKind::ALL.iter().map(|kind| kind.as_str());
    /// Test mode or live mode.
    ModeName: [Mode::Test, Mode::Live].iter().map(|mode| mode.as_str());
    /// The kind of cause of a transaction.
    CauseKindName: CauseKind::ALL.iter().map(|kind| kind.as_str());
    /// The kind of a timeline entry.
    TimelineKind: ["purchase", "event", "transaction"].into_iter();
    /// The status of a refund.
    RefundState: ["pending", "succeeded", "failed", "canceled"].into_iter();
    /// The type of a notice; `*` stands for every type.
    NoticeType: std::iter::once("*").chain(NoticeKind::ALL.iter().map(|kind| kind.as_str()));
    /// The state of a delivery.
    DeliveryStateName: DeliveryState::ALL.iter().map(|state| state.as_str());
    /// The state of an endpoint: `failing` while every attempt fails.
    EndpointState: ["enabled", "failing", "disabled"].into_iter();
    /// The status of a dispute.
    DisputeState: ["inquiry", "open", "lost", "won"].into_iter();
}
