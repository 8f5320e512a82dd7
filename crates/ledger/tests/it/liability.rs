//! The value of unspent credits: cases computed by hand, and random histories compared with a naive model
//! that follows every credit through the journal.

use std::collections::BTreeMap;

use ledger::liability::{LotSums, LotValue, TenantValue, apportion, value};
use ledger::{Account, Credits, LotId, Minor, PaymentId, TenantId, Transaction, TransactionKind};
use proptest::prelude::*;

use crate::history::histories;
use crate::world::World;

/// A lot's `[price, granted, consumed, revoked, outstanding, ended]`.
fn sums([price, granted, consumed, revoked, outstanding, ended]: [i64; 6]) -> LotSums {
    LotSums {
        price: Minor(price),
        granted: Credits(granted),
        consumed: Credits(consumed),
        revoked: Credits(revoked),
        outstanding: Credits(outstanding),
        ended: Credits(ended),
    }
}

/// `[used, unspent back, spent back, outstanding]` and
/// `[recognised, refunded unspent, refunded spent, deferred]`.
fn figures(value: &LotValue) -> ([i64; 4], [i64; 4]) {
    let credits = [value.used, value.unspent_back, value.spent_back, value.outstanding].map(|one| one.0);
    let money =
        [value.recognised, value.refunded_unspent, value.refunded_spent, value.deferred].map(|one| one.0);
    (credits, money)
}

#[test]
fn lot_values_match_hand_computed_cases() {
    type Lots<'a> = &'a [([i64; 6], [i64; 4], [i64; 4])];
    let cases: &[(&str, Lots<'_>, i64)] = &[
        ("sold, nothing used", &[([25_000, 10, 0, 0, 10, 0], [0, 0, 0, 10], [0, 0, 0, 25_000])], 0),
        ("a third of 100 cents", &[([100, 3, 1, 0, 2, 0], [1, 0, 0, 2], [33, 0, 0, 67])], 0),
        ("two thirds", &[([100, 3, 2, 0, 1, 0], [2, 0, 0, 1], [66, 0, 0, 34])], 0),
        ("all used: exactly zero is left", &[([100, 3, 3, 0, 0, 0], [3, 0, 0, 0], [100, 0, 0, 0])], 0),
        ("one refunded unspent", &[([100, 3, 1, 1, 1, 0], [1, 1, 0, 1], [33, 34, 0, 33])], 0),
        ("spent and refunded, nothing is left", &[([100, 3, 1, 2, 0, 0], [1, 2, 0, 0], [33, 67, 0, 0])], 0),
        ("all spent, all refunded: a debt", &[([100, 3, 3, 3, 0, 0], [3, 0, 3, 0], [100, 0, 100, 0])], 0),
        (
            "credits of another lot replaced the spent ones",
            &[
                ([100, 3, 3, 3, 0, 0], [3, 0, 3, 0], [100, 0, 100, 0]),
                ([900, 9, 0, 0, 6, 0], [3, 0, 0, 6], [300, 0, 0, 600]),
            ],
            0,
        ),
        (
            "and the refund failed: the returned credits belong to the other lot",
            &[
                ([100, 3, 3, 0, 3, 0], [3, 0, 0, 0], [100, 0, 0, 0]),
                ([900, 9, 0, 0, 6, 0], [0, 0, 0, 9], [0, 0, 0, 900]),
            ],
            0,
        ),
        (
            "the replacing lot was refunded too: its own credits went back, the first lot's were used",
            &[
                ([100, 1, 1, 1, 0, 0], [1, 0, 1, 0], [100, 0, 100, 0]),
                ([900, 1, 0, 1, 0, 0], [0, 1, 0, 0], [0, 900, 0, 0]),
            ],
            0,
        ),
        (
            "and the returned credits were spent",
            &[
                ([100, 3, 6, 0, 0, 0], [3, 0, 0, 0], [100, 0, 0, 0]),
                ([900, 9, 0, 0, 6, 0], [3, 0, 0, 6], [300, 0, 0, 600]),
            ],
            0,
        ),
        ("a written-off debt was repaid", &[([100, 3, 3, 0, 3, 0], [3, 0, 0, 0], [100, 0, 0, 0])], 3),
        ("an operator took two", &[([100, 3, 0, 0, 1, 2], [2, 0, 0, 1], [66, 0, 0, 34])], 0),
        ("a grant has no price", &[([0, 5, 2, 0, 3, 0], [2, 0, 0, 3], [0, 0, 0, 0])], 0),
        ("reversed after three were spent", &[([100, 0, 3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0])], 0),
        (
            "a full refund did not touch held credits",
            &[([1000, 10, 5, 10, 2, 0], [5, 3, 7, 2], [500, 300, 700, 200])],
            0,
        ),
        (
            "the largest lot",
            &[(
                [1_000_000_000_000, 1_000_000_000, 999_999_999, 0, 1, 0],
                [999_999_999, 0, 0, 1],
                [999_999_999_000, 0, 0, 1000],
            )],
            0,
        ),
    ];
    for (name, lots, unpriced) in cases {
        let lot_sums: Vec<_> = lots.iter().map(|lot| sums(lot.0)).collect();
        let found = value(&lot_sums);
        let lots: Vec<_> = lots.iter().map(|lot| (lot.1, lot.2)).collect();
        assert_eq!(found.lots.iter().map(figures).collect::<Vec<_>>(), lots, "{name}");
        assert_eq!(found.unpriced.0, *unpriced, "{name}");
    }
}

#[test]
fn prices_are_split_without_losing_a_cent() {
    let cases: &[(i64, &[i64], &[i64])] = &[
        (100, &[3], &[100]),
        (100, &[1, 1, 1], &[33, 33, 34]),
        (100, &[0, 10], &[0, 100]),
        (100, &[10, 0], &[100, 0]),
        (100, &[0], &[0]),
        (100, &[], &[]),
        (0, &[4, 4], &[0, 0]),
        (i64::MAX, &[1, 1], &[i64::MAX / 2, i64::MAX / 2 + 1]),
    ];
    let lot = |payment: Option<i64>, price: i64, granted: i64| {
        let sums = LotSums { price: Minor(price), granted: Credits(granted), ..LotSums::default() };
        (payment.map(PaymentId), sums)
    };
    let prices = |lots: &[_]| apportion(lots).iter().map(|sums| sums.price.0).collect::<Vec<_>>();
    for (price, granted, parts) in cases {
        let lots: Vec<_> = granted.iter().map(|granted| lot(Some(1), *price, *granted)).collect();
        assert_eq!(prices(&lots), *parts, "{price} among {granted:?}");
    }
    let mixed = [
        lot(Some(2), 100, 1),
        lot(None, 0, 5),
        lot(Some(1), 900, 3),
        lot(Some(2), 100, 2),
        lot(Some(3), 7, 4),
    ];
    assert_eq!(
        prices(&mixed),
        [33, 0, 900, 67, 7],
        "each price is split among the payment's own lots, in place"
    );
}

/// Prices that do not divide evenly, one for each lot.
fn price(lot: LotId) -> Minor {
    Minor(9_973 * lot.0 + 7)
}

/// The sums of a tenant's postings, lot by lot.
fn fold(journal: &[Transaction], tenant: TenantId) -> BTreeMap<LotId, LotSums> {
    let mut lots: BTreeMap<LotId, LotSums> = BTreeMap::new();
    let own = journal.iter().filter(|transaction| transaction.tenant == tenant);
    for posting in own.flat_map(|transaction| &transaction.postings) {
        let Some(lot) = posting.lot else { continue };
        let sums = lots.entry(lot).or_insert(LotSums { price: price(lot), ..LotSums::default() });
        let amount = Credits(posting.amount);
        match posting.account {
            Account::Issued => sums.granted -= amount,
            Account::Adjusted if posting.amount < 0 => sums.granted -= amount,
            Account::Adjusted | Account::Expired => sums.ended += amount,
            Account::Consumed => sums.consumed += amount,
            Account::Revoked => sums.revoked += amount,
            Account::Available | Account::Held | Account::Frozen => sums.outstanding += amount,
            Account::Debt | Account::WrittenOff => {}
        }
    }
    lots
}

/// The breakdown of each lot, found by following the journal: used, unspent back, spent back, outstanding.
/// None if credits were restored or reversed, because simple counting does not cover that.
///
/// If a lot replaces credits of others and is refunded itself, its own credits go back, whichever came first.
fn follow(journal: &[Transaction], tenant: TenantId) -> Option<BTreeMap<LotId, [i64; 4]>> {
    let mut lots: BTreeMap<LotId, [i64; 4]> = BTreeMap::new();
    let mut replacing: BTreeMap<LotId, i64> = BTreeMap::new();
    for transaction in journal.iter().filter(|transaction| transaction.tenant == tenant) {
        if matches!(transaction.kind, TransactionKind::Restored | TransactionKind::Reversed) {
            return None;
        }
        let of = |posting: &ledger::Posting| posting.lot.map(|lot| (lot, posting.account, posting.amount));
        let lines: Vec<_> = transaction.postings.iter().filter_map(of).collect();
        let refunded = lines.iter().find(|line| line.1 == Account::Revoked).map(|line| (line.0, line.2));
        let mut met = 0;
        for &(lot, account, amount) in &lines {
            let places = lots.entry(lot).or_default();
            match account {
                Account::Available | Account::Held | Account::Frozen => places[3] += amount,
                Account::Consumed | Account::Expired => places[0] += amount,
                Account::Adjusted => places[0] += amount.max(0),
                _ => {}
            }
            let gives = account == Account::Available || account == Account::Frozen;
            let taken = matches!(transaction.kind, TransactionKind::Revoked | TransactionKind::DebtRepaid);
            if !(gives && taken) {
                continue;
            }
            if refunded.is_some_and(|(refunded, _)| refunded == lot) {
                places[1] -= amount;
                met -= amount;
            } else {
                // These credits replace others, but first the lot's own that were taken back after use.
                let own = places[2].min(-amount);
                places[2] -= own;
                places[1] += own;
                places[0] += -amount - own;
                *replacing.entry(lot).or_default() += -amount - own;
            }
        }
        if let Some((lot, amount)) = refunded {
            let (places, replacing) = (lots.entry(lot).or_default(), replacing.entry(lot).or_default());
            let own = (amount - met).min(*replacing);
            *replacing -= own;
            places[0] -= own;
            places[1] += own;
            places[2] += amount - met - own;
        }
    }
    Some(lots)
}

fn check(journal: &[Transaction], tenant: TenantId) {
    let sums = fold(journal, tenant);
    let lot_sums: Vec<_> = sums.values().copied().collect();
    let TenantValue { lots, unpriced } = value(&lot_sums);
    for (lot, found) in lot_sums.iter().zip(&lots) {
        let price = if lot.granted.is_zero() { Minor::ZERO } else { lot.price };
        let parts = found.recognised + found.refunded_unspent + found.deferred;
        assert_eq!(parts, price, "a cent was lost: {lot:?} {found:?}");
        let credits = found.used + found.unspent_back + found.outstanding;
        assert_eq!(credits, lot.granted, "a credit was lost: {lot:?} {found:?}");
        assert!(figures(found).0.iter().chain(&figures(found).1).all(|one| *one >= 0), "{lot:?} {found:?}");
        if found.outstanding.is_zero() {
            assert_eq!(found.deferred, Minor::ZERO, "nothing is owed: {lot:?} {found:?}");
        }
        assert_eq!(found.spent_back + found.unspent_back, lot.revoked, "{lot:?} {found:?}");
    }
    let last = journal.iter().rev().find(|transaction| transaction.tenant == tenant);
    let balance = last.map(|transaction| transaction.balance_after).unwrap_or_default();
    let priced: Credits = lots.iter().map(|lot| lot.outstanding).sum();
    assert_eq!(priced + unpriced, balance.available + balance.held + balance.frozen, "{lot_sums:?}");

    let Some(followed) = follow(journal, tenant) else { return };
    for ((id, lot), found) in sums.iter().zip(&lots) {
        let places = followed[id];
        assert_eq!(figures(found).0, places, "lot {id}: {lot:?}");
        // The exact share is credits × price / granted. Rounding changes it by less than a cent.
        for (credits, money) in places.into_iter().zip([found.recognised, found.refunded_unspent]) {
            let exact = i128::from(credits) * i128::from(lot.price.0);
            let rounded = i128::from(money.0) * i128::from(lot.granted.0);
            assert!((exact - rounded).abs() < i128::from(lot.granted.0), "lot {id}: {lot:?} {found:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn lot_values_add_up_and_match_the_naive_model(history in histories()) {
        let mut world = World::default();
        for step in history.steps() {
            world.take(step);
            let tenants: Vec<_> = world.book.tenants.keys().copied().collect();
            tenants.into_iter().for_each(|tenant| check(&world.journal, tenant));
        }
    }
}
