//! Changes become events, and events become deliveries: who is told what, and what is never told.
//!
//! Not here: which change makes which event (`act`), and what happens on the way (`outbox`).

use stripe::write::ApiVersion;

use super::outbox::Knob;
use super::{World, random};
use crate::object::{ApiObject, EventRecord, Snapshot, WebhookEndpoint};
use crate::world::HasId;

/// How long events can be read, in seconds (docs.stripe.com/api/events).
const KEPT: i64 = 30 * 24 * 60 * 60;

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
    /// A new object, and the event that tells of it.
    pub(crate) fn create<T: ApiObject>(&mut self, object: T, type_name: &str) {
        T::table(self).add(object.clone());
        self.emit(type_name, object.into(), None);
    }

    /// Changes an object, and tells of it with the values that it had. Nothing is told when nothing changed,
    /// or when there is no such object.
    pub(crate) fn change<T: ApiObject>(&mut self, id: &str, type_name: &str, change: impl FnOnce(&mut T)) {
        let Some((before, after)) = self.changed(id, change) else { return };
        if before != after {
            self.emit(type_name, after.into(), Some(before.into()));
        }
    }

    /// Changes an object, and tells of the new state without the old one: what became of it, not what was
    /// edited.
    pub(crate) fn turn<T: ApiObject>(&mut self, id: &str, type_name: &str, change: impl FnOnce(&mut T)) {
        if let Some((_, after)) = self.changed(id, change) {
            self.emit(type_name, after.into(), None);
        }
    }

    /// Tells of an object as it is.
    pub(crate) fn tell<T: ApiObject>(&mut self, id: &str, type_name: &str) {
        if let Some(object) = T::table(self).get(id).cloned() {
            self.emit(type_name, object.into(), None);
        }
    }

    /// The object before and after.
    fn changed<T: ApiObject>(&mut self, id: &str, change: impl FnOnce(&mut T)) -> Option<(T, T)> {
        let object = T::table(self).get_mut(id)?;
        let before = object.clone();
        change(object);
        Some((before, object.clone()))
    }

    /// Makes the event, unless it is one of those that never are, and plans its deliveries.
    pub(crate) fn emit(&mut self, type_name: &str, object: Snapshot, previous: Option<Snapshot>) {
        self.forget_old_events();
        self.tellings += 1;
        let number = self.tellings;
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
        // An event that nobody was to be spared, or that nobody waits for, can always be listed.
        if !wanting.is_empty() && wanting.iter().all(|(_, never, _)| *never) {
            return;
        }
        let told = |twin_only: bool| {
            let kept = wanting.iter().filter(move |(_, never, twin)| !never && (*twin || !twin_only));
            kept.map(|(id, _, _)| id.clone()).collect::<Vec<_>>()
        };
        self.add_event(type_name, object.clone(), previous.clone(), told(false));
        if wanting.iter().any(|(_, never, twin)| *twin && !never) {
            self.add_event(type_name, object, previous, told(true));
        }
    }

    fn add_event(
        &mut self,
        type_name: &str,
        object: Snapshot,
        previous: Option<Snapshot>,
        endpoints: Vec<String>,
    ) {
        let told = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
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
            told,
            pending: told,
        };
        self.events.add(event);
        for endpoint in endpoints {
            self.plan(&id, &endpoint);
        }
    }

    fn forget_old_events(&mut self) {
        let oldest = self.now() - KEPT;
        while let Some(event) = self.events.remove_oldest_if(|event| event.created < oldest) {
            self.outbox.forget(&event.id);
        }
    }

    /// The event as the API shows it.
    #[must_use]
    pub fn render_event(&self, event: &EventRecord, version: ApiVersion) -> serde_json::Value {
        event.render(version, event.pending)
    }
}
