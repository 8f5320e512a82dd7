//! Products, prices and customers: created, updated, listed, and refused.

use super::*;

#[tokio::test]
async fn products_and_prices() {
    let account = Account::new();
    let form = "name=Credits&metadata[kind]=pack&images[0]=https://x.example/i.png&tax_code=txcd_1";
    let product = account.ok("POST /v1/products", form).await;
    let (id, path) = (id(&product), format!("POST /v1/products/{}", id(&product)));
    assert_eq!((&product["name"], &product["metadata"]["kind"]), (&"Credits".into(), &"pack".into()));
    let changed = account.ok(&path, "name=More&description=x&active=false&metadata[kind]=").await;
    assert_eq!(changed["metadata"], serde_json::json!({}));
    assert_eq!((&changed["active"], &changed["description"]), (&false.into(), &"x".into()));
    assert_eq!(account.ok(&path, "description=").await["description"], Value::Null);

    let form = format!("product={id}&currency=EUR&unit_amount=990&lookup_key=ten&tax_behavior=inclusive");
    let price = account.ok("POST /v1/prices", &form).await;
    assert_eq!((&price["currency"], &price["unit_amount_decimal"]), (&"eur".into(), &"990".into()));
    assert_eq!(account.ok("GET /v1/prices?lookup_keys[]=ten", "").await["data"][0]["id"], price["id"]);
    assert_eq!(account.refused(&format!("DELETE /v1/products/{id}"), "").await.0, 400);
    let inline = "currency=jpy&unit_amount_decimal=500.00&product_data[name]=Yen";
    assert_eq!(account.ok("POST /v1/prices", inline).await["unit_amount"], 500);

    let other = account.ok("POST /v1/products", "name=B&default_price_data[currency]=eur&default_price_data[unit_amount]=5&expand[]=default_price").await;
    assert_eq!(other["default_price"]["unit_amount"], 5);
    let with_own_id = account.ok("POST /v1/products", "name=C&id=mine").await;
    assert_eq!(with_own_id["id"], "mine");
    let deleted = account.ok("DELETE /v1/products/mine", "").await;
    assert_eq!(deleted, serde_json::json!({"id": "mine", "object": "product", "deleted": true}));
    assert_eq!(account.refused("GET /v1/products/mine", "").await.1, "resource_missing");
    let event_types = account.event_types();
    assert_eq!(event_types.iter().filter(|name| *name == "product.created").count(), 4);
    assert_eq!(event_types.last().unwrap(), "product.deleted");
}

#[tokio::test]
async fn an_update_event_has_the_previous_values() {
    let account = Account::new();
    let customer = id(&account.ok("POST /v1/customers", "name=A&metadata[x]=1").await);
    account.ok(&format!("POST /v1/customers/{customer}"), "name=B&metadata[x]=2").await;
    let event = &account.ok("GET /v1/events?limit=1", "").await["data"][0];
    assert_eq!(event["type"], "customer.updated");
    let before = serde_json::json!({"name": "A", "metadata": {"x": "1"}});
    assert_eq!(event["data"]["previous_attributes"], before);
    account.ok(&format!("POST /v1/customers/{customer}"), "name=B").await;
    assert_eq!(account.event_types().len(), 2, "an update without a change has no event");
}

#[tokio::test]
async fn lists_have_pages() {
    let account = Account::new();
    for number in 0..12 {
        account.ok("POST /v1/customers", &format!("name={number}&email=a{}@b.c", number % 2)).await;
    }
    let page = account.ok("GET /v1/customers?limit=5", "").await;
    let names = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().unwrap();
        data.iter().map(|customer| customer["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&page), ["11", "10", "9", "8", "7"]);
    assert_eq!(
        (&page["object"], &page["url"], &page["has_more"]),
        (&"list".into(), &"/v1/customers".into(), &true.into())
    );
    let last = id(&page["data"][4]);
    let next = account.ok(&format!("GET /v1/customers?limit=5&starting_after={last}"), "").await;
    assert_eq!(names(&next), ["6", "5", "4", "3", "2"]);
    let back = account.ok(&format!("GET /v1/customers?limit=3&ending_before={last}"), "").await;
    assert_eq!(names(&back), ["10", "9", "8"]);
    let even = account.ok("GET /v1/customers?email=a0@b.c&limit=2", "").await;
    assert_eq!((names(&even), &even["has_more"]), (vec!["10".to_owned(), "8".to_owned()], &true.into()));
    let later = account.ok(&format!("GET /v1/customers?created[gt]={NOW}"), "").await;
    assert!(names(&later).is_empty());
}

#[tokio::test]
async fn invalid_products_prices_and_customers_are_refused() {
    let account = Account::new();
    account.ok("POST /v1/products", "id=p&name=P").await;
    account.ok("POST /v1/prices", "product=p&currency=eur&unit_amount=1&lookup_key=taken").await;
    let cases = [
        ("POST /v1/products", "", 400, "parameter_missing", "Missing required param: name."),
        ("POST /v1/products", "id=p&name=Q", 400, "resource_already_exists", "Product already exists: p"),
        ("POST /v1/products", "name=Q&nam=R", 400, "parameter_unknown", "Received unknown parameter: nam"),
        ("POST /v1/products/p", "default_price=price_0", 404, "resource_missing", "No such price: 'price_0'"),
        (
            "POST /v1/prices",
            "product=q&currency=eur&unit_amount=1",
            404,
            "resource_missing",
            "No such product: 'q'",
        ),
        ("POST /v1/prices", "product=p&currency=zzz&unit_amount=1", 400, "", "Invalid currency: zzz."),
        (
            "POST /v1/prices",
            "product=p&currency=eur",
            400,
            "parameter_missing",
            "Missing required param: unit_amount.",
        ),
        (
            "POST /v1/prices",
            "product=p&currency=eur&unit_amount=-1",
            400,
            "parameter_invalid_integer",
            "This value must be greater than or equal to 0.",
        ),
        (
            "POST /v1/prices",
            "product=p&currency=eur&unit_amount=100000000",
            400,
            "amount_too_large",
            "Amount must be no more than 99999999 in the smallest unit of the currency.",
        ),
        (
            "POST /v1/prices",
            "product=p&currency=eur&unit_amount_decimal=0.5",
            400,
            "",
            "FairePlace's emulator accepts whole minor units only: 0.5",
        ),
        (
            "POST /v1/prices",
            "product=p&currency=eur&unit_amount=1&recurring[interval]=month",
            400,
            "",
            "Stripe has the parameter recurring; FairePlace's emulator does not support it.",
        ),
        ("POST /v1/customers", "email=nobody", 400, "email_invalid", "Invalid email address: nobody"),
        ("GET /v1/customers/cus_0", "", 404, "resource_missing", "No such customer: 'cus_0'"),
        ("POST /v1/customers/cus_0", "name=x", 404, "resource_missing", "No such customer: 'cus_0'"),
        ("DELETE /v1/customers/cus_0", "", 404, "resource_missing", "No such customer: 'cus_0'"),
        ("GET /v1/customers?color=red", "", 400, "parameter_unknown", "Received unknown parameter: color"),
    ];
    for (line, form, status, code, message) in cases {
        let expected = (status, code.to_owned(), message.to_owned());
        assert_eq!(account.refused(line, form).await, expected, "{line} {form}");
    }
    let taken = "product=p&currency=eur&unit_amount=1&lookup_key=taken";
    assert!(account.refused("POST /v1/prices", taken).await.2.ends_with("already uses that lookup key."));
}
