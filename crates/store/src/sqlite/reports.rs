//! Data for reports: every lot as of some transaction, recomputed from the postings, for some tenants at a
//! time.

use std::collections::BTreeMap;

use ledger::liability::LotSums;
use ledger::{Account, Credits, LotId, Minor, PaymentId, Posting, TenantId};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::book;
use crate::error::StoreError;
use crate::model::{LotPosition, TenantPosition, UnrelatedMoney};

/// The lots and the debt of the next tenants, by id, as of transaction `through`.
pub(super) fn positions(
    c: &Connection,
    through: i64,
    after: Option<TenantId>,
    limit: u32,
) -> Result<Vec<TenantPosition>, StoreError> {
    let after = after.map(|tenant| tenant.0.into_bytes().to_vec()).unwrap_or_default();
    let mut statement = c.prepare_cached("SELECT id FROM tenants WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let tenants = statement.query_map((after, limit), |row| Ok(TenantId(row.get::<_, Uuid>(0)?)))?;
    tenants.map(|tenant| position(c, tenant?, through)).collect()
}

fn position(c: &Connection, tenant: TenantId, through: i64) -> Result<TenantPosition, StoreError> {
    let debt: Option<i64> = c
        .prepare_cached(
            "SELECT debt FROM transactions WHERE tenant = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row((tenant.0, through), |row| row.get(0))
        .optional()?;
    let lots = sums(c, tenant, through)?;
    let lots = lots.into_iter().map(|(lot, sums)| describe(c, lot, sums)).collect::<Result<_, _>>()?;
    Ok(TenantPosition { tenant, debt: Credits(debt.unwrap_or_default()), lots })
}

/// The sums of each lot's postings.
fn sums(c: &Connection, tenant: TenantId, through: i64) -> Result<BTreeMap<LotId, LotSums>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT p.lot, p.account, sum(p.amount) FROM transactions t JOIN postings p ON p.seq = t.seq
         WHERE t.tenant = ?1 AND t.seq <= ?2 AND p.lot IS NOT NULL
         GROUP BY p.lot, p.account, p.amount < 0",
    )?;
    let mut rows = statement.query((tenant.0, through))?;
    let mut lots: BTreeMap<LotId, LotSums> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (account, amount): (String, i64) = (row.get(1)?, row.get(2)?);
        let account = Account::from_name(&account)
            .ok_or_else(|| StoreError::Corrupt(format!("a posting's account {account}")))?;
        let lot = LotId(row.get(0)?);
        let sums = lots.entry(lot).or_default();
        let granted = Posting { account, lot: Some(lot), amount }.granted();
        let column = match account {
            Account::Adjusted if granted.is_none() => &mut sums.ended,
            Account::Issued | Account::Adjusted => &mut sums.granted,
            Account::Expired => &mut sums.ended,
            Account::Consumed => &mut sums.consumed,
            Account::Revoked => &mut sums.revoked,
            Account::Available | Account::Held | Account::Frozen => &mut sums.outstanding,
            Account::Debt | Account::WrittenOff => continue,
        };
        *column += granted.unwrap_or(Credits(amount));
    }
    Ok(lots)
}

/// Payments that are unrelated to credits, summed by currency.
pub(super) fn unrelated(c: &Connection) -> Result<Vec<UnrelatedMoney>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT currency, count(*), sum(amount) FROM payments INDEXED BY payments_unrelated
         WHERE status = 'unrelated' AND amount > 0 GROUP BY currency ORDER BY currency",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(UnrelatedMoney { currency: row.get(0)?, payments: row.get(1)?, amount: Minor(row.get(2)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A lot with its payment.
fn describe(c: &Connection, lot: LotId, sums: LotSums) -> Result<LotPosition, StoreError> {
    type PaymentColumns = Option<(i64, String, String)>;
    let mut statement = c.prepare_cached(
        "SELECT l.purchased_at, p.id, p.key, p.knowledge FROM lots l LEFT JOIN payments p ON p.id = l.payment
         WHERE l.id = ?1",
    )?;
    let (purchased_at, payment): (i64, PaymentColumns) = statement.query_row([lot.0], |row| {
        let payment = match row.get(1)? {
            Some(id) => Some((id, row.get(2)?, row.get(3)?)),
            None => None,
        };
        Ok((row.get(0)?, payment))
    })?;
    let Some((id, key, knowledge)) = payment else {
        let (payment, payment_key, currency) = (None, None, None);
        let refunds_by_hand = false;
        return Ok(LotPosition { lot, payment, payment_key, currency, refunds_by_hand, purchased_at, sums });
    };
    let known = book::parse(&knowledge)?;
    Ok(LotPosition {
        lot,
        payment: Some(PaymentId(id)),
        payment_key: Some(key),
        currency: known.currency().map(str::to_owned),
        refunds_by_hand: known.granted_by_hand().is_some_and(|grant| grant.refunds_by_hand),
        purchased_at,
        sums: LotSums { price: known.net_price().max(Minor::ZERO), ..sums },
    })
}
