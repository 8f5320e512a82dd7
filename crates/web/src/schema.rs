//! The words that handlers describe themselves with: closed lists of names, and parameters that many share.
//! Not here: the document that is made of them (`openapi`).

mod names;
mod parameters;

pub(crate) use names::{
    Account, ActionKindName, ActionStateName, CauseKind, ClockReason, ClockStateName, ClockTime,
    DegradedReason, DeliveryStateName, DisputeState, EndpointState, ErrorType, HealthStatus, HoldStatus,
    KeyKindName, Mode, NoticeType, OutcomeName, PaymentState, Permission, ReasonName, RefundState,
    TimelineKind, TransactionKind,
};
pub(crate) use parameters::{OfEndpoint, OfOneTenant, OfTenant, Paging};
