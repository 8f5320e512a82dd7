//! The part of the ledger that a batch of decisions reads and changes: the affected payments, their tenants
//! and lots, and the next free ids. The store loads it, decisions change it in memory one after the other,
//! and the store writes the results in one commit (design section 4, rules 1 and 2).

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
    /// Its id.
    pub id: TenantId,
    /// The sums over its lots, and its debt.
    pub balance: Balance,
    /// Send `balance.low` when fewer credits than this are available.
    pub low_balance: Option<Credits>,
}

impl Tenant {
    /// A tenant without credits or debt.
    pub fn new(id: TenantId) -> Self {
        Self { id, balance: Balance::default(), low_balance: None }
    }
}

/// The priority of purchased lots in the burn order. An operator's grant may burn before or after them.
pub const PURCHASE_PRIORITY: u8 = 50;

/// The credits that one payment, or one operator's grant, gave to one tenant. All figures except
/// `freeze_target` are sums of postings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// The tenant that owns the credits.
    pub tenant: TenantId,
    /// The payment that bought them; none for an operator's grant.
    pub payment: Option<PaymentId>,
    /// When the credits were bought, by Stripe's clock, or granted, by ours; in seconds. Part of the burn
    /// order. An earlier event about the same purchase that arrives later moves it back, so the burn order
    /// does not depend on the order of delivery.
    pub purchased_at: i64,
    /// Total granted.
    pub granted: Credits,
    /// Total revoked. Other lots or debt may have covered a part of it.
    pub revoked: Credits,
    /// Spendable.
    pub available: Credits,
    /// Set aside by holds.
    pub held: Credits,
    /// Set aside by pending refunds and open disputes.
    pub frozen: Credits,
    /// How many should be frozen. Credits that return to the lot are frozen up to this number first.
    pub freeze_target: Credits,
    /// From 0 to 100; the smallest burns first.
    pub priority: u8,
    /// When its credits expire. Purchased credits never do.
    pub expires_at: Option<Timestamp>,
}

impl Lot {
    /// The order in which spends use lots: priority, expiry, purchase time, lot id. It is total (design
    /// section 3, Spend and hold).
    pub fn burn_order(&self) -> (u8, Timestamp, i64, LotId) {
        let expires_at = self.expires_at.unwrap_or(Timestamp(i64::MAX));
        (self.priority, expires_at, self.purchased_at, self.id)
    }
}

/// One payment, with everything known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id in the store.
    pub id: PaymentId,
    /// Everything known about it.
    pub knowledge: Knowledge,
}

/// What to write. All of it is final values, not increments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The payment with its new knowledge.
    pub payment: Option<Payment>,
    /// Payments merged into `payment`; their lots and aliases now belong to it.
    pub absorbed: Vec<PaymentId>,
    /// Lots that are new or changed.
    pub lots: Vec<Lot>,
    /// Tenants that are new or changed.
    pub tenants: Vec<Tenant>,
    /// Holds that are new or changed.
    pub holds: Vec<Hold>,
    /// Entries to append to the journal.
    pub transactions: Vec<Transaction>,
    /// Notices to send, in the order of events.
    pub notices: Vec<Notice>,
}

/// The loaded part of the ledger.
#[derive(Clone, Debug)]
pub struct Book {
    /// The payments that the batch affects.
    pub payments: BTreeMap<PaymentId, Payment>,
    /// The payment that each object belongs to, for the objects that the batch names.
    pub aliases: BTreeMap<ObjectId, PaymentId>,
    /// The affected tenants that exist. A tenant that is missing here is new.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// All lots of the affected payments, and enough lots of the affected tenants, in burn order, for the
    /// batch.
    pub lots: BTreeMap<LotId, Lot>,
    /// The holds that commands name, and the overdue holds of the affected tenants. The lots of all these
    /// holds are in `lots`, with all other lots of the same payments.
    pub holds: BTreeMap<HoldId, Hold>,
    /// When the last transaction was made. Time in the ledger never goes back, whatever the clock does.
    pub clock: Timestamp,
    /// The id of the next new payment.
    pub next_payment: PaymentId,
    /// The id of the next new lot.
    pub next_lot: LotId,
    /// The number of the next transaction in the journal.
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
    /// Whether this tenant has bought before or was given an API key.
    pub(crate) fn knows_tenant(&self, id: TenantId) -> bool {
        self.tenants.contains_key(&id)
    }

    /// Applies the changes of a decision. Cannot fail, because they are final values.
    pub fn apply(&mut self, changes: &Changes) {
        for absorbed in &changes.absorbed {
            self.payments.remove(absorbed);
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
