//! A file that is written says what the file that was read says.

use redress::config::PolicyFile;

#[test]
fn a_written_file_is_read_as_itself_and_leaves_defaults_out() {
    let text = r#"
[policy.orders]
retry = { max_attempts = 4, budget = "shop", max_unknown_retries = 2 }
deadline = "20s"
breaker = "orders"
strategy.RATE_LIMIT = { kind = "fixed", delay = "90s" }
strategy.default = { kind = "decorrelated_jitter", max = "5s" }
[breaker.orders]
failure_ratio = 0.5
min_calls = 20
trial = { passes = 3 }
[budget]
shop = { kind = "earned", capacity = 10 }
[upstream]
mesh = 3
"#;
    let file = PolicyFile::parse(text, "p.toml").expect("a good file");
    let written = r#"[budget.shop]
kind = "earned"

[breaker.orders]
failure_ratio = 0.5
trial = { passes = 3 }

[policy.orders]
deadline = "20s"
breaker = "orders"
retry = { max_attempts = 4, budget = "shop" }
strategy.default = { kind = "decorrelated_jitter", max = "5s" }
strategy.RateLimit = { kind = "fixed", delay = "1m 30s" }

[upstream]
mesh = 3
"#;
    assert_eq!(file.to_toml(), written);
    assert_eq!(PolicyFile::parse(written, "written.toml").expect("a good file"), file);
}
