//! The advice of the error message when the outcome of a command is unknown.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

/// A client of a service that sends this response to one request, and then closes the connection.
fn service(answer: String) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]);
        connection.write_all(answer.as_bytes()).unwrap();
    });
    let http = Http::builder(TokioExecutor::new()).build_http();
    Client { key: "k".into(), key_from: "in a file".into(), way: Way::Service { url, http } }
}

#[tokio::test]
async fn an_unknown_outcome_names_the_key_for_repeating_the_command() {
    let answer = |status: &str, message: &str| {
        let body = format!(r#"{{"error":{{"message":"{message}"}}}}"#);
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let cases = [
        (String::new(), true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(), true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{".to_owned(), true),
        (answer("503 Service Unavailable", "This is kept."), true),
        (answer("500 Internal Server Error", "Defect."), true),
        (answer("422 Unprocessable Entity", "Too many."), false),
        (answer("409 Conflict", "Another command."), false),
    ];
    for (answer, unknown) in cases {
        let client = service(answer.clone());
        let failure = client.post_named("/api", "drawn-1", &Value::Null).await.unwrap_err().to_string();
        let advice =
            "\nIt may have been done. Repeat the command with `--once drawn-1`, and it is done only once.";
        assert_eq!(failure.ends_with(advice), unknown, "{answer}: {failure}");
    }
}
