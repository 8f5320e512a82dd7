//! The envelope around every object that Stripe sends: which event, of what type, when, for whom.
//!
//! Reads every API version since 2014 and the bare sample of FairePlace's guide. The object inside stays
//! unread bytes until somebody asks for it. Not here: `request`, `pending_webhooks`, `previous_attributes`,
//! on which no decision about money may rest.

use crate::event_type::EventType;
use crate::fault::ReadFault;
use crate::fields::{Fields, required};
use crate::object::Object;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What Stripe posts to an endpoint, borrowed from the body.
#[derive(Clone, Debug)]
pub enum Envelope<'a> {
    /// `object: "event"`, or no `object` at all: carries the object as it was at that moment.
    Snapshot(Event<'a>),
    /// `object: "v2.core.event"`: carries no object. To learn what happened one would have to ask Stripe.
    Thin(ThinEvent<'a>),
}

/// A snapshot event.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// `evt_…`, unique within an account.
    pub id: Cow<'a, str>,
    /// The event's `type`.
    pub kind: EventType,
    /// When Stripe made it, in Unix seconds. Says nothing about the order of events.
    pub created: i64,
    /// False in a sandbox; None in the guide's sample.
    pub livemode: Option<bool>,
    /// The connected account, with Connect.
    pub account: Option<Cow<'a, str>>,
    /// The version that shaped the object.
    pub api_version: Option<Cow<'a, str>>,
    /// `data.object`, a JSON object not yet looked into.
    pub object: &'a RawValue,
}

/// A thin event.
#[derive(Clone, Debug)]
pub struct ThinEvent<'a> {
    /// `evt_…`
    pub id: Cow<'a, str>,
    /// The event's `type`, with the prefix `v1.` when it is about an object of the v1 API.
    pub type_name: Cow<'a, str>,
    /// When Stripe made it, as the RFC 3339 text that was sent.
    pub created: Cow<'a, str>,
    /// False in a sandbox.
    pub livemode: Option<bool>,
    /// The id of the snapshot event about the same change.
    pub snapshot_event: Option<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of a body whose signature was verified.
    ///
    /// # Errors
    /// When the body is no event, or a field of the envelope that we use is missing or not what Stripe
    /// documents.
    pub fn parse(body: &'a [u8]) -> Result<Envelope<'a>, ReadFault> {
        let fields = Fields::of_body(body)?;
        match fields.text("object")?.as_deref() {
            None | Some("event") => Event::read(&fields).map(Envelope::Snapshot),
            Some("v2.core.event") => ThinEvent::read(&fields).map(Envelope::Thin),
            Some(_) => Err(ReadFault::NotAnEvent),
        }
    }

    /// `evt_…`
    pub fn id(&self) -> &str {
        match self {
            Envelope::Snapshot(event) => &event.id,
            Envelope::Thin(event) => &event.id,
        }
    }

    /// The event's `type` as it was sent.
    pub fn type_name(&self) -> &str {
        match self {
            Envelope::Snapshot(event) => event.kind.name(),
            Envelope::Thin(event) => &event.type_name,
        }
    }

    /// When Stripe made it, in Unix seconds; None for a thin event, which says it in another form.
    pub fn created(&self) -> Option<i64> {
        match self {
            Envelope::Snapshot(event) => Some(event.created),
            Envelope::Thin(_) => None,
        }
    }

    /// False in a sandbox; None when the event does not say.
    pub fn livemode(&self) -> Option<bool> {
        match self {
            Envelope::Snapshot(event) => event.livemode,
            Envelope::Thin(event) => event.livemode,
        }
    }
}

impl<'a> Event<'a> {
    /// The object inside, read as what the event's type promises.
    ///
    /// `data.object.object` has no say: the guide's sample lacks it, and `charge.refund.updated` carries a
    /// refund.
    ///
    /// # Errors
    /// When a field that we use is missing or not what Stripe documents.
    pub fn object(&self) -> Result<Object, ReadFault> {
        Object::read(&self.kind, self.object)
    }

    fn read(fields: &Fields<'a>) -> Result<Event<'a>, ReadFault> {
        Ok(Event {
            id: required("id", fields.id("id")?)?,
            kind: EventType::from_name(&required("type", fields.word("type")?)?),
            created: required("created", fields.time("created")?)?,
            livemode: fields.flag("livemode")?,
            account: fields.id("account")?,
            api_version: fields.word("api_version")?,
            object: read_object(fields)?,
        })
    }
}

fn read_object<'a>(fields: &Fields<'a>) -> Result<&'a RawValue, ReadFault> {
    let data = Fields::of_value("data", required("data", fields.get("data")?)?)?;
    let object = required("data.object", data.get("object")?)?;
    if object.get().starts_with('{') {
        Ok(object)
    } else {
        Err(ReadFault::WrongType { field: "data.object", expected: "an object" })
    }
}

impl<'a> ThinEvent<'a> {
    fn read(fields: &Fields<'a>) -> Result<ThinEvent<'a>, ReadFault> {
        Ok(ThinEvent {
            id: required("id", fields.id("id")?)?,
            type_name: required("type", fields.word("type")?)?,
            created: required("created", fields.word("created")?)?,
            livemode: fields.flag("livemode")?,
            snapshot_event: fields.id("snapshot_event")?,
        })
    }
}
