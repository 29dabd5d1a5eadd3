//! What a function must be to be retried.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{FnArg, Ident, ItemFn, Pat, ReceiverKind, Signature, Stmt, Type, parse_quote};

pub(super) fn parse(item: TokenStream) -> syn::Result<ItemFn> {
    let span = item.clone().into_iter().next().map_or_else(Span::call_site, |first| first.span());
    syn::parse2(item).map_err(|_| syn::Error::new(span, "`#[retry]` belongs on a function or method with a body"))
}

pub(super) fn check(signature: &Signature, clones: &[Ident]) -> syn::Result<()> {
    let refuse = |span: Span, text: &str| Err(syn::Error::new(span, text));
    if let Some(word) = &signature.constness {
        return refuse(word.span, "a `const fn` cannot be retried: it can neither wait nor read a clock");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi.span(), "an `extern fn` cannot be retried: put `#[retry]` on a function that it calls");
    }
    if let Some(dots) = &signature.variadic {
        return refuse(dots.span(), "a function with variable arguments cannot be retried");
    }
    for argument in &signature.inputs {
        check_argument(argument, signature.asyncness.is_some(), clones)?;
    }
    let arguments: Vec<Ident> = signature.inputs.iter().flat_map(|argument| words(pattern(argument))).collect();
    match clones.iter().find(|name| !arguments.contains(name)) {
        Some(unknown) => refuse(unknown.span(), "no argument has this name"),
        None => Ok(()),
    }
}

fn check_argument(argument: &FnArg, is_async: bool, clones: &[Ident]) -> syn::Result<()> {
    let refuse = |span: Span, text: String| Err(syn::Error::new(span, text));
    if is_async && borrows_mutably(argument) {
        return refuse(
            argument.span(),
            "the future of an attempt cannot borrow this mutably, because the next attempt needs it too: share it, behind a lock \
             if attempts change it"
                .into(),
        );
    }
    match argument {
        FnArg::Receiver(receiver) if receiver.mutability.is_some() => refuse(
            receiver.span(),
            "an attempt would start with the `self` that the last one left: take `self` or `&mut self`".into(),
        ),
        FnArg::Typed(typed) => match mutable(&typed.pat) {
            Some(name) if !matches!(&*typed.pat, Pat::Ident(_)) => refuse(
                name.span(),
                format!("an attempt would start with the `{name}` that the last one left: bind it in the body"),
            ),
            Some(name) if !clones.contains(&name) => refuse(
                typed.pat.span(),
                format!(
                    "an attempt would start with the `{name}` that the last one left: write `#[retry(clone({name}))]`"
                ),
            ),
            _ => Ok(()),
        },
        FnArg::Receiver(_) => Ok(()),
    }
}

fn borrows_mutably(argument: &FnArg) -> bool {
    let is_mutable = |ty: &Type| matches!(ty, Type::Reference(reference) if reference.mutability.is_some());
    match argument {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
            ReceiverKind::Typed(_, ty) => is_mutable(ty),
            _ => false,
        },
        FnArg::Typed(typed) => is_mutable(&typed.ty),
    }
}

/// The first name that a pattern binds as `mut`. The `mut` of `&mut pattern` is none.
fn mutable(pattern: &Pat) -> Option<Ident> {
    mutable_in(pattern.to_token_stream())
}

fn mutable_in(tokens: TokenStream) -> Option<Ident> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_reference = |at: usize| matches!(at.checked_sub(1).map(|at| &tokens[at]), Some(TokenTree::Punct(mark)) if mark.as_char() == '&');
    tokens.iter().enumerate().find_map(|(at, token)| match token {
        TokenTree::Ident(word) if word == "mut" && !is_reference(at) => match tokens.get(at + 1) {
            Some(TokenTree::Ident(name)) => Some(name.clone()),
            _ => None,
        },
        TokenTree::Group(group) => mutable_in(group.stream()),
        _ => None,
    })
}

fn pattern(argument: &FnArg) -> TokenStream {
    match argument {
        FnArg::Receiver(_) => TokenStream::new(),
        FnArg::Typed(typed) => typed.pat.to_token_stream(),
    }
}

fn words(tokens: TokenStream) -> Vec<Ident> {
    let words = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Ident(word) => vec![word],
        TokenTree::Group(group) => words(group.stream()),
        _ => Vec::new(),
    });
    words.collect()
}

/// The statements that give an attempt its clones. A `mut` moves from the argument to its clone.
pub(super) fn take_clones(signature: &mut Signature, clones: &[Ident]) -> Vec<Stmt> {
    let mut statements = Vec::new();
    for name in clones {
        let of_name = signature.inputs.iter_mut().find_map(|argument| match argument {
            FnArg::Typed(typed) => match &mut *typed.pat {
                Pat::Ident(pattern) if pattern.ident == *name => Some(pattern),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        });
        let mutability = of_name.and_then(|pattern| pattern.mutability.take());
        statements.push(parse_quote!(let #mutability #name = ::core::clone::Clone::clone(&#name);));
    }
    statements
}
