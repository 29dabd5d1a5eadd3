//! `redress explain`: what one policy does.

use std::fs;
use std::io::Write;

use redress_core::policy::{PolicySpec, Preset};

use super::{Failed, Verdict};
use crate::args::{Explain, TextOrJson};
use crate::explain::{Explanation, picture};
use crate::files;

pub(super) fn run(arguments: &Explain, out: &mut dyn Write) -> Result<Verdict, Failed> {
    let (name, spec) = chosen(arguments)?;
    let explanation = Explanation::of(&name, &spec);
    if let Some(path) = &arguments.svg {
        let drawn = picture::draw(&explanation.waits).map_err(|error| Failed::Picture(error.to_string()))?;
        fs::write(path, drawn).map_err(|source| Failed::Write { path: path.clone(), source })?;
    }
    match arguments.format {
        TextOrJson::Text => explanation.write(out)?,
        TextOrJson::Json => {
            serde_json::to_writer_pretty(&mut *out, &explanation)?;
            writeln!(out)?;
        }
    }
    Ok(Verdict::Fine)
}

/// The name and the settings of the policy that is explained.
fn chosen(arguments: &Explain) -> Result<(String, PolicySpec), Failed> {
    if let Some(name) = &arguments.preset {
        let preset = Preset::from_name(name).ok_or_else(|| {
            let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
            Failed::Unclear(format!("there is no preset `{name}`: choose one of {}", names.join(", ")))
        })?;
        return Ok((format!("preset {name}"), preset.spec()));
    }
    let Some(path) = &arguments.file else {
        return Err(Failed::Unclear("name a policy file, or a preset with `--preset`".into()));
    };
    let file = files::read_sound(path)?;
    let policy = file.chosen(arguments.policy.as_deref(), "name one after the file")?;
    Ok((policy.name().to_owned(), policy.spec().clone()))
}
