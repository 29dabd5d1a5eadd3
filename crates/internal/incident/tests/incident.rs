//! Runs the example and checks what it prints about each dependency, the metrics page and the
//! traces.

use std::process::Command;

const DEPENDENCIES: [&str; 3] = ["inventory", "payments", "orders-db"];

/// The output of one run.
fn printed() -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_redress-incident")).output().expect("the example starts");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

/// The lines of the log with this event and breaker.
fn lines<'p>(printed: &'p str, level: &str, message: &str, breaker: &str) -> Vec<&'p str> {
    let breaker = format!("breaker=\"{breaker}\"");
    printed.lines().filter(|line| line.contains(level) && line.contains(message) && line.contains(&breaker)).collect()
}

/// The lines of the metrics page that hold all of these.
fn series<'p>(printed: &'p str, parts: &[&str]) -> Vec<&'p str> {
    let page = printed.split("== from the metrics page ==").nth(1).expect("the page is printed");
    page.lines().filter(|line| parts.iter().all(|part| line.contains(part))).collect()
}

/// The numbers in the line with this beginning.
fn numbers(printed: &str, beginning: &str) -> Vec<u64> {
    let line = printed.lines().find(|line| line.starts_with(beginning)).expect("the line is printed");
    line.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

fn check_log(printed: &str) {
    for breaker in DEPENDENCIES {
        let opened = lines(printed, " WARN ", "the circuit opened", breaker);
        let probed = lines(printed, " INFO ", "the circuit lets a probe through", breaker);
        let closed = lines(printed, " INFO ", "the circuit closed", breaker);
        assert!(!opened.is_empty() && !probed.is_empty() && !closed.is_empty(), "{breaker}:\n{printed}");
        let last = |of: &[&str]| of.last().and_then(|line| printed.find(line)).expect("it is printed");
        assert!(last(&opened) < last(&closed), "{breaker} has recovered:\n{printed}");
    }
    let failed = |status: &str| lines(printed, " WARN ", status, "inventory").len();
    assert!(failed("details=\"status=503\"") > 0, "{printed}");
}

fn check_page(printed: &str) {
    let hows = [("inventory", "503"), ("payments", "timeout"), ("orders-db", "ConnectionRefused")];
    for (policy, detail) in hows {
        let policy = format!("policy=\"{policy}\"");
        let detail = format!("detail=\"{detail}\"");
        assert!(
            !series(printed, &["redress_events_total", "event=\"retry\"", &policy, &detail]).is_empty(),
            "{printed}"
        );
    }
    for breaker in DEPENDENCIES {
        let state = format!("redress_circuit_state{{breaker=\"{breaker}\"}} 0");
        assert_eq!(series(printed, &[&state]).len(), 1, "{breaker} is closed in the end:\n{printed}");
    }
    let aborted = series(printed, &["event=\"aborted\"", "policy=\"inventory\"", "stop_reason=\"ABORTED\""]);
    assert_eq!(aborted.len(), 1, "the shutdown ended the call that waited:\n{printed}");
    assert!(printed.contains("waited for its retry was answered 503"), "{printed}");
}

fn check_traces(printed: &str) {
    let received = numbers(printed, "spans received over OTLP: ");
    assert!(received.len() == 4 && received[0] == received[1..].iter().sum::<u64>(), "of three services:\n{printed}");
    let [attempts, below_calls] = numbers(printed, "attempts: ")[..] else { panic!("two numbers:\n{printed}") };
    assert!(attempts > 0 && attempts == below_calls, "{printed}");
    let [spans, below_attempts, parents] = numbers(printed, "backends' spans: ")[..] else { panic!("{printed}") };
    assert!(spans > 0 && spans == below_attempts && spans == parents, "{printed}");

    let tree = printed.split("the trace of the first call").nth(1).expect("a trace is printed");
    let said: Vec<_> = tree.lines().skip(1).take(8).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(said[0][..3], ["checkout", "POST", "/checkout"], "{tree}");
    assert_eq!(said[1][..3], ["checkout", "GET", "/stock/{item}"], "{tree}");
    for (attempt, backend) in [(2, 3), (4, 5), (6, 7)] {
        assert_eq!(
            said[attempt][..3],
            ["checkout", "redress.attempt", &format!("retry.attempt={}", attempt / 2)],
            "{tree}"
        );
        assert_eq!(said[backend], ["inventory", "GET", "/stock/{item}"], "{tree}");
    }
}

fn check_minutes(printed: &str) {
    let minute = |number: usize| printed.split(&format!("== minute {number} ==")).nth(1).expect("each minute is told");
    let line = |number, of: &str| minute(number).lines().find(|line| line.starts_with(of)).expect("it has a line");
    let answers = "callers were answered";
    assert!(line(1, "inventory").ends_with("503 x 1") && line(1, answers).ends_with("201 x 60"), "{printed}");
    assert!(line(2, "inventory").contains("OPEN") && !line(2, answers).contains("201"), "{printed}");
    assert!(line(3, "payments").contains("timeout x"), "{printed}");
    assert!(line(4, "orders-db").contains("ConnectionRefused x"), "{printed}");
    assert!(line(5, answers).ends_with("201 x 60"), "all is well in the end:\n{printed}");
}

#[test]
fn the_incident_as_its_operator_reads_it() {
    let printed = printed();
    check_log(&printed);
    check_page(&printed);
    check_traces(&printed);
    check_minutes(&printed);
}
