//! A naive model of section 3 of the design, written from its text and not from the code. It looks at *all*
//! events at once, has no joins, postings or differences, and counts whole credits one by one. After every
//! step of a random history, the ledger must agree with it.

use std::collections::{BTreeMap, BTreeSet};

use ledger::claim::ClaimSource;
use ledger::knowledge::{DisputeOutcome, RefundRank, Ruling, Verdict};
use ledger::{Fact, ObjectId};
use proptest::prelude::*;

use crate::history::{History, histories};
use crate::step::{Step, letter, tenant};
use crate::world::World;

/// All events and decisions about one payment.
#[derive(Default)]
struct Payment<'h> {
    objects: BTreeSet<&'h ObjectId>,
    facts: Vec<&'h Fact>,
    rulings: Vec<&'h Ruling>,
    /// Whether it has waited in vain.
    waited: bool,
}

/// Granted, revoked and frozen credits by tenant.
type Expected = BTreeMap<String, [i64; 3]>;

/// A claim: tenant and credits, and what is due according to its latest event.
struct Claim {
    /// None if it cannot be accepted.
    accepted: Option<(String, i64)>,
    due: Option<i64>,
}

impl Payment<'_> {
    /// The tenant that should have credits, and how many are granted, revoked and frozen.
    fn expected(&self) -> Option<(String, [i64; 3])> {
        let (tenant, granted) = self.granted()?;
        let paid = self.paid();
        let gone = self.gone(paid);
        let revoked = whole_credits(granted, gone, paid);
        let frozen = whole_credits(granted, (gone + self.pending()).min(paid), paid) - revoked;
        Some((tenant, [granted, revoked, frozen]))
    }

    /// As in a person's latest decision, else as in the claim that counts, if it is paid.
    fn granted(&self) -> Option<(String, i64)> {
        if let Some(ruling) = self.rulings.iter().max_by_key(|ruling| ruling.at) {
            return match &ruling.verdict {
                Verdict::Grant(grant) => Some((letter(grant.tenant), grant.credits.0)),
                Verdict::Dismiss => None,
            };
        }
        let claim = self.claim()?;
        let session_paid = self.facts.iter().any(|fact| fact.knowledge.paid);
        let collected = self.collected();
        let enough = collected > 0 && self.due().is_some_and(|due| collected >= due);
        claim.accepted.filter(|_| session_paid || enough)
    }

    /// The claim that counts: for the first kind of object that claims anything, the earliest claim that can
    /// be accepted, else the earliest. Claims of payment intents and charges wait while a session may still
    /// arrive.
    fn claim(&self) -> Option<Claim> {
        for source in [ClaimSource::Session, ClaimSource::PaymentIntent, ClaimSource::Charge] {
            let claims = self.claims(source);
            let Some(first) = claims.iter().find(|claim| claim.accepted.is_some()).or(claims.first()) else {
                continue;
            };
            let ready = source == ClaimSource::Session || self.waited || self.session_known();
            let accepted = first.accepted.clone().filter(|_| ready);
            return Some(Claim { accepted, due: first.due });
        }
        None
    }

    fn session_known(&self) -> bool {
        self.facts
            .iter()
            .filter_map(|fact| fact.claimed.as_ref())
            .any(|terms| terms.source == ClaimSource::Session)
    }

    /// The claims of one kind of object, the earliest first. The same tenant and credits are one claim.
    fn claims(&self, source: ClaimSource) -> Vec<Claim> {
        let mut facts: Vec<_> = self
            .facts
            .iter()
            .filter(|fact| {
                let terms = fact.claimed.as_ref();
                terms.is_some_and(|t| t.source == source && (t.tenant.is_some() || t.credits.is_some()))
            })
            .collect();
        facts.sort_by_key(|fact| (fact.event.created, fact.event.id.as_str()));
        let mut claims: Vec<(_, Claim)> = Vec::new();
        for fact in facts {
            let Some(terms) = &fact.claimed else { continue };
            let letters = ["A", "B", "C"].map(|one| (one, tenant(one).unwrap().to_string()));
            let known_tenant = letters.iter().find(|one| Some(&one.1) == terms.tenant.as_ref());
            let credits = terms.credits.as_ref().and_then(|text| text.parse().ok()).filter(|n| *n > 0_i64);
            let accepted = known_tenant.zip(credits).map(|(tenant, credits)| (tenant.0.to_owned(), credits));
            let due = terms.amount.map(|amount| amount.0);
            let name = (&terms.tenant, &terms.credits);
            match claims.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.due = due,
                None => claims.push((name, Claim { accepted, due })),
            }
        }
        claims.into_iter().map(|(_, claim)| claim).collect()
    }

    /// What is due: according to the session, if one is known.
    fn due(&self) -> Option<i64> {
        let by_sessions = self.facts.iter().filter_map(|fact| fact.knowledge.session_total).max();
        let claims_session = !self.claims(ClaimSource::Session).is_empty();
        let claimed = self.claim().and_then(|claim| claim.due);
        let by_sessions = by_sessions.map(|total| total.0);
        let due = if claims_session { claimed.or(by_sessions) } else { by_sessions.or(claimed) };
        let requested = self.facts.iter().filter_map(|fact| fact.knowledge.requested).max();
        let charges = self.facts.iter().flat_map(|fact| fact.knowledge.charges.values());
        due.or(requested.map(|amount| amount.0))
            .or_else(|| charges.map(|charge| charge.amount.0).max().filter(|amount| *amount > 0))
    }

    /// What the charges captured, or the payment intents received, whichever is more.
    fn collected(&self) -> i64 {
        let (captured, received) = self.taken();
        captured.max(received)
    }

    /// What the charges captured, and what the payment intents received.
    fn taken(&self) -> (i64, i64) {
        let (mut captured, mut received) = (BTreeMap::new(), BTreeMap::new());
        for fact in &self.facts {
            for (id, charge) in &fact.knowledge.charges {
                let most: &mut i64 = captured.entry(id).or_default();
                *most = charge.captured.0.max(*most);
            }
            for (id, amount) in &fact.knowledge.received {
                let most: &mut i64 = received.entry(id).or_default();
                *most = amount.0.max(*most);
            }
        }
        (captured.values().sum(), received.values().sum())
    }

    /// What was captured, else what was due if a session says that it is paid, else what was received, else
    /// what was due.
    fn paid(&self) -> i64 {
        let session_paid = self.facts.iter().any(|fact| fact.knowledge.paid);
        let due = self.due().unwrap_or(0);
        match self.taken() {
            (captured @ 1.., _) => captured,
            (_, received) if session_paid => due.max(received),
            (_, received @ 1..) => received,
            _ => due,
        }
    }

    /// Money that went back for good.
    fn gone(&self, paid: i64) -> i64 {
        let (mut settled, mut failed) = (0, 0);
        for (amount, rank) in self.refunds().into_values() {
            settled += if rank > RefundRank::Pending { amount } else { 0 };
            failed += if rank > RefundRank::Succeeded { amount } else { 0 };
        }
        let mut marks: BTreeMap<_, i64> = BTreeMap::new();
        for (id, charge) in self.facts.iter().flat_map(|fact| &fact.knowledge.charges) {
            let mark = marks.entry(id).or_default();
            *mark = charge.refunded.0.max(*mark);
        }
        let refunded = (settled.max(marks.values().sum()) - failed).clamp(0, paid);
        let disputes = self.disputes();
        let lost = disputes.values().filter(|dispute| dispute.1 == DisputeOutcome::Lost);
        (refunded + lost.map(|dispute| dispute.0).sum::<i64>()).min(paid)
    }

    /// Money that may still go back.
    fn pending(&self) -> i64 {
        let refunds = self.refunds();
        let pending = refunds.values().filter(|refund| refund.1 == RefundRank::Pending);
        let disputes = self.disputes();
        let open = disputes.values().filter(|dispute| dispute.1 == DisputeOutcome::Open && dispute.2);
        pending.map(|refund| refund.0).sum::<i64>() + open.map(|dispute| dispute.0).sum::<i64>()
    }

    /// The largest amount and the highest rank of each refund.
    fn refunds(&self) -> BTreeMap<&ObjectId, (i64, RefundRank)> {
        let mut refunds = BTreeMap::new();
        for (id, refund) in self.facts.iter().flat_map(|fact| &fact.knowledge.refunds) {
            let known = refunds.entry(id).or_insert((0, RefundRank::Pending));
            *known = (known.0.max(refund.amount.0), known.1.max(refund.rank));
        }
        refunds
    }

    /// The cost of each dispute, its highest outcome, and whether its funds were withdrawn.
    fn disputes(&self) -> BTreeMap<&ObjectId, (i64, DisputeOutcome, bool)> {
        let mut all: BTreeMap<&ObjectId, (i64, i64, DisputeOutcome, bool)> = BTreeMap::new();
        for (id, dispute) in self.facts.iter().flat_map(|fact| &fact.knowledge.disputes) {
            let known = all.entry(id).or_default();
            known.0 = known.0.max(dispute.amount.0);
            known.1 = known.1.max(dispute.reinstated.0);
            known.2 = known.2.max(dispute.outcome);
            known.3 |= dispute.withdrawn;
        }
        all.into_iter().map(|(id, d)| (id, ((d.0 - d.1).max(0), d.2, d.3))).collect()
    }
}

/// The largest number of credits whose share of `whole` does not exceed `part`.
fn whole_credits(credits: i64, part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    (0..=credits).rev().find(|n| n * whole <= credits * part).unwrap_or(0)
}

/// Groups the steps by payment: steps that share an object are about the same one.
fn payments<'h>(steps: &[&'h Step]) -> Vec<Payment<'h>> {
    let mut payments: Vec<Payment<'h>> = Vec::new();
    for step in steps {
        let mut here = Payment::default();
        match step {
            Step::Fact(fact) => {
                here.objects.extend(fact.knowledge.objects());
                here.facts.push(fact);
            }
            Step::Rule(key, ruling) => {
                here.objects.insert(key);
                here.rulings.push(ruling);
            }
            Step::Wait(key) => {
                here.objects.insert(key);
                here.waited = true;
            }
            _ => continue,
        }
        let (same, others): (Vec<_>, Vec<_>) =
            payments.into_iter().partition(|payment| !payment.objects.is_disjoint(&here.objects));
        payments = others;
        for payment in same {
            here.objects.extend(payment.objects);
            here.facts.extend(payment.facts);
            here.rulings.extend(payment.rulings);
            here.waited |= payment.waited;
        }
        payments.push(here);
    }
    payments
}

fn expected(steps: &[&Step]) -> Expected {
    let mut expected = Expected::new();
    for (tenant, columns) in payments(steps).iter().filter_map(Payment::expected) {
        let sums = expected.entry(tenant).or_default();
        sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += column);
    }
    expected.retain(|_, columns| *columns != [0; 3]);
    expected
}

/// What the ledger has granted and revoked for purchases, and its freeze targets. Checks that its net
/// balances agree with that.
fn posted(world: &World) -> Expected {
    let mut posted = Expected::new();
    for lot in world.book.lots.values().filter(|lot| lot.payment.is_some()) {
        let sums = posted.entry(letter(lot.tenant)).or_default();
        let columns = [lot.granted.0, lot.revoked.0, lot.freeze_target.0];
        sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += column);
    }
    for (letter, net) in world.net_before_commands() {
        let [granted, revoked, _] = posted[&letter];
        assert_eq!(net, granted - revoked, "{letter}");
    }
    posted.retain(|_, columns| *columns != [0; 3]);
    posted
}

fn check(history: &History) -> Result<(), TestCaseError> {
    let mut world = World::default();
    let mut taken = Vec::new();
    for step in history.steps() {
        // Refused decisions, and steps about unknown payments, have no effect.
        let outcome = world.take(step).outcome;
        if !["unknown", "refused", "waits_for_nothing"].contains(&outcome.as_str()) {
            taken.push(step);
        }
        prop_assert_eq!(posted(&world), expected(&taken), "after {:?}", step);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_ledger_agrees_with_the_reference_model(history in histories()) {
        check(&history)?;
    }
}
