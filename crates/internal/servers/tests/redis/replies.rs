//! Replies to commands that are wrong, which stay the same.

use redress::StopReason;
use redress_servers::Redis;

use crate::client::{Commands as _, RedisError};
use crate::connections::{connect, ok, policy, refused, run, told};

#[test]
fn a_wrong_command_is_wrong_the_next_time() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    ok(&mut connection, "SET text hello");
    ok(&mut connection, "XGROUP CREATE stream group $ MKSTREAM");
    let rows = [
        ("LPUSH text 1", "PERMANENT WRONGTYPE"),
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", "PERMANENT NOSCRIPT, not run"),
        ("GTE text", "PERMANENT ERR"),
        ("GET", "PERMANENT ERR"),
        ("INCR text", "PERMANENT ERR"),
        ("SCRIPT KILL", "PERMANENT NOTBUSY"),
        ("XGROUP CREATE stream group $", "PERMANENT BUSYGROUP"),
        ("XREADGROUP GROUP other me STREAMS stream >", "PERMANENT NOGROUP"),
        ("HELLO 9", "PERMANENT NOPROTO"),
        ("AUTH secret", "AUTH ERR, not run"),
        ("AUTH nobody secret", "AUTH WRONGPASS, not run"),
    ];
    for (words, expected) in rows {
        assert_eq!(told(&refused(&mut connection, words)), expected, "{words}");
    }
    let outcome = policy().execute(|| connection.lpush::<_, _, i64>("text", 1));
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (1, Some(StopReason::NonRetryableClass)));
}

#[test]
fn a_reply_of_another_type_is_of_the_caller() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    ok(&mut connection, "SET text hello");
    let error: RedisError = run::<i64>(&mut connection, "GET text").expect_err("not a number");
    assert_eq!(told(&error), "UNKNOWN Parse");
    let error: RedisError = run::<i64>(&mut connection, "GET nothing").expect_err("nil is no number");
    assert_eq!(told(&error), "UNKNOWN Parse");
}

#[test]
fn a_script_s_own_error_is_read_like_the_server_s() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    let scripts = [
        ("return redis.error_reply('SOLDOUT no lamps')", "UNKNOWN -"),
        ("return redis.call('nonsense')", "PERMANENT ERR"),
        ("return {err='LOADING the truck'}", "TRANSIENT LOADING, not run"),
    ];
    for (script, expected) in scripts {
        let failed = crate::client::cmd("EVAL").arg(script).arg(0).query::<i64>(&mut connection);
        let error = failed.expect_err("the script fails");
        assert_eq!(told(&error), expected, "{script}: {error}");
    }
}
