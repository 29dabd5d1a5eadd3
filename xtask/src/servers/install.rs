//! Finds the servers and libraries, or installs them: Debian's packages with apt where this is root
//! on Debian, and moto with pip into the target directory.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::command;
use crate::workspace::Workspace;

/// A package of Debian, and the file that shows that it is installed.
struct Needed {
    package: &'static str,
    file: &'static str,
    /// The folders that may hold the file. A `*` is any one folder.
    folders: &'static [&'static str],
    /// Whether the file may also be on the `PATH`.
    is_program: bool,
}

const PROGRAMS: &[&str] = &["/usr/sbin", "/usr/local/sbin"];
const LIBRARIES: &[&str] = &["/usr/lib/*", "/usr/lib64", "/usr/lib", "/usr/local/lib"];
const ODBC_DRIVERS: &[&str] = &["/usr/lib/*/odbc", "/usr/lib/odbc", "/usr/lib64", "/usr/lib", "/usr/local/lib"];

const NEEDED: &[Needed] = &[
    Needed { package: "postgresql", file: "initdb", folders: &["/usr/lib/postgresql/*/bin"], is_program: true },
    Needed { package: "mariadb-server", file: "mariadbd", folders: PROGRAMS, is_program: true },
    Needed { package: "redis-server", file: "redis-server", folders: PROGRAMS, is_program: true },
    Needed { package: "unixodbc-dev", file: "libodbc.so", folders: LIBRARIES, is_program: false },
    Needed { package: "odbc-postgresql", file: "psqlodbcw.so", folders: ODBC_DRIVERS, is_program: false },
    Needed { package: "libsqliteodbc", file: "libsqlite3odbc.so", folders: ODBC_DRIVERS, is_program: false },
    Needed { package: "prometheus", file: "promtool", folders: PROGRAMS, is_program: true },
];

/// The program that fakes AWS, and what pip installs it from.
const MOTO: &str = "moto_server";
const MOTO_PACKAGE: &str = "moto[server]>=5.1,<6";
/// The package of Debian without which `python3 -m venv` fails.
const VENV: &str = "python3-venv";

/// Makes sure that everything is there, and returns the `PATH` for the tests.
pub(crate) fn provide(workspace: &Workspace) -> Result<OsString> {
    let folder = workspace.target().join("servers");
    let has_moto = has_moto(workspace, Path::new(MOTO)) || has_moto(workspace, &in_venv(&folder, MOTO));
    let missing = missing(workspace, has_moto);
    if !missing.is_empty() {
        install(workspace, &missing)?;
    }
    if !has_moto {
        install_moto(workspace, &folder)?;
    }
    let found = env::var_os("PATH").unwrap_or_default();
    // After the folders of the user, whose moto comes first.
    let folders = env::split_paths(&found).chain([folder.join("venv/bin")]);
    env::join_paths(folders).context("a folder of the PATH has a colon in its name")
}

/// The packages that are not installed.
fn missing(workspace: &Workspace, has_moto: bool) -> Vec<&'static str> {
    let mut missing: Vec<&str> =
        NEEDED.iter().filter(|needed| !needed.is_installed()).map(|needed| needed.package).collect();
    if !has_moto && !has_venv(workspace) {
        missing.push(VENV);
    }
    missing
}

impl Needed {
    fn is_installed(&self) -> bool {
        let on_path = env::var_os("PATH").filter(|_| self.is_program).unwrap_or_default();
        let listed = self.folders.iter().flat_map(|pattern| folders(pattern));
        env::split_paths(&on_path).chain(listed).any(|folder| folder.join(self.file).exists())
    }
}

/// The folders that a pattern with at most one `*` names.
fn folders(pattern: &str) -> Vec<PathBuf> {
    let Some((above, below)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().join(below.trim_start_matches('/'))).collect()
}

/// Installs packages of Debian.
fn install(workspace: &Workspace, missing: &[&str]) -> Result<()> {
    let command = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !is_root(workspace) || command::answer(command::program(workspace, "apt-get").arg("--version")).is_none() {
        bail!("{}", refusal(missing, &command));
    }
    println!("installing {}", missing.join(", "));
    let apt = |arguments: &[&str]| {
        let mut command = command::program(workspace, "apt-get");
        command::run(command.args(["--quiet", "--quiet"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"])
        .and_then(|()| apt(&[&["install", "--yes", "--no-install-recommends"], missing].concat()))
        .with_context(|| refusal(missing, &command))?;
    let still: Vec<&str> = NEEDED.iter().filter(|needed| !needed.is_installed()).map(|needed| needed.package).collect();
    ensure!(still.is_empty(), "apt-get has installed these, and their files are not found: {}", still.join(", "));
    Ok(())
}

fn refusal(missing: &[&str], command: &str) -> String {
    format!(
        "the tests with real servers need {}: install them as root (on Debian with `{command}`), \
         or run the other steps of `cargo xtask ci` by their names",
        missing.join(", ")
    )
}

fn is_root(workspace: &Workspace) -> bool {
    command::answer(command::program(workspace, "id").arg("-u")).is_some_and(|user| user.trim() == "0")
}

/// Whether moto starts: a launcher on the `PATH` need not have a moto behind it.
fn has_moto(workspace: &Workspace, program: &Path) -> bool {
    command::answer(command::program(workspace, &program.display().to_string()).arg("--help")).is_some()
}

fn has_venv(workspace: &Workspace) -> bool {
    command::answer(command::program(workspace, "python3").args(["-c", "import venv, ensurepip"])).is_some()
}

fn install_moto(workspace: &Workspace, folder: &Path) -> Result<()> {
    println!("installing {MOTO_PACKAGE} into {} (once)", folder.display());
    let mut venv = command::program(workspace, "python3");
    command::run(venv.args(["-m", "venv", "--clear"]).arg(folder.join("venv")))?;
    let mut pip = command::program(workspace, &in_venv(folder, "python3").display().to_string());
    command::run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", MOTO_PACKAGE]))
        .with_context(|| format!("the tests with a fake AWS need {MOTO}: put one on the PATH"))
}

fn in_venv(folder: &Path, program: &str) -> PathBuf {
    folder.join("venv/bin").join(program)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Needed, folders, refusal};

    #[test]
    fn a_star_is_any_one_folder() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/*/servers");
        let expected = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/servers"));
        assert!(folders(root).contains(&expected), "{:?}", folders(root));
        assert_eq!(folders("/usr/sbin"), [PathBuf::from("/usr/sbin")]);
        assert!(folders("/does-not-exist/*/bin").is_empty());
    }

    #[test]
    fn a_library_is_not_looked_for_on_the_path() {
        let needed = |is_program| Needed { package: "cargo", file: "cargo", folders: &[], is_program };
        assert!(needed(true).is_installed(), "cargo runs this test");
        assert!(!needed(false).is_installed());
    }

    #[test]
    fn the_refusal_names_every_package_and_the_command() {
        let said = refusal(&["redis-server", "unixodbc-dev"], "apt-get install redis-server unixodbc-dev");
        assert!(said.starts_with("the tests with real servers need redis-server, unixodbc-dev: "), "{said}");
        assert!(said.contains("`apt-get install redis-server unixodbc-dev`"), "{said}");
    }
}
