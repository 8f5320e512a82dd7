//! Three days of payments: so many purchases spread over a day, among them declined cards, debits, refunds
//! and disputes; the endpoint refuses everything for the first four hours; then the clock is turned on to
//! the end of the third day after. Every delivery is a real POST.
//!
//! What is deliberately not here: what comes after (debits clear on the fourth day).

use std::collections::BTreeSet;

use anyhow::ensure;
use emulator::{
    Emulator,
    act::refund::{self, NewRefund},
    object::MetadataMap,
    world::{DeliveryState, World},
};

use super::{account, middle, of_thousandths, receiver::Receiver};
use crate::load::now;

/// A day, in seconds.
const DAY: u32 = 24 * 60 * 60;

/// What one round came to.
pub(crate) struct Told {
    payments: u64,
    events: u64,
    refused: u64,
    millis: u64,
}

/// One round. Every event must have been accepted exactly once at its end.
pub(crate) async fn tell(receiver: &Receiver, payments: u32) -> anyhow::Result<Told> {
    let emulator = account::open(std::iter::once(receiver.url(0)))?;
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let runner = emulator.clone();
    let running = tokio::spawn(async move {
        runner.run(async { drop(stopping.await) }).await;
    });
    receiver.refuse(true).await?;
    let start = now();
    let mut passed = 0;
    for number in 0..payments {
        if number == payments / 6 {
            receiver.refuse(false).await?;
        }
        emulator.with(|world| happen(world, number));
        let until = u32::try_from(u64::from(number + 1) * u64::from(DAY) / u64::from(payments))?;
        emulator.advance(until - passed).await;
        passed = until;
    }
    emulator.advance(3 * DAY).await;
    let millis = u64::try_from(start.elapsed().as_millis())?;
    let refused = receiver.refuse(false).await?;
    let events = check(&emulator, receiver).await?;
    drop(stop);
    running.await?;
    Ok(Told { payments: payments.into(), events, refused, millis })
}

/// What all rounds together say.
pub(crate) fn line(rounds: &[Told]) -> String {
    format!(
        "\nthree days  {} payments, {} events, each accepted once; {} attempts refused before: {} s",
        middle(rounds, |told| told.payments),
        middle(rounds, |told| told.events),
        middle(rounds, |told| told.refused),
        of_thousandths(middle(rounds, |told| told.millis)),
    )
}

/// One customer's story. Of ten: one declined at first, one debit, one refunded in part, one refunded with a
/// delay, one disputed, one asked about; the others just pay.
fn happen(world: &mut World, number: u32) {
    match number % 10 {
        0 => {
            account::buy(world, number, "4000000000000002");
            account::buy(world, number, "4242424242424242");
        }
        1 => drop(account::buy(world, number, "AT611904300234573201")),
        2 => {
            let charge = account::buy(world, number, "4242424242424242");
            give_back(world, charge, Some(1_500));
        }
        3 => {
            let charge = account::buy(world, number, "4000000000007726");
            give_back(world, charge, None);
        }
        4 => drop(account::buy(world, number, "4000000000000259")),
        5 => drop(account::buy(world, number, "4000000000001976")),
        _ => drop(account::buy(world, number, "4242424242424242")),
    }
}

fn give_back(world: &mut World, charge: Option<String>, amount: Option<i64>) {
    let Some(charge) = charge else { return };
    // What is not refunded is missing in no sum here: the number of events tells.
    let _ = refund::create(world, NewRefund { charge, amount, reason: None, metadata: MetadataMap::new() });
}

/// How many events there were, once it is sure that each was accepted exactly once.
async fn check(emulator: &Emulator, receiver: &Receiver) -> anyhow::Result<u64> {
    let came = receiver.accepted(0).await?;
    let (made, left) = emulator.with(|world| {
        let made: BTreeSet<String> = world.events().iter().map(|event| event.id.clone()).collect();
        let left = world.deliveries().filter(|one| one.state != DeliveryState::Delivered).count();
        (made, left)
    });
    ensure!(left == 0, "{left} deliveries are not done");
    ensure!(came.len() == made.len(), "{} events came, of {}", came.len(), made.len());
    ensure!(came.into_iter().collect::<BTreeSet<_>>() == made, "other events came than were made");
    Ok(u64::try_from(made.len())?)
}
