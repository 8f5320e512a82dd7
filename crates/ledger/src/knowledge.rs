//! Everything known about one payment. It only ever grows: [`Knowledge::join`] is commutative, associative
//! and idempotent (maxima, unions, ranks, minima of claims), so the same facts lead to the same knowledge in
//! whatever order and however often they arrive (design section 3).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::claim::{self, Claim, ClaimSource, Judgement, is_currency};
use crate::ids::{ObjectId, TenantId, Timestamp};
use crate::money::{Credits, Minor, Rounding};
use crate::outcome::Reason;

/// One charge: an attempt to take the money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChargeFacts {
    /// What was authorised, in minor units.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub amount: Minor,
    /// The largest captured amount seen, in minor units.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub captured: Minor,
    /// The largest `amount_refunded` seen, less what was authorised but never captured. Minor units.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub refunded: Minor,
    /// The charge succeeded.
    #[serde(skip_serializing_if = "is_false")]
    pub succeeded: bool,
    /// The attempt failed. A later attempt may still succeed.
    #[serde(skip_serializing_if = "is_false")]
    pub failed: bool,
}

/// The state of a refund. Later ranks override earlier ones; failed and canceled have the same effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundRank {
    /// `pending` or `requires_action`: the money has not left yet. Credits freeze.
    Pending,
    /// The customer has the money. Credits are revoked.
    Succeeded,
    /// The money came back. Credits are restored.
    Failed,
    /// The refund was canceled. Credits are restored.
    Canceled,
}

/// One refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFacts {
    /// Minor units.
    pub amount: Minor,
    /// Its state.
    pub rank: RefundRank,
}

/// How a dispute ended, if it did. A lost dispute can still be won later, so won outranks lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// Not decided yet.
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
pub struct DisputeFacts {
    /// Minor units; may differ from the charge.
    pub amount: Minor,
    /// How it ended.
    pub outcome: DisputeOutcome,
    /// Stripe withdrew the funds while the dispute is open. False for an inquiry (`warning_*`).
    #[serde(skip_serializing_if = "is_false")]
    pub withdrawn: bool,
    /// What Stripe reinstated of them, in minor units.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub reinstated: Minor,
}

/// A person's decision about a quarantined payment. The latest counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ruling {
    /// When it was made, by our clock.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The decision itself.
    pub verdict: Verdict,
    /// The facts that it was based on. [`crate::rule`] fills them in.
    #[serde(default)]
    pub answered: ReviewedFacts,
}

/// What the facts said by themselves when a person decided. If they say something else later, the payment
/// needs a person again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewedFacts {
    /// Why a person was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Which tenant the facts granted how many credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<(TenantId, Credits)>,
}

/// What a person can decide about a quarantined payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Grant these credits to this tenant. The payment counts as paid.
    Grant(Grant),
    /// Grant no credits.
    Dismiss,
}

/// What a person grants for a payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The tenant that gets the credits.
    pub tenant: TenantId,
    /// How many.
    pub credits: Credits,
    /// What was paid, in minor units, if no event says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
    /// The currency, three letters, lower case, if no event says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The payment intent, if no event names it. Refunds and disputes are matched by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<ObjectId>,
    /// There is no payment intent: a person takes credits back when money goes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refunds_by_hand: bool,
    /// How fractions of a credit are rounded when money goes back.
    #[serde(default)]
    pub rounding: Rounding,
}

/// Everything known about one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Knowledge {
    /// Its checkout sessions; normally one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub sessions: BTreeSet<ObjectId>,
    /// Its payment intents; normally one, none if nothing was due.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub payment_intents: BTreeSet<ObjectId>,
    /// Its invoices, if any.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub invoices: BTreeSet<ObjectId>,
    /// The subscription that it started. A renewal is a payment of its own and does not name the
    /// subscription.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub subscriptions: BTreeSet<ObjectId>,
    /// What its objects claim was bought. The first claim counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// A session was `paid`, or `no_payment_required` over a total of 0, or its delayed payment succeeded.
    #[serde(skip_serializing_if = "is_false")]
    pub paid: bool,
    /// An invoice, or a session in subscription mode, was paid with money.
    #[serde(skip_serializing_if = "is_false")]
    pub invoice_paid: bool,
    /// A completed session had a `payment_status` that may or may not mean paid.
    #[serde(skip_serializing_if = "is_false")]
    pub status_unknown: bool,
    /// A session was completed. While it is not paid, a delayed payment is under way.
    #[serde(skip_serializing_if = "is_false")]
    pub completed: bool,
    /// A session expired.
    #[serde(skip_serializing_if = "is_false")]
    pub expired: bool,
    /// A delayed payment failed.
    #[serde(skip_serializing_if = "is_false")]
    pub async_failed: bool,
    /// A session carried none of our metadata. Unless another object does, this is a sale of something else.
    #[serde(skip_serializing_if = "is_false")]
    pub session_without_terms: bool,
    /// What was due according to the sessions, in minor units; the largest, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_total: Option<Minor>,
    /// The same before discounts and tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_subtotal: Option<Minor>,
    /// The currency that was charged or refunded: three letters, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// No session arrived in time.
    #[serde(skip_serializing_if = "is_false")]
    pub session_overdue: bool,
    /// Money went back, and no purchase arrived in time.
    #[serde(skip_serializing_if = "is_false")]
    pub reversal_overdue: bool,
    /// The largest tax amount reported, in minor units. It does not affect credits; only reports of money use
    /// it.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub tax: Minor,
    /// What its payment intents were to collect, in minor units; the largest, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<Minor>,
    /// What each payment intent received, in minor units.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub received: BTreeMap<ObjectId, Minor>,
    /// Charges by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub charges: BTreeMap<ObjectId, ChargeFacts>,
    /// Refunds by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<ObjectId, RefundFacts>,
    /// Disputes by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<ObjectId, DisputeFacts>,
    /// Early fraud warnings: no money moved, but a person should know.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub warnings: BTreeSet<ObjectId>,
    /// A person's decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
}

impl Knowledge {
    /// Adds everything in `other`. The order and the number of joins make no difference.
    pub fn join(&mut self, other: Knowledge) {
        self.sessions.extend(other.sessions);
        self.payment_intents.extend(other.payment_intents);
        self.invoices.extend(other.invoices);
        self.subscriptions.extend(other.subscriptions);
        other.claims.into_iter().for_each(|claim| self.join_claim(claim));
        self.paid |= other.paid;
        self.invoice_paid |= other.invoice_paid;
        self.status_unknown |= other.status_unknown;
        self.completed |= other.completed;
        self.expired |= other.expired;
        self.async_failed |= other.async_failed;
        self.session_without_terms |= other.session_without_terms;
        self.session_total = self.session_total.max(other.session_total);
        self.session_subtotal = self.session_subtotal.max(other.session_subtotal);
        self.currency = match (self.currency.take(), other.currency) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.session_overdue |= other.session_overdue;
        self.reversal_overdue |= other.reversal_overdue;
        self.tax = self.tax.max(other.tax);
        self.requested = self.requested.max(other.requested);
        for (id, amount) in other.received {
            let known = self.received.entry(id).or_default();
            *known = amount.max(*known);
        }
        for (id, charge) in other.charges {
            self.charges.entry(id).or_default().join(charge);
        }
        for (id, refund) in other.refunds {
            let none = RefundFacts { amount: Minor::ZERO, ..refund };
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

    /// Adds a claim. Equal terms from several events are one claim.
    pub fn join_claim(&mut self, claim: Claim) {
        claim::join(&mut self.claims, claim);
    }

    /// Whether both contain the same knowledge, ignoring which event stated a claim last.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let undated = |known: &Self| {
            let mut known = known.clone();
            known.claims.iter_mut().for_each(|claim| claim.latest = claim.first.clone());
            known
        };
        self == other || undated(self) == undated(other)
    }

    /// Every Stripe object that is part of this payment: its aliases.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectId> {
        (self.payment_intents.iter())
            .chain(&self.sessions)
            .chain(self.charges.keys())
            .chain(self.refunds.keys())
            .chain(self.disputes.keys())
            .chain(&self.warnings)
            .chain(&self.invoices)
            .chain(&self.subscriptions)
    }

    /// The id that identifies this payment: its payment intent, else its session, else its charge, else any
    /// other object known so far.
    pub fn key(&self) -> Option<&ObjectId> {
        self.objects().next()
    }

    /// The claim that counts: for the first kind of object that has one, the earliest accepted, else the
    /// earliest rejected. Earliest by (created, event id), so that the order of arrival does not matter.
    pub fn claim(&self) -> Option<&Claim> {
        self.claims.first()
    }

    /// When it was bought, by Stripe's clock, in seconds: the time of the first event with the claim that
    /// counts. Zero while no purchase is known.
    pub fn purchased_at(&self) -> i64 {
        self.claim().map_or(0, |claim| claim.first.created)
    }

    /// Whether this is one of our payments: one of its objects carries our metadata, or a person decided so.
    pub fn is_ours(&self) -> bool {
        !self.claims.is_empty() || self.ruling.is_some()
    }

    /// Whether a session is known, with or without our metadata.
    pub fn session_known(&self) -> bool {
        self.session_without_terms
            || self.claim().is_some_and(|claim| claim.terms.source == ClaimSource::Session)
    }

    /// Whether it is known what was bought, accepted or not.
    pub fn purchase_known(&self) -> bool {
        self.ruling.is_some() || self.claim().is_some_and(|claim| claim.judgement != Judgement::Waiting)
    }

    /// What was collected from the customer so far, in minor units: by its charges or by its payment intents,
    /// whichever is more.
    pub fn collected(&self) -> Minor {
        self.captured().max(self.received.values().copied().sum())
    }

    fn captured(&self) -> Minor {
        self.charges.values().map(|charge| charge.captured).sum()
    }

    /// What is due, in minor units: according to the session if one is known, else to the object that claims
    /// the purchase, else to its payment intents, else to its largest charge. Never less than the price for
    /// which a claim was accepted, unless a subtotal shows a discount.
    pub fn amount_due(&self) -> Option<Minor> {
        let claim = self.claim();
        let claimed = claim.and_then(|claim| claim.terms.amount);
        let due = match claim {
            Some(claim) if claim.terms.source == ClaimSource::Session => claimed.or(self.session_total),
            _ => self.session_total.or(claimed),
        };
        let authorised = || self.charges.values().map(|charge| charge.amount).max();
        let due = due.or(self.requested).or_else(|| authorised().filter(|amount| *amount > Minor::ZERO));
        let price = claim.and_then(|claim| match claim.judgement {
            Judgement::Accepted { price, .. } => price,
            Judgement::Waiting | Judgement::Rejected(_) => None,
        });
        let discounted = self.session_subtotal.or(claim.and_then(|claim| claim.terms.subtotal)).is_some();
        if discounted { due } else { due.max(price) }
    }

    /// Whether it is paid: a session says so, or everything due was collected (design section 3, Paid).
    pub fn is_paid(&self) -> bool {
        let collected = self.collected();
        self.paid || (collected > Minor::ZERO && self.amount_due().is_some_and(|due| collected >= due))
    }

    /// Whether refunds and disputes, which name a payment intent or a charge, can be matched with it.
    pub fn is_linked(&self) -> bool {
        !self.payment_intents.is_empty() || !self.charges.is_empty()
    }

    /// Whether money went back or is about to: a refund that did not fail, or a dispute that withdrew funds
    /// and was not won.
    pub fn has_reversal(&self) -> bool {
        let refund =
            |refund: &RefundFacts| refund.amount > Minor::ZERO && refund.rank <= RefundRank::Succeeded;
        let dispute = |dispute: &DisputeFacts| dispute.withdrawn && dispute.outcome != DisputeOutcome::Won;
        self.refunds.values().any(refund)
            || self.charges.values().any(|charge| charge.refunded > Minor::ZERO)
            || self.disputes.values().any(dispute)
    }

    /// What the customer paid, in minor units: what its charges captured, else what was due if a session says
    /// that it is paid, else what its payment intents received, else what was due, else what a person
    /// entered. Zero if none of these is known.
    pub fn amount_paid(&self) -> Minor {
        let captured = self.captured();
        if captured > Minor::ZERO {
            return captured;
        }
        let received = self.received.values().copied().sum();
        let said = || self.granted_by_hand().and_then(|grant| grant.amount);
        match self.amount_due() {
            Some(due) if self.paid => due.max(received),
            _ if received > Minor::ZERO => received,
            due => due.or_else(said).unwrap_or_default(),
        }
    }

    /// What was actually taken from the customer, in minor units: unlike [`Self::amount_paid`], zero while an
    /// amount is only due. For a sale of something else only collected money counts: its session or invoice
    /// may not be linked with its charge, and the same money would be counted twice.
    pub fn amount_taken(&self) -> Minor {
        let paid = self.is_ours() && (self.is_paid() || self.invoice_paid);
        if paid { self.amount_paid() } else { self.collected() }
    }

    /// What a person granted, if the latest decision is a grant.
    pub fn granted_by_hand(&self) -> Option<&Grant> {
        match self.ruling.as_ref().map(|ruling| &ruling.verdict) {
            Some(Verdict::Grant(grant)) => Some(grant),
            Some(Verdict::Dismiss) | None => None,
        }
    }

    /// The currency of its amounts, if known: three letters, lower case.
    pub fn currency(&self) -> Option<&str> {
        let claimed = self.claim().and_then(|claim| claim.terms.currency.as_deref());
        let by_hand = self.granted_by_hand().and_then(|grant| grant.currency.as_deref());
        let facts = claimed.into_iter().chain(self.currency.as_deref()).find(|text| is_currency(text));
        facts.or(by_hand).or(claimed)
    }

    /// The name of the package that was bought.
    pub fn package(&self) -> Option<&str> {
        self.claim().and_then(|claim| claim.terms.package.as_deref())
    }

    /// The tenant of the purchase, if known, accepted or not.
    pub fn tenant(&self) -> Option<TenantId> {
        self.granted_by_hand().map(|grant| grant.tenant).or_else(|| self.claim()?.tenant())
    }

    /// The number of credits bought, if known, accepted or not.
    pub fn credits(&self) -> Option<Credits> {
        self.granted_by_hand().map(|grant| grant.credits).or_else(|| self.claim()?.credits())
    }

    /// What the customer paid for the credits, in minor units: without tax, if the tax is known.
    pub fn net_price(&self) -> Minor {
        self.amount_paid().less(self.tax)
    }
}

impl ChargeFacts {
    fn join(&mut self, other: ChargeFacts) {
        self.amount = self.amount.max(other.amount);
        self.captured = self.captured.max(other.captured);
        self.refunded = self.refunded.max(other.refunded);
        self.succeeded |= other.succeeded;
        self.failed |= other.failed;
    }
}

impl DisputeFacts {
    fn join(&mut self, other: DisputeFacts) {
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
