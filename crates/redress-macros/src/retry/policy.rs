//! The expression for the policy of a call.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Path, Signature};

use super::arguments::{Arguments, Setting};
use crate::paths::Root;

pub(super) fn expression(given: &Arguments, signature: &Signature) -> TokenStream {
    let root = &given.root;
    let policy = match &given.policy {
        // Methods find the policy behind a field, a reference, an `Arc` or a `LazyLock`.
        Some(policy) => quote_spanned!(policy.span()=> (#policy)),
        None => own(given, signature),
    };
    match &given.classifier {
        Some(classifier) => quote!(#policy.with_classifier(#classifier)),
        None if given.boxed.is_some() && given.policy.is_none() => {
            quote!(#policy.with_classifier(#root::classify::boxed_classifier()))
        }
        None => policy,
    }
}

/// The function's own policy, which all its calls share. A `static` of a generic function is one
/// for all parameters.
fn own(given: &Arguments, signature: &Signature) -> TokenStream {
    let root = &given.root;
    let name = signature.ident.unraw().to_string();
    let ty = match &given.runtime {
        Some(runtime) => of_runtime(root, runtime),
        None => quote!(#root::Policy),
    };
    let of_retry = given.of_retry.iter().map(method);
    let of_policy = given.of_policy.iter().map(method);
    quote! {
        {
            static POLICY: ::std::sync::LazyLock<#ty> = ::std::sync::LazyLock::new(|| {
                let retry = #root::Retry::builder() #(#of_retry)*;
                #root::macro_support::built(<#ty>::builder().retry(retry) #(#of_policy)* .build(), #name)
            });
            &*POLICY
        }
    }
}

/// The asynchronous policy of a runtime: of a module of the facade, or of the module with this
/// path.
fn of_runtime(root: &Root, runtime: &Path) -> TokenStream {
    match runtime.get_ident() {
        Some(name) => quote!(#root::runtime::#name::AsyncPolicy),
        None => quote!(#runtime::AsyncPolicy),
    }
}

fn method(setting: &Setting) -> TokenStream {
    let Setting { name, value } = setting;
    quote_spanned!(name.span()=> .#name(#value))
}
