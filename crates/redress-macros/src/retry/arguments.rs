//! Reads the arguments of `#[retry(..)]`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Expr, Ident, Path, Type};

use crate::paths::Root;
use crate::spelling::closest;

/// Settings that are methods of `RetryBuilder`.
const OF_RETRY: &[&str] = &["budget", "max_attempts", "max_retry_after", "max_unknown_retries", "strategy"];

/// Settings that are methods of `PolicyBuilder`.
const OF_POLICY: &[&str] = &["attempt_timeout", "circuit_breaker", "deadline", "observer"];

const OTHERS: &[&str] = &["policy", "runtime", "operation", "classifier", "clone", "error", "boxed"];

/// `name = value`, for the builder's method of that name.
pub(super) struct Setting {
    pub(super) name: Ident,
    pub(super) value: Expr,
}

#[derive(Default)]
pub(super) struct Arguments {
    pub(super) root: Root,
    pub(super) policy: Option<Expr>,
    pub(super) runtime: Option<Path>,
    pub(super) operation: Option<Expr>,
    pub(super) classifier: Option<Expr>,
    pub(super) clones: Vec<Ident>,
    pub(super) error: Option<Type>,
    pub(super) boxed: Option<Span>,
    /// The settings of the function's own policy, in the order in which they are written.
    pub(super) of_retry: Vec<Setting>,
    pub(super) of_policy: Vec<Setting>,
}

impl Arguments {
    pub(super) fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some(word) = meta.path.get_ident() else {
            return Err(meta.error("expected `name = value`"));
        };
        let setting = |meta: &ParseNestedMeta<'_>| meta.value()?.parse::<Expr>();
        match word.to_string().as_str() {
            "crate" => self.root.parse(meta),
            "policy" => once(meta, &mut self.policy, setting(meta)?),
            "runtime" => once(meta, &mut self.runtime, meta.value()?.parse()?),
            "operation" => once(meta, &mut self.operation, setting(meta)?),
            "classifier" => once(meta, &mut self.classifier, setting(meta)?),
            "error" => once(meta, &mut self.error, meta.value()?.parse()?),
            "boxed" => once(meta, &mut self.boxed, word.span()),
            "clone" => meta.parse_nested_meta(|name| {
                self.clones.push(name.path.require_ident()?.clone());
                Ok(())
            }),
            name if OF_RETRY.contains(&name) => push(meta, &mut self.of_retry, word),
            name if OF_POLICY.contains(&name) => push(meta, &mut self.of_policy, word),
            other => Err(meta.error(unknown(other))),
        }
    }

    /// Checks the arguments against each other and the function.
    pub(super) fn check(&self, is_async: bool, function: &Ident) -> syn::Result<()> {
        let refuse = |span: Span, text: &str| Err(syn::Error::new(span, text));
        if let Some(policy) = &self.policy {
            if let Some(setting) = self.of_retry.iter().chain(&self.of_policy).next() {
                return refuse(setting.name.span(), "the policy is given: make this setting there");
            }
            if let Some(runtime) = &self.runtime {
                return refuse(runtime.span(), "the policy is given, and has its timer: leave `runtime` out");
            }
            if builds(policy.to_token_stream()) {
                return refuse(
                    policy.span(),
                    "this would build a policy for each call, and its breaker and budget would forget the calls before: \
                     build it once, in a `static` with `LazyLock` or in a field, or give its settings to `#[retry]`",
                );
            }
        }
        match &self.runtime {
            Some(runtime) if !is_async => {
                refuse(runtime.span(), "a blocking function waits on its thread: leave `runtime` out")
            }
            None if is_async && self.policy.is_none() => refuse(
                function.span(),
                "an `async fn` needs a timer: write `#[retry(runtime = tokio)]`, or `smol` or `async_std`, or \
                 `#[retry(policy = ..)]`",
            ),
            _ => Ok(()),
        }
    }
}

fn once<T>(meta: &ParseNestedMeta<'_>, place: &mut Option<T>, value: T) -> syn::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("set twice")),
    }
}

fn push(meta: &ParseNestedMeta<'_>, settings: &mut Vec<Setting>, name: &Ident) -> syn::Result<()> {
    // Observers add up.
    if name != "observer" && settings.iter().any(|setting| setting.name == *name) {
        return Err(meta.error("set twice"));
    }
    settings.push(Setting { name: name.clone(), value: meta.value()?.parse()? });
    Ok(())
}

fn unknown(word: &str) -> String {
    let all = [OTHERS, OF_RETRY, OF_POLICY].concat();
    match closest(word, &all) {
        Some(meant) => format!("unknown `{word}`: did you mean `{meant}`?"),
        None => {
            format!("unknown `{word}`; the arguments are {}. For others, build a policy: `policy = ..`", all.join(", "))
        }
    }
}

/// Whether an expression makes a policy, instead of naming one: it calls `.build()`, or a function
/// of the type itself, such as `Policy::default()`.
fn builds(tokens: TokenStream) -> bool {
    const CONSTRUCTORS: [&str; 4] = ["builder", "default", "from", "from_spec"];
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_call = tokens.windows(3).any(|three| match three {
        [TokenTree::Punct(before), TokenTree::Ident(name), TokenTree::Group(_)] => match before.as_char() {
            '.' => name == "build",
            ':' => CONSTRUCTORS.iter().any(|constructor| name == constructor),
            _ => false,
        },
        _ => false,
    });
    is_call || tokens.into_iter().any(|token| matches!(token, TokenTree::Group(group) if builds(group.stream())))
}
