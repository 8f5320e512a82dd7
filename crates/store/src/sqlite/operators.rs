//! The verbs of operators, a line each, as those in `mod.rs`; their SQL stands in the file of its subject.
//! Not here: verbs that others use too.

use std::sync::Arc;

use ledger::{Now, Policy, TenantId, Timestamp};

use super::{Answer, Sqlite, actions, journal, people, reports, statement, tenants, unconfirmed};
use crate::model::{
    ActionDecided, ActionFilter, ActionRefusal, ActionRow, ActionTotals, ActionVerdict, Asked, Listing,
    NewAction, OperatorLimits, Page, PersonRow, Preview, Recovery, StatementRange, TenantChange,
    TenantDetail, TenantFilter, TenantPosition, TenantRow, TransactionRow,
};

impl Sqlite {
    pub(crate) async fn tenants(&self, filter: TenantFilter, page: Page) -> Answer<Listing<TenantRow>> {
        self.readers.read(move |c| tenants::list(c, filter, page)).await
    }

    pub(crate) async fn tenant_detail(&self, id: TenantId, now: Now) -> Answer<Option<TenantDetail>> {
        self.readers.read(move |c| tenants::detail(c, id, unconfirmed::now(c, now)?)).await
    }

    pub(crate) async fn set_tenant(&self, id: TenantId, change: TenantChange) -> Answer<Option<TenantRow>> {
        self.writer.write(move |c| tenants::set(c, id, &change)).await
    }

    pub(crate) async fn ask_action(
        &self,
        new: NewAction,
        limits: OperatorLimits,
        policy: Arc<Policy>,
        now: Now,
    ) -> Answer<Asked> {
        let change = self.key_cache.change();
        let ask = move |c: &_| Ok((actions::ask(c, &new, limits, &policy, now)?, change));
        // It may also make events due again.
        let (asked, _) = self.signal_changes(self.signals.arrivals.raised_by(ask)).await?;
        Ok(asked)
    }

    pub(crate) async fn preview_action(
        &self,
        new: NewAction,
        limits: OperatorLimits,
        policy: Arc<Policy>,
        now: Now,
    ) -> Answer<Result<Preview, ActionRefusal>> {
        self.readers.read(move |c| actions::preview(c, &new, limits, &policy, now)).await
    }

    pub(crate) async fn decide_action(
        &self,
        id: String,
        verdict: ActionVerdict,
        key: String,
        policy: Arc<Policy>,
        now: Now,
    ) -> Answer<Option<ActionDecided>> {
        let change = self.key_cache.change();
        let decide = move |c: &_| Ok((actions::decide(c, &id, &verdict, &key, &policy, now)?, change));
        let (decided, _) = self.signal_changes(self.signals.arrivals.raised_by(decide)).await?;
        Ok(decided)
    }

    pub(crate) async fn actions(&self, filter: ActionFilter, page: Page) -> Answer<Listing<ActionRow>> {
        self.readers.read(move |c| actions::list(c, &filter, page)).await
    }

    pub(crate) async fn action(&self, id: String) -> Answer<Option<ActionRow>> {
        self.readers.read(move |c| actions::find(c, &id)).await
    }

    pub(crate) async fn action_totals(&self, from: Timestamp, to: Timestamp) -> Answer<Vec<ActionTotals>> {
        self.readers.read(move |c| actions::totals(c, from, to)).await
    }

    pub(crate) async fn people(&self) -> Answer<Vec<PersonRow>> {
        self.readers.read(people::list).await
    }

    pub(crate) async fn register_first(&self, person: PersonRow) -> Answer<PersonRow> {
        self.writer.write(move |c| people::add_first(c, &person)).await
    }

    pub(crate) async fn recover(
        &self,
        recovery: Recovery,
        now: Timestamp,
    ) -> Answer<Result<ActionRow, ActionRefusal>> {
        let change = self.key_cache.change();
        let recover = move |c: &_| Ok((actions::recover(c, &recovery, now)?, change));
        let (recovered, _) = self.writer.write(recover).await?;
        Ok(recovered)
    }

    pub(crate) async fn statement(
        &self,
        tenant: TenantId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Answer<StatementRange> {
        self.readers.read(move |c| statement::range(c, tenant, from, to)).await
    }

    pub(crate) async fn statement_lines(
        &self,
        tenant: TenantId,
        after: i64,
        through: i64,
        limit: u32,
    ) -> Answer<Vec<TransactionRow>> {
        self.readers.read(move |c| statement::lines(c, tenant, after, through, limit)).await
    }

    pub(crate) async fn journal_end(&self, at: Timestamp) -> Answer<i64> {
        self.readers.read(move |c| journal::last_until(c, at)).await
    }

    pub(crate) async fn positions(
        &self,
        through: i64,
        after: Option<TenantId>,
        limit: u32,
    ) -> Answer<Vec<TenantPosition>> {
        self.readers.read(move |c| reports::positions(c, through, after, limit)).await
    }
}
