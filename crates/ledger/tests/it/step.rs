//! Parses one line of a statement: an event as Stripe would report it, a person's decision, a command
//! (`command_syntax`), the clock, or a query. All tests use this language, also random histories, so that a
//! failure can be pasted into a statement file.
//!
//! ```text
//! session   KEYS  TENANT  CREDITS credits  AMOUNT  STATUS     [TERMS] [recurring]
//! intent    KEYS  TENANT  CREDITS credits  AMOUNT             [received AMOUNT] [TERMS]
//! invoice   KEYS  TENANT  CREDITS credits  AMOUNT             [TERMS]     paid, unless the amount is 0
//! charge    KEYS  ID  AMOUNT  succeeded | authorised | captured | failed
//!                                  [of AUTHORISED] [for TENANT CREDITS]   its metadata
//! watermark KEYS  ID  AMOUNT  [uncaptured AMOUNT]             charge.refunded: its amount_refunded
//! refund    KEYS  ID  AMOUNT  pending | succeeded | failed | canceled
//! dispute   KEYS  ID  AMOUNT  inquiry | open | lost | won     [reinstated AMOUNT]
//! warning   KEYS  ID                                          an early fraud warning
//! wait      KEY                                               it has waited in vain
//! grant     KEY   TENANT  CREDITS credits                     a person's decision
//!                 [amount N] [currency C] [intent ID] [by_hand]
//! dismiss   KEY                                               a person's decision
//! spend     TENANT  CREDITS                    [for REFERENCE]
//! hold      TENANT  HOLD CREDITS               [lasts SECONDS] [for REFERENCE]
//! capture   TENANT  HOLD [CREDITS]
//! release   TENANT  HOLD
//! adjust    TENANT  CREDITS                    [priority N] [until TIME]      an operator grants or takes
//! forgive   TENANT  [CREDITS]                                                 an operator writes debt off
//! sweep     TENANT                                            expires overdue holds and credits
//! low       TENANT  [CREDITS]                                 sets the threshold of `balance.low`
//! clock     TIME [in doubt]                                   sets our clock, in seconds; it may go back
//! status    KEY                                               shows the payment's status
//! lots      TENANT                                            shows the tenant's lots
//! holds     TENANT                                            shows the tenant's holds
//! told                                                        shows the notices since the last `told`
//! ```
//!
//! KEYS are the ids that the event carries, joined by `+`. Their first letter is the kind of object: `s` a
//! session, `P` a payment intent, `c` a charge, `i` an invoice, `u` a subscription. TERMS are `package NAME`,
//! `currency C` and `at CREATED`. Tenants are A to F; other text is used verbatim, and `-` means missing. An
//! event's time and id come from its line number, unless `at` gives the time. Holds are h1, h2 and so on.

use ledger::claim::{ClaimSource, ClaimedTerms};
use ledger::knowledge::{
    ChargeFacts, DisputeFacts, DisputeOutcome, Grant, RefundFacts, RefundRank, ReviewedFacts, Ruling, Verdict,
};
use ledger::{
    Command, Credits, EventId, EventRef, Fact, Knowledge, Minor, Now, ObjectId, Rounding, TenantId, Timestamp,
};

use crate::command_syntax::parse_command;

/// One parsed line.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Fact(Box<Fact>),
    Rule(ObjectId, Ruling),
    Wait(ObjectId),
    Command(Box<Command>),
    Sweep(TenantId),
    Low(TenantId, Option<Credits>),
    Clock(Now),
    Status(ObjectId),
    Lots(TenantId),
    Holds(TenantId),
    Notices,
}

impl Step {
    /// Parses the left-hand side of line `number`.
    pub(crate) fn parse(text: &str, number: i64) -> Self {
        let mut words = Words { text, left: text.split_whitespace().collect() };
        let step = match words.next() {
            "grant" => {
                let key = words.id();
                Self::Rule(key, ruling(number, Verdict::Grant(grant(&mut words))))
            }
            "wait" => Self::Wait(words.id()),
            "dismiss" => Self::Rule(words.id(), ruling(number, Verdict::Dismiss)),
            "status" => Self::Status(words.id()),
            "lots" => Self::Lots(words.tenant()),
            "holds" => Self::Holds(words.tenant()),
            "told" => Self::Notices,
            verb => parse_command(verb, &mut words, number)
                .unwrap_or_else(|| Self::Fact(Box::new(fact(verb, &mut words, number)))),
        };
        assert!(words.left.is_empty(), "{text}: unexpected words at the end");
        step
    }
}

/// The tenant with this letter.
pub(crate) fn tenant(letter: &str) -> Option<TenantId> {
    let [b'A'..=b'F'] = letter.as_bytes() else { return None };
    let digit = letter.to_lowercase();
    let [eight, four, three, twelve] = [8, 4, 3, 12].map(|length| digit.repeat(length));
    TenantId::parse(&format!("{eight}-{four}-4{three}-8{three}-{twelve}"))
}

/// The letter of this tenant.
pub(crate) fn letter(tenant: TenantId) -> String {
    tenant.to_string()[..1].to_uppercase()
}

fn ruling(number: i64, verdict: Verdict) -> Ruling {
    Ruling {
        at: Timestamp(number),
        by: "ann".into(),
        reason: "seen the receipt".into(),
        verdict,
        answered: ReviewedFacts::default(),
    }
}

fn grant(words: &mut Words<'_>) -> Grant {
    let (tenant, credits) = (words.tenant(), Credits(words.number()));
    words.skip("credits");
    Grant {
        tenant,
        credits,
        amount: words.optional("amount").map(|text| Minor(text.parse().unwrap())),
        currency: words.optional("currency").map(str::to_owned),
        payment_intent: words.optional("intent").map(ObjectId::from),
        refunds_by_hand: words.flag("by_hand"),
        rounding: Rounding::default(),
    }
}

fn fact(verb: &str, words: &mut Words<'_>, number: i64) -> Fact {
    let mut event = EventRef { created: number, id: EventId::from(format!("evt_{number}")) };
    let mut known = Knowledge::default();
    for key in words.next().split('+') {
        match key.as_bytes()[0] {
            b's' => drop(known.sessions.insert(key.into())),
            b'P' => drop(known.payment_intents.insert(key.into())),
            b'c' => drop(known.charges.insert(key.into(), ChargeFacts::default())),
            b'i' => drop(known.invoices.insert(key.into())),
            b'u' => drop(known.subscriptions.insert(key.into())),
            _ => panic!("{}: {key} has an unknown first letter", words.text),
        }
    }
    let mut claimed = None;
    match verb {
        "session" => claimed = Some(session(words, &mut known, &mut event)),
        "intent" => claimed = Some(intent(words, &mut known, &mut event)),
        "invoice" => claimed = Some(invoice(words, &mut known, &mut event)),
        "charge" => {
            let id = words.id();
            let charge = charge(words);
            known.charges.insert(id, charge);
            claimed = charge_terms(words, charge.amount);
        }
        "watermark" => drop(known.charges.insert(words.id(), watermark(words))),
        "refund" => drop(known.refunds.insert(words.id(), refund(words))),
        "dispute" => drop(known.disputes.insert(words.id(), dispute(words))),
        "warning" => drop(known.warnings.insert(words.id())),
        _ => panic!("{}: unknown verb", words.text),
    }
    Fact { event, knowledge: known, claimed }
}

/// `TENANT CREDITS credits AMOUNT`.
fn terms(source: ClaimSource, words: &mut Words<'_>) -> ClaimedTerms {
    let metadata = |word: &str| (word != "-").then(|| word.to_owned());
    let name = words.next();
    let tenant = metadata(name).map(|text| tenant(&text).map_or(text, |tenant| tenant.to_string()));
    let credits = metadata(words.next());
    words.skip("credits");
    let amount = metadata(words.next()).map(|text| Minor(text.parse().unwrap()));
    let currency = Some("eur".into());
    ClaimedTerms { tenant, credits, amount, currency, ..ClaimedTerms::none(source) }
}

/// `[package NAME] [currency C] [at CREATED]`. Returns the first other word.
fn more_terms<'t>(words: &mut Words<'t>, terms: &mut ClaimedTerms, event: &mut EventRef) -> Option<&'t str> {
    let metadata = |word: &str| (word != "-").then(|| word.to_owned());
    while !words.left.is_empty() {
        match words.next() {
            "package" => terms.package = metadata(words.next()),
            "currency" => terms.currency = metadata(words.next()),
            "at" => event.created = words.number(),
            other => return Some(other),
        }
    }
    None
}

fn intent(words: &mut Words<'_>, known: &mut Knowledge, event: &mut EventRef) -> ClaimedTerms {
    let mut terms = terms(ClaimSource::PaymentIntent, words);
    known.requested = terms.amount;
    if let Some(received) = words.optional("received") {
        let received = Minor(received.parse().unwrap());
        known.received.extend(known.payment_intents.first().map(|id| (id.clone(), received)));
    }
    assert_eq!(more_terms(words, &mut terms, event), None, "{}", words.text);
    terms
}

fn invoice(words: &mut Words<'_>, known: &mut Knowledge, event: &mut EventRef) -> ClaimedTerms {
    let mut terms = ClaimedTerms { recurring: true, ..terms(ClaimSource::Invoice, words) };
    known.invoice_paid = terms.amount.is_some_and(|amount| amount > Minor::ZERO);
    assert_eq!(more_terms(words, &mut terms, event), None, "{}", words.text);
    terms
}

/// What a charge's metadata claims: `for TENANT CREDITS`.
fn charge_terms(words: &mut Words<'_>, amount: Minor) -> Option<ClaimedTerms> {
    let name = words.optional("for")?;
    Some(ClaimedTerms {
        tenant: Some(tenant(name).map_or(name.to_owned(), |tenant| tenant.to_string())),
        credits: Some(words.next().to_owned()),
        currency: Some("eur".into()),
        amount: Some(amount),
        ..ClaimedTerms::none(ClaimSource::Charge)
    })
}

fn session(words: &mut Words<'_>, known: &mut Knowledge, event: &mut EventRef) -> ClaimedTerms {
    let mut terms = terms(ClaimSource::Session, words);
    known.session_total = terms.amount;
    let status = words.next();
    known.completed = status != "expired";
    match status {
        "paid" | "no_payment_required" | "async_succeeded" => known.paid = true,
        "unpaid" => {}
        "async_failed" => known.async_failed = true,
        "expired" => known.expired = true,
        "in_doubt" => known.status_unknown = true,
        other => panic!("{}: {other} is not a payment status", words.text),
    }
    match more_terms(words, &mut terms, event) {
        None => {}
        Some("recurring") => {
            terms.recurring = true;
            known.invoice_paid = known.paid && terms.amount != Some(Minor::ZERO);
            known.paid = false;
        }
        Some(other) => panic!("{}: unexpected {other}", words.text),
    }
    terms
}

fn charge(words: &mut Words<'_>) -> ChargeFacts {
    let captured = Minor(words.number());
    let state = words.next();
    let amount = words.optional("of").map_or(captured, |text| Minor(text.parse().unwrap()));
    let seen = ChargeFacts { amount, ..ChargeFacts::default() };
    match state {
        "succeeded" => ChargeFacts { captured, succeeded: true, ..seen },
        "authorised" => ChargeFacts { succeeded: true, ..seen },
        "captured" => ChargeFacts { captured, ..seen },
        "failed" => ChargeFacts { failed: true, ..seen },
        other => panic!("{}: {other} is not a charge state", words.text),
    }
}

/// Stripe counts amounts that were authorised but never captured as refunded; here they are subtracted.
fn watermark(words: &mut Words<'_>) -> ChargeFacts {
    let refunded = Minor(words.number());
    let uncaptured = if words.left.is_empty() { 0 } else { words.named("uncaptured") };
    ChargeFacts { refunded: refunded.less(Minor(uncaptured)), ..ChargeFacts::default() }
}

fn refund(words: &mut Words<'_>) -> RefundFacts {
    let amount = Minor(words.number());
    let rank = match words.next() {
        "pending" => RefundRank::Pending,
        "succeeded" => RefundRank::Succeeded,
        "failed" => RefundRank::Failed,
        "canceled" => RefundRank::Canceled,
        other => panic!("{}: {other} is not a refund state", words.text),
    };
    RefundFacts { amount, rank }
}

fn dispute(words: &mut Words<'_>) -> DisputeFacts {
    let amount = Minor(words.number());
    let (outcome, withdrawn) = match words.next() {
        "inquiry" => (DisputeOutcome::Open, false),
        "open" => (DisputeOutcome::Open, true),
        "lost" => (DisputeOutcome::Lost, true),
        "won" => (DisputeOutcome::Won, true),
        other => panic!("{}: {other} is not a dispute state", words.text),
    };
    let reinstated = Minor(if words.left.is_empty() { 0 } else { words.named("reinstated") });
    DisputeFacts { amount, outcome, withdrawn, reinstated }
}

/// The words of a line that are not parsed yet.
pub(crate) struct Words<'t> {
    pub(crate) text: &'t str,
    pub(crate) left: std::collections::VecDeque<&'t str>,
}

impl<'t> Words<'t> {
    pub(crate) fn next(&mut self) -> &'t str {
        self.left.pop_front().unwrap_or_else(|| panic!("{}: too short", self.text))
    }

    fn id(&mut self) -> ObjectId {
        self.next().into()
    }

    pub(crate) fn number(&mut self) -> i64 {
        self.next().parse().unwrap_or_else(|_| panic!("{}: not a number", self.text))
    }

    pub(crate) fn tenant(&mut self) -> TenantId {
        tenant(self.next()).unwrap_or_else(|| panic!("{}: tenants are A to F", self.text))
    }

    /// The word after `name`, if `name` comes next.
    pub(crate) fn optional(&mut self, name: &str) -> Option<&'t str> {
        (self.left.front() == Some(&name)).then(|| {
            self.skip(name);
            self.next()
        })
    }

    /// Whether the next word is `word`, which is then skipped.
    fn flag(&mut self, word: &str) -> bool {
        let is_next = self.left.front() == Some(&word);
        is_next.then(|| self.left.pop_front());
        is_next
    }

    fn skip(&mut self, word: &str) {
        assert_eq!(self.next(), word, "{}", self.text);
    }

    fn named(&mut self, word: &str) -> i64 {
        self.skip(word);
        self.number()
    }
}
