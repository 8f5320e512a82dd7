//! What handlers describe themselves with: closed lists of names, and parameters that several share.
//! Not here: the document (`openapi`).

mod names;
mod parameters;

pub(crate) use names::{
    AccountName, ActionKindName, ActionStateName, CauseKindName, ClockReason, ClockStateName, ClockTime,
    DeliveryStateName, DisputeState, EndpointState, HoldStatus, KeyKindName, ModeName, NoticeType,
    OutcomeName, PaymentState, ReasonName, RefundState, TimelineKind, TransactionKindName, name_schemas,
};
pub(crate) use parameters::{OfEndpoint, OfOneTenant, OfTenant, PageParameters};
