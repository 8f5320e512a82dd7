//! `/api/admin/quarantine`: what needs a person, and the person's word. About a payment, that word is one
//! more fact; about an event, resolving means reading it again after its cause was mended.

mod claims;

use axum::response::Response;
use ledger::knowledge::{Grant, Ruling, Verdict};
use ledger::money::CREDITS_PER_PAYMENT_MAX;
use ledger::{Credits, Minor, ObjectId, Outcome, Rounding, TenantId};
use serde::{Deserialize, Serialize};
use store::{PaymentRow, QuarantineRow};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, ProblemKind, rfc3339};
use crate::api::text::is_plain;
use crate::api::{Id, Operator, Received, Request, body, page};
use crate::auth::Caller;
use crate::schema::{OutcomeName, Paging, ReasonName};

/// The largest amount, in minor units.
const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// What needs a person
#[utoipa::path(get, path = "/api/admin/quarantine", operation_id = "list_quarantine", tag = "Quarantine",
    params(Paging, ("all" = Option<bool>, Query, description = "Closed items too.")),
    responses((status = 200, body = PageOf<ItemView>)))]
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

/// One item, with what events said was bought
#[utoipa::path(get, path = "/api/admin/quarantine/{id}", operation_id = "show_quarantine_item",
    tag = "Quarantine",
    params(("id" = i64, Path, description = "The item's number.", example = 1)),
    responses((status = 200, body = Data<ItemDetail>)))]
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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the customer wrote, order 1234", "by": "Grace" }))]
struct Word {
    /// Why; kept for ever.
    reason: String,
    /// Who, in the words of whoever asks: kept in brackets behind the name of the key.
    by: Option<String>,
    /// Who gets the credits, where the payment does not say.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<String>,
    /// How many, where the payment does not say.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    credits: Option<i64>,
    /// What was paid, in minor units, where the payment does not say.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// Three letters, in lower case, where the payment does not say.
    currency: Option<String>,
    /// The payment intent behind an unlinked purchase: by it, refunds and disputes are matched.
    #[schema(example = "pi_3Q1a2b3c4d5e6f7g")]
    payment_intent: Option<String>,
    /// The purchase has no payment intent: a person takes credits back when money goes back.
    #[serde(default)]
    refunds_by_hand: bool,
}

/// Resolve an item: grant, or read again
///
/// About a payment, this grants what you say, and where you say nothing, what the payment says. About an
/// event, the event is read again, after its cause was mended.
#[utoipa::path(post, path = "/api/admin/quarantine/{id}/resolve", operation_id = "resolve_quarantine_item",
    tag = "Quarantine", request_body = Word,
    params(("id" = i64, Path, description = "The item's number.", example = 1)),
    responses((status = 200, body = Data<Decided>)))]
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
                let by = caller.signs(word.by.as_deref());
                if !request.store().resolve_event(event, by, word.reason, request.meta.at).await? {
                    return Err(closed_meanwhile());
                }
                request.app.arrived.notify_one();
                return Ok(request.meta.data(Decided::about_event(item.id, "replayed")));
            }
            let payment = payment(&request, &item).await?;
            let verdict = grant(&payment, &word)?;
            rule(&request, &caller, &item, &payment, word, verdict).await
        })
        .await
}

/// Dismiss an item: no credits, and no more questions
#[utoipa::path(post, path = "/api/admin/quarantine/{id}/dismiss", operation_id = "dismiss_quarantine_item",
    tag = "Quarantine", request_body = Word,
    params(("id" = i64, Path, description = "The item's number.", example = 1)),
    responses((status = 200, body = Data<Decided>)))]
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
            let by = caller.signs(word.by.as_deref());
            if !request.store().dismiss_event(event, by, word.reason, request.meta.at).await? {
                return Err(closed_meanwhile());
            }
            Ok(request.meta.data(Decided::about_event(item.id, "dismissed")))
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
    let by = caller.signs(word.by.as_deref());
    let ruling = Ruling { at: request.meta.at, by, reason: word.reason, verdict };
    let (policy, now) = (request.app.policy.clone(), request.app.clock.reading());
    let settled = request.store().rule(payment.id, Some(item.id), ruling, policy, now).await?;
    let settled = settled.map_err(|refused| Problem::new(ProblemKind::Validation, refused.to_string()))?;
    let settled = settled.ok_or_else(closed_meanwhile)?;
    request.app.noticed.ring();
    Ok(request.meta.data(Decided::about_payment(payment.key.clone(), settled.outcome)))
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
    if !is_plain(&word.reason) {
        return Err(Problem::value("reason", "a sentence that still explains this in a year"));
    }
    if word.amount.is_some_and(|amount| !(1..=AMOUNT_MAX).contains(&amount)) {
        return Err(Problem::value("amount", &format!("minor units from 1 to {AMOUNT_MAX}")));
    }
    let is_currency = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    if word.currency.as_deref().is_some_and(|text| !is_currency(text)) {
        return Err(Problem::value("currency", "three letters in lower case, such as eur"));
    }
    let is_id = |text: &str| {
        let is_id_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (1..=255).contains(&text.len()) && text.bytes().all(is_id_byte)
    };
    if word.payment_intent.as_deref().is_some_and(|text| !is_id(text)) {
        return Err(Problem::value(
            "payment_intent",
            "the id of a payment intent, such as pi_3Q1a2b3c4d5e6f7g",
        ));
    }
    if word.by.as_deref().is_some_and(|by| !by.is_empty() && !is_plain(by)) {
        return Err(Problem::value("by", "a name, all of which can be seen"));
    }
    Ok(word)
}

/// What is to be granted: what the person says, and where they say nothing, what the payment says.
fn grant(payment: &PaymentRow, word: &Word) -> Result<Verdict, Problem> {
    let known = &payment.knowledge;
    let asked = |field: &str, expected: &str, named: bool| match named {
        true => Problem::value(field, expected),
        false => Problem::value(field, &format!("{expected}; the payment itself names none")),
    };
    let tenant = match &word.tenant_id {
        Some(text) => TenantId::parse(text),
        None => known.tenant(),
    };
    let credits = word.credits.map(Credits).or_else(|| known.credits());
    let credits = credits.filter(|credits| (1..=CREDITS_PER_PAYMENT_MAX).contains(&credits.0));
    let range = format!("a whole number from 1 to {CREDITS_PER_PAYMENT_MAX}");
    Ok(Verdict::Grant(Grant {
        tenant: tenant.ok_or_else(|| asked("tenant_id", "a UUID", word.tenant_id.is_some()))?,
        credits: credits.ok_or_else(|| asked("credits", &range, word.credits.is_some()))?,
        amount: word.amount.map(Minor),
        currency: word.currency.clone(),
        payment_intent: word.payment_intent.as_deref().map(ObjectId::from),
        refunds_by_hand: word.refunds_by_hand,
        rounding: Rounding::default(),
    }))
}

/// What the decision did: `id` and `resolution` for an item about an event, else `payment` and `outcome`.
#[derive(Default, Serialize, ToSchema)]
#[schema(example = json!({ "payment": "cs_live_a1b2c3d4e5f6g7h8", "outcome": "granted" }))]
struct Decided {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OutcomeName>)]
    outcome: Option<Outcome>,
}

impl Decided {
    fn about_event(id: i64, resolution: &'static str) -> Self {
        Self { id: Some(id), resolution: Some(resolution), ..Self::default() }
    }

    fn about_payment(payment: String, outcome: Outcome) -> Self {
        Self { payment: Some(payment), outcome: Some(outcome), ..Self::default() }
    }
}

/// One item, and what is claimed about its payment.
#[derive(Serialize, ToSchema)]
struct ItemDetail {
    #[serde(flatten)]
    item: ItemView,
    /// What events said was bought, if this is about a payment.
    claims: Vec<claims::ClaimView>,
}

/// Something that needs a person.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": 1, "event": null, "payment": "cs_live_a1b2c3d4e5f6g7h8",
    "reason": "tenant_missing", "detail": "The metadata names no tenant. Nothing was granted.",
    "tenant_id": null, "credits": 10, "package": "10_credits", "amount": 25000, "currency": "eur",
    "opened_at": "2026-11-23T12:00:00Z", "closed_at": null, "resolution": null, "closed_by": null,
    "note": null }))]
struct ItemView {
    id: i64,
    /// The event that it is about; then there is no payment.
    event: Option<String>,
    /// The payment that it is about; then there is no event.
    payment: Option<String>,
    #[schema(value_type = ReasonName)]
    reason: &'static str,
    /// In words.
    detail: String,
    /// Whose purchase it is, as far as the metadata says.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    /// How many credits were bought, as far as the metadata says.
    credits: Option<i64>,
    package: Option<String>,
    /// What was paid or is due, in minor units.
    amount: Option<i64>,
    /// Three letters, in lower case.
    currency: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    /// How it was closed.
    resolution: Option<String>,
    closed_by: Option<String>,
    /// Why, in the words of whoever closed it.
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
            tenant_id: item.purchase.tenant,
            credits: item.purchase.credits.map(|credits| credits.0),
            package: item.purchase.package.clone(),
            amount: item.purchase.amount.map(|amount| amount.0),
            currency: item.purchase.currency.clone(),
            opened_at: rfc3339(item.opened_at),
            closed_at: item.closed_at.map(rfc3339),
            resolution: item.resolution.clone(),
            closed_by: item.closed_by.clone(),
            note: item.note.clone(),
        }
    }
}
