//! The closed list of what can become of an event, and of why something needs a person (design section 3,
//! Trust). Every event ends in exactly one outcome, stored with it and shown; none exists only as a log line.

use crate::named::named;

named! {
    /// What became of an event. Where several are true, the first of them is named.
    Outcome {
        /// A person must look; nothing was granted. The reason stands beside it.
        Quarantined = "quarantined",
        /// Credits were added.
        Granted = "granted",
        /// Credits were taken back.
        Revoked = "revoked",
        /// Credits that had been taken back were returned.
        Restored = "restored",
        /// Credits were set aside while a refund is pending or a dispute is open.
        Frozen = "frozen",
        /// Credits that were set aside are spendable again.
        Unfrozen = "unfrozen",
        /// The payment became final: its charge succeeded.
        Finalized = "finalized",
        /// An attempt to pay failed; no credits. A later attempt may still succeed.
        Declined = "declined",
        /// The purchase ended without payment: expired, or its delayed payment failed.
        Closed = "closed",
        /// The purchase is complete and its delayed payment is under way.
        AwaitingPayment = "awaiting_payment",
        /// About a payment of ours whose purchase is not known yet; kept until it is.
        AwaitingPurchase = "awaiting_purchase",
        /// Something new was learned that moves no credits.
        Recorded = "recorded",
        /// Everything in it was known already.
        AlreadyKnown = "already_known",
        /// Not about credits, as far as is known; kept, and counted where it is about money.
        Ignored = "ignored",
    }
}

named! {
    /// Why an event or a payment needs a person.
    Reason {
        /// The body is signed, but is no event that we can read.
        Unreadable = "unreadable",
        /// A test event at a live deployment, or the other way round.
        WrongMode = "wrong_mode",
        /// An event of a connected account that this deployment does not serve.
        ForeignAccount = "foreign_account",
        /// A thin event (`v2.core.event`) about money: it carries no object, only a pointer to one.
        ThinEvent = "thin_event",
        /// The program panicked on this event; its neighbours went on.
        Panicked = "panicked",
        /// It could not be applied within the retry schedule.
        RetriesExhausted = "retries_exhausted",
        /// The metadata names no tenant.
        TenantMissing = "tenant_missing",
        /// The metadata's tenant is not a UUID.
        TenantInvalid = "tenant_invalid",
        /// The metadata's tenant is not one of ours, and only known tenants may buy.
        TenantUnknown = "tenant_unknown",
        /// The metadata's package is not in the catalogue.
        PackageUnknown = "package_unknown",
        /// Neither metadata nor catalogue say how many credits were bought.
        CreditsMissing = "credits_missing",
        /// The credits are not a whole number from 1 to 1,000,000,000.
        CreditsInvalid = "credits_invalid",
        /// The credits differ from the catalogue's.
        CreditsMismatch = "credits_mismatch",
        /// The currency is missing, or is not three letters.
        CurrencyInvalid = "currency_invalid",
        /// The currency differs from the catalogue's.
        CurrencyMismatch = "currency_mismatch",
        /// The price differs from the catalogue's.
        PriceMismatch = "price_mismatch",
        /// `payment_status` has a value that we do not know, or says that nothing was due beside an amount.
        PaymentStatusUnknown = "payment_status_unknown",
        /// Objects name different tenants, credits or currencies for one payment. One counts until a person
        /// decides.
        ClaimsConflict = "claims_conflict",
        /// Less was collected than was due.
        Underpaid = "underpaid",
        /// A subscription or an invoice: its refunds cannot be matched with it, so it grants nothing by
        /// itself.
        Unlinked = "unlinked",
        /// Money of a payment of ours went back, and no purchase that it could be matched with arrived.
        ReversalUnmatched = "reversal_unmatched",
        /// Since a person decided, facts arrived that ask, or would grant, something else. The decision
        /// counts until a person decides again.
        DecisionOutdated = "decision_outdated",
    }
}
