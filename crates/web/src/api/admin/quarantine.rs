//! `/api/admin/quarantine`: what needs a person, and the person's word. About a payment, that word is one
//! more fact; about an event, resolving means reading it again after its cause was mended.

mod claims;

use axum::response::Response;
use ledger::knowledge::{Ruling, Verdict};
use ledger::money::CREDITS_PER_PAYMENT_MAX;
use ledger::{Credits, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{PaymentRow, QuarantineRow};

use crate::answer::{Problem, ProblemKind, rfc3339};
use crate::api::{Id, Operator, Received, Request, body, page};
use crate::auth::Caller;

/// `GET /api/admin/quarantine`: open items, or all with `?all=true`.
pub(crate) async fn list(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["all", "page", "per_page", "sort"])?;
            let page = page(&request.query)?;
            let all = request.query.flag("all")?;
            let found = request.store().quarantine(all, page).await?;
            let rows: Vec<_> = found.rows.iter().map(ItemView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// `GET /api/admin/quarantine/{id}`.
pub(crate) async fn show(Operator { request, .. }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let item = find(&request, &id).await?;
            let claims = match &item.payment {
                Some(_) => claims::of(&payment(&request, &item).await?.knowledge),
                None => Vec::new(),
            };
            Ok(request.meta.data(ItemDetail { item: ItemView::of(&item), claims }))
        })
        .await
}

/// A person's word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    /// Why; kept for ever.
    reason: String,
    /// Who; the key's name where nobody is named.
    by: Option<String>,
    /// Who gets the credits, where the payment does not say.
    tenant_id: Option<String>,
    /// How many, where the payment does not say.
    credits: Option<i64>,
}

/// `POST /api/admin/quarantine/{id}/resolve`.
pub(crate) async fn resolve(
    Operator { request, caller }: Operator,
    Id(id): Id,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let (item, word) = (open_item(&request, &id).await?, word(&request, received)?);
            if let Some(event) = item.event {
                if word.tenant_id.is_some() || word.credits.is_some() {
                    return Err(Problem::new(
                        ProblemKind::Validation,
                        "This item is about an event: resolving it reads the event again, as it is.",
                    ));
                }
                let by = word.by.unwrap_or_else(|| caller.key.name.clone());
                if !request.store().resolve_event(event, by, word.reason, request.meta.at).await? {
                    return Err(closed_meanwhile());
                }
                request.app.arrived.notify_one();
                return Ok(request.meta.data(json!({ "id": item.id, "resolution": "replayed" })));
            }
            let payment = payment(&request, &item).await?;
            let verdict = grant(&payment, &word)?;
            rule(&request, &caller, &item, &payment, word, verdict).await
        })
        .await
}

/// `POST /api/admin/quarantine/{id}/dismiss`: no credits, and no more questions.
pub(crate) async fn dismiss(
    Operator { request, caller }: Operator,
    Id(id): Id,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let (item, word) = (open_item(&request, &id).await?, word(&request, received)?);
            let Some(event) = item.event.clone() else {
                let payment = payment(&request, &item).await?;
                return rule(&request, &caller, &item, &payment, word, Verdict::Dismiss).await;
            };
            let by = word.by.unwrap_or_else(|| caller.key.name.clone());
            if !request.store().dismiss_event(event, by, word.reason, request.meta.at).await? {
                return Err(closed_meanwhile());
            }
            Ok(request.meta.data(json!({ "id": item.id, "resolution": "dismissed" })))
        })
        .await
}

async fn rule(
    request: &Request,
    caller: &Caller,
    item: &QuarantineRow,
    payment: &PaymentRow,
    word: Word,
    verdict: Verdict,
) -> Result<Response, Problem> {
    let by = word.by.unwrap_or_else(|| caller.key.name.clone());
    let ruling = Ruling { at: request.meta.at, by, reason: word.reason, verdict };
    let settled = request.store().rule(payment.id, Some(item.id), ruling, request.app.policy.clone()).await?;
    let settled = settled.ok_or_else(closed_meanwhile)?;
    Ok(request.meta.data(json!({ "payment": payment.key, "outcome": settled.outcome })))
}

/// Somebody else was quicker.
fn closed_meanwhile() -> Problem {
    Problem::new(ProblemKind::Validation, "This item was closed meanwhile. Nothing was changed.")
}

async fn find(request: &Request, id: &str) -> Result<QuarantineRow, Problem> {
    let missing = || Problem::not_found("quarantine item");
    let id = id.parse().map_err(|_| missing())?;
    request.store().quarantine_item(id).await?.ok_or_else(missing)
}

async fn open_item(request: &Request, id: &str) -> Result<QuarantineRow, Problem> {
    let item = find(request, id).await?;
    match &item.resolution {
        None => Ok(item),
        Some(resolution) => {
            let message = format!("This item is closed already: {resolution}. Nothing was changed.");
            Err(Problem::new(ProblemKind::Validation, message))
        }
    }
}

async fn payment(request: &Request, item: &QuarantineRow) -> Result<PaymentRow, Problem> {
    let key = item.payment.clone().ok_or_else(|| Problem::not_found("payment"))?;
    request.store().payment(key).await?.ok_or_else(|| Problem::not_found("payment"))
}

fn word(request: &Request, received: Received) -> Result<Word, Problem> {
    let word: Word = body(request, received)?;
    if word.reason.trim().is_empty() {
        return Err(Problem::value("reason", "a sentence that still explains this in a year"));
    }
    Ok(word)
}

/// What is to be granted: what the person says, and where they say nothing, what the payment says.
fn grant(payment: &PaymentRow, word: &Word) -> Result<Verdict, Problem> {
    let known = &payment.knowledge;
    let terms = known.claim().map(|claim| &claim.terms);
    let terms = terms.or_else(|| known.refused.first()?.terms.as_ref());
    let asked = |field: &str, expected: &str, named: bool| match named {
        true => Problem::value(field, expected),
        false => Problem::value(field, &format!("{expected}; the payment itself names none")),
    };
    let tenant = match &word.tenant_id {
        Some(text) => TenantId::parse(text),
        None => terms.map(|terms| terms.tenant).or_else(|| known.refused.first()?.tenant),
    };
    let credits = word.credits.map(Credits).or(terms.map(|terms| terms.credits));
    let credits = credits.filter(|credits| (1..=CREDITS_PER_PAYMENT_MAX).contains(&credits.0));
    let range = format!("a whole number from 1 to {CREDITS_PER_PAYMENT_MAX}");
    Ok(Verdict::Grant {
        tenant: tenant.ok_or_else(|| asked("tenant_id", "a UUID", word.tenant_id.is_some()))?,
        credits: credits.ok_or_else(|| asked("credits", &range, word.credits.is_some()))?,
    })
}

#[derive(Serialize)]
struct ItemDetail {
    #[serde(flatten)]
    item: ItemView,
    /// What events said was bought, if this is about a payment.
    claims: Vec<claims::ClaimView>,
}

#[derive(Serialize)]
struct ItemView {
    id: i64,
    event: Option<String>,
    payment: Option<String>,
    reason: &'static str,
    detail: String,
    opened_at: String,
    closed_at: Option<String>,
    resolution: Option<String>,
    closed_by: Option<String>,
    note: Option<String>,
}

impl ItemView {
    fn of(item: &QuarantineRow) -> Self {
        Self {
            id: item.id,
            event: item.event.as_ref().map(ToString::to_string),
            payment: item.payment.clone(),
            reason: item.reason.as_str(),
            detail: item.detail.clone(),
            opened_at: rfc3339(item.opened_at),
            closed_at: item.closed_at.map(rfc3339),
            resolution: item.resolution.clone(),
            closed_by: item.closed_by.clone(),
            note: item.note.clone(),
        }
    }
}
