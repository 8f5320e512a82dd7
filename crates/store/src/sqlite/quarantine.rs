//! The quarantine: events that cannot be read or must not count, and payments whose terms are in doubt.

use ledger::{EventId, Knowledge, Outcome, PaymentId, Reason, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::{book, paging};
use crate::error::StoreError;
use crate::model::{PageRequest, PurchaseFigures, QuarantineFilter, QuarantineRow, RowPage};

/// Gives an event the outcome `quarantined`, and opens an item for it.
pub(super) fn quarantine_event(
    c: &Connection,
    seq: i64,
    reason: Reason,
    detail: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.prepare_cached(
        "UPDATE events SET due_at = NULL, outcome = ?2, reason = ?3, applied_at = ?4 WHERE seq = ?1",
    )?
    .execute(params![seq, Outcome::Quarantined.as_str(), reason.as_str(), now.0])?;
    c.prepare_cached(
        "INSERT INTO quarantine (event, reason, detail, opened_at)
         SELECT id, ?2, ?3, ?4 FROM events WHERE seq = ?1
         ON CONFLICT DO UPDATE SET reason = excluded.reason, detail = excluded.detail",
    )?
    .execute(params![seq, reason.as_str(), detail, now.0])?;
    Ok(())
}

/// Closes the item of a quarantined event that has now been applied. Returns `false` if no item was open.
pub(super) fn clear_event(c: &Connection, seq: i64, now: Timestamp) -> Result<bool, StoreError> {
    let closed = c
        .prepare_cached(
            "UPDATE quarantine SET closed_at = ?2, resolution = 'cleared'
             WHERE closed_at IS NULL AND event = (SELECT id FROM events WHERE seq = ?1)",
        )?
        .execute((seq, now.0))?;
    Ok(closed > 0)
}

/// Closes the item about an event with a person's decision. Returns `false` if no item was open.
pub(super) fn close_event_item(
    c: &Connection,
    event: &EventId,
    resolution: &str,
    by: &str,
    note: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let closed = c
        .prepare_cached(
            "UPDATE quarantine SET closed_at = ?5, resolution = ?2, closed_by = ?3, note = ?4
             WHERE closed_at IS NULL AND event = ?1",
        )?
        .execute(params![event.as_str(), resolution, by, note, now.0])?;
    Ok(closed > 0)
}

/// Updates the item about a payment: opens, changes or closes it.
pub(super) fn update_payment_item(
    c: &Connection,
    payment: PaymentId,
    known: &Knowledge,
    reason: Option<Reason>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match reason {
        Some(reason) => c
            .prepare_cached(
                "INSERT INTO quarantine (payment, reason, detail, opened_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET reason = excluded.reason, detail = excluded.detail",
            )?
            .execute(params![payment.0, reason.as_str(), explain(reason, known), now.0])?,
        None => c
            .prepare_cached(
                "UPDATE quarantine SET closed_at = ?2, resolution = 'cleared'
                 WHERE closed_at IS NULL AND payment = ?1",
            )?
            .execute((payment.0, now.0))?,
    };
    Ok(())
}

/// Closes the item about a payment with a person's decision.
pub(super) fn close_payment_item(
    c: &Connection,
    payment: PaymentId,
    resolution: &str,
    by: &str,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.prepare_cached(
        "UPDATE quarantine SET closed_at = ?5, resolution = ?2, closed_by = ?3, note = ?4
         WHERE closed_at IS NULL AND payment = ?1",
    )?
    .execute(params![payment.0, resolution, by, note, now.0])?;
    Ok(())
}

const COLUMNS: &str = "q.id, q.event, p.key, q.reason, q.detail, q.opened_at, q.closed_at, q.resolution,
    q.closed_by, q.note, coalesce(p.knowledge, r.knowledge)
    FROM quarantine q LEFT JOIN payments p ON p.id = q.payment
        LEFT JOIN events e ON e.id = q.event LEFT JOIN payments r ON r.id = e.payment";

/// Items that match the filter.
pub(super) fn list(
    c: &Connection,
    filter: &QuarantineFilter,
    page: PageRequest,
) -> Result<RowPage<QuarantineRow>, StoreError> {
    let (reason, tenant) = (filter.reason.map(Reason::as_str), filter.tenant.map(|tenant| tenant.0));
    let before = filter.opened_before.map(|before| before.0);
    let mut conditions = vec![if filter.all { "1" } else { "q.closed_at IS NULL" }];
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(reason) = &reason {
        conditions.push("q.reason = ?");
        values.push(reason);
    }
    if let Some(tenant) = &tenant {
        conditions.push("p.tenant = ?");
        values.push(tenant);
    }
    if let Some(before) = &before {
        conditions.push("q.opened_at < ?");
        values.push(before);
    }
    let matching = conditions.join(" AND ");
    let sql = format!("SELECT {COLUMNS} WHERE {matching} ORDER BY q.id {}", paging::order(page));
    let joined = if tenant.is_some() { " JOIN payments p ON p.id = q.payment" } else { "" };
    let count = format!("SELECT count(*) FROM quarantine q{joined} WHERE {matching}");
    paging::list(c, &sql, &count, &values, page, read)
}

/// One item.
pub(super) fn show(c: &Connection, id: i64) -> Result<Option<QuarantineRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} WHERE q.id = ?1"))?;
    statement.query_row([id], |row| Ok(read(row))).optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<QuarantineRow, StoreError> {
    let reason: String = row.get(3)?;
    Ok(QuarantineRow {
        id: row.get(0)?,
        event: row.get::<_, Option<String>>(1)?.map(EventId::from),
        payment: row.get(2)?,
        reason: Reason::from_name(&reason)
            .ok_or_else(|| StoreError::Corrupt(format!("quarantine reason {reason}")))?,
        detail: row.get(4)?,
        purchase: match row.get::<_, Option<String>>(10)? {
            Some(knowledge) => PurchaseFigures::of(&book::parse(&knowledge)?),
            None => PurchaseFigures::default(),
        },
        opened_at: Timestamp(row.get(5)?),
        closed_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        resolution: row.get(7)?,
        closed_by: row.get(8)?,
        note: row.get(9)?,
    })
}

/// An explanation of the reason, for the person who must decide.
fn explain(reason: Reason, known: &Knowledge) -> String {
    let nothing = |what: &str| format!("{what} Nothing was granted.");
    let unit = known.currency().unwrap_or("an unknown currency");
    match reason {
        Reason::TenantMissing => nothing("The metadata names no tenant."),
        Reason::TenantInvalid => nothing("The metadata's tenant is not a UUID."),
        Reason::TenantUnknown => {
            nothing("The metadata's tenant is not one of ours, and only known tenants may buy.")
        }
        Reason::PackageUnknown => nothing("The metadata's package is not in the catalogue."),
        Reason::CreditsMissing => nothing("The number of credits that were bought is not stated."),
        Reason::CreditsInvalid => {
            nothing("The metadata's credits are not a whole number from 1 to 1,000,000,000.")
        }
        Reason::CreditsMismatch => nothing("The metadata's credits differ from the catalogue's."),
        Reason::CurrencyInvalid => nothing("The currency is missing, or is not three letters."),
        Reason::CurrencyMismatch => nothing("The currency differs from the catalogue's."),
        Reason::PriceMismatch => nothing("The price differs from the catalogue's."),
        Reason::PaymentStatusUnknown => nothing(
            "Stripe sent an unknown payment_status, which may or may not mean paid. Check it in Stripe.",
        ),
        Reason::ClaimsConflict => {
            "Objects name different tenants, credits or currencies for this payment. One \
                                   claim counts for now; decide which is right."
                .to_owned()
        }
        Reason::Underpaid => nothing(&format!(
            "{} of {} minor units of {unit} were collected. This closes by itself when the rest arrives.",
            known.collected(),
            known.amount_due().unwrap_or_default()
        )),
        Reason::Unlinked => nothing(&format!(
            "A subscription or an invoice over {} minor units of {unit} was paid. Its refunds do not name \
             it, so granting it needs its payment intent, or a person who handles refunds by hand.",
            known.amount_paid()
        )),
        Reason::ReversalUnmatched => "This payment was refunded, but its purchase is unknown. No \
                                      credits were taken. This closes by itself when the purchase arrives."
            .to_owned(),
        Reason::DecisionOutdated => {
            "After the decision about this payment, facts arrived that would lead to a different result. \
             The decision still applies. Check the claims and amounts, and decide again."
                .to_owned()
        }
        Reason::Unreadable => {
            nothing("A figure of the session cannot be read, so its terms cannot be trusted.")
        }
        Reason::Panicked => {
            "The program failed on this payment. Nothing was changed. Update the program, then replay the \
             payment's events."
                .to_owned()
        }
        Reason::WrongMode | Reason::ForeignAccount | Reason::ThinEvent | Reason::RetriesExhausted => {
            "This is about an event, not about its payment.".to_owned()
        }
    }
}
