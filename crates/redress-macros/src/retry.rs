//! `#[retry]`: the function around a call of a policy.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::{Expr, ItemFn, Stmt, parse_quote};

use self::arguments::Arguments;
use self::result::Returned;

mod arguments;
mod policy;
mod result;
mod signature;
#[cfg(test)]
mod tests;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut given = Arguments::default();
    syn::meta::parser(|meta| given.parse(&meta)).parse2(arguments)?;
    let mut function = signature::parse(item)?;
    signature::check(&function.sig, &given.clones)?;
    given.check(function.sig.asyncness.is_some(), &function.sig.ident)?;
    let returned = Returned::new(&function.sig, given.error.as_ref())?;
    let clones = signature::take_clones(&mut function.sig, &given.clones);
    let body = body(&function, &given, &returned, &clones);
    function.block = parse_quote!({ #body });
    Ok(quote!(#function))
}

fn body(function: &ItemFn, given: &Arguments, returned: &Returned, clones: &[Stmt]) -> TokenStream {
    let root = &given.root;
    let statements = &function.block.stmts;
    let of_body = &returned.of_body;
    let policy = policy::expression(given, &function.sig);
    let name = function.sig.ident.unraw().to_string();
    let operation: Expr = given.operation.clone().unwrap_or_else(|| parse_quote!(#name));
    let call = if function.sig.asyncness.is_some() {
        // The types of a block are known only from what it returns.
        quote! {
            #policy.operation(#operation).call(|| async {
                if false {
                    return #root::macro_support::typed::<#of_body>();
                }
                #(#clones)*
                #(#statements)*
            }).await
        }
    } else {
        quote!(#policy.operation(#operation).call(|| -> #of_body { #(#clones)* #(#statements)* }))
    };
    let call = if given.boxed.is_some() { quote!(#call.map_err(#root::CallError::boxed)) } else { call };
    if returned.is_the_calls && given.boxed.is_none() { call } else { quote!(#root::macro_support::declared(#call)) }
}
