//! The type that the body returns, from the type that the function declares.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, PathArguments, PathSegment, ReturnType, Signature, Type};

/// Types that are futures or hold one.
const FUTURES: [&str; 4] = ["Pin", "Box", "BoxFuture", "LocalBoxFuture"];

/// Types of the prelude that are no `Result`.
const PLAIN: [&str; 19] = [
    "Option", "String", "Vec", "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

pub(super) struct Returned {
    /// The type that the body returns.
    pub(super) of_body: TokenStream,
    /// Whether the function returns the call's own error.
    pub(super) is_the_calls: bool,
}

impl Returned {
    pub(super) fn new(signature: &Signature, error: Option<&Type>) -> syn::Result<Self> {
        let ReturnType::Type(_, declared) = &signature.output else {
            return Err(syn::Error::new(signature.ident.span(), OTHER));
        };
        let segment = last_segment(declared)?;
        let value = types(segment).next().map_or_else(|| quote!(_), named);
        Ok(match (error, error_of_call(segment)) {
            (Some(error), of_call) => Self { of_body: of(&value, error), is_the_calls: of_call.is_some() },
            (None, Some(error)) => Self { of_body: of(&value, error), is_the_calls: true },
            (None, None) => Self { of_body: named(declared), is_the_calls: false },
        })
    }
}

fn of(value: &TokenStream, error: &Type) -> TokenStream {
    quote!(::core::result::Result<#value, #error>)
}

/// The last segment of a type that may be a `Result` or an alias of one.
fn last_segment(declared: &Type) -> syn::Result<&PathSegment> {
    let refuse = |text| Err(syn::Error::new(declared.span(), text));
    match declared {
        Type::Path(path) => match path.path.segments.last() {
            Some(last) if FUTURES.iter().any(|future| last.ident == future) => refuse(FUTURE),
            Some(last) if PLAIN.iter().any(|plain| last.ident == plain) => refuse(OTHER),
            Some(last) => Ok(last),
            None => refuse(OTHER),
        },
        Type::ImplTrait(_) => refuse(FUTURE),
        Type::Group(inner) => last_segment(&inner.elem),
        Type::Paren(inner) => last_segment(&inner.elem),
        _ => refuse(OTHER),
    }
}

const OTHER: &str = "a function that is retried returns a `Result`: without one, no attempt can fail";

const FUTURE: &str = "a function that is retried returns a `Result`: if this is a future, write an `async fn`, or call the policy \
                      in the body";

fn types(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(list) => Some(&list.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// `E`, if the declared error is written as `CallError<E>`.
fn error_of_call(segment: &PathSegment) -> Option<&Type> {
    let Type::Path(error) = types(segment).nth(1)? else { return None };
    let call_error = error.path.segments.last().filter(|last| last.ident == "CallError")?;
    types(call_error).next()
}

/// The type, or `_` for one that only a signature can name.
fn named(ty: &Type) -> TokenStream {
    let tokens = ty.to_token_stream();
    if says_impl(tokens.clone()) { quote!(_) } else { tokens }
}

fn says_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => says_impl(group.stream()),
        _ => false,
    })
}
