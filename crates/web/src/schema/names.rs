//! The closed lists of names, as schemas: each is read off the type that the program itself uses.
//! Not here: what the names mean (docs/errors.md, and the types).

use engine::clock::{ClockState, Doubt, TimeCandidate};
use ledger::posting::{Account, CauseKind};
use ledger::{HoldState, NoticeKind, Outcome, PaymentStatus, Reason, TransactionKind};
use store::{ActionKind, ActionState, DeliveryState, KeyKind, Mode};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::ProblemKind;
use crate::api::health;
use crate::auth::{CREDITS_READ, CREDITS_WRITE, OPERATOR};

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident: $list:expr;)+) => { $(
        $(#[doc = $doc])+
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let names: Vec<&str> = $list.collect();
                let text = concat!($($doc),+).trim_ascii();
                let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
                schema.description(Some(text)).into()
            }
        }

        impl ToSchema for $name {}
    )+ };
}

names! {
    /// What went wrong.
    ErrorType: ProblemKind::ALL.iter().map(|kind| kind.as_str());
    /// What became of an event.
    OutcomeName: Outcome::ALL.iter().map(|outcome| outcome.as_str());
    /// Why something needs a person.
    ReasonName: Reason::ALL.iter().map(|reason| reason.as_str());
    /// What a transaction did.
    TransactionKindName: TransactionKind::ALL.iter().map(|kind| kind.as_str());
    /// Where credits can be.
    AccountName: Account::ALL.iter().map(|account| account.as_str());
    /// What became of a hold.
    HoldStatus: HoldState::ALL.iter().map(|state| state.as_str());
    /// Where a payment stands.
    PaymentState: PaymentStatus::ALL.iter().map(|status| status.as_str());
    /// Whether the instance works as it should.
    HealthStatus: health::STATUSES.into_iter();
    /// Why the instance is degraded.
    DegradedReason: health::DEGRADED_REASONS.into_iter();
    /// What is believed: the machine's clock, nothing for certain, or the kept time.
    ClockStateName: ClockState::ALL.iter().map(|state| state.as_str());
    /// Why the machine's clock is not believed.
    ClockReason: Doubt::ALL.iter().map(|why| why.as_str());
    /// The machine's clock, or the last trusted time and what has passed since.
    ClockTime: TimeCandidate::ALL.iter().map(|side| side.as_str());
    /// What an operator did.
    ActionKindName: ActionKind::ALL.iter().map(|kind| kind.as_str());
    /// Where an action stands.
    ActionStateName: ActionState::ALL.iter().map(|state| state.as_str());
    /// What a key is for.
    KeyKindName: KeyKind::ALL.iter().map(|kind| kind.as_str());
    /// Whose events count.
    ModeName: [Mode::Test, Mode::Live].iter().map(|mode| mode.as_str());
    /// What a key may do.
    Permission: [CREDITS_READ, CREDITS_WRITE, OPERATOR].into_iter();
    /// What caused a transaction.
    CauseKindName: CauseKind::ALL.iter().map(|kind| kind.as_str());
    /// What a line of a timeline is about.
    TimelineKind: ["purchase", "event", "transaction"].into_iter();
    /// Where a refund stands.
    RefundState: ["pending", "succeeded", "failed", "canceled"].into_iter();
    /// What a notice tells; `*` stands for all of them.
    NoticeType: std::iter::once("*").chain(NoticeKind::ALL.iter().map(|kind| kind.as_str()));
    /// Where a delivery stands.
    DeliveryStateName: DeliveryState::ALL.iter().map(|state| state.as_str());
    /// Whether an endpoint is told: `failing` while every attempt fails.
    EndpointState: ["enabled", "failing", "disabled"].into_iter();
    /// Where a dispute stands.
    DisputeState: ["inquiry", "open", "lost", "won"].into_iter();
}
