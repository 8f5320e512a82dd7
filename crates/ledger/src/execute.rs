//! Deciding a command. The kind of decision that may refuse (design section 3, Spend and hold): credits burn
//! in a total order, a tenant that owes spends nothing, and a hold resolves once. What ran out of time by
//! then is settled first, so that no sweep's delay can matter.
//! Not here: what can be asked and answered (`command`).

use std::mem;

use crate::book::{Book, Changes, Lot};
use crate::command::{Command, CommandAction, Execution, Receipt, Refusal};
use crate::hold::{Allocation, Hold, HoldState};
use crate::ids::{HoldId, LotId, TenantId, Timestamp};
use crate::money::Credits;
use crate::now::Now;
use crate::posting::{Account, Balance, Cause, TransactionKind};
use crate::settle::{refreeze, repay};
use crate::transaction_builder::{Line, Origin, TransactionBuilder};

/// Decides a command. What has run out of time by a trusted clock ends first. The book must hold the tenant;
/// of its lots those to burn, as far as they are needed; the hold that is named, and the holds and lots of
/// the tenant whose time is up; and all lots of the payments that bought what is in these holds.
///
/// # Panics
/// When it does not: better than to take fewer credits than were sold. When a new hold's name is not new:
/// what the older one holds would be lost.
pub fn execute(book: &Book, command: &Command, now: Now) -> Execution {
    let origin = Origin { reference: command.reference.clone(), ..Origin::of(command.cause.clone()) };
    let mut builder = TransactionBuilder::new(book, origin, now);
    settle_due(&mut builder, command.tenant);
    let answer = Executor { builder: &mut builder, tenant: command.tenant }.run(command);
    Execution { answer, changes: builder.finish(None, Vec::new()) }
}

/// Returns the credits of `tenant`'s holds whose time is up, and ends those of its lots. Changes nothing
/// while the clock is in doubt.
pub fn expire(book: &Book, tenant: TenantId, now: Now) -> Changes {
    let mut builder = TransactionBuilder::new(book, Origin::of(Cause::Clock(String::new())), now);
    settle_due(&mut builder, tenant);
    builder.finish(None, Vec::new())
}

/// Ends what has run out of time, in the clock's name.
pub(crate) fn settle_due(builder: &mut TransactionBuilder<'_>, tenant: TenantId) {
    for hold in builder.holds_due(tenant) {
        let due = Origin::of(Cause::Clock(format!("hold {}", hold.id)));
        let because = mem::replace(&mut builder.origin, due);
        Executor { builder, tenant }.resolve(
            hold,
            Credits::ZERO,
            (HoldState::Expired, TransactionKind::HoldExpired),
        );
        builder.origin = because;
    }
    end_lots(builder, tenant);
}

/// Ends the available credits of lots whose time is up.
fn end_lots(builder: &mut TransactionBuilder<'_>, tenant: TenantId) {
    let by = builder.now.ended_by();
    let over = |lot: &Lot| lot.tenant == tenant && lot.expires_at.is_some_and(|end| end <= by);
    for id in builder.lots_where(over) {
        let amount = builder.lot(id).available.0;
        let because = mem::replace(&mut builder.origin, Origin::of(Cause::Clock(format!("lot {id}"))));
        let lines = [(Account::Available, Some(id), -amount), (Account::Expired, Some(id), amount)];
        builder.post(tenant, TransactionKind::Expired, &lines);
        builder.origin = because;
    }
}

/// One tenant's side of the counter.
struct Executor<'d, 'b> {
    builder: &'d mut TransactionBuilder<'b>,
    tenant: TenantId,
}

impl Executor<'_, '_> {
    fn run(&mut self, command: &Command) -> Result<Receipt, Refusal> {
        match command.action {
            CommandAction::Spend { credits } => {
                self.affordable(credits)?;
                let taken = self.burn(credits, Account::Consumed, TransactionKind::Spent);
                Ok(self.receipt(credits, taken, None))
            }
            CommandAction::Hold { id, credits, lasts_seconds } => {
                self.affordable(credits)?;
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

    /// Whether so many are available. Who owes has none: debt is repaid from whatever becomes available.
    fn affordable(&self, credits: Credits) -> Result<(), Refusal> {
        if credits <= Credits::ZERO {
            return Err(Refusal::NotPositive);
        }
        let Balance { available, debt, .. } = self.builder.balance(self.tenant);
        if available < credits {
            return Err(Refusal::Insufficient { requested: credits, available, debt });
        }
        Ok(())
    }

    /// Takes available credits in burn order into `account`.
    fn burn(&mut self, credits: Credits, account: Account, kind: TransactionKind) -> Vec<Allocation> {
        let tenant = self.tenant;
        let (mut lines, mut taken, mut left) = (Vec::<Line>::new(), Vec::new(), credits);
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
        assert!(!self.builder.has_hold(id), "the hold {id} was made before");
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
    /// to the lots they came from, where they meet what should be frozen, what has ended, and what is owed.
    fn resolve(&mut self, mut hold: Hold, captured: Credits, end: (HoldState, TransactionKind)) -> Receipt {
        let (mut lines, mut spent, mut returned) = (Vec::<Line>::new(), Vec::new(), Vec::new());
        let mut left = captured;
        for &Allocation { lot, credits } in &hold.lots {
            let spend = credits.min(left);
            let back = credits - spend;
            left -= spend;
            let line = |account, amount: Credits| (account, Some(lot), amount.0);
            lines.push((Account::Held, Some(lot), -credits.0));
            lines.extend([line(Account::Consumed, spend), line(Account::Available, back)]);
            spent.extend((spend > Credits::ZERO).then_some(Allocation { lot, credits: spend }));
            returned.extend((back > Credits::ZERO).then_some(Allocation { lot, credits: back }));
        }
        let cause = self.builder.origin.cause.clone();
        let reference = hold.reference.clone();
        self.builder.origin = Origin { hold: Some(hold.id), reference, ..Origin::of(cause) };
        self.builder.post(self.tenant, end.1, &lines);
        (hold.captured, hold.state, hold.resolved_at) = (captured, end.0, Some(self.builder.at));
        self.builder.holds.insert(hold.id, hold.clone());
        let back: Vec<_> = returned.iter().map(|part| part.lot).collect();
        // Nothing is captured where all of it returns.
        let (credits, moved) = if captured.is_zero() { (hold.credits, returned) } else { (captured, spent) };
        let mut receipt = self.receipt(credits, moved, Some(hold));
        self.come_back(&back);
        receipt.balance_after = self.builder.balance(self.tenant);
        receipt
    }

    /// What follows when credits return to lots: freezing comes first, then their end, then debt.
    fn come_back(&mut self, lots: &[LotId]) {
        refreeze(self.builder, self.tenant, lots);
        end_lots(self.builder, self.tenant);
        repay(self.builder, self.tenant);
    }

    fn adjust(
        &mut self,
        credits: i64,
        priority: u8,
        expires_at: Option<Timestamp>,
    ) -> Result<Receipt, Refusal> {
        if credits < 0 {
            let taken = Credits(credits.saturating_neg());
            self.affordable(taken)?;
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
        let given = Allocation { lot, credits: Credits(credits) };
        let mut receipt = self.receipt(Credits(credits), vec![given], None);
        self.come_back(&[lot]);
        receipt.balance_after = self.builder.balance(self.tenant);
        Ok(receipt)
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

    /// For the transaction that was posted last.
    fn receipt(&self, credits: Credits, allocations: Vec<Allocation>, hold: Option<Hold>) -> Receipt {
        let transaction = self.builder.transactions.last().map_or(0, |posted| posted.seq);
        let balance_after = self.builder.balance(self.tenant);
        Receipt { transaction, credits, allocations, balance_after, hold }
    }
}
