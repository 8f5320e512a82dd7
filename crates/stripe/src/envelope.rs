//! The event around every object that Stripe sends: its id, type, time and account.
//!
//! Reads every API version since 2014, and the shorter sample of FairePlace's guide. The object in the event
//! is parsed only on request. Not here: `request`, `pending_webhooks` and `previous_attributes`, because no
//! decision about money may depend on them.

use crate::event_type::EventType;
use crate::fault::ReadFault;
use crate::fields::{Fields, required};
use crate::object::Object;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What Stripe posts to an endpoint, borrowed from the body.
#[derive(Clone, Debug)]
pub enum Envelope<'a> {
    /// `object: "event"`, or no `object` at all: contains the object as it was at that time.
    Snapshot(Event<'a>),
    /// `object: "v2.core.event"`: contains no object, which must be fetched from Stripe.
    Thin(ThinEvent<'a>),
}

/// A snapshot event.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// `evt_…`, unique within an account.
    pub id: Cow<'a, str>,
    /// The event's `type`.
    pub kind: EventType,
    /// When Stripe created it, in Unix seconds. It does not give the order of events.
    pub created: i64,
    /// False in a sandbox; None in the guide's sample.
    pub livemode: Option<bool>,
    /// The connected account, with Connect.
    pub account: Option<Cow<'a, str>>,
    /// The API version of the object.
    pub api_version: Option<Cow<'a, str>>,
    /// `data.object`, a JSON object that is not parsed yet.
    pub object: &'a RawValue,
}

/// A thin event.
#[derive(Clone, Debug)]
pub struct ThinEvent<'a> {
    /// `evt_…`
    pub id: Cow<'a, str>,
    /// The event's `type`, with the prefix `v1.` if it is about an object of the v1 API.
    pub type_name: Cow<'a, str>,
    /// When Stripe created it, as RFC 3339 text.
    pub created: Cow<'a, str>,
    /// False in a sandbox.
    pub livemode: Option<bool>,
    /// The id of the snapshot event about the same change.
    pub snapshot_event: Option<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// Reads the event in a body whose signature was verified.
    ///
    /// ```
    /// use stripe::{Envelope, EventType, Object};
    ///
    /// let body = br#"{"id":"evt_1","object":"event","type":"charge.refunded","created":1790000000,
    ///     "data":{"object":{"id":"ch_1","amount":2500,"amount_refunded":1000}}}"#;
    /// let Envelope::Snapshot(event) = Envelope::parse(body).unwrap() else { panic!("a thin event") };
    /// assert_eq!(event.kind, EventType::ChargeRefunded);
    /// let Object::Charge(charge) = event.object().unwrap() else { panic!("another object") };
    /// assert_eq!(charge.amount_refunded, 1000);
    /// ```
    ///
    /// # Errors
    /// If the body is not an event, or a field that this crate uses is missing or malformed.
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

    /// When Stripe created it, in Unix seconds; None for a thin event, which has a text instead.
    pub fn created(&self) -> Option<i64> {
        match self {
            Envelope::Snapshot(event) => Some(event.created),
            Envelope::Thin(_) => None,
        }
    }

    /// False in a sandbox; None if the event does not say.
    pub fn livemode(&self) -> Option<bool> {
        match self {
            Envelope::Snapshot(event) => event.livemode,
            Envelope::Thin(event) => event.livemode,
        }
    }
}

impl<'a> Event<'a> {
    /// The object in the event, of the kind that the event's type implies.
    ///
    /// `data.object.object` is ignored: the guide's sample lacks it.
    ///
    /// # Errors
    /// If a field that this crate requires is missing or malformed.
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
