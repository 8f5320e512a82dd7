//! Has the emulator of `dev` take the steps of a scenario, over HTTP: the emulator makes the objects, and
//! delivers the events about them.
//!
//! Not here: events without a running emulator (`plan`).

use emulator::scenario::{Sale, Step};
use serde_json::{Value, json};

use crate::account::{Account, text};
use crate::client::encoded;
use crate::failure::Failure;
use crate::terminal::{bold, faint, say, shown};

/// Whether the emulator's HTTP API can take all of these steps.
pub(super) fn has_api_for(steps: &[Step]) -> bool {
    steps.iter().all(|step| match step {
        Step::Pay(_)
        | Step::Wait(_)
        | Step::RefundHalf
        | Step::Refund
        | Step::FinishRefund
        | Step::FinishCharge
        | Step::Dispute
        | Step::Answer(_)
        | Step::Warn
        | Step::Expire => true,
        Step::Authorize | Step::Capture | Step::ExpireAuthorization | Step::FundHalf => false,
    })
}

/// A payment at the emulator.
pub(super) struct EmulatedPayment<'a> {
    account: &'a Account,
    sale: &'a Sale,
    /// The amount of a refund, in minor units; everything that is left, if it is None.
    amount: Option<i64>,
    /// `cs_test_…`
    pub(super) session: String,
    refund: String,
}

/// How often and in which order events are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeliveryOrder {
    pub(super) times: u32,
    /// The seed of a shuffled order.
    pub(super) seed: Option<u64>,
}

impl<'a> EmulatedPayment<'a> {
    /// Finds the session with the sale's reference, or opens it.
    pub(super) async fn open(
        account: &'a Account,
        sale: &'a Sale,
        amount: Option<i64>,
    ) -> Result<Self, Failure> {
        let sessions = account.read("/v1/checkout/sessions?limit=100").await?;
        let matches = |session: &&Value| text(session, "client_reference_id") == sale.reference;
        let known = sessions["data"].as_array().into_iter().flatten().find(matches);
        let session = match known {
            Some(session) => text(session, "id").to_owned(),
            None => text(&open_session(account, sale).await?, "id").to_owned(),
        };
        Ok(Self { account, sale, amount, session, refund: String::new() })
    }

    /// Takes the steps, and waits until all their events were delivered. Deliveries that repeat or come in
    /// another order are held at first, and released together.
    pub(super) async fn take(
        &mut self,
        steps: &[Step],
        endpoint: &str,
        order: DeliveryOrder,
    ) -> Result<(), Failure> {
        let newest = self.account.read("/v1/events?limit=1").await?;
        let before = text(&newest["data"][0], "id").to_owned();
        let hold = order.times > 1 || order.seed.is_some();
        if hold {
            self.account.control(&format!("endpoints/{endpoint}/hold"), &json!({})).await?;
        }
        let taken = self.take_all(steps).await;
        if hold {
            let release = json!({ "times": order.times, "shuffle": order.seed });
            self.account.control(&format!("endpoints/{endpoint}/release"), &release).await?;
        }
        taken?;
        self.account.settled().await?;
        self.show_events(&before, order.times).await
    }

    async fn take_all(&mut self, steps: &[Step]) -> Result<(), Failure> {
        for step in steps {
            match *step {
                Step::Pay(number) => self.pay(number).await?,
                // The emulator's clock is the user's: scheduled events come early instead.
                Step::Wait(_) => {}
                Step::RefundHalf => self.refund(Some(self.sale.amount / 2)).await?,
                Step::Refund => self.refund(self.amount).await?,
                Step::FinishRefund => self.hasten(&self.refund).await?,
                Step::FinishCharge => self.hasten(&self.charge().await?).await?,
                Step::Dispute => self.complain("dispute").await?,
                Step::Warn => self.complain("fraud_warning").await?,
                Step::Answer(evidence) => self.answer(evidence).await?,
                Step::Expire => {
                    self.account.post(&format!("/v1/checkout/sessions/{}/expire", self.session), &[]).await?;
                }
                Step::Authorize | Step::Capture | Step::ExpireAuthorization | Step::FundHalf => {
                    return Err(Failure::failed("the emulator's API cannot do that"));
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

    /// Prints the events after the event `before`, in the order in which they were created.
    async fn show_events(&self, before: &str, times: u32) -> Result<(), Failure> {
        let since = if before.is_empty() { String::new() } else { format!("&ending_before={before}") };
        let listed = self.account.read(&format!("/v1/events?limit=100{since}")).await?;
        let events: Vec<&Value> = listed["data"].as_array().into_iter().flatten().collect();
        let mut refused = 0;
        for event in events.iter().rev() {
            let pending = event["pending_webhooks"].as_u64().unwrap_or_default();
            refused += usize::from(pending > 0);
            let times = if times > 1 { format!(" × {times}") } else { String::new() };
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

/// Opens a checkout session whose customer returns to the emulator's control page.
pub(crate) async fn open_session(account: &Account, sale: &Sale) -> Result<Value, Failure> {
    let amount = sale.amount.to_string();
    let back = format!("{}/?session={{CHECKOUT_SESSION_ID}}", account.url);
    let metadata: Vec<_> =
        sale.metadata.iter().map(|(key, value)| (format!("metadata[{key}]"), value.as_str())).collect();
    let mut parameters = vec![
        ("mode", "payment"),
        ("success_url", back.as_str()),
        ("client_reference_id", sale.reference.as_str()),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", sale.currency.as_str()),
        ("line_items[0][price_data][unit_amount]", amount.as_str()),
        ("line_items[0][price_data][product_data][name]", sale.description.as_str()),
    ];
    parameters.extend(metadata.iter().map(|(key, value)| (key.as_str(), *value)));
    account.post("/v1/checkout/sessions", &parameters).await
}
