//! The arm of one variant: its pattern, its classification, and the bounds that it needs.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Field, Fields, Ident, Member, Type, WherePredicate, parse_quote};

use super::attribute::{Answer, Attribute, Notes, Source, Value};
use crate::paths::Root;

pub(super) struct Arm {
    pub(super) tokens: TokenStream,
    /// For every field that is asked or shown, whether it is generic or not.
    pub(super) bounds: Vec<WherePredicate>,
}

impl Arm {
    pub(super) fn new(
        attribute: &Attribute,
        variant: Option<&Ident>,
        fields: &Fields,
        root: &Root,
    ) -> syn::Result<Self> {
        let mut parts = Parts { fields, root, bindings: Vec::new(), bounds: Vec::new() };
        let answer = parts.answer(&attribute.answer)?;
        let noted = parts.notes(&attribute.notes, answer)?;
        let Parts { bindings, bounds, .. } = parts;
        let path = variant.map(|variant| quote!(::#variant));
        let bound = bindings.iter().map(|(member, binding)| quote!(#member: #binding));
        Ok(Self { tokens: quote!(Self #path { #(#bound,)* .. } => #noted,), bounds })
    }
}

struct Parts<'a> {
    fields: &'a Fields,
    root: &'a Root,
    bindings: Vec<(Member, Ident)>,
    bounds: Vec<WherePredicate>,
}

impl Parts<'_> {
    fn answer(&mut self, answer: &Answer) -> syn::Result<TokenStream> {
        let root = self.root;
        Ok(match answer {
            Answer::Class(class) => quote!(#root::Classification::new(#root::ErrorClass::#class)),
            Answer::Abort => quote!(#root::Classification::abort()),
            Answer::Forward(source) => {
                let (field, ty) = self.source(source)?;
                self.bounds.push(parse_quote!(#ty: #root::classify::Classify));
                quote_spanned!(ty.span()=> <#ty as #root::classify::Classify>::classification(#field))
            }
            Answer::DefaultClassifier(source) => {
                let (field, ty) = self.source(source)?;
                self.bounds.push(parse_quote!(#ty: ::std::error::Error + 'static));
                quote_spanned!(ty.span()=> #root::default_classifier().classify_error(#field))
            }
            Answer::With(source, function) => {
                let (field, _) = self.source(source)?;
                quote!(#root::macro_support::with(#field, #function))
            }
        })
    }

    fn notes(&mut self, notes: &Notes, mut classification: TokenStream) -> syn::Result<TokenStream> {
        let root = self.root;
        if let Some(member) = &notes.retry_after {
            let (field, ty) = self.field(member)?;
            self.bounds.push(parse_quote!(
                #ty: ::core::marker::Copy + ::core::convert::Into<::core::option::Option<::core::time::Duration>>
            ));
            classification = quote_spanned!(ty.span()=> #root::macro_support::hinted(#classification, *#field));
        }
        if let Some(why) = &notes.forbid_retry {
            classification.extend(quote!(.forbid_retry(#why)));
        }
        if notes.unsent.is_some() {
            classification.extend(quote!(.unsent()));
        }
        if notes.timed_out.is_some() {
            classification.extend(quote!(.timed_out()));
        }
        for detail in &notes.details {
            let key = detail.key.to_string();
            let value = match &detail.value {
                Value::Text(text) => quote!(#text),
                Value::Field(member) => {
                    let (field, ty) = self.field(member)?;
                    self.bounds.push(parse_quote!(#ty: ::core::fmt::Display));
                    quote_spanned!(ty.span()=> ::std::string::ToString::to_string(#field))
                }
            };
            classification.extend(quote!(.with_detail(#key, #value)));
        }
        Ok(classification)
    }

    /// The field to ask: the named one, the only one, or the source of the error.
    fn source(&mut self, source: &Source) -> syn::Result<(Ident, Type)> {
        if let Some(member) = &source.named {
            return self.field(member);
        }
        let all: Vec<(Member, &Field)> = self.fields.members().zip(self.fields.iter()).collect();
        let mut sources = all.iter().filter(|(_, field)| is_source(field));
        let chosen = match (all.as_slice(), sources.next(), sources.next()) {
            ([only], ..) => only.0.clone(),
            (_, Some(source), None) => source.0.clone(),
            _ => return Err(syn::Error::new(source.span, no_source(all.len()))),
        };
        self.field(&chosen)
    }

    fn field(&mut self, member: &Member) -> syn::Result<(Ident, Type)> {
        let mut all = self.fields.members().zip(self.fields.iter());
        let Some((_, field)) = all.find(|(known, _)| known == member) else {
            return Err(syn::Error::new(member.span(), format!("there is no field `{}` here", name(member))));
        };
        // The messages of the compiler about the field's type point at the type.
        let span = Span::mixed_site().located_at(field.ty.span());
        let binding = format_ident!("field_{}", name(member).trim_start_matches("r#"), span = span);
        if self.bindings.iter().all(|(known, _)| known != member) {
            self.bindings.push((member.clone(), binding.clone()));
        }
        Ok((binding, field.ty.clone()))
    }
}

/// Whether `source()` returns this field, by the rules of thiserror.
fn is_source(field: &Field) -> bool {
    let is_named = field.ident.as_ref().is_some_and(|name| name == "source");
    is_named
        || field.attrs.iter().any(|attribute| ["source", "from"].iter().any(|word| attribute.path().is_ident(word)))
}

fn no_source(fields: usize) -> &'static str {
    match fields {
        0 => "there is no field to ask: write a class",
        _ => "which field is the error inside? Mark it `#[source]`, or name it, as in `forward = 0`",
    }
}

fn name(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
