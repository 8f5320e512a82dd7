//! A new Checkout session: its parameters, and Stripe's rules for them. A request is read, then checked
//! against the objects that exist, and only then executed. Subscriptions, discounts, shipping and embedded
//! pages are refused with an error that names them.

use stripe::write::{ApiVersion, CustomerCreation, MethodType};

use crate::act::checkout::{NewCheckoutSession, amounts};
use crate::api::catalogue::{NewPrice, NewProduct};
use crate::api::customer::check_email;
use crate::api::{currency, url};
use crate::object::{LineItem, MetadataMap, Price};
use crate::wire::{Params, StripeError};
use crate::world::World;

/// docs.stripe.com/api/checkout/sessions/create: in payment mode.
const MAX_ITEMS: usize = 100;
const MAX_QUANTITY: i64 = 999_999;
const MAX_REFERENCE_CHARACTERS: usize = 200;
const MIN_LIFETIME: i64 = 30 * 60;
const MAX_LIFETIME: i64 = 24 * 60 * 60;

/// Accepted and ignored: they change how the page looks, or what it asks for besides the payment.
const IGNORED: [&str; 24] = [
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "branding_settings",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "customer_update",
    "excluded_payment_method_types",
    "invoice_creation",
    "locale",
    "name_collection",
    "origin_context",
    "payment_method_collection",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "permissions",
    "phone_number_collection",
    "saved_payment_method_options",
    "submit_type",
    "tax_id_collection",
    "wallet_options",
];
const NOT_EMULATED: [&str; 9] = [
    "customer_account",
    "discounts",
    "optional_items",
    "redirect_on_completion",
    "return_url",
    "setup_intent_data",
    "shipping_address_collection",
    "shipping_options",
    "subscription_data",
];

/// The payment methods unless the request names others.
const METHODS: [(&str, MethodType); 2] = [("card", MethodType::Card), ("sepa_debit", MethodType::SepaDebit)];

/// The parameters, not yet checked against the objects that exist.
pub(super) struct RequestedSession {
    session: NewCheckoutSession,
    lines: Vec<RequestedItem>,
}

struct RequestedItem {
    place: String,
    of: PriceSource,
    quantity: i64,
}

enum PriceSource {
    Price(String),
    Data { price: NewPrice, product: ProductSource },
}

enum ProductSource {
    Known(String),
    Data(NewProduct),
}

impl RequestedSession {
    pub(super) fn read(params: &mut Params, version: ApiVersion) -> Result<Self, StripeError> {
        params.refuse(&NOT_EMULATED)?;
        params.ignore(&IGNORED);
        mode(params)?;
        let mut lines = params.list("line_items", RequestedItem::read)?;
        if lines.is_empty() {
            return Err(params.missing("line_items"));
        }
        if lines.len() > MAX_ITEMS {
            return Err(StripeError::invalid(format!("A session has at most {MAX_ITEMS} line items."))
                .param("line_items"));
        }
        for (index, line) in lines.iter_mut().enumerate() {
            line.place = format!("line_items[{index}]");
        }
        let (intent_metadata, intent_description) =
            params.nested("payment_intent_data", intent_data)?.unwrap_or_default();
        let automatic_tax = params.nested("automatic_tax", |tax| {
            tax.ignore(&["liability"]);
            tax.boolean("enabled")?.ok_or_else(|| tax.missing("enabled"))
        })?;
        let session = NewCheckoutSession {
            items: Vec::new(),
            currency: String::new(),
            metadata: params.metadata()?.for_new()?,
            intent_metadata,
            intent_description,
            customer: params.text("customer")?,
            customer_email: params.text("customer_email")?,
            customer_creation: customer_creation(params)?,
            client_reference_id: reference(params)?,
            success_url: Some(
                url::read(params, "success_url")?.ok_or_else(|| params.missing("success_url"))?,
            ),
            cancel_url: url::read(params, "cancel_url")?,
            expires_at: params.integer("expires_at")?,
            automatic_tax: automatic_tax.unwrap_or(false),
            payment_method_types: methods(params, version)?,
        };
        let only = params.text("currency")?.map(|currency| currency.to_ascii_lowercase());
        Ok(Self { session: NewCheckoutSession { currency: only.unwrap_or_default(), ..session }, lines })
    }

    /// Checks the parameters against the objects that exist. It changes nothing.
    pub(super) fn check(self, world: &World) -> Result<CheckedSession, StripeError> {
        let session = &self.session;
        if session.customer.is_some() && session.customer_email.is_some() {
            return Err(StripeError::exclusive(&["customer", "customer_email"]));
        }
        if session.customer.is_some() && session.customer_creation == CustomerCreation::Always {
            return Err(StripeError::exclusive(&["customer", "customer_creation"]));
        }
        check_email(session.customer_email.as_deref()).map_err(|error| error.param("customer_email"))?;
        if let Some(id) = session.customer.as_ref().filter(|id| world.customers.get(id).is_none()) {
            return Err(StripeError::no_such("customer", id, "customer"));
        }
        let left = session.expires_at.map(|at| at.saturating_sub(world.now()));
        if left.is_some_and(|left| left < MIN_LIFETIME) {
            let message =
                "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.";
            return Err(StripeError::invalid(message).param("expires_at"));
        }
        if left.is_some_and(|left| left > MAX_LIFETIME) {
            let message =
                "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.";
            return Err(StripeError::invalid(message).param("expires_at"));
        }
        let currency = self.check_lines(world)?;
        Ok(CheckedSession(Self {
            session: NewCheckoutSession { currency, ..self.session },
            lines: self.lines,
        }))
    }

    /// Checks that every item can be sold, and all in one currency, which it returns.
    fn check_lines(&self, world: &World) -> Result<String, StripeError> {
        let mut currency = Some(self.session.currency.clone()).filter(|currency| !currency.is_empty());
        let mut total = 0_i64;
        for line in &self.lines {
            let (of, (unit, inclusive)) = line.check(world)?;
            let currency = currency.get_or_insert_with(|| of.clone());
            if *currency != of {
                let message = "All line items must have the same currency in payment mode.";
                return Err(StripeError::invalid(message).param(&line.place));
            }
            let sums = amounts(unit, line.quantity, self.session.automatic_tax, inclusive);
            let (_, _, amount) = sums.ok_or_else(|| currency::too_large(&line.place))?;
            total = total.checked_add(amount).ok_or_else(|| currency::too_large(&line.place))?;
        }
        let currency = currency.unwrap_or_default();
        currency::chargeable(total, &currency, "line_items")?;
        Ok(currency)
    }
}

/// A session that passed every check.
pub(super) struct CheckedSession(RequestedSession);

impl CheckedSession {
    /// Creates the prices and products that the request describes. The caller creates the session itself.
    pub(super) fn create(self, world: &mut World) -> NewCheckoutSession {
        let RequestedSession { session, lines } = self.0;
        let taxed = session.automatic_tax;
        let items = lines.into_iter().filter_map(|line| line.make(world, taxed)).collect();
        NewCheckoutSession { items, ..session }
    }
}

impl RequestedItem {
    fn read(params: &mut Params) -> Result<Self, StripeError> {
        params.refuse(&["tax_rates"])?;
        params.ignore(&["adjustable_quantity", "dynamic_tax_rates", "metadata"]);
        let price = params.text("price")?;
        let data = params.nested("price_data", |data| {
            let product = data.text("product")?;
            let product_data = data.nested("product_data", NewProduct::read)?;
            let product = match (product, product_data) {
                (Some(id), None) => ProductSource::Known(id),
                (None, Some(new)) => ProductSource::Data(new),
                (None, None) => return Err(data.missing("product")),
                (Some(_), Some(_)) => {
                    return Err(StripeError::exclusive(&[&data.name("product"), &data.name("product_data")]));
                }
            };
            Ok((NewPrice::read(data)?, product))
        })?;
        let of = match (price, data) {
            (Some(id), None) => PriceSource::Price(id),
            (None, Some((price, product))) => PriceSource::Data { price, product },
            (None, None) => return Err(params.missing("price")),
            (Some(_), Some(_)) => {
                return Err(StripeError::exclusive(&[&params.name("price"), &params.name("price_data")]));
            }
        };
        let quantity = params.integer_from("quantity", 1)?.ok_or_else(|| params.missing("quantity"))?;
        if quantity > MAX_QUANTITY {
            let message = format!("This value must be less than or equal to {MAX_QUANTITY}.");
            return Err(StripeError::invalid(message)
                .code("parameter_invalid_integer")
                .param(params.name("quantity")));
        }
        Ok(Self { place: String::new(), of, quantity })
    }

    /// The currency; the price of one unit, and whether it includes tax.
    fn check(&self, world: &World) -> Result<(String, (i64, bool)), StripeError> {
        let named = |name: &str| format!("{}{name}", self.place);
        match &self.of {
            PriceSource::Price(id) => {
                let price = world.prices.get(id);
                let price = price.ok_or_else(|| StripeError::no_such("price", id, &named("[price]")))?;
                if !price.active {
                    let message = format!(
                        "The price specified is inactive. This field only accepts active prices. ({id})"
                    );
                    return Err(StripeError::invalid(message).param(named("[price]")));
                }
                Ok((price.currency.clone(), (price.unit_amount, price.tax_inclusive)))
            }
            PriceSource::Data { price, product } => {
                if let ProductSource::Known(id) = product
                    && world.products.get(id).is_none()
                {
                    return Err(StripeError::no_such("product", id, &named("[price_data][product]")));
                }
                Ok((price.currency().to_owned(), price.unit()))
            }
        }
    }

    fn make(self, world: &mut World, taxed: bool) -> Option<LineItem> {
        let (price, description) = match self.of {
            PriceSource::Price(id) => {
                let price: Price = world.prices.get(&id)?.clone();
                let name = world.products.get(&price.product).map(|product| product.name.clone());
                (price, name)
            }
            PriceSource::Data { price, product } => {
                let product = match product {
                    ProductSource::Known(id) => id,
                    ProductSource::Data(new) => new.make(world, None, true),
                };
                let name = world.products.get(&product).map(|product| product.name.clone());
                let id = price.make(world, product, false);
                (world.prices.get(&id)?.clone(), name)
            }
        };
        let (unit, inclusive) = (price.unit_amount, price.tax_inclusive);
        let (amount_subtotal, amount_tax, amount_total) = amounts(unit, self.quantity, taxed, inclusive)?;
        let description = description.unwrap_or_default();
        let id = world.id("li");
        Some(LineItem {
            id,
            description,
            quantity: self.quantity,
            price,
            amount_subtotal,
            amount_tax,
            amount_total,
        })
    }
}

/// Refuses everything but payments on the hosted page.
fn mode(params: &mut Params) -> Result<(), StripeError> {
    match params.text("mode")?.as_deref() {
        None => return Err(params.missing("mode")),
        Some("payment") => {}
        Some("setup" | "subscription") => {
            return Err(
                StripeError::invalid("FairePlace's emulator supports mode=payment only.").param("mode")
            );
        }
        Some(_) => return Err(StripeError::not_one_of("mode", &["payment", "setup", "subscription"])),
    }
    match params.text("ui_mode")?.as_deref() {
        None | Some("hosted" | "hosted_page") => Ok(()),
        Some(_) => {
            Err(StripeError::invalid("FairePlace's emulator supports ui_mode=hosted_page only.")
                .param("ui_mode"))
        }
    }
}

fn customer_creation(params: &mut Params) -> Result<CustomerCreation, StripeError> {
    let words = [("if_required", CustomerCreation::IfRequired), ("always", CustomerCreation::Always)];
    Ok(params.one_of("customer_creation", &words)?.unwrap_or(CustomerCreation::IfRequired))
}

fn reference(params: &mut Params) -> Result<Option<String>, StripeError> {
    let reference = params.text("client_reference_id")?;
    match &reference {
        Some(text) if text.chars().count() > MAX_REFERENCE_CHARACTERS => {
            Err(StripeError::too_long("client_reference_id", text, MAX_REFERENCE_CHARACTERS))
        }
        _ => Ok(reference),
    }
}

/// `payment_intent_data`: metadata and description of the payment intent and the charge.
fn intent_data(data: &mut Params) -> Result<(MetadataMap, Option<String>), StripeError> {
    data.refuse(&["application_fee_amount", "capture_method", "on_behalf_of", "transfer_data"])?;
    data.ignore(&[
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_group",
    ]);
    Ok((data.metadata()?.for_new()?, data.text("description")?))
}

/// `payment_method_types`, which endive removed (docs.stripe.com/changelog), or its successor.
fn methods(params: &mut Params, version: ApiVersion) -> Result<Vec<MethodType>, StripeError> {
    let old = params.texts("payment_method_types")?;
    if !old.is_empty() && version >= ApiVersion::Endive {
        return Err(StripeError::invalid(
            "payment_method_types is no longer supported in this API version. Leave it out, or use \
             allowed_payment_method_types.",
        )
        .code("payment_method_types_no_longer_supported")
        .param("payment_method_types"));
    }
    let allowed = params.texts("allowed_payment_method_types")?;
    let asked = if old.is_empty() { allowed } else { old };
    let known = |name: &String| {
        let method = METHODS.iter().find(|(known, _)| known == name).map(|(_, method)| *method);
        method.ok_or_else(|| {
            StripeError::invalid(format!("FairePlace's emulator supports card and sepa_debit, not {name}."))
                .param("payment_method_types")
        })
    };
    let methods = asked.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    if methods.is_empty() { Ok(METHODS.map(|(_, method)| method).to_vec()) } else { Ok(methods) }
}
