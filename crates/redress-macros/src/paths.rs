//! The paths in an expansion: all begin at the crate that has redress's names.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;
use syn::meta::ParseNestedMeta;

/// The crate whose names an expansion uses: `::redress`, unless `crate = path` names another.
#[derive(Default)]
pub(crate) struct Root(Option<Path>);

impl Root {
    /// Reads `crate = path`.
    pub(crate) fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if self.0.is_some() {
            return Err(meta.error("`crate` is set twice"));
        }
        self.0 = Some(meta.value()?.call(Path::parse_mod_style)?);
        Ok(())
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::redress)),
        }
    }
}
