//! Random days of three tenants, in random batches, against a model that is too simple to be wrong: a book in
//! memory that holds everything, on which one is decided after the other. However the day was cut into
//! batches, every answer and every line of the journal must be the model's: then a store that loads only what
//! a batch may need has loaded enough.

use ledger::chain::hex;
use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::{
    Book, CommandAction, Credits, Fact, Lot, Now, Policy, TenantId, Timestamp, decide, execute, expire,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use store::{CommandOutcome, CommandRequest, Store};

use super::requests::{batch, capture, give, hold_for, order_of, release, spend};
use super::sale::{NOW, Sale, learn, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] =
    &[case!([execute_commands, apply_events, sweep], any_batches_give_the_same_journal)];

/// Each is a few days of tenants of its own.
const SEEDS: u64 = 8;
const ROUNDS: u64 = 12;

async fn any_batches_give_the_same_journal(store: Store) {
    let mut model = Book::default();
    let mut at = NOW;
    for seed in 1..=SEEDS {
        let mut day = Day {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            seed,
            sales: Vec::new(),
            holds: 0,
            orders: 0,
        };
        for round in 0..ROUNDS {
            let place = format!("seed {seed}, round {round}");
            let facts = day.facts(round);
            for fact in &facts {
                let decision = decide(&model, fact, &Policy::default(), Now::trusted(NOW));
                model.apply(&decision.changes);
            }
            learn(&store, &facts).await;

            at = at.plus_seconds(*[0, 0, 30, 60, 90].choose(&mut day.random).unwrap());
            if day.random.random_range(0..4) == 0 {
                sweep(&mut model, at);
                store.sweep(Now::trusted(at), 1000).await.unwrap();
            }
            let mut orders = day.orders(at);
            while !orders.is_empty() {
                let rest = orders.split_off(orders.len().min(day.random.random_range(1..=16)));
                let answers = batch(&store, orders.clone(), at).await;
                for (order, answer) in orders.iter().zip(answers) {
                    let expected = execute(&model, &order.command, Now::trusted(at));
                    model.apply(&expected.changes);
                    let Ok(CommandOutcome::Decided { answer, .. }) = answer else {
                        panic!("{place}: {answer:?}")
                    };
                    assert_eq!(answer, expected.answer, "{place}: {order:?}");
                }
                orders = rest;
            }
        }
        let audit = store.audit().await.unwrap();
        assert_eq!((audit.head, audit.faults), (hex(&model.head), Vec::new()), "seed {seed}");
    }
    let transactions = store.health().await.unwrap().transactions;
    assert!(transactions > 400, "too quiet to prove anything: {transactions} transactions");
}

/// What the sweep should do: whoever has been due the longest comes first.
fn sweep(model: &mut Book, at: Timestamp) {
    let ended = |lot: &&Lot| lot.available > Credits::ZERO && lot.expires_at.is_some_and(|end| end <= at);
    let lots = model.lots.values().filter(ended).map(|lot| (lot.expires_at.unwrap(), lot.tenant));
    let due = model.holds.values().filter(|hold| hold.is_open() && hold.expires_at <= at);
    let mut due: Vec<_> = due.map(|hold| (hold.expires_at, hold.tenant)).chain(lots).collect();
    due.sort_unstable();
    for (_, tenant) in due {
        // The second time, there is nothing left to do for it.
        let changes = expire(model, tenant, Now::trusted(at));
        model.apply(&changes);
    }
}

struct Day {
    random: Xoshiro256PlusPlus,
    seed: u64,
    sales: Vec<Sale>,
    holds: u128,
    orders: u64,
}

impl Day {
    fn tenant(&mut self) -> TenantId {
        tenant(u128::from(self.seed * 10 + self.random.random_range(0..3)))
    }

    /// Sales, and what becomes of some of them.
    fn facts(&mut self, round: u64) -> Vec<Fact> {
        let count = if round == 0 { 6 } else { self.random.random_range(0..4) };
        (0..count).map(|_| self.fact()).collect()
    }

    fn fact(&mut self) -> Fact {
        if self.sales.len() < 4 || self.random.random_range(0..2) == 0 {
            let name = format!("s{}_{}", self.seed, self.sales.len());
            let buyer = u128::from(self.seed * 10 + self.random.random_range(0..3));
            let sale = Sale::new(name).to(buyer).of(self.random.random_range(1..=9));
            self.sales.push(sale.clone());
            let mut fact = sale.bought();
            fact.event.created += *[0, -60, 60].choose(&mut self.random).unwrap();
            return fact;
        }
        let index = self.random.random_range(0..self.sales.len());
        let sale = self.sales[index].clone();
        match self.random.random_range(0..5) {
            0 => sale.refund(500, RefundRank::Pending),
            1 => sale.disputed(DisputeOutcome::Open),
            2 => sale.disputed(DisputeOutcome::Won),
            _ => sale.refunded(*[300, 500, 1000].choose(&mut self.random).unwrap()),
        }
    }

    fn orders(&mut self, at: Timestamp) -> Vec<CommandRequest> {
        (0..self.random.random_range(0..24)).map(|_| self.order(at)).collect()
    }

    fn order(&mut self, at: Timestamp) -> CommandRequest {
        self.orders += 1;
        let number = u128::from(self.seed) * 1000 + self.random.random_range(0..=self.holds);
        let few = self.random.random_range(1..=6);
        let end =
            *[None, Some(at.plus_seconds(60)), Some(at.plus_seconds(120))].choose(&mut self.random).unwrap();
        let action = match self.random.random_range(0..12) {
            0..=3 => spend(few),
            4..=6 => {
                self.holds += 1;
                let name = u128::from(self.seed) * 1000 + self.holds;
                hold_for(name, few, *[60, 90, 3600].choose(&mut self.random).unwrap())
            }
            7 => capture(number, Some(few)),
            8 => capture(number, None),
            9 => release(number),
            10 => give(few, *[10, 50, 90].choose(&mut self.random).unwrap(), end),
            _ if self.random.random_range(0..2) == 0 => give(-few, 0, None),
            _ => CommandAction::WriteOff { credits: None },
        };
        let tenant = self.tenant();
        order_of(tenant, &format!("{} {}", self.seed, self.orders), action)
    }
}
