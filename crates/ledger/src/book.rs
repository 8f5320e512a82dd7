//! The part of the ledger that a batch of decisions reads and changes: the touched payments, their tenants
//! and lots, and the ends of the counters. A store loads it, decisions change it in memory one after the
//! other, and the store writes what they decided, in one commit (design section 4, rules 1 and 2).

use std::collections::BTreeMap;

use crate::chain::GENESIS;
use crate::hold::Hold;
use crate::ids::{HoldId, LotId, ObjectId, PaymentId, TenantId, Timestamp};
use crate::knowledge::Knowledge;
use crate::money::Credits;
use crate::notice::Notice;
use crate::posting::{Balance, Transaction};

/// One tenant's totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Who.
    pub id: TenantId,
    /// The sum of its lots, and what it owes.
    pub balance: Balance,
    /// It wants to be told when fewer than so many are available.
    pub low_balance: Option<Credits>,
}

/// How purchases stand in the burn order. An operator's grant may burn before or after them.
pub const PRIORITY_OF_PURCHASES: u8 = 50;

/// The credits of one payment, to one tenant, or those of an operator's grant. All figures but
/// `freeze_target` are folds of postings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its name.
    pub id: LotId,
    /// Whose credits.
    pub tenant: TenantId,
    /// The payment that bought them; none for an operator's grant.
    pub payment: Option<PaymentId>,
    /// When they were bought, by Stripe's clock, or granted, by ours; in seconds. Part of the burn order. An
    /// earlier event about the same purchase that arrives later makes it earlier: the burn order does not
    /// depend on delivery.
    pub purchased_at: i64,
    /// Granted in all.
    pub granted: Credits,
    /// Revoked in all; may have been met from other lots or from debt.
    pub revoked: Credits,
    /// Spendable.
    pub available: Credits,
    /// Set aside by holds.
    pub held: Credits,
    /// Set aside by pending refunds and open disputes.
    pub frozen: Credits,
    /// How many should be frozen. Credits that return to the lot meet it first.
    pub freeze_target: Credits,
    /// From 0 to 100; the smallest burns first.
    pub priority: u8,
    /// When its credits end; never, for what was bought.
    pub expires_at: Option<Timestamp>,
}

impl Lot {
    /// Spends burn lots in this order, which is total: priority, expiry, purchase time, lot id (design
    /// section 3, Spend and hold).
    pub fn burn_order(&self) -> (u8, Timestamp, i64, LotId) {
        let ends = self.expires_at.unwrap_or(Timestamp(i64::MAX));
        (self.priority, ends, self.purchased_at, self.id)
    }
}

/// One payment: what is known of it, under one id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its name in the store.
    pub id: PaymentId,
    /// Everything known about it.
    pub knowledge: Knowledge,
}

/// What to write: final values, not instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The payment as it is now known.
    pub payment: Option<Payment>,
    /// Payments that turned out to be the same one; their lots and aliases now belong to it.
    pub absorbed: Vec<PaymentId>,
    /// Lots that changed.
    pub lots: Vec<Lot>,
    /// Tenants that changed.
    pub tenants: Vec<Tenant>,
    /// Holds that were made or changed.
    pub holds: Vec<Hold>,
    /// What to add to the journal.
    pub transactions: Vec<Transaction>,
    /// What to tell others, in the order in which it happened.
    pub notices: Vec<Notice>,
}

/// The loaded part of the ledger.
#[derive(Clone, Debug)]
pub struct Book {
    /// Touched payments.
    pub payments: BTreeMap<PaymentId, Payment>,
    /// Which payment an object belongs to, for the objects that this batch names.
    pub aliases: BTreeMap<ObjectId, PaymentId>,
    /// Touched tenants that exist. One that is missing here is new.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// The lots of touched payments, and of touched tenants as many as the batch may need, in burn order.
    pub lots: BTreeMap<LotId, Lot>,
    /// The holds that commands name, and those of touched tenants whose time is up; with the lots of both,
    /// and all lots of the payments that bought them.
    pub holds: BTreeMap<HoldId, Hold>,
    /// When the last transaction was made. Time in the ledger never goes back, whatever a clock does.
    pub clock: Timestamp,
    /// The id that the next new payment gets.
    pub next_payment: PaymentId,
    /// The id that the next new lot gets.
    pub next_lot: LotId,
    /// The place in the journal of the next transaction.
    pub next_seq: i64,
    /// The hash of the last transaction.
    pub head: [u8; 32],
}

impl Default for Book {
    fn default() -> Self {
        Self {
            payments: BTreeMap::new(),
            aliases: BTreeMap::new(),
            tenants: BTreeMap::new(),
            lots: BTreeMap::new(),
            holds: BTreeMap::new(),
            clock: Timestamp(i64::MIN),
            next_payment: PaymentId(1),
            next_lot: LotId(1),
            next_seq: 1,
            head: GENESIS,
        }
    }
}

impl Book {
    /// Carries out what was decided. Cannot fail: changes are final values, not instructions.
    pub fn apply(&mut self, changes: &Changes) {
        for gone in &changes.absorbed {
            self.payments.remove(gone);
        }
        if let Some(payment) = &changes.payment {
            let objects = payment.knowledge.objects().cloned();
            self.aliases.extend(objects.map(|object| (object, payment.id)));
            self.next_payment = self.next_payment.max(PaymentId(payment.id.0 + 1));
            self.payments.insert(payment.id, payment.clone());
        }
        for lot in &changes.lots {
            self.next_lot = self.next_lot.max(LotId(lot.id.0 + 1));
            self.lots.insert(lot.id, lot.clone());
        }
        self.holds.extend(changes.holds.iter().map(|hold| (hold.id, hold.clone())));
        self.tenants.extend(changes.tenants.iter().map(|tenant| (tenant.id, *tenant)));
        if let Some(last) = changes.transactions.last() {
            self.next_seq = last.seq + 1;
            self.head = last.hash;
            self.clock = last.at;
        }
    }
}
