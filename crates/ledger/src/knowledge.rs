//! Everything known about one payment. It only ever grows: [`Knowledge::join`] is commutative, associative
//! and idempotent (maxima, unions, ranks, minima of claims), so the same facts lead to the same knowledge in
//! whatever order and however often they arrive (design section 3).
//! Not here: what it is worth (`entitlement`), and whether a claim may be believed (`offer`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, ObjectId, TenantId, Timestamp};
use crate::money::{Credits, Minor};
use crate::outcome::Reason;

/// Who told us, and when it happened by Stripe's clock. Ordered by time, then id: where two claims
/// contradict each other the smallest counts, whichever arrived first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// Seconds since 1970-01-01 UTC, from the event's `created`.
    pub created: i64,
    /// The event that said so.
    pub event: EventId,
}

/// What a checkout session sold, to whom: terms that were judged and may be believed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Terms {
    /// Who gets the credits.
    pub tenant: TenantId,
    /// How many.
    pub credits: Credits,
    /// The package's name, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Three letters, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// `amount_total`: what was to be paid, tax included, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
}

/// Terms, and the earliest event that named them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What was sold.
    pub terms: Terms,
    /// Who said so first.
    pub told: Told,
}

/// Terms that were not believed, and why. Kept, because a person may overrule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedClaim {
    /// Why not.
    pub reason: Reason,
    /// The terms: none where tenant or credits are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// The tenant, which may be known where the terms are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// `amount_total` in minor units; known even where the terms are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
    /// Who said so first.
    pub told: Told,
}

/// One charge: an attempt to take the money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Charge {
    /// The most that was ever seen captured, in minor units.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub captured: Minor,
    /// The highest `amount_refunded` seen, less what was authorised and never captured. Minor units.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub refunded: Minor,
    /// The charge succeeded.
    #[serde(skip_serializing_if = "is_false")]
    pub succeeded: bool,
    /// The attempt failed. Never a veto: a later attempt may succeed.
    #[serde(skip_serializing_if = "is_false")]
    pub failed: bool,
}

/// How far a refund has come. Later ranks override earlier ones; failed and canceled mean the same to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundRank {
    /// `pending` or `requires_action`: the money has not left yet. Credits freeze.
    Pending,
    /// The customer has the money. Credits are revoked.
    Succeeded,
    /// The money came back. Credits are restored.
    Failed,
    /// Called off. Credits are restored.
    Canceled,
}

/// One refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Minor units.
    pub amount: Minor,
    /// How far it has come.
    pub rank: RefundRank,
}

/// How a dispute ended, if it did. A late win after a loss is legal, so won outranks lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// Nobody knows yet.
    #[default]
    Open,
    /// The money is gone, except what was reinstated.
    Lost,
    /// Won, or closed without loss: warning closed, prevented, refunded.
    Won,
}

/// One dispute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dispute {
    /// Minor units; may differ from the charge.
    pub amount: Minor,
    /// How it ended.
    pub outcome: DisputeOutcome,
    /// Stripe took the money while the dispute runs. False for a mere inquiry (`warning_*`).
    #[serde(skip_serializing_if = "is_false")]
    pub withdrawn: bool,
    /// What Stripe gave back of it, in minor units.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub reinstated: Minor,
}

/// A person's word on a quarantined payment. The latest counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ruling {
    /// When it was given, by our clock.
    pub at: Timestamp,
    /// Who gave it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The word itself.
    pub verdict: Verdict,
}

/// What a person may say of a quarantined payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// These credits, to this tenant; it counts as paid.
    Grant {
        /// Who gets them.
        tenant: TenantId,
        /// How many.
        credits: Credits,
    },
    /// No credits.
    Dismiss,
}

/// Everything known about one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Knowledge {
    /// Its checkout sessions; normally one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub sessions: BTreeSet<ObjectId>,
    /// Its payment intents; normally one, none where nothing was due.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub payment_intents: BTreeSet<ObjectId>,
    /// Believed claims, smallest `told` first; two of them contradict each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// Claims that were not believed, smallest `told` first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedClaim>,
    /// A session was `paid` or `no_payment_required`, or its delayed payment succeeded.
    #[serde(skip_serializing_if = "is_false")]
    pub paid: bool,
    /// A session was completed; while it is not paid, a delayed payment is under way.
    #[serde(skip_serializing_if = "is_false")]
    pub completed: bool,
    /// A session expired.
    #[serde(skip_serializing_if = "is_false")]
    pub expired: bool,
    /// A delayed payment failed.
    #[serde(skip_serializing_if = "is_false")]
    pub async_failed: bool,
    /// A session carried none of our metadata: a sale of something else.
    #[serde(skip_serializing_if = "is_false")]
    pub unrelated: bool,
    /// The most that was ever said to be tax in what was to be paid, in minor units. It makes no credits;
    /// only reports of money ask for it.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub tax: Minor,
    /// Charges by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub charges: BTreeMap<ObjectId, Charge>,
    /// Refunds by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<ObjectId, Refund>,
    /// Disputes by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<ObjectId, Dispute>,
    /// Early fraud warnings: no money moved, but a person should know.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub warnings: BTreeSet<ObjectId>,
    /// What a person decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
}

impl Knowledge {
    /// Learns all that `other` knows. The order of joins, and their number, make no difference.
    pub fn join(&mut self, other: Knowledge) {
        self.sessions.extend(other.sessions);
        self.payment_intents.extend(other.payment_intents);
        other.claims.into_iter().for_each(|claim| self.join_claim(claim));
        other.refused.into_iter().for_each(|claim| self.join_refused(claim));
        self.paid |= other.paid;
        self.completed |= other.completed;
        self.expired |= other.expired;
        self.async_failed |= other.async_failed;
        self.unrelated |= other.unrelated;
        self.tax = self.tax.max(other.tax);
        for (id, charge) in other.charges {
            self.charges.entry(id).or_default().join(charge);
        }
        for (id, refund) in other.refunds {
            let none = Refund { amount: Minor::ZERO, ..refund };
            let known = self.refunds.entry(id).or_insert(none);
            known.amount = known.amount.max(refund.amount);
            known.rank = known.rank.max(refund.rank);
        }
        for (id, dispute) in other.disputes {
            self.disputes.entry(id).or_default().join(dispute);
        }
        self.warnings.extend(other.warnings);
        self.ruling = self.ruling.take().max(other.ruling);
    }

    /// Adds a believed claim. The same terms told twice are one claim, told by whoever said so first.
    pub fn join_claim(&mut self, claim: Claim) {
        match self.claims.iter_mut().find(|known| known.terms == claim.terms) {
            Some(known) => known.told = known.told.clone().min(claim.told),
            None => self.claims.push(claim),
        }
        self.claims.sort_by(|a, b| (&a.told, &a.terms).cmp(&(&b.told, &b.terms)));
    }

    /// Adds a claim that was not believed.
    pub fn join_refused(&mut self, claim: RefusedClaim) {
        let same = |known: &&mut RefusedClaim| {
            (known.reason, &known.terms, known.tenant, known.amount)
                == (claim.reason, &claim.terms, claim.tenant, claim.amount)
        };
        match self.refused.iter_mut().find(same) {
            Some(known) => known.told = known.told.clone().min(claim.told),
            None => self.refused.push(claim),
        }
        self.refused.sort_by(|a, b| {
            let key = |c: &'_ RefusedClaim| (c.told.clone(), c.reason, c.terms.clone(), c.tenant, c.amount);
            key(a).cmp(&key(b))
        });
    }

    /// Every Stripe object that is part of this payment: its aliases.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectId> {
        (self.payment_intents.iter())
            .chain(&self.sessions)
            .chain(self.charges.keys())
            .chain(self.refunds.keys())
            .chain(self.disputes.keys())
            .chain(&self.warnings)
    }

    /// The id that names this payment: its payment intent, else its session, else its charge, else
    /// whatever it is known by so far.
    pub fn key(&self) -> Option<&ObjectId> {
        self.objects().next()
    }

    /// The claim that counts: the one with the smallest (created, event id), so that arrival order does not
    /// matter.
    pub fn claim(&self) -> Option<&Claim> {
        self.claims.first()
    }

    /// When it was bought, by Stripe's clock, in seconds: when the claim that counts was first told, else the
    /// first that was not believed. Zero while no purchase is known.
    pub fn purchased_at(&self) -> i64 {
        let refused = || self.refused.first().map(|claim| &claim.told);
        self.claim().map(|claim| &claim.told).or_else(refused).map_or(0, |told| told.created)
    }

    /// Whether anything tells us what was bought, believed or not.
    pub fn purchase_known(&self) -> bool {
        !self.claims.is_empty() || !self.refused.is_empty() || self.ruling.is_some()
    }

    /// What the customer paid, in minor units: what the charges captured, else what the session said was
    /// due. Nothing where neither is known.
    pub fn amount_paid(&self) -> Minor {
        let captured: Minor = self.charges.values().map(|charge| charge.captured).sum();
        if captured > Minor::ZERO {
            return captured;
        }
        let claimed = self.claim().map(|claim| claim.terms.amount);
        claimed.or_else(|| self.refused.first().map(|claim| claim.amount)).flatten().unwrap_or_default()
    }

    /// What the customer paid for the credits themselves, in minor units: without tax, as far as we were told
    /// of it.
    pub fn net_price(&self) -> Minor {
        self.amount_paid().less(self.tax)
    }
}

impl Charge {
    fn join(&mut self, other: Charge) {
        self.captured = self.captured.max(other.captured);
        self.refunded = self.refunded.max(other.refunded);
        self.succeeded |= other.succeeded;
        self.failed |= other.failed;
    }
}

impl Dispute {
    fn join(&mut self, other: Dispute) {
        self.amount = self.amount.max(other.amount);
        self.outcome = self.outcome.max(other.outcome);
        self.withdrawn |= other.withdrawn;
        self.reinstated = self.reinstated.max(other.reinstated);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands skip_serializing_if a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
