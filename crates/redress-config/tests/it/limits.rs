//! Files are hostile input: their size and depth are bounded, and the number of problems that are
//! described.

use std::io::ErrorKind;

use redress::config::{Loader, PolicyFile};

#[test]
fn a_file_beyond_the_limit_is_refused_and_not_read() {
    let text = "# A comment of a good file.\n";
    let refused = Loader::new().max_bytes(10).parse(text, "p.toml").expect_err("too long");
    let problem = &refused.problems()[0];
    assert_eq!(problem.to_string(), "p.toml:1:1: the file has more than 10 bytes, the most that this loader reads");
    assert_eq!((problem.field(), refused.problems().len()), ("", 1));
    assert!(Loader::new().max_bytes(text.len()).parse(text, "p.toml").is_ok());
}

#[test]
fn nesting_is_bounded_in_each_format() {
    let strategies = |depth: usize| {
        let open = "{ kind = 'retry_after_or', fallback = ".repeat(depth);
        format!("[policy.p]\nstrategy.default = {open}{{ kind = 'token_backoff' }}{}\n", " }".repeat(depth))
    };
    assert!(PolicyFile::parse(&strategies(12), "p.toml").is_ok());
    let refused = PolicyFile::parse(&strategies(13), "p.toml").expect_err("too deep");
    assert_eq!(refused.problems().len(), 1, "{refused}");
    assert_eq!(refused.problems()[0].rule(), "be at most 16 tables deep");
    for (name, text) in [
        ("p.toml", format!("x = {}", "[".repeat(5_000))),
        ("p.toml", format!("{}x = 1", "a.".repeat(5_000))),
        ("p.toml", format!("x = {}", "{x = ".repeat(5_000))),
        ("p.yaml", "[".repeat(5_000)),
        ("p.yaml", "{x: ".repeat(5_000)),
        ("p.yaml", "- ".repeat(5_000)),
        ("p.json", "{\"x\":".repeat(5_000)),
    ] {
        assert!(PolicyFile::parse(&text, name).is_err(), "{name}");
    }
}

#[test]
fn as_many_problems_as_help_are_described() {
    let mut text = "[policy.p]\n".to_owned();
    for setting in 0..103 {
        text += &format!("unknown_{setting} = 1\n");
    }
    let refused = PolicyFile::parse(&text, "p.toml").expect_err("unknown settings");
    assert_eq!((refused.problems().len(), refused.omitted()), (100, 3));
    assert!(refused.to_string().ends_with("\n\nand 3 more problems"));
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    let text =
        format!("[policy.p]\nname = \"{}\"\nretry = {{ {}max_attempts = 0 }}\n", "n".repeat(500), " ".repeat(300));
    let refused = PolicyFile::parse(&text, "p.toml").expect_err("0 attempts");
    for line in refused.to_string().lines() {
        assert!(line.chars().count() < 130, "{line}");
    }
    let marked = refused.to_string();
    let lines: Vec<_> = marked.lines().collect();
    let mark = lines[3].find('^').expect("a mark");
    assert_eq!(lines[2].as_bytes()[mark], b'0');
}

#[test]
fn yaml_that_means_more_than_it_says_is_refused() {
    for (text, sentence) in [
        ("policy: &a {}\n", "p.yaml:1:12: anchors are not read: write the value again where it is needed"),
        ("policy: !!map {}\n", "p.yaml:1:15: tags are not read"),
        ("policy: {}\npolicy: {}\n", "p.yaml:2:1: the key `policy` is there twice"),
        ("policy: {}\n---\npolicy: {}\n", "p.yaml:2:1: the file has a second document, where one is read"),
        ("- policy\n", "p.yaml:1:1: the file must be a table of sections"),
        ("{[a]: 1}\n", "p.yaml:1:2: a key must be a text"),
    ] {
        let refused = PolicyFile::parse(text, "p.yaml").expect_err(text);
        assert_eq!(refused.problems()[0].to_string(), sentence, "{text}");
    }
    assert!(PolicyFile::parse("", "p.yaml").is_ok() && PolicyFile::parse("# none\n", "p.yaml").is_ok());
}

#[test]
fn yaml_reads_numbers_as_yaml_does() {
    let seed = |text: &str| {
        let text = format!("breaker: {{b: {{seed: {text}}}}}\n");
        let file = PolicyFile::parse(&text, "p.yaml").map_err(|refused| refused.problems()[0].rule().to_owned());
        file.map(|file| file.breakers().next().and_then(|(_, spec)| spec.seed))
    };
    assert_eq!(seed("0x10"), Ok(Some(16)));
    assert_eq!(seed("0o10"), Ok(Some(8)));
    assert_eq!(seed("+7"), Ok(Some(7)));
    assert_eq!(seed("none"), Ok(None));
    for text in ["\"7\"", "1.5", "true", "~", "0b1", "1e3"] {
        assert_eq!(seed(text), Err("be a whole number".to_owned()), "{text}");
    }
    assert_eq!(seed("99999999999999999999"), Err(format!("be between 0 and {}", u64::MAX)));
}

#[test]
fn a_file_that_is_missing_or_no_text_says_so() {
    let refused = PolicyFile::read("no-such-folder/policies.toml").expect_err("missing");
    assert!(refused.to_string().starts_with("no-such-folder/policies.toml: could not be read: "), "{refused}");
    let source = std::error::Error::source(&refused).and_then(|error| error.downcast_ref::<std::io::Error>());
    assert_eq!(source.map(std::io::Error::kind), Some(ErrorKind::NotFound));

    let path = std::env::temp_dir().join(format!("redress-config-{}.toml", std::process::id()));
    std::fs::write(&path, b"[policy.p]\nname = \"\xff\"\n").expect("written");
    let refused = PolicyFile::read(&path).expect_err("no UTF-8");
    std::fs::remove_file(&path).expect("removed");
    assert!(refused.to_string().ends_with("could not be read: it is not UTF-8 from byte 19 on"), "{refused}");
}
