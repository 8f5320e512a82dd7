//! A second reading of the rules of commands (design section 3, Debt, Spend and hold), written from their
//! prose and not from the code: every single credit is a coin that lies somewhere, and is moved by hand. It
//! knows no postings, no sums and no differences; time, burn order and refusals it works out anew.
//! Its purchases are plain: one name, a credit for each 100 minor units. What is odd about those:
//! `reference`.

use std::collections::BTreeMap;

use ledger::{Command, CommandAction, Credits, HoldState, Now, Refusal, Timestamp};

/// Where a coin lies. What is used, forfeited or taken back is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Purse,
    Hold(u128),
    Ice,
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

/// Everything about one tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tenant {
    coins: Vec<Coin>,
    lots: Vec<Lot>,
    pub(crate) holds: BTreeMap<u128, Hold>,
    pub(crate) debt: i64,
    moved: bool,
}

#[derive(Clone, Debug, Default)]
struct Purchase {
    sold: Option<(String, i64)>,
    /// The tenant's lot, how many credits are revoked.
    lot: i64,
    revoked: i64,
    refunds: BTreeMap<String, (i64, u8)>,
}

/// Everybody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coins {
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

    fn has(&self) -> i64 {
        self.count(None, |place| place == Place::Purse)
    }

    pub(crate) fn to_freeze(&self, lot: i64) -> i64 {
        self.lots.iter().find(|one| one.id == lot).map_or(0, |one| one.to_freeze)
    }

    /// The coin in the purse that burns next: first by priority, then what ends first, then the oldest.
    fn next(&self) -> Option<usize> {
        let rank = |lot: i64| {
            let lot = self.lots.iter().find(|one| one.id == lot).unwrap();
            (lot.priority, lot.end, lot.bought, lot.id)
        };
        let purse = (0..self.coins.len()).filter(|&coin| self.coins[coin].place == Place::Purse);
        purse.min_by_key(|&coin| rank(self.coins[coin].lot))
    }

    fn own(&self, lot: i64, place: Place) -> Option<usize> {
        self.coins.iter().position(|coin| (coin.lot, coin.place) == (lot, place))
    }

    fn put(&mut self, coin: usize, place: Place) {
        self.coins[coin].place = place;
        self.moved = true;
    }

    fn mint(&mut self, lot: i64, count: i64) {
        (0..count).for_each(|_| self.coins.push(Coin { lot, place: Place::Purse }));
        self.moved |= count > 0;
    }

    fn repay(&mut self) {
        while self.debt > 0 {
            let Some(coin) = self.next() else { return };
            self.put(coin, Place::Gone);
            self.debt -= 1;
        }
    }

    /// What a lot should freeze comes out of the purse, and what it need not freeze goes back.
    fn freeze(&mut self, lot: i64) {
        let wanted = self.to_freeze(lot);
        while self.count(Some(lot), |place| place == Place::Ice) > wanted {
            let coin = self.own(lot, Place::Ice).unwrap();
            self.put(coin, Place::Purse);
        }
        while self.count(Some(lot), |place| place == Place::Ice) < wanted {
            let Some(coin) = self.own(lot, Place::Purse) else { return };
            self.put(coin, Place::Ice);
        }
    }

    fn forfeit(&mut self, at: i64) {
        let over: Vec<i64> = self.lots.iter().filter(|lot| lot.end <= at).map(|lot| lot.id).collect();
        for lot in over {
            while let Some(coin) = self.own(lot, Place::Purse) {
                self.put(coin, Place::Gone);
            }
        }
    }

    /// The first coins of a hold are used; the others go back.
    fn resolve(&mut self, id: u128, captured: i64, state: HoldState, at: i64) {
        let hold = self.holds.get_mut(&id).unwrap();
        (hold.state, hold.captured) = (state, captured);
        let coins = hold.coins.clone();
        for (index, &coin) in coins.iter().enumerate() {
            self.put(coin, if (index as i64) < captured { Place::Gone } else { Place::Purse });
        }
        let back: Vec<i64> = coins[captured as usize..].iter().map(|&coin| self.coins[coin].lot).collect();
        back.into_iter().for_each(|lot| self.freeze(lot));
        self.forfeit(at);
        self.repay();
    }

    fn settle_due(&mut self, at: i64) {
        let due = |hold: &(&u128, &Hold)| hold.1.state == HoldState::Open && hold.1.until <= at;
        let mut due: Vec<_> = self.holds.iter().filter(due).map(|(id, hold)| (hold.until, *id)).collect();
        due.sort_unstable();
        due.into_iter().for_each(|(_, id)| self.resolve(id, 0, HoldState::Expired, at));
        self.forfeit(at);
    }

    fn payable(&self, count: i64) -> Result<(), Refusal> {
        if count < 1 {
            return Err(Refusal::NotPositive);
        }
        let (available, debt) = (self.has(), self.debt);
        if debt > 0 || available < count {
            let [requested, available, debt] = [count, available, debt].map(Credits);
            return Err(Refusal::Insufficient { requested, available, debt });
        }
        Ok(())
    }

    fn take(&mut self, count: i64, place: Place) -> Vec<usize> {
        let take = |_| {
            let coin = self.next().unwrap();
            self.put(coin, place);
            coin
        };
        (0..count).map(take).collect()
    }

    fn open(&self, id: u128) -> Result<i64, Refusal> {
        let hold = self.holds.get(&id).ok_or(Refusal::NoSuchHold)?;
        match hold.state {
            HoldState::Open => Ok(hold.coins.len() as i64),
            state => Err(Refusal::HoldResolved { state }),
        }
    }
}

impl Coins {
    pub(crate) fn now(&self) -> Now {
        Now { at: Timestamp(self.at), trusted: !self.in_doubt }
    }

    /// What a command is answered: how many credits it was about, or why not.
    pub(crate) fn execute(&mut self, who: &str, command: &Command) -> Result<i64, Refusal> {
        let (at, by) = (self.at.max(self.latest), self.now().ended_by().0);
        let next_lot = self.lots + 1;
        let tenant = self.tenants.entry(who.into()).or_default();
        tenant.settle_due(by);
        let answer = match command.action {
            CommandAction::Spend { credits } => tenant.payable(credits.0).map(|()| {
                tenant.take(credits.0, Place::Gone);
                credits.0
            }),
            CommandAction::Hold { id, credits, lasts_seconds } => tenant.payable(credits.0).map(|()| {
                let id = id.0.as_u128();
                let coins = tenant.take(credits.0, Place::Hold(id));
                let until = self.at + lasts_seconds * 1_000_000;
                tenant.holds.insert(id, Hold { state: HoldState::Open, captured: 0, until, coins });
                credits.0
            }),
            CommandAction::Capture { hold, credits } => tenant.open(hold.0.as_u128()).and_then(|held| {
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
            CommandAction::Release { hold } => tenant.open(hold.0.as_u128()).inspect(|_| {
                tenant.resolve(hold.0.as_u128(), 0, HoldState::Released, by);
            }),
            CommandAction::Adjust { credits: 0, .. } => Err(Refusal::NotPositive),
            CommandAction::Adjust { credits, .. } if credits < 0 => tenant.payable(-credits).map(|()| {
                tenant.take(-credits, Place::Gone);
                credits
            }),
            CommandAction::Adjust { credits, priority, expires_at } => {
                let end = expires_at.map_or(i64::MAX, |end| end.0);
                let bought = at.div_euclid(1_000_000);
                tenant.lots.push(Lot { id: next_lot, priority, end, bought, to_freeze: 0 });
                self.lots = next_lot;
                tenant.mint(next_lot, credits);
                tenant.forfeit(by);
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
                    tenant.moved = true;
                    Ok(count)
                }
            },
        };
        self.tick(who, at);
        answer
    }

    pub(crate) fn sweep(&mut self, who: &str) {
        let (at, by) = (self.at.max(self.latest), self.now().ended_by().0);
        self.tenants.entry(who.into()).or_default().settle_due(by);
        self.tick(who, at);
    }

    pub(crate) fn sold(&mut self, key: &str, who: &str, credits: i64) {
        self.purchases.entry(key.into()).or_default().sold.get_or_insert((who.into(), credits));
        self.revise(key);
    }

    /// `rank`: pending, succeeded, failed. It only ever rises.
    pub(crate) fn refund(&mut self, key: &str, refund: &str, amount: i64, rank: u8) {
        let known = self.purchases.entry(key.into()).or_default().refunds.entry(refund.into()).or_default();
        *known = (amount, known.1.max(rank));
        self.revise(key);
    }

    fn revise(&mut self, key: &str) {
        let (at, by) = (self.at.max(self.latest), self.now().ended_by().0);
        let purchase = self.purchases.get_mut(key).unwrap();
        let Some((who, credits)) = purchase.sold.clone() else { return };
        let of = |rank: u8| -> i64 {
            purchase.refunds.values().filter(|refund| refund.1 == rank).map(|refund| refund.0).sum()
        };
        let gone = of(1).min(credits * 100);
        let revoked = gone / 100;
        let to_freeze = (gone + of(0)).min(credits * 100) / 100 - revoked;
        let tenant = self.tenants.entry(who.clone()).or_default();
        tenant.settle_due(by);
        if purchase.lot == 0 {
            self.lots += 1;
            purchase.lot = self.lots;
            tenant.lots.push(Lot { id: self.lots, priority: 50, end: i64::MAX, bought: 5, to_freeze: 0 });
            tenant.mint(self.lots, credits);
        }
        let lot = purchase.lot;
        let thaw = tenant.count(Some(lot), |place| place == Place::Ice) - to_freeze;
        for index in 0..revoked - purchase.revoked {
            let ice = tenant.own(lot, Place::Ice);
            let coin = ice.filter(|_| index < thaw).or(tenant.own(lot, Place::Purse)).or(ice);
            match coin.or(tenant.next()) {
                Some(coin) => tenant.put(coin, Place::Gone),
                None => (tenant.debt, tenant.moved) = (tenant.debt + 1, true),
            }
        }
        tenant.mint(lot, purchase.revoked - revoked);
        purchase.revoked = revoked;
        tenant.lots.iter_mut().filter(|one| one.id == lot).for_each(|one| one.to_freeze = to_freeze);
        tenant.freeze(lot);
        tenant.repay();
        self.tick(&who, at);
    }

    /// Time is where something happened last.
    fn tick(&mut self, who: &str, at: i64) {
        if std::mem::take(&mut self.tenants.get_mut(who).unwrap().moved) {
            self.latest = at;
        }
    }
}
