//! Random days of three tenants, in random batches, compared with a simple model: a book in memory that
//! contains everything, on which one command is decided after another. However a day is divided into batches,
//! every answer and every transaction must match the model. This shows that the store loads enough for each
//! batch.

use ledger::chain::hex;
use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::{
    Book, CommandAction, Credits, Fact, Lot, Now, Policy, TenantId, Timestamp, decide, execute, expire,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use store::{CommandOutcome, CommandRequest, Store};

use super::command_requests::{adjust, capture, execute_batch, hold_for, release, request_by, spend};
use super::test_purchase::{NOW, TestPurchase, apply, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] =
    &[case!([execute_commands, apply_events, expire_due], any_batches_give_the_same_journal)];

/// Each seed is a few days of its own tenants.
const SEEDS: u64 = 8;
const ROUNDS: u64 = 12;

async fn any_batches_give_the_same_journal(store: Store) {
    let mut model = Book::default();
    let mut at = NOW;
    for seed in 1..=SEEDS {
        let mut day = Day {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            seed,
            purchases: Vec::new(),
            holds: 0,
            requests: 0,
        };
        for round in 0..ROUNDS {
            let step = format!("seed {seed}, round {round}");
            let facts = day.facts(round);
            for fact in &facts {
                let decision = decide(&model, fact, &Policy::default(), Now::trusted(NOW));
                model.apply(&decision.changes);
            }
            apply(&store, &facts).await;

            at = at.plus_seconds(*[0, 0, 30, 60, 90].choose(&mut day.random).unwrap());
            if day.random.random_range(0..4) == 0 {
                expire_due(&mut model, at);
                store.expire_due(Now::trusted(at), 1000).await.unwrap();
            }
            let mut requests = day.requests(at);
            while !requests.is_empty() {
                let rest = requests.split_off(requests.len().min(day.random.random_range(1..=16)));
                let answers = execute_batch(&store, requests.clone(), at).await;
                for (request, answer) in requests.iter().zip(answers) {
                    let expected = execute(&model, &request.command, Now::trusted(at));
                    model.apply(&expected.changes);
                    let Ok(CommandOutcome::Decided { answer, .. }) = answer else {
                        panic!("{step}: {answer:?}")
                    };
                    assert_eq!(answer, expected.answer, "{step}: {request:?}");
                }
                requests = rest;
            }
        }
        let audit = store.audit().await.unwrap();
        assert_eq!((audit.head, audit.faults), (hex(&model.head), Vec::new()), "seed {seed}");
    }
    let transactions = store.health().await.unwrap().transactions;
    assert!(transactions > 400, "too few transactions to prove anything: {transactions}");
}

/// What expiry should do: the tenants that have been due longest come first.
fn expire_due(model: &mut Book, at: Timestamp) {
    let ended = |lot: &&Lot| lot.available > Credits::ZERO && lot.expires_at.is_some_and(|end| end <= at);
    let lots = model.lots.values().filter(ended).map(|lot| (lot.expires_at.unwrap(), lot.tenant));
    let due = model.holds.values().filter(|hold| hold.is_open() && hold.expires_at <= at);
    let mut due: Vec<_> = due.map(|hold| (hold.expires_at, hold.tenant)).chain(lots).collect();
    due.sort_unstable();
    for (_, tenant) in due {
        // The second time, nothing is left to do.
        let changes = expire(model, tenant, Now::trusted(at));
        model.apply(&changes);
    }
}

struct Day {
    random: Xoshiro256PlusPlus,
    seed: u64,
    purchases: Vec<TestPurchase>,
    holds: u128,
    requests: u64,
}

impl Day {
    fn tenant(&mut self) -> TenantId {
        tenant(u128::from(self.seed * 10 + self.random.random_range(0..3)))
    }

    /// Purchases, and later facts about some of them.
    fn facts(&mut self, round: u64) -> Vec<Fact> {
        let count = if round == 0 { 6 } else { self.random.random_range(0..4) };
        (0..count).map(|_| self.fact()).collect()
    }

    fn fact(&mut self) -> Fact {
        if self.purchases.len() < 4 || self.random.random_range(0..2) == 0 {
            let name = format!("s{}_{}", self.seed, self.purchases.len());
            let buyer = u128::from(self.seed * 10 + self.random.random_range(0..3));
            let purchase =
                TestPurchase::new(name).for_tenant(buyer).with_credits(self.random.random_range(1..=9));
            self.purchases.push(purchase.clone());
            let mut fact = purchase.bought();
            fact.event.created += *[0, -60, 60].choose(&mut self.random).unwrap();
            return fact;
        }
        let index = self.random.random_range(0..self.purchases.len());
        let purchase = self.purchases[index].clone();
        match self.random.random_range(0..5) {
            0 => purchase.refund(500, RefundRank::Pending),
            1 => purchase.disputed(DisputeOutcome::Open),
            2 => purchase.disputed(DisputeOutcome::Won),
            _ => purchase.refunded(*[300, 500, 1000].choose(&mut self.random).unwrap()),
        }
    }

    fn requests(&mut self, at: Timestamp) -> Vec<CommandRequest> {
        (0..self.random.random_range(0..24)).map(|_| self.request(at)).collect()
    }

    fn request(&mut self, at: Timestamp) -> CommandRequest {
        self.requests += 1;
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
            10 => adjust(few, *[10, 50, 90].choose(&mut self.random).unwrap(), end),
            _ if self.random.random_range(0..2) == 0 => adjust(-few, 0, None),
            _ => CommandAction::WriteOff { credits: None },
        };
        let tenant = self.tenant();
        request_by(tenant, &format!("{} {}", self.seed, self.requests), action)
    }
}
