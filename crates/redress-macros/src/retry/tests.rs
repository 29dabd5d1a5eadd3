//! What `#[retry]` refuses, by its messages. How the compiler shows them is in
//! `crates/internal/compile-fail`.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::quote;

use super::expand;

/// Expects a message that begins like this, for a function with these arguments of the attribute.
#[track_caller]
fn refused(arguments: &str, item: &str, message: &str) {
    let tokens = |text: &str| text.parse().expect("the test writes tokens");
    let error = expand(tokens(arguments), tokens(item)).expect_err("it is a mistake").to_string();
    assert!(error.starts_with(message), "{error}");
}

#[track_caller]
fn accepted(arguments: &str, item: &str) -> String {
    let tokens = |text: &str| text.parse().expect("the test writes tokens");
    expand(tokens(arguments), tokens(item)).expect("there is no mistake").to_string()
}

const FUNCTION: &str = "fn load(order: u8) -> Result<u8, CallError<E>> { Ok(order) }";

const ASYNC: &str = "async fn load(order: u8) -> Result<u8, CallError<E>> { Ok(order) }";

#[test]
fn arguments_are_known_and_said_once() {
    refused("max_attemps = 3", FUNCTION, "unknown `max_attemps`: did you mean `max_attempts`?");
    refused("jitter = 3", FUNCTION, "unknown `jitter`; the arguments are policy, runtime, ");
    refused("a::b = 3", FUNCTION, "expected `name = value`");
    refused("crate = a, crate = b", FUNCTION, "`crate` is set twice");
    for twice in
        ["boxed, boxed", "operation = 1, operation = 2", "deadline = 1, deadline = 2", "budget = 1, budget = 2"]
    {
        refused(twice, FUNCTION, "set twice");
    }
    accepted("observer = 1, observer = 2, max_attempts = 3, deadline = 4", FUNCTION);
}

#[test]
fn a_policy_leaves_no_setting_to_make() {
    for setting in ["max_attempts = 3", "deadline = 3"] {
        refused(&format!("policy = policy, {setting}"), FUNCTION, "the policy is given: make this setting there");
    }
    refused("policy = policy, runtime = tokio", ASYNC, "the policy is given, and has its timer");
    refused("runtime = tokio", FUNCTION, "a blocking function waits on its thread");
    refused("", ASYNC, "an `async fn` needs a timer");
    accepted("policy = policy", ASYNC);
    accepted("runtime = tokio", ASYNC);
    accepted("", FUNCTION);
}

#[test]
fn a_policy_exists_already() {
    let built = [
        "Policy::default()",
        "AsyncPolicy::from(retry)",
        "Policy::from_spec(spec).build()?",
        "Policy::builder()",
        "builder.build().unwrap()",
        "&(Policy::default())",
        "{ let policy = Policy::default(); policy }",
    ];
    for built in built {
        refused(&format!("policy = {built}"), FUNCTION, "this would build a policy for each call");
    }
    for named in
        ["POLICY", "self.policy", "policies.get(host)", "builder", "self.default()", "default()", "build()", "a::build"]
    {
        accepted(&format!("policy = {named}"), FUNCTION);
    }
}

#[test]
fn functions_can_run_several_times() {
    refused("", "const fn f() -> R {}", "a `const fn` cannot be retried");
    refused("", "extern \"C\" fn f() -> R {}", "an `extern fn` cannot be retried");
    refused("", "fn f(_: u8, ...) -> R {}", "a function with variable arguments");
    refused("", "fn f() -> R;", "`#[retry]` belongs on a function or method with a body");
    refused("", "struct F;", "`#[retry]` belongs on a function or method with a body");
    accepted("", "pub(crate) unsafe fn f<T>() -> R where T: Copy {}");
}

#[test]
fn functions_return_a_result() {
    for plain in ["", "-> Option<u8>", "-> u32", "-> (u8, u8)", "-> !", "-> &str"] {
        refused("", &format!("fn f() {plain} {{}}"), "a function that is retried returns a `Result`: without one");
    }
    for future in ["impl Future<Output = R>", "Pin<Box<dyn Future>>", "BoxFuture<'_, R>", "a::LocalBoxFuture<R>"] {
        refused(
            "",
            &format!("fn f() -> {future} {{}}"),
            "a function that is retried returns a `Result`: if this is a future",
        );
    }
}

#[test]
fn the_body_returns_the_error_inside() {
    let declared = |output: &str, arguments: &str| accepted(arguments, &format!("fn f() -> {output} {{}}"));
    let own = declared("Result<u8, CallError<E>>", "");
    assert!(own.contains("-> :: core :: result :: Result < u8 , E >") && !own.contains("declared"), "{own}");
    let opaque = declared("Result<impl Copy, redress::CallError<E>>", "");
    assert!(opaque.contains("-> :: core :: result :: Result < _ , E >"), "{opaque}");
    let converted = declared("Result<u8, E>", "");
    assert!(converted.contains("| | -> Result < u8 , E >") && converted.contains("declared"), "{converted}");
    let alias = declared("R<u8>", "error = F");
    assert!(alias.contains("| | -> :: core :: result :: Result < u8 , F >") && alias.contains("declared"), "{alias}");
    let unnamed = declared("R<[impl Copy; 2]>", "");
    assert!(unnamed.contains("| | -> _"), "{unnamed}");
    let boxed = declared("Result<u8, CallError<E>>", "boxed, error = F");
    assert!(
        boxed.contains("boxed_classifier") && boxed.contains("CallError :: boxed") && boxed.contains("declared"),
        "{boxed}"
    );
    assert!(!declared("R", "boxed, policy = p").contains("boxed_classifier"), "the policy has its classifier");
}

/// A type in parentheses, or in the group without delimiters that a macro puts around its argument.
#[test]
fn the_type_may_be_in_a_group() {
    for delimiter in [Delimiter::Parenthesis, Delimiter::None] {
        let declared = "Result<u8, CallError<E>>".parse().expect("the test writes tokens");
        let declared = Group::new(delimiter, declared);
        let expanded = expand(TokenStream::new(), quote!(fn f() -> #declared {})).expect("there is no mistake");
        assert!(expanded.to_string().contains("-> :: core :: result :: Result < u8 , E >"), "{expanded}");
    }
}

#[test]
fn attempts_start_alike() {
    let mutable = "the future of an attempt cannot borrow this mutably";
    for argument in ["&mut self", "self: &mut Self", "rows: &mut Vec<u8>"] {
        refused("runtime = tokio", &format!("async fn f({argument}) -> R {{}}"), mutable);
        accepted("", &format!("fn f({argument}) -> R {{}}"));
    }
    accepted("runtime = tokio", "async fn f(&self, a: &u8) -> R {}");
    refused("", "fn f(mut self) -> R {}", "an attempt would start with the `self` that the last one left: take");
    refused("", "fn f(mut left: u8) -> R {}", "an attempt would start with the `left` that the last one left: write");
    refused(
        "clone(b)",
        "fn f((a, mut b): (u8, u8)) -> R {}",
        "an attempt would start with the `b` that the last one left: bind",
    );
    accepted("", "fn f(&mut a: &mut u8) -> R {}");
}

#[test]
fn clones_are_of_arguments() {
    refused("clone(orders)", FUNCTION, "no argument has this name");
    refused("clone(self)", "fn f(self) -> R {}", "no argument has this name");
    let cloned = accepted("clone(order, left)", "fn f(order: u8, mut left: u8, (a, b): (u8, u8)) -> R { body }");
    assert!(cloned.starts_with("fn f (order : u8 , left : u8 ,"), "{cloned}");
    assert!(cloned.contains("let order = :: core :: clone :: Clone :: clone (& order) ; let mut left ="), "{cloned}");
    accepted("clone(a)", "fn f((a, b): (u8, u8)) -> R {}");
}
