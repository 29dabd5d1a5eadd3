//! Passwords and the access control list.

use redress::StopReason;
use redress_servers::Redis;

use crate::client::{Client, Connection, RedisError};
use crate::connections::{connect, ok, policy, refused, told};

fn with_password(server: &Redis, password: &str) -> Result<Connection, RedisError> {
    Client::open(format!("redis://:{password}@127.0.0.1:{}", server.port())).expect("an address").get_connection()
}

#[test]
fn a_password_is_missing_or_wrong() {
    let server = Redis::start(&["--requirepass", "correct-horse"]);
    assert_eq!(told(&refused(&mut connect(&server), "GET stock")), "AUTH NOAUTH, not run");

    let outcome = policy().execute(|| with_password(&server, "battery"));
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (1, Some(StopReason::NonRetryableClass)));
    let error = outcome.last_error().expect("the password is wrong");
    assert_eq!(told(error), "AUTH AuthenticationFailed, not run", "{error}");

    ok(&mut with_password(&server, "correct-horse").expect("the password"), "GET stock");
}

#[test]
fn a_user_may_only_read() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    ok(&mut connection, "ACL SETUSER reader on nopass +get ~stock*");
    ok(&mut connection, "AUTH reader any");
    ok(&mut connection, "GET stock");
    assert_eq!(told(&refused(&mut connection, "SET stock 7")), "PERMISSION NOPERM, not run");
    assert_eq!(told(&refused(&mut connection, "GET prices")), "PERMISSION NOPERM, not run");
}
