//! The error messages of failed requests. Successful requests are tested in `e2e`.

use super::*;

#[tokio::test]
async fn an_error_message_has_the_address_but_no_path_or_query() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let transport = transport(Arc::new(Destinations::parse("127.0.0.1").unwrap())).unwrap();
    for (url, expected) in [
        (format!("http://{closed}/in/secret?token=secret"), format!("nothing listens at {closed}")),
        (
            "https://10.0.0.1/secret".to_owned(),
            "10.0.0.1: the address must be an address on the public internet".to_owned(),
        ),
    ] {
        let (id, signature, body) = ("msg_1".to_owned(), "v1,x".to_owned(), "{}".to_owned());
        let request = SignedRequest { url: url.clone(), id, timestamp: 0, signature, body };
        let NoticeResponse::Failed(why) = transport.send(request).await else { panic!("{url} was answered") };
        assert!(why.starts_with(&expected) && !why.contains("secret"), "{url}: {why}");
    }
}
