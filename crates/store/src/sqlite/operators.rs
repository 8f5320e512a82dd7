//! The verbs of operators, a line each, as those in `mod.rs`; their SQL stands in the file of its subject.
//! Not here: verbs that others use too.

use ledger::{Now, TenantId, Timestamp};

use super::{Answer, Sqlite, adjustments, journal, reports, statement, tenants};
use crate::model::{
    AdjustmentRow, AdjustmentState, AdjustmentVerdict, AskedAdjustment, DecidedAdjustment, Listing,
    NewAdjustment, Page, StatementRange, TenantChange, TenantDetail, TenantFilter, TenantPosition, TenantRow,
    TransactionRow,
};

impl Sqlite {
    pub(crate) async fn tenants(&self, filter: TenantFilter, page: Page) -> Answer<Listing<TenantRow>> {
        self.readers.read(move |c| tenants::list(c, filter, page)).await
    }

    pub(crate) async fn tenant_detail(&self, id: TenantId, now: Now) -> Answer<Option<TenantDetail>> {
        self.readers.read(move |c| tenants::detail(c, id, now)).await
    }

    pub(crate) async fn set_tenant(&self, id: TenantId, change: TenantChange) -> Answer<Option<TenantRow>> {
        self.writer.write(move |c| tenants::set(c, id, &change)).await
    }

    pub(crate) async fn ask_adjustment(&self, new: NewAdjustment, now: Timestamp) -> Answer<AskedAdjustment> {
        self.writer.write(move |c| adjustments::ask(c, &new, now)).await
    }

    pub(crate) async fn decide_adjustment(
        &self,
        id: String,
        verdict: AdjustmentVerdict,
        by: String,
        now: Timestamp,
    ) -> Answer<Option<DecidedAdjustment>> {
        self.writer.write(move |c| adjustments::decide(c, &id, &verdict, &by, now)).await
    }

    pub(crate) async fn finish_adjustment(
        &self,
        id: String,
        done: Result<i64, String>,
    ) -> Answer<Option<AdjustmentRow>> {
        self.writer.write(move |c| adjustments::finish(c, &id, &done)).await
    }

    pub(crate) async fn adjustments(
        &self,
        tenant: Option<TenantId>,
        state: Option<AdjustmentState>,
        page: Page,
    ) -> Answer<Listing<AdjustmentRow>> {
        self.readers.read(move |c| adjustments::list(c, tenant, state, page)).await
    }

    pub(crate) async fn adjustment(&self, id: String) -> Answer<Option<AdjustmentRow>> {
        self.readers.read(move |c| adjustments::find(c, &id)).await
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
