//! Everything known about one payment. It only ever grows: [`Knowledge::join`] is commutative, associative
//! and idempotent (maxima, unions, ranks, minima of claims), so the same facts lead to the same knowledge in
//! whatever order and however often they arrive (design section 3).
//! Not here: what it is worth (`entitlement`), and whether a claim is accepted (`judge`).

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
pub struct RefundFacts {
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
pub struct DisputeFacts {
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
    /// What it answered. [`crate::rule`] fills it in.
    #[serde(default)]
    pub answered: ReviewedFacts,
}

/// What the facts said by themselves when a person decided. Once they say something else, the person is asked
/// again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewedFacts {
    /// Why a person was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Who had been granted how many credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<(TenantId, Credits)>,
}

/// What a person may say of a quarantined payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// These credits, to this tenant; it counts as paid.
    Grant(Grant),
    /// No credits.
    Dismiss,
}

/// What a person grants for a payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Who gets the credits.
    pub tenant: TenantId,
    /// How many.
    pub credits: Credits,
    /// What was paid, in minor units, where the payment itself does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
    /// Three letters, lower case, where the payment itself does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The payment intent behind it, where no event has named it: by it, refunds and disputes are matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<ObjectId>,
    /// There is no payment intent: a person takes credits back when money goes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refunds_by_hand: bool,
    /// How parts of a credit are rounded when money goes back.
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
    /// Its payment intents; normally one, none where nothing was due.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub payment_intents: BTreeSet<ObjectId>,
    /// Its invoices, where it has any.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub invoices: BTreeSet<ObjectId>,
    /// The subscription that it began. A renewal is a payment of its own and is not listed under it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub subscriptions: BTreeSet<ObjectId>,
    /// What its objects claim was bought; the first counts.
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
    /// A session was completed; while it is not paid, a delayed payment is under way.
    #[serde(skip_serializing_if = "is_false")]
    pub completed: bool,
    /// A session expired.
    #[serde(skip_serializing_if = "is_false")]
    pub expired: bool,
    /// A delayed payment failed.
    #[serde(skip_serializing_if = "is_false")]
    pub async_failed: bool,
    /// A session carried none of our metadata. Unless another object does, it is a sale of something else.
    #[serde(skip_serializing_if = "is_false")]
    pub session_without_terms: bool,
    /// What the sessions said was due, in minor units; the most, should they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_total: Option<Minor>,
    /// The same before discounts and tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_subtotal: Option<Minor>,
    /// The currency of whatever was charged or sent back: three letters, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// No session arrived in time.
    #[serde(skip_serializing_if = "is_false")]
    pub session_overdue: bool,
    /// Money went back, and no purchase arrived in time.
    #[serde(skip_serializing_if = "is_false")]
    pub reversal_overdue: bool,
    /// The most that was ever said to be tax in what was to be paid, in minor units. It makes no credits;
    /// only reports of money ask for it.
    #[serde(skip_serializing_if = "Minor::is_zero")]
    pub tax: Minor,
    /// What its payment intents were to collect, in minor units; the most, should they differ.
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
    /// What a person decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
}

impl Knowledge {
    /// Learns all that `other` knows. The order of joins, and their number, make no difference.
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

    /// Adds a claim. Equal terms told twice are one claim, told by whoever said so first.
    pub fn join_claim(&mut self, claim: Claim) {
        claim::join(&mut self.claims, claim);
    }

    /// Whether both know the same, whichever event said it last.
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

    /// The id that names this payment: its payment intent, else its session, else its charge, else
    /// whatever it is known by so far.
    pub fn key(&self) -> Option<&ObjectId> {
        self.objects().next()
    }

    /// The claim that counts: of the first kind of object that has one, the earliest accepted, else the
    /// earliest rejected. Earliest by (created, event id), so that the order of arrival does not matter.
    pub fn claim(&self) -> Option<&Claim> {
        self.claims.first()
    }

    /// When it was bought, by Stripe's clock, in seconds: when the claim that counts was first told. Zero
    /// while no purchase is known.
    pub fn purchased_at(&self) -> i64 {
        self.claim().map_or(0, |claim| claim.first.created)
    }

    /// Whether this is a payment of ours: one of its objects carries our metadata, or a person said so.
    pub fn is_ours(&self) -> bool {
        !self.claims.is_empty() || self.ruling.is_some()
    }

    /// Whether a session of it is known, whatever its metadata says.
    pub fn session_known(&self) -> bool {
        self.session_without_terms
            || self.claim().is_some_and(|claim| claim.terms.source == ClaimSource::Session)
    }

    /// Whether it is known what was bought, accepted or not.
    pub fn purchase_known(&self) -> bool {
        self.ruling.is_some() || self.claim().is_some_and(|claim| claim.judgement != Judgement::Waiting)
    }

    /// What was collected from the customer so far, in minor units: by its charges or, where they tell less,
    /// by its payment intents.
    pub fn collected(&self) -> Minor {
        self.captured().max(self.received.values().copied().sum())
    }

    fn captured(&self) -> Minor {
        self.charges.values().map(|charge| charge.captured).sum()
    }

    /// What was to be paid, in minor units: by the session where one is known, else by the object that
    /// claims the purchase, else by its payment intents, else by its largest charge. Never less than the
    /// price for which a claim was accepted, unless a subtotal tells a discount.
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

    /// Whether it is paid: a session says so, or all that was due has been collected (design section 3,
    /// Paid).
    pub fn is_paid(&self) -> bool {
        let collected = self.collected();
        self.paid || (collected > Minor::ZERO && self.amount_due().is_some_and(|due| collected >= due))
    }

    /// Whether its refunds and disputes can be matched with it: they name its payment intent or its charge.
    pub fn is_linked(&self) -> bool {
        !self.payment_intents.is_empty() || !self.charges.is_empty()
    }

    /// Whether money of it went back, or is about to: a refund that did not fail, or a dispute that took
    /// funds and was not won.
    pub fn has_reversal(&self) -> bool {
        let refund =
            |refund: &RefundFacts| refund.amount > Minor::ZERO && refund.rank <= RefundRank::Succeeded;
        let dispute = |dispute: &DisputeFacts| dispute.withdrawn && dispute.outcome != DisputeOutcome::Won;
        self.refunds.values().any(refund)
            || self.charges.values().any(|charge| charge.refunded > Minor::ZERO)
            || self.disputes.values().any(dispute)
    }

    /// What the customer paid, in minor units: what its charges captured, else what was due once a session
    /// said that it is paid, else what its payment intents received, else what was due, else what a person
    /// said. Nothing where none of them is known.
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

    /// What was really taken from the customer, in minor units: unlike [`Self::amount_paid`], nothing while
    /// an amount is only due. Of a sale of something else only what was collected counts: nothing may link
    /// its session or its invoice with its charge, and all of them tell of the same money.
    pub fn amount_taken(&self) -> Minor {
        let paid = self.is_ours() && (self.is_paid() || self.invoice_paid);
        if paid { self.amount_paid() } else { self.collected() }
    }

    /// What a person granted, if the latest word is a grant.
    pub fn granted_by_hand(&self) -> Option<&Grant> {
        match self.ruling.as_ref().map(|ruling| &ruling.verdict) {
            Some(Verdict::Grant(grant)) => Some(grant),
            Some(Verdict::Dismiss) | None => None,
        }
    }

    /// The currency of its amounts, as far as anything says: three letters, lower case.
    pub fn currency(&self) -> Option<&str> {
        let claimed = self.claim().and_then(|claim| claim.terms.currency.as_deref());
        let by_hand = self.granted_by_hand().and_then(|grant| grant.currency.as_deref());
        let facts = claimed.into_iter().chain(self.currency.as_deref()).find(|text| is_currency(text));
        facts.or(by_hand).or(claimed)
    }

    /// The package that was bought, by its name.
    pub fn package(&self) -> Option<&str> {
        self.claim().and_then(|claim| claim.terms.package.as_deref())
    }

    /// Whose purchase it is, as far as anything says, accepted or not.
    pub fn tenant(&self) -> Option<TenantId> {
        self.granted_by_hand().map(|grant| grant.tenant).or_else(|| self.claim()?.tenant())
    }

    /// How many credits were bought, as far as anything says, accepted or not.
    pub fn credits(&self) -> Option<Credits> {
        self.granted_by_hand().map(|grant| grant.credits).or_else(|| self.claim()?.credits())
    }

    /// What the customer paid for the credits themselves, in minor units: without tax, as far as we were told
    /// of it.
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
