//! A naive model of commands (design section 3, Debt, Spend and hold), written from the design and not from
//! the code: every credit is a coin in some place, and is moved individually. It has no postings, sums or
//! differences, and implements time, burn order and refusals independently. Its purchases are simple: one id,
//! and one credit per 100 minor units. `reference` models purchases in full.

use std::collections::BTreeMap;

use ledger::{Command, CommandAction, Credits, HoldState, Now, Refusal, Timestamp};

/// Where a coin is. Coins that were spent, expired or taken back are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Available,
    Held(u128),
    Frozen,
    Gone,
}

#[derive(Clone, Debug)]
struct Coin {
    lot: i64,
    place: Place,
}

#[derive(Clone, Debug)]
struct Lot {
    id: i64,
    priority: u8,
    end: i64,
    bought: i64,
    to_freeze: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) state: HoldState,
    pub(crate) captured: i64,
    until: i64,
    coins: Vec<usize>,
}

/// One tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tenant {
    coins: Vec<Coin>,
    lots: Vec<Lot>,
    pub(crate) holds: BTreeMap<u128, Hold>,
    pub(crate) debt: i64,
    changed: bool,
}

#[derive(Clone, Debug, Default)]
struct Purchase {
    sold: Option<(String, i64)>,
    lot: i64,
    /// How many credits are revoked.
    revoked: i64,
    refunds: BTreeMap<String, (i64, u8)>,
}

/// All tenants and purchases.
#[derive(Clone, Debug, Default)]
pub(crate) struct CoinModel {
    pub(crate) tenants: BTreeMap<String, Tenant>,
    purchases: BTreeMap<String, Purchase>,
    lots: i64,
    pub(crate) at: i64,
    pub(crate) in_doubt: bool,
    latest: i64,
}

impl Tenant {
    pub(crate) fn count(&self, lot: Option<i64>, place: impl Fn(Place) -> bool) -> i64 {
        let here = |coin: &&Coin| lot.is_none_or(|lot| lot == coin.lot) && place(coin.place);
        self.coins.iter().filter(here).count() as i64
    }

    fn available(&self) -> i64 {
        self.count(None, |place| place == Place::Available)
    }

    pub(crate) fn to_freeze(&self, lot: i64) -> i64 {
        self.lots.iter().find(|one| one.id == lot).map_or(0, |one| one.to_freeze)
    }

    /// The available coin that burns next: by priority, then expiry, then age.
    fn next_to_burn(&self) -> Option<usize> {
        let rank = |lot: i64| {
            let lot = self.lots.iter().find(|one| one.id == lot).unwrap();
            (lot.priority, lot.end, lot.bought, lot.id)
        };
        let available = (0..self.coins.len()).filter(|&coin| self.coins[coin].place == Place::Available);
        available.min_by_key(|&coin| rank(self.coins[coin].lot))
    }

    fn find(&self, lot: i64, place: Place) -> Option<usize> {
        self.coins.iter().position(|coin| (coin.lot, coin.place) == (lot, place))
    }

    fn move_to(&mut self, coin: usize, place: Place) {
        self.coins[coin].place = place;
        self.changed = true;
    }

    fn grant(&mut self, lot: i64, count: i64) {
        (0..count).for_each(|_| self.coins.push(Coin { lot, place: Place::Available }));
        self.changed |= count > 0;
    }

    fn repay(&mut self) {
        while self.debt > 0 {
            let Some(coin) = self.next_to_burn() else { return };
            self.move_to(coin, Place::Gone);
            self.debt -= 1;
        }
    }

    /// Freezes or unfreezes coins until the lot's target is met.
    fn freeze(&mut self, lot: i64) {
        let wanted = self.to_freeze(lot);
        while self.count(Some(lot), |place| place == Place::Frozen) > wanted {
            let coin = self.find(lot, Place::Frozen).unwrap();
            self.move_to(coin, Place::Available);
        }
        while self.count(Some(lot), |place| place == Place::Frozen) < wanted {
            let Some(coin) = self.find(lot, Place::Available) else { return };
            self.move_to(coin, Place::Frozen);
        }
    }

    fn expire_lots(&mut self, at: i64) {
        let overdue: Vec<i64> = self.lots.iter().filter(|lot| lot.end <= at).map(|lot| lot.id).collect();
        for lot in overdue {
            while let Some(coin) = self.find(lot, Place::Available) {
                self.move_to(coin, Place::Gone);
            }
        }
    }

    /// Spends the first coins of a hold and returns the others.
    fn resolve(&mut self, id: u128, captured: i64, state: HoldState, at: i64) {
        let hold = self.holds.get_mut(&id).unwrap();
        (hold.state, hold.captured) = (state, captured);
        let coins = hold.coins.clone();
        for (index, &coin) in coins.iter().enumerate() {
            self.move_to(coin, if (index as i64) < captured { Place::Gone } else { Place::Available });
        }
        let returned: Vec<i64> =
            coins[captured as usize..].iter().map(|&coin| self.coins[coin].lot).collect();
        returned.into_iter().for_each(|lot| self.freeze(lot));
        self.expire_lots(at);
        self.repay();
    }

    fn expire_overdue(&mut self, at: i64) {
        let due = |hold: &(&u128, &Hold)| hold.1.state == HoldState::Open && hold.1.until <= at;
        let mut holds: Vec<_> = self.holds.iter().filter(due).map(|(id, hold)| (hold.until, *id)).collect();
        holds.sort_unstable();
        holds.into_iter().for_each(|(_, id)| self.resolve(id, 0, HoldState::Expired, at));
        self.expire_lots(at);
    }

    fn ensure_available(&self, count: i64) -> Result<(), Refusal> {
        if count < 1 {
            return Err(Refusal::NotPositive);
        }
        let (available, debt) = (self.available(), self.debt);
        if debt > 0 || available < count {
            let [requested, available, debt] = [count, available, debt].map(Credits);
            return Err(Refusal::Insufficient { requested, available, debt });
        }
        Ok(())
    }

    fn burn(&mut self, count: i64, place: Place) -> Vec<usize> {
        let burn = |_| {
            let coin = self.next_to_burn().unwrap();
            self.move_to(coin, place);
            coin
        };
        (0..count).map(burn).collect()
    }

    fn open_hold(&self, id: u128) -> Result<i64, Refusal> {
        let hold = self.holds.get(&id).ok_or(Refusal::NoSuchHold)?;
        match hold.state {
            HoldState::Open => Ok(hold.coins.len() as i64),
            state => Err(Refusal::HoldResolved { state }),
        }
    }
}

impl CoinModel {
    pub(crate) fn now(&self) -> Now {
        Now { at: Timestamp(self.at), trusted: !self.in_doubt }
    }

    /// Executes a command and returns how many credits it moved, or why it was refused.
    pub(crate) fn execute(&mut self, tenant_name: &str, command: &Command) -> Result<i64, Refusal> {
        let (at, by) = (self.at.max(self.latest), self.now().ended_by().0);
        let next_lot = self.lots + 1;
        let tenant = self.tenants.entry(tenant_name.into()).or_default();
        tenant.expire_overdue(by);
        let answer = match command.action {
            CommandAction::Spend { credits } => tenant.ensure_available(credits.0).map(|()| {
                tenant.burn(credits.0, Place::Gone);
                credits.0
            }),
            CommandAction::Hold { id, credits, lasts_seconds } => {
                tenant.ensure_available(credits.0).map(|()| {
                    let id = id.0.as_u128();
                    let coins = tenant.burn(credits.0, Place::Held(id));
                    let until = self.at + lasts_seconds * 1_000_000;
                    tenant.holds.insert(id, Hold { state: HoldState::Open, captured: 0, until, coins });
                    credits.0
                })
            }
            CommandAction::Capture { hold, credits } => tenant.open_hold(hold.0.as_u128()).and_then(|held| {
                let count = credits.map_or(held, |credits| credits.0);
                if count < 1 {
                    return Err(Refusal::NotPositive);
                }
                if count > held {
                    let [requested, held] = [count, held].map(Credits);
                    return Err(Refusal::CaptureExceedsHold { requested, held });
                }
                tenant.resolve(hold.0.as_u128(), count, HoldState::Captured, by);
                Ok(count)
            }),
            CommandAction::Release { hold } => tenant.open_hold(hold.0.as_u128()).inspect(|_| {
                tenant.resolve(hold.0.as_u128(), 0, HoldState::Released, by);
            }),
            CommandAction::Adjust { credits: 0, .. } => Err(Refusal::NotPositive),
            CommandAction::Adjust { credits, .. } if credits < 0 => {
                tenant.ensure_available(-credits).map(|()| {
                    tenant.burn(-credits, Place::Gone);
                    credits
                })
            }
            CommandAction::Adjust { credits, priority, expires_at } => {
                let end = expires_at.map_or(i64::MAX, |end| end.0);
                let bought = at.div_euclid(1_000_000);
                tenant.lots.push(Lot { id: next_lot, priority, end, bought, to_freeze: 0 });
                self.lots = next_lot;
                tenant.grant(next_lot, credits);
                tenant.expire_lots(by);
                tenant.repay();
                Ok(credits)
            }
            CommandAction::WriteOff { credits } => match credits.map_or(tenant.debt, |credits| credits.0) {
                _ if credits.is_some_and(|credits| credits.0 < 1) => Err(Refusal::NotPositive),
                count if count == 0 || count > tenant.debt => {
                    Err(Refusal::DebtTooSmall { debt: Credits(tenant.debt) })
                }
                count => {
                    tenant.debt -= count;
                    tenant.changed = true;
                    Ok(count)
                }
            },
        };
        self.tick(tenant_name, at);
        answer
    }

    pub(crate) fn sweep(&mut self, tenant_name: &str) {
        let (at, by) = (self.at.max(self.latest), self.now().ended_by().0);
        self.tenants.entry(tenant_name.into()).or_default().expire_overdue(by);
        self.tick(tenant_name, at);
    }

    pub(crate) fn sold(&mut self, key: &str, tenant_name: &str, credits: i64) {
        self.purchases.entry(key.into()).or_default().sold.get_or_insert((tenant_name.into(), credits));
        self.revise(key);
    }

    /// `rank` is 0 for pending, 1 for succeeded, 2 for failed, and never decreases.
    pub(crate) fn refund(&mut self, key: &str, refund: &str, amount: i64, rank: u8) {
        let known = self.purchases.entry(key.into()).or_default().refunds.entry(refund.into()).or_default();
        *known = (amount, known.1.max(rank));
        self.revise(key);
    }

    fn revise(&mut self, key: &str) {
        let (at, by) = (self.at.max(self.latest), self.now().ended_by().0);
        let purchase = self.purchases.get_mut(key).unwrap();
        let Some((tenant_name, credits)) = purchase.sold.clone() else { return };
        let refunded = |rank: u8| -> i64 {
            purchase.refunds.values().filter(|refund| refund.1 == rank).map(|refund| refund.0).sum()
        };
        let gone = refunded(1).min(credits * 100);
        let revoked = gone / 100;
        let to_freeze = (gone + refunded(0)).min(credits * 100) / 100 - revoked;
        let tenant = self.tenants.entry(tenant_name.clone()).or_default();
        tenant.expire_overdue(by);
        if purchase.lot == 0 {
            self.lots += 1;
            purchase.lot = self.lots;
            tenant.lots.push(Lot { id: self.lots, priority: 50, end: i64::MAX, bought: 5, to_freeze: 0 });
            tenant.grant(self.lots, credits);
        }
        let lot = purchase.lot;
        let thaw = tenant.count(Some(lot), |place| place == Place::Frozen) - to_freeze;
        for index in 0..revoked - purchase.revoked {
            let frozen = tenant.find(lot, Place::Frozen);
            let coin = frozen.filter(|_| index < thaw).or(tenant.find(lot, Place::Available)).or(frozen);
            match coin.or(tenant.next_to_burn()) {
                Some(coin) => tenant.move_to(coin, Place::Gone),
                None => (tenant.debt, tenant.changed) = (tenant.debt + 1, true),
            }
        }
        tenant.grant(lot, purchase.revoked - revoked);
        purchase.revoked = revoked;
        tenant.lots.iter_mut().filter(|one| one.id == lot).for_each(|one| one.to_freeze = to_freeze);
        tenant.freeze(lot);
        tenant.repay();
        self.tick(&tenant_name, at);
    }

    /// Moves the journal's time on, if the tenant's coins changed.
    fn tick(&mut self, tenant_name: &str, at: i64) {
        if std::mem::take(&mut self.tenants.get_mut(tenant_name).unwrap().changed) {
            self.latest = at;
        }
    }
}
