//! `redress schema`, `completions` and `man`: what is made from the command and the files' format.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Failed, Verdict};
use crate::args::Arguments;
use crate::files;

pub(super) fn schema(out: &mut dyn Write) -> Result<Verdict, Failed> {
    out.write_all(files::schema().as_bytes())?;
    Ok(Verdict::Fine)
}

pub(super) fn completions(shell: Shell, out: &mut dyn Write) -> Result<Verdict, Failed> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "redress", &mut script);
    out.write_all(&script)?;
    Ok(Verdict::Fine)
}

pub(super) fn manual(dir: Option<&Path>, out: &mut dyn Write) -> Result<Verdict, Failed> {
    let mut command = Arguments::command();
    command.build();
    let Some(dir) = dir else {
        Man::new(command).render(out)?;
        return Ok(Verdict::Fine);
    };
    write_page(dir, "redress", command.clone())?;
    for sub in command.get_subcommands() {
        let name = format!("redress-{}", sub.get_name());
        write_page(dir, &name, sub.clone().display_name(name.clone()))?;
    }
    Ok(Verdict::Fine)
}

fn write_page(dir: &Path, name: &str, command: clap::Command) -> Result<(), Failed> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    let path = dir.join(format!("{name}.1"));
    fs::write(&path, page).map_err(|source| Failed::Write { path, source })
}
