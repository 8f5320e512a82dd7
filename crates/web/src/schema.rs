//! The words that handlers describe themselves with: closed lists of names, and parameters that many share.
//! Not here: the document that is made of them (`openapi`).

mod names;
mod parameters;

pub(crate) use names::{
    AccountName, ActionKindName, ActionStateName, CauseKindName, ClockReason, ClockStateName, ClockTime,
    DegradedReason, DeliveryStateName, DisputeState, EndpointState, ErrorType, HealthStatus, HoldStatus,
    KeyKindName, ModeName, NoticeType, OutcomeName, PaymentState, Permission, ReasonName, RefundState,
    TimelineKind, TransactionKindName,
};
pub(crate) use parameters::{OfEndpoint, OfOneTenant, OfTenant, Paging};
