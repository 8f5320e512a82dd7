//! Executes a command or refuses it (design section 3, Spend and hold): credits burn in a total order, a
//! tenant in debt spends nothing, and a hold resolves once. Overdue holds and credits expire first, so that a
//! late sweep changes no answer.

use crate::book::{Book, Changes, Lot};
use crate::command::{Command, CommandAction, Execution, Receipt, Refusal};
use crate::hold::{Allocation, Hold, HoldState};
use crate::ids::{HoldId, LotId, TenantId, Timestamp};
use crate::money::Credits;
use crate::now::Now;
use crate::posting::{Account, Balance, Cause, TransactionKind};
use crate::settle::{refreeze, repay};
use crate::transaction_builder::{Origin, PostingLine, TransactionBuilder};

/// Executes a command. If the clock is trusted, overdue holds and credits expire first.
///
/// The book must hold the tenant, enough of its lots in burn order, the hold that the command names, the
/// tenant's overdue holds and lots, and all lots of the payments that bought the credits in these holds.
///
/// # Panics
/// If the book lacks lots that the command needs: fewer credits than requested would be taken. If the id of a
/// new hold is in use: the credits of the existing hold would be lost.
pub fn execute(book: &Book, command: &Command, now: Now) -> Execution {
    let origin = Origin { reference: command.reference.clone(), ..Origin::new(command.cause.clone()) };
    let mut builder = TransactionBuilder::new(book, origin, now);
    expire_overdue(&mut builder, command.tenant);
    let answer = Executor { builder: &mut builder, tenant: command.tenant }.run(command);
    Execution { answer, changes: builder.finish(None, Vec::new()) }
}

/// Expires the overdue holds and credits of `tenant`. Changes nothing while the clock is in doubt.
pub fn expire(book: &Book, tenant: TenantId, now: Now) -> Changes {
    let mut builder = TransactionBuilder::new(book, Origin::new(Cause::Clock(String::new())), now);
    expire_overdue(&mut builder, tenant);
    builder.finish(None, Vec::new())
}

/// Expires overdue holds and credits. The cause of these transactions is the clock.
pub(crate) fn expire_overdue(builder: &mut TransactionBuilder<'_>, tenant: TenantId) {
    for hold in builder.overdue_holds(tenant) {
        let origin = Origin::new(Cause::Clock(format!("hold {}", hold.id)));
        builder.with_origin(origin, |builder| {
            let end = (HoldState::Expired, TransactionKind::HoldExpired);
            Executor { builder, tenant }.resolve(hold, Credits::ZERO, end);
        });
    }
    expire_lots(builder, tenant);
}

/// Expires the available credits of overdue lots.
fn expire_lots(builder: &mut TransactionBuilder<'_>, tenant: TenantId) {
    let cutoff = builder.now.ended_by();
    let overdue = |lot: &Lot| lot.tenant == tenant && lot.expires_at.is_some_and(|end| end <= cutoff);
    for id in builder.lots_where(overdue) {
        let amount = builder.lot(id).available.0;
        let lines = [(Account::Available, Some(id), -amount), (Account::Expired, Some(id), amount)];
        builder.with_origin(Origin::new(Cause::Clock(format!("lot {id}"))), |builder| {
            builder.post(tenant, TransactionKind::Expired, &lines);
        });
    }
}

/// Executes the commands of one tenant.
struct Executor<'d, 'b> {
    builder: &'d mut TransactionBuilder<'b>,
    tenant: TenantId,
}

impl Executor<'_, '_> {
    fn run(&mut self, command: &Command) -> Result<Receipt, Refusal> {
        match command.action {
            CommandAction::Spend { credits } => {
                self.ensure_available(credits)?;
                let taken = self.burn(credits, Account::Consumed, TransactionKind::Spent);
                Ok(self.receipt(credits, taken, None))
            }
            CommandAction::Hold { id, credits, lasts_seconds } => {
                self.ensure_available(credits)?;
                self.hold(id, credits, lasts_seconds, command.reference.clone())
            }
            CommandAction::Capture { hold, credits } => {
                let hold = self.open_hold(hold)?;
                let credits = credits.unwrap_or(hold.credits);
                if credits <= Credits::ZERO {
                    return Err(Refusal::NotPositive);
                }
                if credits > hold.credits {
                    return Err(Refusal::CaptureExceedsHold { requested: credits, held: hold.credits });
                }
                Ok(self.resolve(hold, credits, (HoldState::Captured, TransactionKind::Captured)))
            }
            CommandAction::Release { hold } => {
                let hold = self.open_hold(hold)?;
                Ok(self.resolve(hold, Credits::ZERO, (HoldState::Released, TransactionKind::Released)))
            }
            CommandAction::Adjust { credits, priority, expires_at } => {
                self.adjust(credits, priority, expires_at)
            }
            CommandAction::WriteOff { credits } => self.write_off(credits),
        }
    }

    /// Refuses a number that is not positive or not available. A tenant in debt has no available credits,
    /// because credits that become available repay the debt first.
    fn ensure_available(&self, credits: Credits) -> Result<(), Refusal> {
        if credits <= Credits::ZERO {
            return Err(Refusal::NotPositive);
        }
        let Balance { available, debt, .. } = self.builder.balance(self.tenant);
        if available < credits {
            return Err(Refusal::Insufficient { requested: credits, available, debt });
        }
        Ok(())
    }

    /// Moves available credits to `account`, in burn order.
    fn burn(&mut self, credits: Credits, account: Account, kind: TransactionKind) -> Vec<Allocation> {
        let tenant = self.tenant;
        let (mut lines, mut taken, mut left) = (Vec::<PostingLine>::new(), Vec::new(), credits);
        for lot in self.builder.lots_where(|lot| lot.tenant == tenant && lot.available > Credits::ZERO) {
            let credits = self.builder.lot(lot).available.min(left);
            if credits > Credits::ZERO {
                let line = |account, amount| (account, Some(lot), amount);
                lines.extend([line(Account::Available, -credits.0), line(account, credits.0)]);
                taken.push(Allocation { lot, credits });
                left -= credits;
            }
        }
        assert_eq!(left, Credits::ZERO, "the book must hold the lots that a command needs");
        self.builder.post(tenant, kind, &lines);
        taken
    }

    fn hold(
        &mut self,
        id: HoldId,
        credits: Credits,
        lasts_seconds: i64,
        reference: Option<String>,
    ) -> Result<Receipt, Refusal> {
        assert!(!self.builder.has_hold(id), "the hold {id} exists already");
        self.builder.origin.hold = Some(id);
        let lots = self.burn(credits, Account::Held, TransactionKind::Held);
        let hold = Hold {
            id,
            tenant: self.tenant,
            credits,
            captured: Credits::ZERO,
            state: HoldState::Open,
            lots: lots.clone(),
            reference,
            created_at: self.builder.at,
            expires_at: self.builder.now.at.plus_seconds(lasts_seconds),
            resolved_at: None,
        };
        self.builder.holds.insert(id, hold.clone());
        Ok(self.receipt(credits, lots, Some(hold)))
    }

    fn open_hold(&self, id: HoldId) -> Result<Hold, Refusal> {
        let hold = self.builder.hold(self.tenant, id).cloned().ok_or(Refusal::NoSuchHold)?;
        if hold.is_open() { Ok(hold) } else { Err(Refusal::HoldResolved { state: hold.state }) }
    }

    /// Resolves an open hold: spends the first `captured` of its credits, in burn order, and returns the rest
    /// to their lots.
    fn resolve(&mut self, mut hold: Hold, captured: Credits, end: (HoldState, TransactionKind)) -> Receipt {
        let (mut lines, mut spent, mut returned) = (Vec::<PostingLine>::new(), Vec::new(), Vec::new());
        let mut left = captured;
        for &Allocation { lot, credits } in &hold.lots {
            let spend = credits.min(left);
            let unspent = credits - spend;
            left -= spend;
            let line = |account, amount: Credits| (account, Some(lot), amount.0);
            lines.push((Account::Held, Some(lot), -credits.0));
            lines.extend([line(Account::Consumed, spend), line(Account::Available, unspent)]);
            spent.extend((spend > Credits::ZERO).then_some(Allocation { lot, credits: spend }));
            returned.extend((unspent > Credits::ZERO).then_some(Allocation { lot, credits: unspent }));
        }
        let cause = self.builder.origin.cause.clone();
        let reference = hold.reference.clone();
        self.builder.origin = Origin { hold: Some(hold.id), reference, ..Origin::new(cause) };
        self.builder.post(self.tenant, end.1, &lines);
        (hold.captured, hold.state, hold.resolved_at) = (captured, end.0, Some(self.builder.at));
        self.builder.holds.insert(hold.id, hold.clone());
        let lots: Vec<_> = returned.iter().map(|part| part.lot).collect();
        // The receipt is for the captured credits, or for the returned ones if none were captured.
        let (credits, moved) = if captured.is_zero() { (hold.credits, returned) } else { (captured, spent) };
        let receipt = self.receipt(credits, moved, Some(hold));
        self.after_return(receipt, &lots)
    }

    /// Applies the claims on credits that have just become available in `lots`, in this order: freezing,
    /// expiry, debt. Returns the receipt with the balance after that.
    fn after_return(&mut self, receipt: Receipt, lots: &[LotId]) -> Receipt {
        refreeze(self.builder, self.tenant, lots);
        expire_lots(self.builder, self.tenant);
        repay(self.builder, self.tenant);
        Receipt { balance_after: self.builder.balance(self.tenant), ..receipt }
    }

    fn adjust(
        &mut self,
        credits: i64,
        priority: u8,
        expires_at: Option<Timestamp>,
    ) -> Result<Receipt, Refusal> {
        if credits < 0 {
            let taken = Credits(credits.saturating_neg());
            self.ensure_available(taken)?;
            let lots = self.burn(taken, Account::Adjusted, TransactionKind::Adjusted);
            return Ok(self.receipt(Credits(credits), lots, None));
        }
        if credits == 0 {
            return Err(Refusal::NotPositive);
        }
        let lot = self.builder.open_lot(self.tenant, None, self.builder.at.seconds());
        let opened = self.builder.lot_mut(lot);
        (opened.priority, opened.expires_at) = (priority, expires_at);
        let lines = [(Account::Adjusted, Some(lot), -credits), (Account::Available, Some(lot), credits)];
        self.builder.post(self.tenant, TransactionKind::Adjusted, &lines);
        let granted = Allocation { lot, credits: Credits(credits) };
        let receipt = self.receipt(Credits(credits), vec![granted], None);
        Ok(self.after_return(receipt, &[lot]))
    }

    fn write_off(&mut self, credits: Option<Credits>) -> Result<Receipt, Refusal> {
        let debt = self.builder.balance(self.tenant).debt;
        if credits.is_some_and(|credits| credits <= Credits::ZERO) {
            return Err(Refusal::NotPositive);
        }
        let credits = credits.unwrap_or(debt);
        if credits.is_zero() || credits > debt {
            return Err(Refusal::DebtTooSmall { debt });
        }
        let lines = [(Account::WrittenOff, None, -credits.0), (Account::Debt, None, credits.0)];
        self.builder.post(self.tenant, TransactionKind::WrittenOff, &lines);
        Ok(self.receipt(credits, Vec::new(), None))
    }

    /// The receipt for the last transaction posted.
    fn receipt(&self, credits: Credits, allocations: Vec<Allocation>, hold: Option<Hold>) -> Receipt {
        let transaction = self.builder.transactions.last().map_or(0, |posted| posted.seq);
        let balance_after = self.builder.balance(self.tenant);
        Receipt { transaction, credits, allocations, balance_after, hold }
    }
}
