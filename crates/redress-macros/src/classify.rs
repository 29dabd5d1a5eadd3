//! `#[derive(Classify)]`: one arm of a `match` for each variant, and no arm for others.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Generics, Ident, WherePredicate};

use self::arm::Arm;
use self::attribute::Attribute;
use crate::paths::Root;

mod arm;
mod attribute;
#[cfg(test)]
mod tests;

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut root = Root::default();
    let mut errors = Errors::default();
    let arms = match &input.data {
        Data::Enum(of) => {
            errors.note(attribute::of_enum(&input.attrs, &mut root));
            let arms = of.variants.iter().map(|variant| {
                let attribute = Attribute::parse(&variant.attrs, None, &variant.ident);
                arm(attribute, Some(&variant.ident), &variant.fields, &root)
            });
            errors.collect(arms)
        }
        Data::Struct(of) => {
            let attribute = Attribute::parse(&input.attrs, Some(&mut root), &input.ident);
            errors.collect([arm(attribute, None, &of.fields, &root)])
        }
        Data::Union(of) => {
            return Err(syn::Error::new(of.union_token.span, "a union does not know which of its fields is valid"));
        }
    };
    errors.finish()?;
    Ok(implementation(input, &root, &arms))
}

fn arm(attribute: syn::Result<Attribute>, variant: Option<&Ident>, fields: &Fields, root: &Root) -> syn::Result<Arm> {
    attribute::refuse_on_fields(fields)?;
    Arm::new(&attribute?, variant, fields, root)
}

fn implementation(input: &DeriveInput, root: &Root, arms: &[Arm]) -> TokenStream {
    let name = &input.ident;
    let mut generics = input.generics.clone();
    let bounds: Vec<&WherePredicate> = arms.iter().flat_map(|arm| &arm.bounds).collect();
    if !bounds.is_empty() {
        generics
            .make_where_clause()
            .predicates
            .extend(bounds.into_iter().filter(|bound| mentions(bound, &input.generics)).cloned());
    }
    let (of, to, given) = generics.split_for_impl();
    let branches = arms.iter().map(|arm| &arm.tokens);
    // A reference to an enum without variants may be matched only through it.
    let matched = if arms.is_empty() { quote!(*self) } else { quote!(self) };
    quote! {
        #[automatically_derived]
        impl #of #root::classify::Classify for #name #to #given {
            fn classification(&self) -> #root::Classification {
                match #matched { #(#branches)* }
            }
        }
    }
}

/// Whether a bound is about a type parameter. The compiler checks the others where they are used,
/// and its message then points at the field.
fn mentions(bound: &WherePredicate, generics: &Generics) -> bool {
    let WherePredicate::Type(bound) = bound else { return false };
    let bounded = &bound.bounded_ty;
    let words = words(quote!(#bounded));
    generics.type_params().any(|parameter| words.contains(&parameter.ident))
}

fn words(tokens: TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Ident(word) => found.push(word),
            proc_macro2::TokenTree::Group(group) => found.extend(words(group.stream())),
            _ => {}
        }
    }
    found
}

/// The mistakes of a whole input, so that one build shows all of them.
#[derive(Default)]
struct Errors(Option<syn::Error>);

impl Errors {
    fn note<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        match (result, &mut self.0) {
            (Ok(value), _) => Some(value),
            (Err(error), None) => {
                self.0 = Some(error);
                None
            }
            (Err(error), Some(known)) => {
                known.combine(error);
                None
            }
        }
    }

    fn collect<T>(&mut self, results: impl IntoIterator<Item = syn::Result<T>>) -> Vec<T> {
        results.into_iter().filter_map(|result| self.note(result)).collect()
    }

    fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
