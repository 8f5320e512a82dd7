//! The verbs of operators, one line each, as in `mod.rs`.

use std::sync::Arc;

use ledger::{Now, Policy, TenantId, Timestamp};

use super::{Sqlite, StoreResult, actions, journal, people, reports, statement, tenants, unconfirmed};
use crate::model::{
    ActionFilter, ActionRefusal, ActionRow, ActionTotals, ActionVerdict, DecidedAction, NewAction,
    OperatorLimits, PageRequest, PersonRow, Preview, Recovery, RequestedAction, RowPage, StatementRange,
    TenantChange, TenantDetail, TenantFilter, TenantPosition, TenantRow, TransactionRow,
};

impl Sqlite {
    pub(crate) async fn tenants(
        &self,
        filter: TenantFilter,
        page: PageRequest,
    ) -> StoreResult<RowPage<TenantRow>> {
        self.readers.read(move |c| tenants::list(c, filter, page)).await
    }

    pub(crate) async fn tenant_detail(&self, id: TenantId, now: Now) -> StoreResult<Option<TenantDetail>> {
        self.readers.read(move |c| tenants::detail(c, id, unconfirmed::effective_now(c, now)?)).await
    }

    pub(crate) async fn set_tenant(
        &self,
        id: TenantId,
        change: TenantChange,
    ) -> StoreResult<Option<TenantRow>> {
        self.writer.write(move |c| tenants::set(c, id, &change)).await
    }

    pub(crate) async fn request_action(
        &self,
        new: NewAction,
        limits: OperatorLimits,
        policy: Arc<Policy>,
        now: Now,
    ) -> StoreResult<RequestedAction> {
        let invalidation = self.key_cache.invalidate_on_drop();
        let request = move |c: &_| Ok((actions::request(c, &new, limits, &policy, now)?, invalidation));
        // An action may also make events due again.
        let (requested, _) = self.signal_changes(self.signals.arrivals.raised_by(request)).await?;
        Ok(requested)
    }

    pub(crate) async fn preview_action(
        &self,
        new: NewAction,
        limits: OperatorLimits,
        policy: Arc<Policy>,
        now: Now,
    ) -> StoreResult<Result<Preview, ActionRefusal>> {
        self.readers.read(move |c| actions::preview(c, &new, limits, &policy, now)).await
    }

    pub(crate) async fn decide_action(
        &self,
        id: String,
        verdict: ActionVerdict,
        key: String,
        policy: Arc<Policy>,
        now: Now,
    ) -> StoreResult<Option<DecidedAction>> {
        let invalidation = self.key_cache.invalidate_on_drop();
        let decide = move |c: &_| Ok((actions::decide(c, &id, &verdict, &key, &policy, now)?, invalidation));
        let (decided, _) = self.signal_changes(self.signals.arrivals.raised_by(decide)).await?;
        Ok(decided)
    }

    pub(crate) async fn actions(
        &self,
        filter: ActionFilter,
        page: PageRequest,
    ) -> StoreResult<RowPage<ActionRow>> {
        self.readers.read(move |c| actions::list(c, &filter, page)).await
    }

    pub(crate) async fn action(&self, id: String) -> StoreResult<Option<ActionRow>> {
        self.readers.read(move |c| actions::find(c, &id)).await
    }

    pub(crate) async fn action_totals(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> StoreResult<Vec<ActionTotals>> {
        self.readers.read(move |c| actions::totals(c, from, to)).await
    }

    pub(crate) async fn people(&self) -> StoreResult<Vec<PersonRow>> {
        self.readers.read(people::list).await
    }

    pub(crate) async fn register_first(&self, person: PersonRow) -> StoreResult<PersonRow> {
        self.writer.write(move |c| people::add_first(c, &person)).await
    }

    pub(crate) async fn recover(
        &self,
        recovery: Recovery,
        now: Timestamp,
    ) -> StoreResult<Result<ActionRow, ActionRefusal>> {
        let invalidation = self.key_cache.invalidate_on_drop();
        let recover = move |c: &_| Ok((actions::recover(c, &recovery, now)?, invalidation));
        let (recovered, _) = self.writer.write(recover).await?;
        Ok(recovered)
    }

    pub(crate) async fn statement(
        &self,
        tenant: TenantId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> StoreResult<StatementRange> {
        self.readers.read(move |c| statement::range(c, tenant, from, to)).await
    }

    pub(crate) async fn statement_lines(
        &self,
        tenant: TenantId,
        after: i64,
        through: i64,
        limit: u32,
    ) -> StoreResult<Vec<TransactionRow>> {
        self.readers.read(move |c| statement::lines(c, tenant, after, through, limit)).await
    }

    pub(crate) async fn journal_end(&self, at: Timestamp) -> StoreResult<i64> {
        self.readers.read(move |c| journal::last_until(c, at)).await
    }

    pub(crate) async fn positions(
        &self,
        through: i64,
        after: Option<TenantId>,
        limit: u32,
    ) -> StoreResult<Vec<TenantPosition>> {
        self.readers.read(move |c| reports::positions(c, through, after, limit)).await
    }
}
