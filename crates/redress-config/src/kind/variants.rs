//! [`OneOf`], a table whose key `kind` decides which settings it has.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::kind::table::{Fields, Known};
use crate::kind::{Kind, Rows};
use crate::reader::{DEEPEST, Reader};
use crate::schema::Schema;
use crate::tree::{Node, Value};

/// One choice of `kind`, with its settings.
pub(crate) struct Variant<S: 'static> {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) methods: &'static [&'static str],
    pub(crate) fields: fn() -> Fields<S>,
    /// The spec with the defaults of this kind.
    pub(crate) blank: fn() -> S,
}

/// A table with a `kind`. The first variant that [`is_of`](Self::is_of) a spec writes it.
pub(crate) struct OneOf<S: 'static> {
    /// What the table is, such as "a strategy".
    pub(crate) what: &'static str,
    /// The name of the schema, which may contain itself.
    pub(crate) definition: &'static str,
    pub(crate) variants: &'static [Variant<S>],
    pub(crate) is_of: fn(&S, &str) -> bool,
}

const KIND: &str = "kind";

impl<S> OneOf<S> {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.variants.iter().map(|variant| variant.name)
    }

    fn variant(&self, name: &str) -> Option<&'static Variant<S>> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    fn variant_of(&self, spec: &S) -> Option<&'static Variant<S>> {
        self.variants.iter().find(|variant| (self.is_of)(spec, variant.name))
    }

    fn choices(&self) -> String {
        let names: Vec<_> = self.names().map(|name| format!("\"{name}\"")).collect();
        names.join(", ")
    }

    /// The kind that the table names. `Err` after a problem.
    fn named(&self, node: &Node, reader: &mut Reader) -> Result<Option<&'static Variant<S>>, ()> {
        let Some(entry) = node.entry(KIND) else { return Ok(None) };
        reader.within(KIND, |reader| match entry.node.as_text().and_then(|name| self.variant(name)) {
            Some(variant) => Ok(Some(variant)),
            None => {
                reader.refuse_name(&entry.node, format!("be one of {}", self.choices()), self.names());
                Err(())
            }
        })
    }

    /// The schema of the table, for the definitions.
    pub(crate) fn definition(&self) -> Schema {
        let variant = |variant: &Variant<S>| {
            let kind = (KIND, true, Schema::constant(variant.name).described(variant.meaning));
            let fields = (variant.fields)();
            let fields = fields.iter().map(|field| (field.key(), field.is_required(), field.schema()));
            Schema::table(variant.meaning, std::iter::once(kind).chain(fields))
        };
        self.variants.iter().map(variant).reduce(Schema::or).unwrap_or_else(|| Schema::of_type("object"))
    }

    /// The schema of a table over one that a preset has, which may leave out its kind.
    pub(crate) fn definition_over_preset(&self) -> Schema {
        let mut fields: BTreeMap<&str, Schema> = BTreeMap::new();
        for field in self.variants.iter().flat_map(|variant| (variant.fields)()) {
            let schema = field.schema();
            let all = match fields.remove(field.key()) {
                Some(other) if other != schema => other.or(schema),
                _ => schema,
            };
            fields.insert(field.key(), all);
        }
        let what = format!("Changes of {} that a preset has", self.what);
        let changes = Schema::table(&what, fields.into_iter().map(|(key, schema)| (key, false, schema)));
        self.definition().or(changes)
    }
}

impl<S: Clone + Debug + PartialEq> Kind for OneOf<S> {
    type Value = S;

    fn read(&self, node: &Node, base: Option<&S>, reader: &mut Reader) -> Option<S> {
        if node.as_table().is_none() {
            reader.refuse(node, format!("be a table with a kind: {}", self.choices()));
            return None;
        }
        if reader.path.depth() > DEEPEST {
            reader.refuse_table(node.span, format!("be at most {DEEPEST} tables deep"));
            return None;
        }
        let named = self.named(node, reader).ok()?;
        let base = base.filter(|_| named.is_none());
        let Some(variant) = named.or_else(|| self.variant_of(base?)) else {
            reader.within(KIND, |reader| reader.refuse_table(node.span, format!("be set, to {}", self.choices())));
            return None;
        };
        let mut spec = base.cloned().unwrap_or_else(variant.blank);
        let what = format_args!("{} of kind {}", self.what, variant.name);
        let known = Known { what: &what, fields: (variant.fields)(), tag: Some(KIND) };
        known.read_into(node, &mut spec, base.is_some(), reader);
        Some(spec)
    }

    /// Writes all that differs from the defaults of the kind, for every base.
    fn write(&self, value: &S, _: Option<&S>) -> Option<Value> {
        let variant = self.variant_of(value)?;
        let blank = (variant.blank)();
        let mut table = vec![(KIND.to_owned(), Value::text(variant.name))];
        for field in (variant.fields)() {
            let base = if field.is_required() { None } else { Some(&blank) };
            field.write(value, base, &mut table)?;
        }
        Some(Value::table(table))
    }

    fn schema(&self) -> Schema {
        Schema::reference(self.definition)
    }

    fn words(&self) -> String {
        format!("table of {}", self.what)
    }

    /// The rows of each variant, unless a table of it that contains this one has them.
    fn rows(&self, rows: &mut Rows) {
        rows.once(self.definition, |rows| {
            for variant in self.variants {
                rows.within(KIND, |rows| rows.push(format!("\"{}\"", variant.name), variant.meaning, variant.methods));
                for field in (variant.fields)() {
                    field.rows(rows);
                }
            }
        });
    }
}

/// A table that is referred to: one that contains itself is a static.
impl<S: Clone + Debug + PartialEq> Kind for &'static OneOf<S> {
    type Value = S;

    fn read(&self, node: &Node, base: Option<&S>, reader: &mut Reader) -> Option<S> {
        (**self).read(node, base, reader)
    }

    fn write(&self, value: &S, base: Option<&S>) -> Option<Value> {
        (**self).write(value, base)
    }

    fn schema(&self) -> Schema {
        (**self).schema()
    }

    fn words(&self) -> String {
        (**self).words()
    }

    fn rows(&self, rows: &mut Rows) {
        (**self).rows(rows);
    }
}

/// A setting that is the field of a variant of an enumeration.
macro_rules! field_of {
    (
        $setting:ident, $spec:ident::$variant:ident, $field:ident: $kind:expr, $meaning:literal,
        [$($method:literal),*]
    ) => {
        $setting!(
            $spec, stringify!($field), $kind, $meaning, [$($method),*],
            |spec| match spec { $spec::$variant { $field, .. } => Some(Cow::Borrowed($field)), _ => None },
            |spec, value| if let $spec::$variant { $field, .. } = spec { *$field = value }
        )
    };
}

pub(crate) use field_of;
