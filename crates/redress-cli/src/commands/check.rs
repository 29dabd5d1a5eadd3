//! `redress check`: reads and builds every policy of some files. What can be built and is useless
//! is left to `redress doctor`.

use std::io::Write;

use super::{Failed, Verdict};
use crate::args::{Check, Format};
use crate::files;
use crate::output;

pub(super) fn run(arguments: &Check, out: &mut dyn Write) -> Result<Verdict, Failed> {
    let mut found = Vec::new();
    let mut policies = 0;
    for path in &arguments.files {
        match files::read(path)? {
            Ok(file) => policies += file.policies().count(),
            Err(problems) => found.extend(problems),
        }
    }
    if found.is_empty() && arguments.format == Format::Text {
        writeln!(out, "{} can be built", output::count(policies, "policy", "policies"))?;
        return Ok(Verdict::Fine);
    }
    output::write(&found, arguments.format, out)?;
    Ok(Verdict::denied_if(!found.is_empty()))
}
