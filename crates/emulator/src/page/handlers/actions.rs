//! The buttons of the control page: each asks for one change and goes back to where the button was, or says
//! on the page why nothing was done.
//!
//! Not here: the rules; `act` and `world` refuse what Stripe would refuse.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::{control_page_with, see_other};
use crate::Emulator;
use crate::act;
use crate::act::refund::{NewRefund, RefundRefusal};
use crate::object::{Metadata, Misbehaviour};
use crate::page::control_page::Banner;
use crate::world::World;

/// A span of the clock: so many seconds, or so many of a unit.
#[derive(Deserialize)]
pub(super) struct Span {
    seconds: Option<u32>,
    amount: Option<u32>,
    unit: Option<String>,
}

pub(super) async fn advance(State(emulator): State<Emulator>, Form(span): Form<Span>) -> Response {
    let unit = match span.unit.as_deref() {
        None | Some("seconds") => Some(1),
        Some("minutes") => Some(60),
        Some("hours") => Some(3_600),
        Some("days") => Some(86_400),
        Some(_) => None,
    };
    let long = span.amount.zip(unit).and_then(|(amount, unit)| amount.checked_mul(unit));
    match span.seconds.or(long) {
        Some(seconds) => {
            emulator.advance(seconds).await;
            see_other("/#clock")
        }
        None => refuse(&emulator, "The clock moves by a number of seconds, minutes, hours or days."),
    }
}

pub(super) async fn expire(State(emulator): State<Emulator>, Path(id): Path<String>) -> Response {
    done(&emulator, "/#payments", |world| {
        act::checkout::expire(world, &id);
        Ok(())
    })
}

#[derive(Deserialize)]
pub(super) struct Part {
    part: String,
}

pub(super) async fn refund(
    State(emulator): State<Emulator>,
    Path(charge): Path<String>,
    Form(form): Form<Part>,
) -> Response {
    done(&emulator, "/#charges", |world| {
        let amount = match form.part.as_str() {
            "all" => None,
            "half" => Some(half(world, &charge)),
            _ => return Err("A refund is of half or of all.".to_owned()),
        };
        let reason = Some("requested_by_customer".to_owned());
        let new = NewRefund { charge: charge.clone(), amount, reason, metadata: Metadata::new() };
        act::refund::create(world, new).map(drop).map_err(|why| told(&why))
    })
}

/// Half of what the charge took, rounded up, in minor units.
fn half(world: &World, charge: &str) -> i64 {
    world.charges.get(charge).map_or(0, |charge| charge.amount_captured - charge.amount_captured / 2)
}

fn told(why: &RefundRefusal) -> String {
    match why {
        RefundRefusal::NoCharge => "There is no such charge.".to_owned(),
        RefundRefusal::NotPaid => "That charge took no money, so there is nothing to refund.".to_owned(),
        RefundRefusal::AlreadyRefunded => "All of that charge has gone back, or is about to.".to_owned(),
        RefundRefusal::NotPositive => "A refund is of more than nothing.".to_owned(),
        RefundRefusal::TooMuch { left } => {
            format!("Only {left} minor units of that charge are left to refund.")
        }
        RefundRefusal::Disputed => {
            "The customer's bank has taken that money back, so it cannot be refunded.".to_owned()
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Kind {
    kind: String,
}

pub(super) async fn dispute(
    State(emulator): State<Emulator>,
    Path(charge): Path<String>,
    Form(form): Form<Kind>,
) -> Response {
    let back = if form.kind == "fraud_warning" { "/#events" } else { "/#disputes" };
    done(&emulator, back, |world| {
        if world.charges.get(&charge).is_none_or(|charge| !charge.paid) {
            return Err("That charge took no money, so no bank disputes it.".to_owned());
        }
        match form.kind.as_str() {
            "dispute" => act::dispute::open(world, &charge, "fraudulent", false),
            "inquiry" => act::dispute::open(world, &charge, "fraudulent", true),
            "fraud_warning" => act::dispute::warn(world, &charge),
            _ => return Err("A bank disputes, inquires, or warns of fraud.".to_owned()),
        }
        Ok(())
    })
}

#[derive(Deserialize)]
pub(super) struct Settled {
    outcome: String,
}

pub(super) async fn close(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Form(form): Form<Settled>,
) -> Response {
    done(&emulator, "/#disputes", |world| {
        let evidence = match form.outcome.as_str() {
            "win" => Some("winning_evidence"),
            "lose" => Some("losing_evidence"),
            "close" => None,
            _ => return Err("A dispute is won, lost or closed.".to_owned()),
        };
        let was_open = match evidence {
            None => act::dispute::close(world, &id),
            Some(text) => {
                let evidence = BTreeMap::from([("uncategorized_text".to_owned(), text.to_owned())]);
                act::dispute::answer(world, &id, evidence, |_| (), true)
            }
        };
        if was_open { Ok(()) } else { Err("That dispute is not open.".to_owned()) }
    })
}

pub(super) async fn hasten(State(emulator): State<Emulator>, Path(id): Path<String>) -> Response {
    let back = if id.starts_with("re_") { "/#refunds" } else { "/#charges" };
    done(&emulator, back, |world| match world.hasten(&id) {
        0 => Err("Nothing was to come for that object.".to_owned()),
        _ => Ok(()),
    })
}

pub(super) async fn misbehave(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Form(misbehaviour): Form<Misbehaviour>,
) -> Response {
    done(&emulator, "/#endpoints", |world| {
        if !misbehaviour.is_sane() {
            return Err("A percentage is at most 100.".to_owned());
        }
        let endpoint = world.endpoints.get_mut(&id).ok_or(NO_ENDPOINT)?;
        endpoint.misbehaviour = misbehaviour;
        Ok(())
    })
}

#[derive(Deserialize)]
pub(super) struct Overlap {
    overlap_seconds: u32,
}

pub(super) async fn roll(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Form(form): Form<Overlap>,
) -> Response {
    done(&emulator, "/#connect", |world| {
        act::endpoint::roll(world, &id, form.overlap_seconds).map(drop).ok_or(NO_ENDPOINT.to_owned())
    })
}

pub(super) async fn hold(State(emulator): State<Emulator>, Path(id): Path<String>) -> Response {
    done(&emulator, "/#endpoints", |world| {
        world.endpoints.get_mut(&id).ok_or(NO_ENDPOINT)?.held = true;
        Ok(())
    })
}

/// An empty `shuffle` keeps the order.
#[derive(Deserialize)]
pub(super) struct Release {
    shuffle: String,
    times: u8,
}

pub(super) async fn release(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Form(form): Form<Release>,
) -> Response {
    done(&emulator, "/#endpoints", |world| {
        let seed = match form.shuffle.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| "A seed is a whole number, not below zero.")?),
        };
        if !(1..=10).contains(&form.times) {
            return Err("Each delivery is released 1 to 10 times.".to_owned());
        }
        world.endpoints.get(&id).ok_or(NO_ENDPOINT)?;
        world.release(&id, seed, form.times);
        Ok(())
    })
}

pub(super) async fn enable(State(emulator): State<Emulator>, Path(id): Path<String>) -> Response {
    done(&emulator, "/#endpoints", |world| {
        world.endpoints.get(&id).ok_or(NO_ENDPOINT)?;
        act::endpoint::enable(world, &id, true);
        Ok(())
    })
}

#[derive(Deserialize)]
pub(super) struct Target {
    endpoint: Option<String>,
}

pub(super) async fn resend(
    State(emulator): State<Emulator>,
    Path(event): Path<String>,
    Form(form): Form<Target>,
) -> Response {
    let endpoint = form.endpoint.filter(|endpoint| !endpoint.is_empty());
    done(&emulator, "/#events", |world| match world.resend(&event, endpoint.as_deref()) {
        0 => Err("No endpoint was told of that event, so there is nothing to resend.".to_owned()),
        _ => Ok(()),
    })
}

const NO_ENDPOINT: &str = "There is no such endpoint.";

/// Makes the change and goes `back`, or shows the page with the reason why not.
fn done(emulator: &Emulator, back: &str, change: impl FnOnce(&mut World) -> Result<(), String>) -> Response {
    let changed = emulator.with(|world| {
        // A button is no API request: its events name none.
        world.on_behalf_of(None);
        change(world)
    });
    match changed {
        Ok(()) => see_other(back),
        Err(why) => refuse(emulator, &why),
    }
}

fn refuse(emulator: &Emulator, why: &str) -> Response {
    let banner = Banner { good: false, text: why.to_owned() };
    control_page_with(emulator, StatusCode::CONFLICT, Some(banner))
}
