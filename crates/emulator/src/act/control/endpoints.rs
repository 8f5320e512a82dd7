//! What can be done to webhook endpoints and their deliveries besides what Stripe's API does.

use super::{ControlCommand, ControlRefusal, Noun, OutOfRange};
use crate::act::endpoint;
use crate::object::Misbehaviour;
use crate::world::World;

/// The longest time for which a replaced secret still signs, in seconds: a day (docs.stripe.com/webhooks).
pub const MAX_GRACE_PERIOD_SECONDS: u32 = 24 * 60 * 60;
/// How often a held delivery can be released at most.
pub const MAX_COPIES: u32 = 10;

/// The longest time for which disorder delays a delivery, and the most by which the sender's clock is off, in
/// seconds: a day.
const MAX_SECONDS: i64 = 24 * 60 * 60;
/// The largest burst.
const MAX_BURST: i64 = 10_000;

/// One number of a [`Misbehaviour`], with its limits.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// The name of the field.
    pub name: &'static str,
    /// What it is set to.
    pub value: i64,
    /// The least that is accepted.
    pub min: i64,
    /// The most that is accepted.
    pub max: i64,
}

impl Figure {
    fn check(self) -> Result<(), OutOfRange> {
        let Self { name: field, value, min, max } = self;
        if (min..=max).contains(&value) { Ok(()) } else { Err(OutOfRange { field, min, max }) }
    }
}

/// Every number of a misbehaviour that has limits: all but its seed.
#[must_use]
pub fn figures(of: &Misbehaviour) -> [Figure; 8] {
    let percent = |name, value: u8| Figure { name, value: value.into(), min: 0, max: 100 };
    let seconds = |name, value, min| Figure { name, value, min, max: MAX_SECONDS };
    [
        percent("duplicate", of.duplicate),
        percent("twin", of.twin),
        percent("never", of.never),
        percent("simultaneous", of.simultaneous),
        percent("lost_answer", of.lost_answer),
        seconds("disorder_seconds", of.disorder_seconds.into(), 0),
        Figure { name: "burst", value: of.burst.into(), min: 0, max: MAX_BURST },
        seconds("clock_skew_seconds", of.clock_skew_seconds.into(), -MAX_SECONDS),
    ]
}

fn exists(world: &World, endpoint: &str) -> Result<(), ControlRefusal> {
    world.endpoints.get(endpoint).map(drop).ok_or_else(|| Noun::Endpoint.missing(endpoint))
}

/// Makes the deliveries to an endpoint go wrong from now on.
#[derive(Clone, Debug)]
pub struct Misbehave {
    /// `we_…`
    pub endpoint: String,
    /// How. The default is: not at all.
    pub misbehaviour: Misbehaviour,
}

impl ControlCommand for Misbehave {
    type Done = ();

    fn run(self, world: &mut World) -> Result<(), ControlRefusal> {
        for figure in figures(&self.misbehaviour) {
            figure.check()?;
        }
        exists(world, &self.endpoint)?;
        world.misbehave(&self.endpoint, self.misbehaviour);
        Ok(())
    }
}

/// Gives an endpoint a new signing secret, which it reports.
#[derive(Clone, Debug)]
pub struct RotateSecret {
    /// `we_…`
    pub endpoint: String,
    /// How long the old secret signs beside the new one, in virtual seconds.
    pub grace_period_seconds: u32,
}

impl ControlCommand for RotateSecret {
    type Done = String;

    fn run(self, world: &mut World) -> Result<String, ControlRefusal> {
        if self.grace_period_seconds > MAX_GRACE_PERIOD_SECONDS {
            let (min, max) = (0, MAX_GRACE_PERIOD_SECONDS.into());
            return Err(OutOfRange { field: "grace_period_seconds", min, max }.into());
        }
        exists(world, &self.endpoint)?;
        let secret = endpoint::rotate_secret(world, &self.endpoint, self.grace_period_seconds);
        secret.ok_or_else(|| Noun::Endpoint.missing(&self.endpoint))
    }
}

/// Keeps the deliveries to an endpoint back until they are released.
#[derive(Clone, Debug)]
pub struct HoldDeliveries {
    /// `we_…`
    pub endpoint: String,
}

impl ControlCommand for HoldDeliveries {
    type Done = ();

    fn run(self, world: &mut World) -> Result<(), ControlRefusal> {
        let endpoint = world.endpoints.get_mut(&self.endpoint);
        endpoint.ok_or_else(|| Noun::Endpoint.missing(&self.endpoint))?.held = true;
        Ok(())
    }
}

/// Sends the deliveries that were held back.
#[derive(Clone, Debug)]
pub struct Release {
    /// `we_…`
    pub endpoint: String,
    /// The seed of the order in which they go out; the order in which they came when left out.
    pub shuffle: Option<u64>,
    /// How often each of them is sent.
    pub times: u32,
}

impl ControlCommand for Release {
    type Done = ();

    fn run(self, world: &mut World) -> Result<(), ControlRefusal> {
        if !(1..=MAX_COPIES).contains(&self.times) {
            return Err(OutOfRange { field: "times", min: 1, max: MAX_COPIES.into() }.into());
        }
        exists(world, &self.endpoint)?;
        world.release(&self.endpoint, self.shuffle, self.times);
        Ok(())
    }
}

/// Enables an endpoint that was disabled.
#[derive(Clone, Debug)]
pub struct Enable {
    /// `we_…`
    pub endpoint: String,
}

impl ControlCommand for Enable {
    type Done = ();

    fn run(self, world: &mut World) -> Result<(), ControlRefusal> {
        exists(world, &self.endpoint)?;
        endpoint::enable(world, &self.endpoint, true);
        Ok(())
    }
}

/// Sends an event again, outside the retry schedule. Reports how many deliveries that were: 0 when the event
/// was never meant for the endpoint.
#[derive(Clone, Debug)]
pub struct Resend {
    /// `evt_…`
    pub event: String,
    /// To one endpoint; to all that the event was meant for when left out.
    pub endpoint: Option<String>,
}

impl ControlCommand for Resend {
    type Done = usize;

    fn run(self, world: &mut World) -> Result<usize, ControlRefusal> {
        if world.events.get(&self.event).is_none() {
            return Err(Noun::Event.missing(&self.event));
        }
        if let Some(endpoint) = &self.endpoint {
            exists(world, endpoint)?;
        }
        Ok(world.resend(&self.event, self.endpoint.as_deref()))
    }
}
