//! HTML pages: whole, self-contained, escaped, and with the curves that a reader looks for.

use redress::Policy;
use redress_core::CircuitBreaker;
use redress_sim::{Clients, Fault, Load, Page, Recording, Replayed, Report, Scenario, Server};

use crate::{millis, once, secs};

fn run(name: &str) -> Report {
    let scenario = Scenario::new(Load::steady(50), Server::new(1, millis(10)))
        .name(name)
        .fault(Fault::stops(secs(20), secs(30)))
        .horizon(secs(60));
    let breaker = CircuitBreaker::builder().failure_threshold(5).recovery_timeout(secs(2));
    scenario.run(Clients::alike(10, once().circuit_breaker(breaker))).expect("valid").label("<orders & more>")
}

#[test]
fn a_page_needs_no_other_file() {
    let report = run("an outage");
    let page = Page::new("a title").report(&report).comparison(report.against(&report)).to_string();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for foreign in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("http").count(), page.matches("http://www.w3.org/2000/svg").count());
    assert_eq!((page.matches("<svg").count(), page.matches("</svg>").count()), (7, 7));
    assert!(page.contains("prefers-color-scheme: dark"));
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let report = run("<b>bold</b>");
    let page = Page::new("1 < 2 & \"3\"").comparison(report.against(&report)).to_string();
    for raw in ["<b>", "<orders", "& more", "1 < 2"] {
        assert!(!page.contains(raw), "{raw}");
    }
    for escaped in ["&lt;b&gt;bold", "&lt;orders &amp; m", "1 &lt; 2 &amp; &quot;3&quot;"] {
        assert!(page.contains(escaped), "{escaped}");
    }
}

#[test]
fn curves_are_named_and_the_trouble_is_shaded() {
    let page = Page::new("a title").report(&run("an outage")).to_string();
    for name in ["calls made", "attempts", "succeeding", "p99", "p50", "trouble", "open"] {
        assert!(page.contains(&format!("\n{name}\n</text>")), "{name}");
    }
    assert_eq!(page.matches("fill=\"#FBE9E5\"").count(), 3 + 1, "in each chart, and its colour in the dark");
    let colours = page.matches("stroke=\"#").count();
    assert!(colours > 0);
}

/// Every colour that a chart uses has another in the dark.
#[test]
fn no_colour_is_left_out_of_the_dark() {
    let report = run("an outage");
    let page = Page::new("a title").report(&report).comparison(report.against(&report)).to_string();
    let (head, body) = page.split_once("</style>").expect("it has a style");
    for attribute in ["stroke=\"#", "fill=\"#"] {
        for rest in body.split(attribute).skip(1) {
            let colour = &rest[..6];
            assert!(head.contains(&format!("{attribute}{colour}\"]")), "{attribute}{colour}");
        }
    }
}

/// Ten calls of which one fails.
fn replayed() -> Replayed {
    let call = |at: u32| {
        let (outcome, class) = match at {
            4 => ("failure", ",\"class\":\"SERVER_ERROR\",\"cause\":\"exception\""),
            _ => ("success", ""),
        };
        format!(
            "{{\"v\":1,\"at_us\":{at}000000,\"policy\":\"<b>\",\"outcome\":\"{outcome}\",\"elapsed_us\":9000,\"made\":1,\
             \"attempts\":[{{\"start_us\":0,\"took_us\":9000{class}}}]}}\n"
        )
    };
    let lines: String = (0..10).map(call).collect();
    let mut recording = Recording::new();
    recording.read("calls.jsonl", lines.as_bytes()).expect("readable");
    let policy = Policy::http().build().expect("valid").spec();
    recording.replay(None).expect("calls").run(&policy).expect("valid").label("<more & more>")
}

#[test]
fn a_page_of_a_replay_has_the_recorded_curve_and_the_range() {
    let replayed = replayed();
    let page = Page::new("a title").replay(&replayed).replay_comparison(replayed.against(&replayed)).to_string();
    for name in ["calls made", "recorded", "&lt;more &amp; more&gt;"] {
        assert!(page.contains(&format!("\n{name}\n</text>")), "{name}");
    }
    for raw in ["<b>", "<more", "<script"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert_eq!((page.matches("<svg").count(), page.matches("What it does not show").count()), (6, 2));
    for limit in replayed.limits() {
        assert!(page.contains(&limit), "{limit}");
    }
}
