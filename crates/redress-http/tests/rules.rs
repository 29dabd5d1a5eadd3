//! The settings that integrations share: names, contexts, bypasses and policies by the head of a
//! request.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use std::io;
use std::time::Duration;

use http::{Request, StatusCode};
use redress_core::breaker::CircuitState;
use redress_core::policy::{CallDeadline, CallSettings, KeyedPolicies};
use redress_core::{AbortHandle, CallContext, CircuitBreaker, Policy};
use redress_http::{Head, IdempotencyGuard, PolicySelector, RequestRules, RetrySafety, SelectedPolicy, with_head_of};

fn get(path: &str) -> Request<()> {
    Request::get(path).header("x-id", "7").extension(7_u32).body(()).unwrap()
}

#[test]
fn nothing_is_set_by_default() {
    let request = get("/orders");
    let head = Head::from_request(&request);
    let rules = RequestRules::new();
    assert!(rules.operation_name(&head).is_none() && rules.call_context(&head).is_none() && !rules.bypasses(&head));
    assert_eq!(rules.idempotency(), IdempotencyGuard::new());
}

#[test]
fn the_last_way_to_name_requests_counts() {
    let request = get("/orders");
    let head = Head::from_request(&request);
    let by_path = |head: &Head<'_>| head.uri.path().to_owned().into();
    let rules = RequestRules::new().operation_for(by_path);
    assert_eq!(rules.operation_name(&head).as_deref(), Some("/orders"));
    assert_eq!(rules.clone().operation("orders").operation_name(&head).as_deref(), Some("orders"));
    assert_eq!(rules.operation("orders").operation_for(by_path).operation_name(&head).as_deref(), Some("/orders"));
}

#[test]
fn what_holds_for_all_holds_beside_what_a_request_has() {
    let (shutdown, gave_up) = (AbortHandle::new(), AbortHandle::new());
    let handle = gave_up.clone();
    let rules = RequestRules::new()
        .deadline(Duration::from_secs(5))
        .deadline(Duration::from_secs(3))
        .abort_on(&shutdown)
        .context_for(move |head| match head.uri.path() {
            "/orders" => CallContext::new().deadline(Duration::from_secs(9)).abort_on(&handle).operation("orders"),
            _ => CallContext::new(),
        });
    let settings = |path: &str| {
        let request = get(path);
        CallSettings::from(rules.call_context(&Head::from_request(&request)).unwrap())
    };
    assert_eq!(settings("/").deadline(), Some(CallDeadline::After(Duration::from_secs(3))), "the last one set");
    assert_eq!(settings("/orders").operation(), Some("orders"));

    let late = |path: &str| {
        let request = get(path);
        let context = rules.call_context(&Head::from_request(&request)).unwrap();
        let clock = redress_testing::VirtualClock::new();
        let policy = Policy::builder().clock(clock.clone()).finish_running_attempt();
        let policy = policy.retry(redress_testing::no_retries()).no_deadline().build().unwrap();
        // The earliest deadline is what an attempt may take.
        let call = policy.context().within(context.settings());
        call.execute_with(|attempt| Ok::<_, io::Error>(attempt.time_left())).into_value().flatten()
    };
    assert_eq!([late("/"), late("/orders")], [Some(Duration::from_secs(3)); 2]);

    gave_up.abort();
    assert_eq!([settings("/").is_aborted(), settings("/orders").is_aborted()], [false, true]);
    shutdown.abort();
    assert!(settings("/").is_aborted());
}

#[test]
fn a_request_bypasses_by_its_head() {
    let rules = RequestRules::new().bypass_if(|head| head.headers.contains_key("x-id") && head.uri.path() == "/health");
    let [health, other] = ["/health", "/orders"].map(get);
    assert!(rules.bypasses(&Head::from_request(&health)) && !rules.bypasses(&Head::from_request(&other)));
}

#[test]
fn headers_are_changed_for_each_attempt_by_the_last_function() {
    let rules = RequestRules::new()
        .attempt_headers(|headers, _| _ = headers.remove("x-id"))
        .attempt_headers(|headers, attempt| _ = headers.insert("x-attempt", attempt.number().into()));
    let policy = Policy::builder().retry(redress_testing::no_retries()).build().unwrap();
    let prepared = policy.context().execute_with(|attempt| {
        let mut headers = get("/").headers().clone();
        rules.prepare(&mut headers, attempt);
        RequestRules::new().prepare(&mut headers, attempt);
        Ok::<_, io::Error>(headers)
    });
    let headers = prepared.into_value().unwrap();
    assert_eq!((&headers["x-id"], &headers["x-attempt"]), (&"7".parse().unwrap(), &"1".parse().unwrap()));
}

#[test]
fn debug_output_shows_settings_and_no_credentials() {
    let request = Request::get("http://user:secret@host/").body(()).unwrap();
    let head = format!("{:?}", Head::from_request(&request));
    assert!(head.starts_with("Head { method: GET, uri: ") && !head.contains("secret"), "{head}");
    let rules = format!("{:?}", RequestRules::new().deadline(Duration::from_secs(3)));
    assert!(rules.starts_with("RequestRules { guard: IdempotencyGuard"), "{rules}");
    assert_eq!(format!("{:?}", PolicySelector::new(7)), "PolicySelector { policy: 7, .. }");
}

#[test]
fn the_guard_is_the_one_that_was_set() {
    let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(RequestRules::new().guard(guard).idempotency(), guard);
    assert_eq!(RetrySafety::NotIdempotent.retry_forbidden(), Some("not_idempotent"));
    assert_eq!(RetrySafety::AllowedStatus.retry_forbidden(), None);
}

#[test]
fn a_policy_is_chosen_or_is_the_one_for_all() {
    let (own, once) = (Policy::default(), Policy::builder().build().unwrap());
    let mut selector = PolicySelector::new(own).policy_provider({
        let once = once.clone();
        move |head| (head.uri.path() == "/once").then(|| once.clone())
    });
    let [chosen, other] = ["/once", "/"].map(get);
    let select = |request| selector.select(&Head::from_request(request));
    assert!(matches!(select(&chosen), SelectedPolicy::Provided(_)) && matches!(select(&other), SelectedPolicy::Own(_)));
    assert_eq!((select(&chosen).max_attempts(), select(&other).max_attempts()), (1, 6));
    assert_eq!((select(&chosen).into_owned().max_attempts(), select(&other).into_owned().max_attempts()), (1, 6));
    *selector.policy_mut() = once;
    assert_eq!(selector.select(&Head::from_request(&other)).max_attempts(), 1);
}

#[test]
fn heads_are_read_by_functions_only() {
    let own = || PolicySelector::new(Policy::default());
    assert!(!own().reads_heads());
    let hosts = keyed(&Policy::default());
    for selector in [own().policy_provider(|_| None), own().per_host(&hosts), own().per_key(&hosts, |_| None)] {
        assert!(selector.reads_heads());
    }
    let abort = AbortHandle::new();
    let rules = RequestRules::new().deadline(Duration::from_secs(2)).abort_on(&abort).attempt_headers(|_, _| {});
    assert!(!rules.reads_heads());
    let readers = [
        rules.clone().operation("orders"),
        rules.clone().context_for(|_| CallContext::new()),
        rules.bypass_if(|_| false),
    ];
    assert!(readers.iter().all(RequestRules::reads_heads));
}

fn keyed(policy: &Policy) -> KeyedPolicies<Policy> {
    policy.keyed(CircuitBreaker::builder().failure_threshold(1)).unwrap()
}

fn keys(policies: &KeyedPolicies<Policy>) -> Vec<String> {
    let mut keys: Vec<_> = policies.breakers().states().into_iter().map(|(key, _)| key.to_string()).collect();
    keys.sort();
    keys
}

#[test]
fn each_host_has_a_breaker() {
    let own = Policy::builder().build().unwrap();
    let hosts = keyed(&own);
    let selector = PolicySelector::new(own).per_host(&hosts);
    let select = |request: &Request<()>| selector.select(&Head::from_request(request)).into_owned();
    let down = get("http://user:password@A.example/orders");
    select(&down).call(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))).unwrap_err();
    let rows = [
        ("http://a.EXAMPLE:80/other", Some(CircuitState::Open)),
        ("https://a.example/", Some(CircuitState::Closed)),
        ("http://b.example/", Some(CircuitState::Closed)),
        ("/orders", None),
    ];
    for (uri, state) in rows {
        assert_eq!(select(&get(uri)).circuit_state(), state, "{uri}");
    }
    assert_eq!(keys(&hosts), ["a.example:443", "a.example:80", "b.example:80"]);
}

#[test]
fn each_key_has_a_breaker_and_no_key_is_the_own_policy() {
    let own = Policy::builder().build().unwrap();
    let tenants = keyed(&own);
    let selector =
        PolicySelector::new(own).per_key(&tenants, |head| Some(head.headers.get("x-tenant")?.to_str().ok()?.into()));
    let select = |request: &Request<()>| selector.select(&Head::from_request(request)).circuit_state();
    for tenant in ["ada", "grace", "ada"] {
        let request = Request::get("/").header("x-tenant", tenant).body(()).unwrap();
        assert_eq!(select(&request), Some(CircuitState::Closed));
    }
    assert_eq!(select(&get("/")), None);
    assert_eq!(keys(&tenants), ["ada", "grace"]);
}

#[test]
fn a_replay_has_the_whole_head() {
    let mut request = Request::put("http://h/orders?page=2").header("x-id", "7").extension(7_u32).body("body").unwrap();
    *request.version_mut() = http::Version::HTTP_2;
    let copy = with_head_of(&request, 8);
    assert_eq!((copy.method(), copy.uri(), copy.version()), (request.method(), request.uri(), request.version()));
    assert_eq!((copy.headers(), copy.extensions().get(), copy.body()), (request.headers(), Some(&7_u32), &8));
}
