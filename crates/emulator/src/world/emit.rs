//! Turns changes into events, and events into deliveries to the endpoints that want them.
//!
//! Not here: which change has which event (`act`), and the deliveries themselves (`outbox`).

use stripe::write::ApiVersion;

use super::outbox::Knob;
use super::{World, random};
use crate::object::{ApiObject, EventRecord, Snapshot, WebhookEndpoint};
use crate::world::HasId;

/// How long events are kept, in seconds (docs.stripe.com/api/events).
const RETENTION: i64 = 30 * 24 * 60 * 60;

impl HasId for EventRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for WebhookEndpoint {
    fn id(&self) -> &str {
        &self.id
    }
}

impl World {
    /// Adds an object and emits its event.
    pub(crate) fn create<T: ApiObject>(&mut self, object: T, type_name: &str) {
        T::table(self).add(object.clone());
        self.emit(type_name, object.into(), None);
    }

    /// Changes an object and emits an event with the previous values. Emits nothing when nothing changed, or
    /// when there is no such object.
    pub(crate) fn change<T: ApiObject>(&mut self, id: &str, type_name: &str, change: impl FnOnce(&mut T)) {
        let Some((before, after)) = self.changed(id, change) else { return };
        if before != after {
            self.emit(type_name, after.into(), Some(before.into()));
        }
    }

    /// Changes an object and emits an event without the previous values: a transition to a new state, not an
    /// edit.
    pub(crate) fn transition<T: ApiObject>(
        &mut self,
        id: &str,
        type_name: &str,
        change: impl FnOnce(&mut T),
    ) {
        if let Some((_, after)) = self.changed(id, change) {
            self.emit(type_name, after.into(), None);
        }
    }

    /// Emits an event about an object as it is.
    pub(crate) fn announce<T: ApiObject>(&mut self, id: &str, type_name: &str) {
        if let Some(object) = T::table(self).get(id).cloned() {
            self.emit(type_name, object.into(), None);
        }
    }

    /// Changes an object. Returns it as it was and as it is.
    fn changed<T: ApiObject>(&mut self, id: &str, change: impl FnOnce(&mut T)) -> Option<(T, T)> {
        let object = T::table(self).get_mut(id)?;
        let before = object.clone();
        change(object);
        Some((before, object.clone()))
    }

    /// Creates the event and its deliveries, unless misbehaviour suppresses it.
    pub(crate) fn emit(&mut self, type_name: &str, object: Snapshot, previous: Option<Snapshot>) {
        self.drop_old_events();
        self.changes_announced += 1;
        let number = self.changes_announced;
        let wanting: Vec<(String, bool, bool)> = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(type_name))
            .map(|endpoint| {
                let drawn = |knob: Knob, percent| {
                    random::happens(endpoint.misbehaviour.seed, number, knob as u64, percent)
                };
                let never = drawn(Knob::Never, endpoint.misbehaviour.never);
                let twin = drawn(Knob::Twin, endpoint.misbehaviour.twin);
                (endpoint.id.clone(), never, twin)
            })
            .collect();
        // An event stays listable unless every endpoint that wants it suppresses it.
        if !wanting.is_empty() && wanting.iter().all(|(_, never, _)| *never) {
            return;
        }
        let recipients = |twin_only: bool| {
            let kept = wanting.iter().filter(move |(_, never, twin)| !never && (*twin || !twin_only));
            kept.map(|(id, _, _)| id.clone()).collect::<Vec<_>>()
        };
        self.add_event(type_name, object.clone(), previous.clone(), recipients(false));
        if wanting.iter().any(|(_, never, twin)| *twin && !never) {
            self.add_event(type_name, object, previous, recipients(true));
        }
    }

    fn add_event(
        &mut self,
        type_name: &str,
        object: Snapshot,
        previous: Option<Snapshot>,
        endpoints: Vec<String>,
    ) {
        let recipients = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
        let id = self.id("evt");
        let (created, request) = (self.now(), self.request.clone());
        let type_name = type_name.to_owned();
        let event = EventRecord {
            id: id.clone(),
            type_name,
            created,
            object,
            previous,
            request,
            recipients,
            pending: recipients,
        };
        self.events.add(event);
        for endpoint in endpoints {
            self.create_delivery(&id, &endpoint);
        }
    }

    fn drop_old_events(&mut self) {
        let oldest = self.now() - RETENTION;
        while let Some(event) = self.events.remove_oldest_if(|event| event.created < oldest) {
            self.outbox.forget(&event.id);
        }
    }

    /// The event as the API returns it.
    #[must_use]
    pub fn render_event(&self, event: &EventRecord, version: ApiVersion) -> serde_json::Value {
        event.render(version, event.pending)
    }
}
