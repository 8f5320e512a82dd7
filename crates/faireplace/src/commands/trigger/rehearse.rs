//! What `trigger` asks of the emulator: a customer who buys, a seller who refunds, a bank that disputes. The
//! emulator makes the objects, and its own deliveries tell of them.
//!
//! Not here: events written without an emulator (`plan`).

use serde_json::{Value, json};
use stripe::story::Story;
use stripe::write::Purchase;

use crate::account::{Account, text};
use crate::client::encoded;
use crate::failure::Failure;
use crate::terminal::{bold, faint, say, shown};

/// One thing that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The customer pays with this test number, unless the payment is there already.
    Pay(&'static str),
    /// The seller gives half of the money back.
    RefundHalf,
    /// The seller gives back what was asked for, or else all that is left.
    Refund,
    /// What is to come of the refund comes at once.
    HastenRefund,
    /// What is to come of the charge comes at once: a debit clears, Stripe books the money.
    HastenCharge,
    /// The customer's bank takes the money back.
    Dispute,
    /// The customer's bank warns of fraud.
    Warn,
    /// The seller answers the dispute with this test text.
    Answer(&'static str),
    /// The seller gives the customer no more time.
    Expire,
}

use Turn::{Answer, Dispute, Expire, HastenCharge, HastenRefund, Pay, Refund, RefundHalf, Warn};

// Stripe's test numbers (docs.stripe.com/testing).
const GOOD: &str = "4242424242424242";
const DECLINED: &str = "4000000000000002";
const CHALLENGED: &str = "4000002500003155";
const REFUND_FAILS: &str = "4000000000005126";
const DEBIT: &str = "AT611904300234573201";
const DEBIT_FAILS: &str = "AT861904300235473202";

/// The turns of a story.
pub(super) fn of_story(story: Story) -> &'static [Turn] {
    match story {
        Story::Purchase => &[Pay(GOOD)],
        Story::PartialRefund => &[Pay(GOOD), RefundHalf],
        Story::FailedRefund => &[Pay(REFUND_FAILS), Refund, HastenRefund],
        Story::DisputeWon => &[Pay(GOOD), Dispute, Answer("winning_evidence")],
        Story::DisputeLost => &[Pay(GOOD), Dispute, Answer("losing_evidence")],
        Story::Async => &[Pay(DEBIT), HastenCharge],
        Story::Declined => &[Pay(DECLINED), Expire],
    }
}

/// The turns that make an event of this type come about; None where the emulator knows none.
pub(super) fn of_event(type_name: &str) -> Option<&'static [Turn]> {
    Some(match type_name {
        "checkout.session.completed"
        | "payment_intent.created"
        | "payment_intent.succeeded"
        | "charge.succeeded" => &[Pay(GOOD)],
        "charge.updated" => &[Pay(GOOD), HastenCharge],
        "checkout.session.async_payment_succeeded" => &[Pay(DEBIT), HastenCharge],
        "checkout.session.async_payment_failed" => &[Pay(DEBIT_FAILS), HastenCharge],
        "payment_intent.processing" | "charge.pending" => &[Pay(DEBIT)],
        "checkout.session.expired" => &[Expire],
        "payment_intent.canceled" => &[Pay(DECLINED), Expire],
        "payment_intent.requires_action" => &[Pay(CHALLENGED)],
        "payment_intent.payment_failed" | "charge.failed" => &[Pay(DECLINED)],
        "charge.refunded" | "refund.created" => &[Pay(GOOD), Refund],
        "refund.updated" => &[Pay(GOOD), Refund, HastenRefund],
        "refund.failed" => &[Pay(REFUND_FAILS), Refund, HastenRefund],
        "charge.dispute.created" | "charge.dispute.funds_withdrawn" => &[Pay(GOOD), Dispute],
        "charge.dispute.updated" | "charge.dispute.closed" => {
            &[Pay(GOOD), Dispute, Answer("losing_evidence")]
        }
        "charge.dispute.funds_reinstated" => &[Pay(GOOD), Dispute, Answer("winning_evidence")],
        "radar.early_fraud_warning.created" => &[Pay(GOOD), Warn],
        _ => return None,
    })
}

/// A payment at the emulator, on its way through some turns.
pub(super) struct Rehearsal<'a> {
    pub(super) account: &'a Account,
    pub(super) purchase: &'a Purchase,
    /// What one refund gives back, in minor units; all that is left, if left out.
    pub(super) amount: Option<i64>,
    /// `cs_test_…`
    pub(super) session: String,
    refund: String,
}

/// How deliveries are to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manners {
    pub(super) times: u32,
    pub(super) seed: Option<u64>,
}

impl<'a> Rehearsal<'a> {
    /// The payment of that reference: the one that is there, or a new session.
    pub(super) async fn begin(
        account: &'a Account,
        purchase: &'a Purchase,
        amount: Option<i64>,
    ) -> Result<Self, Failure> {
        let sessions = account.read("/v1/checkout/sessions?limit=100").await?;
        let ours = |session: &&Value| text(session, "client_reference_id") == purchase.reference;
        let known = sessions["data"].as_array().into_iter().flatten().find(ours);
        let session = match known {
            Some(session) => text(session, "id").to_owned(),
            None => buy(account, purchase).await?,
        };
        Ok(Self { account, purchase, amount, session, refund: String::new() })
    }

    /// Takes the turns, and waits until everything about them was delivered. With manners to mind, deliveries
    /// are held back meanwhile, and then let go as asked.
    pub(super) async fn take(
        &mut self,
        turns: &[Turn],
        endpoint: &str,
        manners: Manners,
    ) -> Result<(), Failure> {
        let newest = self.account.read("/v1/events?limit=1").await?;
        let before = text(&newest["data"][0], "id").to_owned();
        let hold = manners.times > 1 || manners.seed.is_some();
        if hold {
            self.account.control(&format!("endpoints/{endpoint}/hold"), &json!({})).await?;
        }
        let taken = self.take_all(turns).await;
        if hold {
            let release = json!({ "times": manners.times, "shuffle": manners.seed });
            self.account.control(&format!("endpoints/{endpoint}/release"), &release).await?;
        }
        taken?;
        self.account.settled().await?;
        self.show_events(&before, manners).await
    }

    async fn take_all(&mut self, turns: &[Turn]) -> Result<(), Failure> {
        for turn in turns {
            match *turn {
                Pay(number) => self.pay(number).await?,
                RefundHalf => self.refund(Some(self.purchase.amount_total / 2)).await?,
                Refund => self.refund(self.amount).await?,
                HastenRefund => self.hasten(&self.refund).await?,
                HastenCharge => self.hasten(&self.charge().await?).await?,
                Dispute => self.complain("dispute").await?,
                Warn => self.complain("fraud_warning").await?,
                Answer(evidence) => self.answer(evidence).await?,
                Expire => {
                    self.account.post(&format!("/v1/checkout/sessions/{}/expire", self.session), &[]).await?;
                }
            }
        }
        Ok(())
    }

    async fn pay(&self, number: &str) -> Result<(), Failure> {
        let session = self.account.read(&format!("/v1/checkout/sessions/{}", self.session)).await?;
        if text(&session, "status") != "open" {
            return Ok(());
        }
        self.account.pay(&self.session, number).await
    }

    async fn refund(&mut self, amount: Option<i64>) -> Result<(), Failure> {
        let charge = self.charge().await?;
        let amount = amount.map(|amount| amount.to_string());
        let mut parameters = vec![("charge", charge.as_str())];
        parameters.extend(amount.as_deref().map(|amount| ("amount", amount)));
        let refund = self.account.post("/v1/refunds", &parameters).await?;
        text(&refund, "id").clone_into(&mut self.refund);
        Ok(())
    }

    async fn complain(&self, kind: &str) -> Result<(), Failure> {
        let path = format!("charges/{}/dispute", self.charge().await?);
        self.account.control(&path, &json!({ "kind": kind })).await.map(drop)
    }

    async fn answer(&self, evidence: &str) -> Result<(), Failure> {
        let charge = self.charge().await?;
        let disputes = self.account.read(&format!("/v1/disputes?charge={}", encoded(&charge))).await?;
        let id = text(&disputes["data"][0], "id");
        let evidence = [("evidence[uncategorized_text]", evidence), ("submit", "true")];
        self.account.post(&format!("/v1/disputes/{id}"), &evidence).await.map(drop)
    }

    async fn hasten(&self, object: &str) -> Result<(), Failure> {
        self.account.control(&format!("objects/{object}/hasten"), &json!({})).await.map(drop)
    }

    async fn charge(&self) -> Result<String, Failure> {
        let path = format!("/v1/checkout/sessions/{}?expand[]=payment_intent", self.session);
        let session = self.account.read(&path).await?;
        let charge = text(&session["payment_intent"], "latest_charge");
        if charge.is_empty() {
            return Err(Failure::failed("that payment took no money, so there is nothing to give back"));
        }
        Ok(charge.to_owned())
    }

    /// What was told since, in the order in which it happened.
    async fn show_events(&self, before: &str, manners: Manners) -> Result<(), Failure> {
        let since = if before.is_empty() { String::new() } else { format!("&ending_before={before}") };
        let listed = self.account.read(&format!("/v1/events?limit=100{since}")).await?;
        let events: Vec<&Value> = listed["data"].as_array().into_iter().flatten().collect();
        let mut refused = 0;
        for event in events.iter().rev() {
            let pending = event["pending_webhooks"].as_u64().unwrap_or_default();
            refused += usize::from(pending > 0);
            let times = if manners.times > 1 { format!(" × {}", manners.times) } else { String::new() };
            say!("  --> {}{} [{}]", bold(&shown(text(event, "type"))), faint(&times), text(event, "id"));
        }
        if refused > 0 {
            return Err(Failure::failed(format!(
                "{refused} of {} events were not accepted; the emulator tries again as Stripe does: \
                 `faireplace advance 3d` lets it do so now",
                events.len()
            )));
        }
        Ok(())
    }
}

/// Opens a checkout session, as a shop would. Answers its id.
pub(crate) async fn buy(account: &Account, purchase: &Purchase) -> Result<String, Failure> {
    let session = checkout(account, purchase).await?;
    Ok(text(&session, "id").to_owned())
}

/// Opens a checkout session whose customer comes back to the emulator's control page.
pub(crate) async fn checkout(account: &Account, purchase: &Purchase) -> Result<Value, Failure> {
    let (credits, amount) = (purchase.credits.to_string(), purchase.amount_total.to_string());
    let back = format!("{}/?session={{CHECKOUT_SESSION_ID}}", account.url);
    let name = purchase.package.replace('_', " ");
    let parameters = [
        ("mode", "payment"),
        ("success_url", back.as_str()),
        ("client_reference_id", purchase.reference.as_str()),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", purchase.currency.as_str()),
        ("line_items[0][price_data][unit_amount]", amount.as_str()),
        ("line_items[0][price_data][product_data][name]", name.as_str()),
        ("metadata[tenant_id]", purchase.tenant_id.as_str()),
        ("metadata[package]", purchase.package.as_str()),
        ("metadata[credits]", credits.as_str()),
    ];
    account.post("/v1/checkout/sessions", &parameters).await
}
