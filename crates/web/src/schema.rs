//! Shared parts of the API's description: closed lists of names, and parameters of several operations. The
//! document itself is in `openapi`.

mod names;
mod parameters;

pub(crate) use names::{
    AccountName, ActionKindName, ActionStateName, CauseKindName, ClockReason, ClockStateName, ClockTime,
    DeliveryStateName, DisputeState, EndpointState, HoldStatus, KeyKindName, ModeName, NoticeType,
    OutcomeName, PaymentState, ReasonName, RefundState, TimelineKind, TransactionKindName, name_schemas,
};
pub(crate) use parameters::{OfEndpoint, OfOneTenant, OfTenant, PageParameters};
