//! The pages of `docs/guide`, so that every snippet in them is compiled, and run where it can be.
//!
//! Owns the list of pages. Not published: it is how the pages are tested, and holds nothing else
//! but the test that what `docs/from-python.md` names is there.

#![forbid(unsafe_code)]

/// Makes each page the documentation of a type that exists in doctests alone.
macro_rules! pages {
    ($($page:ident = $file:literal),* $(,)?) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../../docs/guide/", $file))]
            struct $page;
        )*
    };
}

pages! {
    EntryPoint = "entry-point.md",
    Errors = "errors.md",
    HttpClients = "http-clients.md",
    TowerServices = "tower-services.md",
    Grpc = "grpc.md",
    DoubleRetries = "double-retries.md",
    Observability = "observability.md",
    Incident = "incident.md",
    Testing = "testing.md",
}

/// Made of `docs/from-python.md` by the build script.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/from-python.md"))]
struct FromPython;
