//! The settings that durability and safety depend on, as the connections report them.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::{DatabaseFile, Mode, reader, writer};

#[test]
fn the_connection_settings_are_in_effect() {
    let folder = std::env::temp_dir().join(format!("store-settings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.db");
    let file = DatabaseFile::open(&path).unwrap();
    let (writer, reader) = (writer(&file, Mode::Test).unwrap(), reader(&path).unwrap());
    let full = "2";
    for (connection, name, pragma, value) in [
        (&writer, "writer", "journal_mode", "wal"),
        (&writer, "writer", "synchronous", full),
        (&writer, "writer", "wal_autocheckpoint", "1000"),
        (&writer, "writer", "application_id", "1179675747"),
        (&writer, "writer", "query_only", "0"),
        (&reader, "reader", "journal_mode", "wal"),
        (&reader, "reader", "query_only", "1"),
    ] {
        assert_eq!(setting(connection, pragma), value, "{pragma} of the {name}");
    }
    for (connection, name) in [(&writer, "writer"), (&reader, "reader")] {
        for (pragma, value) in [
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("foreign_keys", "1"),
            ("busy_timeout", "5000"),
        ] {
            assert_eq!(setting(connection, pragma), value, "{pragma} of the {name}");
        }
    }
    let refused = reader.execute("DELETE FROM api_keys", []).unwrap_err().to_string();
    assert!(refused.contains("readonly"), "{refused}");
    std::fs::remove_dir_all(folder).unwrap();
}

fn setting(connection: &Connection, pragma: &str) -> String {
    connection
        .pragma_query_value(None, pragma, |row| match row.get(0)? {
            Value::Text(text) => Ok(text),
            Value::Integer(number) => Ok(number.to_string()),
            other => panic!("{pragma} is {other:?}"),
        })
        .unwrap()
}
