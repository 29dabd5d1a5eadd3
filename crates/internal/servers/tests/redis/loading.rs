//! A server that loads its data after a restart.

use redress_servers::Redis;

use crate::client::{Commands as _, Value};
use crate::connections::{connect, ok, policy, refused, run, told, until};

/// Settings that Redis has for its own tests: each key waits, in microseconds, and commands are
/// answered after each kilobyte. So it loads until the wait is set to zero.
const SLOW: &[&str] = &["--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024"];

#[test]
fn a_retry_meets_the_server_when_it_has_loaded() {
    let mut server = Redis::start(&[]);
    let mut connection = connect(&server);
    // A minute of loading.
    ok(&mut connection, "DEBUG POPULATE 6000 key 512");
    ok(&mut connection, "SET stock 7");
    ok(&mut connection, "SAVE");
    server.restart(SLOW);

    let mut connection = connect(&server);
    let error = refused(&mut connection, "GET stock");
    assert_eq!(told(&error), "TRANSIENT LOADING, not run", "{error}");

    let mut admin = connect(&server);
    let outcome = policy().execute_with(|attempt| {
        if attempt.number() == 2 {
            ok(&mut admin, "CONFIG SET key-load-delay 0");
            until(|| run::<Value>(&mut admin, "PING").ok());
        }
        connection.incr::<_, _, i64>("stock", 1)
    });
    assert_eq!((outcome.attempts(), outcome.into_result().expect("it has loaded")), (2, 8));
}
