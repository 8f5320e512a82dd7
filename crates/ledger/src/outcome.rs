//! The possible outcomes of an event, and the reasons why something needs a person (design section 3, Trust).
//! Every event ends in exactly one outcome, which is stored with the event and shown.

use crate::named::named;

named! {
    /// The outcome of an event. If several apply, the first in this list is used.
    Outcome {
        /// A person must decide; nothing was granted. The reason is stored with it.
        Quarantined = "quarantined",
        /// Credits were added.
        Granted = "granted",
        /// Credits were taken back.
        Revoked = "revoked",
        /// Credits that had been taken back were returned.
        Restored = "restored",
        /// Credits were set aside because a refund is pending or a dispute is open.
        Frozen = "frozen",
        /// Frozen credits are spendable again.
        Unfrozen = "unfrozen",
        /// The payment became final: its charge succeeded.
        Finalized = "finalized",
        /// An attempt to pay failed; no credits. A later attempt may still succeed.
        Declined = "declined",
        /// The purchase ended without payment: expired, or its delayed payment failed.
        Closed = "closed",
        /// The purchase is complete and its delayed payment is under way.
        AwaitingPayment = "awaiting_payment",
        /// It is about one of our payments whose purchase is not known yet; it is kept until then.
        AwaitingPurchase = "awaiting_purchase",
        /// It says something new that moves no credits.
        Recorded = "recorded",
        /// It says nothing new.
        AlreadyKnown = "already_known",
        /// Not about credits, as far as is known. It is kept, and counted if it is about money.
        Ignored = "ignored",
    }
}

named! {
    /// Why an event or a payment needs a person.
    Reason {
        /// The body is signed, but is not an event that we can read.
        Unreadable = "unreadable",
        /// A test event at a live deployment, or a live event at a test deployment.
        WrongMode = "wrong_mode",
        /// An event of a connected account that this deployment does not serve.
        ForeignAccount = "foreign_account",
        /// A thin event (`v2.core.event`) about money: it carries no object, only a pointer to one.
        ThinEvent = "thin_event",
        /// The program panicked on this event. Other events were not affected.
        Panicked = "panicked",
        /// The event could not be applied within the retry schedule.
        RetriesExhausted = "retries_exhausted",
        /// The metadata names no tenant.
        TenantMissing = "tenant_missing",
        /// The metadata's tenant is not a UUID.
        TenantInvalid = "tenant_invalid",
        /// The metadata's tenant is not one of ours, and only known tenants may buy.
        TenantUnknown = "tenant_unknown",
        /// The metadata's package is not in the catalogue.
        PackageUnknown = "package_unknown",
        /// Neither the metadata nor the catalogue says how many credits were bought.
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
        /// `payment_status` has an unknown value, or says that nothing was due although there is an amount.
        PaymentStatusUnknown = "payment_status_unknown",
        /// Objects name different tenants, credits or currencies for one payment. One of the claims counts
        /// until a person decides.
        ClaimsConflict = "claims_conflict",
        /// Less was collected than was due.
        Underpaid = "underpaid",
        /// A subscription or an invoice. Its refunds cannot be matched with it, so it grants nothing by
        /// itself.
        Unlinked = "unlinked",
        /// Money of one of our payments went back, and no purchase arrived to match it with.
        ReversalUnmatched = "reversal_unmatched",
        /// A person decided, and later facts raise another question or would grant something else. The
        /// decision counts until a person decides again.
        DecisionOutdated = "decision_outdated",
    }
}
