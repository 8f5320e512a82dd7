//! The return values of handlers: data or a [`Problem`], and the envelope that every API response has (design
//! section 6).

mod chunked;
mod envelope;
mod problem;
mod problem_kind;
mod time;

pub(crate) use chunked::{ChunkSender, ReceiverStream, Stopped, chunked_csv};
pub(crate) use envelope::{
    AcceptedData, CreatedData, Data, ErrorEnvelope, PageOf, RefusalReason, Replayable, chunked_data,
    write_envelope,
};
pub use problem::Problem;
pub use problem_kind::ProblemKind;
pub use time::rfc3339;
