//! Brings the postings of one payment for one tenant to the entitlement. Granted, revoked and frozen are
//! separate targets with separate transactions, so that the history shows a purchase and its refund even if
//! the refund arrived first (design section 3).

use crate::book::Lot;
use crate::entitlement::Entitlement;
use crate::ids::{LotId, TenantId};
use crate::money::Credits;
use crate::posting::{Account, TransactionKind};
use crate::transaction_builder::{PostingLine, TransactionBuilder};

/// One payment for one tenant. It normally has one lot of its own, and several only if payments that had each
/// granted credits were merged.
pub(crate) struct Settlement<'d, 'b> {
    pub(crate) builder: &'d mut TransactionBuilder<'b>,
    pub(crate) tenant: TenantId,
    pub(crate) own: &'d [LotId],
}

impl Settlement<'_, '_> {
    /// Posts the difference between the postings so far and `due`.
    pub(crate) fn run(mut self, due: &Entitlement) {
        let granted = self.sum(|lot| lot.granted);
        let revoked = self.sum(|lot| lot.revoked);
        self.grant(due.granted.less(granted));
        self.take(due.revoked.less(revoked), TransactionKind::Revoked, due.frozen);
        self.restore(revoked.less(due.revoked));
        self.take(granted.less(due.granted), TransactionKind::Reversed, due.frozen);
        self.freeze(due.frozen);
        repay(self.builder, self.tenant);
    }

    fn sum(&self, column: fn(&Lot) -> Credits) -> Credits {
        self.own.iter().map(|&id| column(self.builder.lot(id))).sum()
    }

    fn grant(&mut self, credits: Credits) {
        let lot = self.own.first().copied();
        let lines = [(Account::Issued, lot, -credits.0), (Account::Available, lot, credits.0)];
        self.builder.post(self.tenant, TransactionKind::Granted, &lines);
    }

    /// Takes credits back. First from the payment's own lots: frozen credits that no longer need to be
    /// frozen, then available ones, then other frozen ones. Then from the tenant's other lots. The remainder
    /// becomes debt. Held credits are not touched, because the holder of the hold relies on them.
    fn take(&mut self, credits: Credits, kind: TransactionKind, frozen_due: Credits) {
        let thawing = self.sum(|lot| lot.frozen).less(frozen_due);
        let others = {
            let (tenant, own) = (self.tenant, self.own);
            self.builder.lots_where(|lot| lot.tenant == tenant && !own.contains(&lot.id))
        };
        let mut lines: Vec<PostingLine> = Vec::new();
        let mut left = credits;
        self.draw(&mut lines, &mut left, self.own, Account::Frozen, thawing);
        self.draw(&mut lines, &mut left, self.own, Account::Available, credits);
        self.draw(&mut lines, &mut left, self.own, Account::Frozen, credits);
        self.draw(&mut lines, &mut left, &others, Account::Available, credits);
        lines.push((Account::Debt, None, -left.0));
        let account = if kind == TransactionKind::Reversed { Account::Issued } else { Account::Revoked };
        self.spread(&mut lines, credits, account, |lot| lot.granted.less(lot.revoked), 1);
        self.builder.post(self.tenant, kind, &lines);
    }

    /// Returns revoked credits to the payment's own lots, wherever they were taken from. The steps that
    /// follow freeze them or repay debt with them as needed.
    fn restore(&mut self, credits: Credits) {
        let mut lines: Vec<PostingLine> = Vec::new();
        self.spread(&mut lines, credits, Account::Revoked, |lot| lot.revoked, -1);
        self.spread(&mut lines, credits, Account::Available, |lot| lot.revoked, 1);
        self.builder.post(self.tenant, TransactionKind::Restored, &lines);
    }

    /// Freezes or unfreezes credits of the payment's own lots. If they have too few available, the rest is
    /// not frozen; it never becomes debt. Frozen credits stay in their lot, so that a repeated event moves
    /// nothing between lots.
    fn freeze(&mut self, due: Credits) {
        let (mut freeze, mut thaw): (Vec<PostingLine>, Vec<PostingLine>) = (Vec::new(), Vec::new());
        let frozen = self.sum(|lot| lot.frozen);
        let (mut more, mut fewer) = (due.less(frozen), frozen.less(due));
        for (index, &id) in self.own.iter().enumerate() {
            let lot = self.builder.lot(id);
            let (up, down) = (lot.available.min(more), lot.frozen.min(fewer));
            (more, fewer) = (more - up, fewer - down);
            // The last lot keeps the unmet part as its target, so that credits that return are frozen first.
            let unmet = if index + 1 == self.own.len() { more } else { Credits::ZERO };
            let target = lot.frozen + up - down + unmet;
            if lot.freeze_target != target {
                self.builder.lot_mut(id).freeze_target = target;
            }
            freeze.extend([(Account::Available, Some(id), -up.0), (Account::Frozen, Some(id), up.0)]);
            thaw.extend([(Account::Frozen, Some(id), -down.0), (Account::Available, Some(id), down.0)]);
        }
        self.builder.post(self.tenant, TransactionKind::Unfrozen, &thaw);
        self.builder.post(self.tenant, TransactionKind::Frozen, &freeze);
    }

    /// Takes up to `limit` of the credits `left` from one account of `lots`, in their order.
    fn draw(
        &self,
        lines: &mut Vec<PostingLine>,
        left: &mut Credits,
        lots: &[LotId],
        account: Account,
        limit: Credits,
    ) {
        let mut limit = limit;
        for &id in lots {
            let lot = self.builder.lot(id);
            let drawn: i64 = lines.iter().filter(|l| (l.0, l.1) == (account, Some(id))).map(|l| -l.2).sum();
            let there = if account == Account::Frozen { lot.frozen } else { lot.available };
            let amount = there.less(Credits(drawn)).min(*left).min(limit);
            if amount > Credits::ZERO {
                lines.push((account, Some(id), -amount.0));
                *left -= amount;
                limit -= amount;
            }
        }
    }

    /// Posts `credits` to `account` of the payment's own lots, to each at most its `room`. Together they have
    /// room for all, because nothing is granted, revoked or restored beyond the targets.
    fn spread(
        &self,
        lines: &mut Vec<PostingLine>,
        credits: Credits,
        account: Account,
        room: fn(&Lot) -> Credits,
        sign: i64,
    ) {
        let mut left = credits;
        for &id in self.own {
            let amount = room(self.builder.lot(id)).min(left);
            lines.push((account, Some(id), sign * amount.0));
            left -= amount;
        }
    }
}

/// Freezes credits that returned to lots, as far as the freeze targets of the lots are unmet. Credits beyond
/// a lot's own target take over the unmet targets of the same payment's other lots.
pub(crate) fn refreeze(builder: &mut TransactionBuilder<'_>, tenant: TenantId, returned: &[LotId]) {
    let unmet = |lot: &Lot| lot.freeze_target.less(lot.frozen);
    // The unmet part that the lot's own available credits cannot cover.
    let short = |lot: &Lot| unmet(lot).less(lot.available);
    for &id in returned {
        let payment = builder.lot(id).payment;
        let same = |lot: &Lot| lot.payment == payment && lot.tenant == tenant && lot.id != id;
        for other in builder.lots_where(|lot| payment.is_some() && same(lot) && short(lot) > Credits::ZERO) {
            let spare = builder.lot(id).available.less(unmet(builder.lot(id)));
            let moved = short(builder.lot(other)).min(spare);
            builder.lot_mut(other).freeze_target -= moved;
            builder.lot_mut(id).freeze_target += moved;
        }
    }
    let mut lines: Vec<PostingLine> = Vec::new();
    for &id in returned {
        let amount = unmet(builder.lot(id)).min(builder.lot(id).available).0;
        lines.extend([(Account::Available, Some(id), -amount), (Account::Frozen, Some(id), amount)]);
    }
    builder.post(tenant, TransactionKind::Frozen, &lines);
}

/// Repays the tenant's debt from its available credits.
pub(crate) fn repay(builder: &mut TransactionBuilder<'_>, tenant: TenantId) {
    let mut owed = builder.balance(tenant).debt;
    if owed == Credits::ZERO {
        return;
    }
    let mut lines: Vec<PostingLine> = Vec::new();
    for id in builder.lots_where(|lot| lot.tenant == tenant && lot.available > Credits::ZERO) {
        let amount = builder.lot(id).available.min(owed);
        lines.extend([(Account::Available, Some(id), -amount.0), (Account::Debt, None, amount.0)]);
        owed -= amount;
    }
    builder.post(tenant, TransactionKind::DebtRepaid, &lines);
}
