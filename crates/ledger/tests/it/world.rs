//! A ledger in memory that runs the steps of statements and histories, and checks all invariants after each
//! one (`audit`), whatever the test is about.

use std::collections::{BTreeMap, BTreeSet};

use ledger::claim::Judgement;
use ledger::decide::{decide, overdue, rule};
use ledger::review::waits_for;
use ledger::{
    Account, Balance, Book, Changes, Command, CommandAction, Credits, Decision, Execution, HoldId, Knowledge,
    LotId, Notice, Now, ObjectId, PaymentId, PaymentStatus, Policy, Reason, Refusal, RulingRefused, Tenant,
    TenantId, Timestamp, Transaction, execute, expire, review_reason,
};

use crate::command_syntax::{hold_name, seconds};
use crate::step::{Step, letter};

/// A ledger with its whole journal and its policy.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) book: Book,
    pub(crate) journal: Vec<Transaction>,
    pub(crate) policy: Policy,
    pub(crate) folded: BTreeMap<(TenantId, Account, Option<LotId>), i64>,
    /// The transactions of each hold: one that created it, one that resolved it.
    pub(crate) moved_by_holds: BTreeMap<HoldId, Vec<Transaction>>,
    /// The payments whose finality was reported, by all their objects.
    pub(crate) reported_final: BTreeSet<ObjectId>,
    at: i64,
    in_doubt: bool,
    /// The notices since the last `told`.
    notices: Vec<Notice>,
}

/// The result of a step.
pub(crate) struct Done {
    /// The outcome of an event, the result of a command, or the answer to a query.
    pub(crate) outcome: String,
    pub(crate) review_reason: Option<Reason>,
    pub(crate) transactions: Vec<Transaction>,
}

/// Everything that must not depend on the order of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The knowledge about each payment, by its key.
    pub(crate) payments: BTreeMap<ObjectId, Knowledge>,
    pub(crate) balances: BTreeMap<String, Balance>,
    /// Granted, revoked, frozen and the freeze target, by payment and tenant.
    pub(crate) lots: BTreeMap<(ObjectId, String), [i64; 4]>,
}

impl World {
    /// An empty ledger with this policy.
    pub(crate) fn under(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Runs one step, and checks all invariants afterwards.
    pub(crate) fn take(&mut self, step: &Step) -> Done {
        let (outcome, review_reason, changes) = self.decide(step);
        match step {
            Step::Clock(now) => (self.at, self.in_doubt) = (now.at.0, !now.trusted),
            Step::Low(tenant, low) => {
                self.book.tenants.entry(*tenant).or_insert(Tenant::new(*tenant)).low_balance = *low;
            }
            Step::Notices => self.notices.clear(),
            _ => {}
        }
        self.write(step, &changes);
        self.notices.extend(changes.notices);
        Done { outcome, review_reason, transactions: changes.transactions }
    }

    /// This ledger after a sweep of every tenant.
    pub(crate) fn swept(mut self) -> Self {
        let tenants: Vec<TenantId> = self.book.tenants.keys().copied().collect();
        tenants.into_iter().for_each(|tenant| drop(self.take(&Step::Sweep(tenant))));
        self
    }

    /// This ledger after every wait has ended in vain.
    pub(crate) fn waited(mut self) -> Self {
        while let Some(key) = self.book.payments.values().find_map(|payment| {
            waits_for(&payment.knowledge, &self.policy).and(payment.knowledge.key().cloned())
        }) {
            self.take(&Step::Wait(key));
        }
        self
    }

    /// Checks that the other fields of a decision agree with its changes.
    fn audit_decision(&self, decision: &Decision) {
        let payment = decision.changes.payment.as_ref().expect("a decision is about a payment");
        assert_eq!(decision.review_reason, review_reason(&payment.knowledge));
        assert_eq!(decision.waits_for, waits_for(&payment.knowledge, &self.policy));
    }

    /// Checks that an event that was applied before changes nothing. Nothing may be overdue.
    pub(crate) fn repeat(&self, step: &Step) {
        let Step::Fact(_) = step else { return };
        let (outcome, _, changes) = self.decide(step);
        assert_eq!(outcome, "already_known", "{step:?}, repeated");
        let payment = changes.payment.as_ref().expect("a fact is about a payment");
        assert_eq!(Some(payment), self.book.payments.get(&payment.id), "{step:?}, repeated");
        let rest = Changes { payment: None, ..changes };
        assert_eq!(rest, Changes::default(), "{step:?}, repeated");
    }

    fn decide(&self, step: &Step) -> (String, Option<Reason>, Changes) {
        let now = self.now();
        let answer = |text: String| (text, None, Changes::default());
        match step {
            Step::Fact(fact) => {
                let decision = decide(&self.book, fact, &self.policy, now);
                self.audit_decision(&decision);
                (decision.outcome.to_string(), decision.review_reason, decision.changes)
            }
            Step::Rule(key, ruling) => {
                let Some(payment) = self.payment(key) else { return answer("unknown".into()) };
                let decision = match rule(&self.book, payment, ruling.clone(), &self.policy, now) {
                    Ok(decision) => decision,
                    Err(RulingRefused::CreditsOutOfRange) => return answer("refused".into()),
                    Err(refused) => return answer(format!("refused ({refused:?})")),
                };
                self.audit_decision(&decision);
                (decision.outcome.to_string(), decision.review_reason, decision.changes)
            }
            Step::Wait(key) => {
                let Some(payment) = self.payment(key) else { return answer("unknown".into()) };
                let wait = waits_for(&self.book.payments[&payment].knowledge, &self.policy);
                let decided = wait.and_then(|wait| overdue(&self.book, payment, wait, &self.policy, now));
                let Some(decision) = decided else { return answer("waits_for_nothing".into()) };
                self.audit_decision(&decision);
                (decision.outcome.to_string(), decision.review_reason, decision.changes)
            }
            Step::Command(command) => {
                let execution = execute(&self.book, command, now);
                self.audit_execution(command, now, &execution);
                (answer_text(command, &execution), None, execution.changes)
            }
            Step::Sweep(tenant) => {
                let changes = expire(&self.book, *tenant, now);
                let outcome = if changes.transactions.is_empty() { "nothing_due" } else { "ended" };
                (outcome.into(), None, changes)
            }
            Step::Low(..) | Step::Clock(_) => answer("noted".into()),
            Step::Status(key) => {
                let payment = self.payment(key).map(|id| &self.book.payments[&id].knowledge);
                answer(payment.map_or("unknown", |known| PaymentStatus::of(known).as_str()).into())
            }
            Step::Lots(tenant) => answer(self.lots_of(*tenant)),
            Step::Holds(tenant) => answer(self.holds_of(*tenant)),
            Step::Notices => answer(self.notices.iter().map(notice_text).collect::<Vec<_>>().join(" | ")),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now { at: Timestamp(self.at), trusted: !self.in_doubt }
    }

    fn payment(&self, key: &ObjectId) -> Option<PaymentId> {
        self.book.aliases.get(key).copied()
    }

    fn lots_of(&self, tenant: TenantId) -> String {
        let mut lots: Vec<_> = self.book.lots.values().filter(|lot| lot.tenant == tenant).collect();
        lots.sort_by_key(|lot| lot.burn_order());
        let texts = lots.into_iter().map(|lot| {
            let mut text = lot.payment.map_or("gift".to_owned(), |payment| self.key(payment).to_string());
            let columns = [
                ("granted", lot.granted),
                ("revoked", lot.revoked),
                ("available", lot.available),
                ("held", lot.held),
            ];
            for (name, credits) in columns.iter().filter(|column| !column.1.is_zero()) {
                text += &format!(" {name} {credits}");
            }
            if lot.freeze_target > Credits::ZERO {
                text += &format!(" frozen {} of {}", lot.frozen, lot.freeze_target);
            }
            text += &lot.expires_at.map(|at| format!(" until {}", seconds(at))).unwrap_or_default();
            text
        });
        texts.collect::<Vec<_>>().join(" | ")
    }

    fn holds_of(&self, tenant: TenantId) -> String {
        let holds = self.book.holds.values().filter(|hold| hold.tenant == tenant);
        let texts = holds.map(|hold| {
            let mut text = format!("{} {} {}", hold_name(hold.id), hold.state, hold.credits);
            if !hold.captured.is_zero() {
                text += &format!(" captured {}", hold.captured);
            }
            text += &format!(" {}-{}", seconds(hold.created_at), seconds(hold.expires_at));
            text += &hold.resolved_at.map(|at| format!(" at {}", seconds(at))).unwrap_or_default();
            text + &hold.reference.as_ref().map(|text| format!(" for {text}")).unwrap_or_default()
        });
        texts.collect::<Vec<_>>().join(" | ")
    }

    pub(crate) fn key(&self, payment: PaymentId) -> ObjectId {
        self.book.payments[&payment].knowledge.key().expect("a payment has a key").clone()
    }

    /// Everything that must not depend on the order of events.
    pub(crate) fn position(&self) -> Position {
        let payments = self.book.payments.values();
        let payments = payments.map(|payment| (self.key(payment.id), lasting(&payment.knowledge))).collect();
        // Whether an outranked claim was ever posted depends on the order; its tenant ends with nothing
        // anyway.
        let tenants = self.book.tenants.values().filter(|tenant| tenant.balance != Balance::default());
        let balances = tenants.map(|tenant| (letter(tenant.id), tenant.balance)).collect();
        let mut lots: BTreeMap<_, [i64; 4]> = BTreeMap::new();
        for lot in self.book.lots.values() {
            let Some(payment) = lot.payment else { continue };
            let sums = lots.entry((self.key(payment), letter(lot.tenant))).or_default();
            let columns = [lot.granted, lot.revoked, lot.frozen, lot.freeze_target];
            sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += column.0);
        }
        lots.retain(|_, sums| *sums != [0; 4]);
        Position { payments, balances, lots }
    }

    /// Each tenant's net balance without the effect of commands and expiry: the same in any order, whichever
    /// commands were accepted.
    pub(crate) fn net_before_commands(&self) -> BTreeMap<String, i64> {
        use Account::{Adjusted, Consumed, Expired, WrittenOff};
        let by_commands = |tenant| -> i64 {
            [Consumed, Expired, Adjusted, WrittenOff].map(|account| self.fold(tenant, account)).iter().sum()
        };
        let of = |tenant| self.book.tenants[&tenant].balance.net() + by_commands(tenant);
        let tenants = self.book.tenants.keys().map(|&tenant| (letter(tenant), of(tenant)));
        tenants.filter(|tenant| tenant.1 != 0).collect()
    }

    /// The balance of one of the tenant's accounts according to the journal.
    pub(crate) fn fold(&self, tenant: TenantId, account: Account) -> i64 {
        let lines = self.folded.iter().filter(|(key, _)| (key.0, key.1) == (tenant, account));
        lines.map(|(_, amount)| amount).sum()
    }

    pub(crate) fn balance_by_fold(&self, tenant: TenantId) -> Balance {
        let credits = |account| Credits(self.fold(tenant, account));
        Balance {
            available: credits(Account::Available),
            held: credits(Account::Held),
            frozen: credits(Account::Frozen),
            debt: Credits(-self.fold(tenant, Account::Debt)),
        }
    }
}

/// The knowledge about a payment, without the parts that depend on the order of arrival: whether something
/// was late, and the judgement of claims that do not count.
fn lasting(known: &Knowledge) -> Knowledge {
    let mut known = Knowledge { session_overdue: false, reversal_overdue: false, ..known.clone() };
    for (place, claim) in known.claims.iter_mut().enumerate() {
        claim.session = None;
        if place > 0 {
            claim.judgement = Judgement::Waiting;
        }
    }
    if let [_, others @ ..] = &mut known.claims[..] {
        others.sort_by_key(|claim| (claim.terms.source, claim.first.clone(), claim.terms.clone()));
    }
    known
}

/// The answer to a command as a statement shows it.
fn answer_text(command: &Command, execution: &Execution) -> String {
    let text = match (&execution.answer, command.action) {
        (Err(refusal), _) => match refusal {
            Refusal::NotPositive => "refused (not positive)",
            Refusal::Insufficient { .. } => "refused (insufficient)",
            Refusal::NoSuchHold => "refused (no such hold)",
            Refusal::HoldResolved { state } => return format!("refused (was {state})"),
            Refusal::CaptureExceedsHold { .. } => "refused (more than held)",
            Refusal::DebtTooSmall { .. } => "refused (more than owed)",
        },
        (Ok(_), CommandAction::Spend { .. }) => "spent",
        (Ok(_), CommandAction::Hold { .. }) => "held",
        (Ok(_), CommandAction::Capture { .. }) => "captured",
        (Ok(_), CommandAction::Release { .. }) => "released",
        (Ok(_), CommandAction::Adjust { .. }) => "adjusted",
        (Ok(_), CommandAction::WriteOff { .. }) => "written_off",
    };
    text.to_owned()
}

/// A notice as a statement shows it.
fn notice_text(notice: &Notice) -> String {
    let mut text = notice.kind.to_string();
    text += &notice.credits.map(|credits| format!(" {credits}")).unwrap_or_default();
    text += &notice.payment.as_ref().map(|key| format!(" of {key}")).unwrap_or_default();
    text += &notice.hold.map(|id| format!(" by {}", hold_name(id))).unwrap_or_default();
    text + &notice.reference.as_ref().map(|text| format!(" for {text}")).unwrap_or_default()
}
