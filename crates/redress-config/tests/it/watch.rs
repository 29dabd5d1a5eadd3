//! A file that is watched is reloaded when it changes, however it is changed.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use redress::config::{Changes, FileError, Loader, Policies, Watcher};

/// The only wait of these tests is for the system to report a change: they end long before.
const LONG: Duration = Duration::from_secs(60);

/// A folder of a test, which is removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("redress-watch-{}-{next}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Puts a file in place as a whole. A file that is written in place may be read half.
    fn write(&self, name: &str, text: &str) {
        let beside = format!("{name}.new");
        fs::write(self.path(&beside), text).expect("written");
        self.replace(&beside, name);
    }

    fn replace(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file whose policy makes so many attempts.
fn attempts(attempts: u32) -> String {
    format!("[policy.orders]\nretry = {{ max_attempts = {attempts} }}\n")
}

/// What the callback of a watcher hears.
struct Reloads(Receiver<Result<Changes, FileError>>);

impl Reloads {
    fn next(&self) -> Result<Changes, FileError> {
        self.0.recv_timeout(LONG).expect("a reload")
    }

    fn changes(&self) -> String {
        self.next().unwrap_or_else(|refused| panic!("{refused}")).to_string()
    }

    fn refused(&self) -> FileError {
        self.next().expect_err("a refused file")
    }

    /// Fails unless the watcher has ended and nothing more was heard.
    fn end(&self) {
        assert_eq!(self.0.recv_timeout(LONG).err(), Some(RecvTimeoutError::Disconnected));
    }
}

fn watch(policies: &Policies, path: &Path) -> (Watcher, Reloads) {
    let (sender, receiver) = mpsc::channel();
    let told = move |reload| sender.send(reload).expect("the test listens");
    (policies.watch(&Loader::new(), path, told).expect("watched"), Reloads(receiver))
}

/// Policies of 4 attempts in a file that is watched.
fn watched(path: &Path) -> (Policies, Watcher, Reloads) {
    fs::write(path, attempts(4)).expect("written");
    let policies = Policies::new(Loader::new().read(path).expect("a good file")).expect("built");
    let (watcher, reloads) = watch(&policies, path);
    (policies, watcher, reloads)
}

fn change(from: u32, to: u32) -> String {
    format!("policy.orders.retry.max_attempts: {from} -> {to}")
}

#[test]
fn a_file_that_is_written_is_reloaded() {
    let folder = Folder::new();
    let (policies, _watcher, reloads) = watched(&folder.path("p.toml"));
    let orders = policies.get("orders").expect("known");
    for (from, to) in [(4, 2), (2, 3)] {
        fs::write(folder.path("p.toml"), attempts(to)).expect("written");
        // The file is empty between its truncation and its writing, and may be read then.
        let is_empty = |refused: &FileError| refused.to_string().ends_with("it is empty");
        let reload = std::iter::repeat_with(|| reloads.next()).find(|reload| !reload.as_ref().is_err_and(is_empty));
        assert_eq!(reload.and_then(Result::ok).map(|changes| changes.to_string()), Some(change(from, to)));
        assert_eq!(orders.load().max_attempts(), to);
    }
}

#[test]
fn a_file_that_is_replaced_is_reloaded_each_time() {
    let folder = Folder::new();
    let (_policies, _watcher, reloads) = watched(&folder.path("p.toml"));
    for (from, to) in [(4, 2), (2, 3), (3, 5)] {
        folder.write("p.toml", &attempts(to));
        assert_eq!(reloads.changes(), change(from, to));
    }
}

#[test]
fn a_file_that_is_removed_is_missed_and_one_that_comes_back_is_reloaded() {
    let folder = Folder::new();
    let (policies, _watcher, reloads) = watched(&folder.path("p.toml"));
    fs::remove_file(folder.path("p.toml")).expect("removed");
    let refused = reloads.refused();
    let source = std::error::Error::source(&refused).and_then(|error| error.downcast_ref::<io::Error>());
    assert_eq!(source.map(io::Error::kind), Some(ErrorKind::NotFound));
    assert_eq!(policies.get("orders").expect("known").load().max_attempts(), 4);
    folder.write("p.toml", &attempts(2));
    assert_eq!(reloads.changes(), change(4, 2));
}

#[test]
fn a_folder_that_is_replaced_is_followed() {
    let folder = Folder::new();
    fs::create_dir(folder.path("conf")).expect("a folder");
    let (_policies, _watcher, reloads) = watched(&folder.path("conf/p.toml"));
    folder.replace("conf", "old");
    assert!(reloads.refused().to_string().contains("could not be read"));
    fs::create_dir(folder.path("conf")).expect("a folder");
    folder.write("conf/p.toml", &attempts(2));
    assert_eq!(reloads.changes(), change(4, 2));
    folder.write("conf/p.toml", &attempts(3));
    assert_eq!(reloads.changes(), change(2, 3));
}

#[cfg(unix)]
mod links {
    use std::fs;
    use std::os::unix::fs::symlink;

    use redress::config::{Loader, Policies};

    use super::{Folder, attempts, change, watch};

    /// A version of a mounted `ConfigMap`, and the swap of the link that leads to it.
    fn publish(folder: &Folder, version: &str, text: &str) {
        fs::create_dir_all(folder.path(&format!("mount/{version}"))).expect("a folder");
        folder.write(&format!("mount/{version}/p.toml"), text);
        symlink(version, folder.path("mount/..data_tmp")).expect("a link");
        folder.replace("mount/..data_tmp", "mount/..data");
    }

    #[test]
    fn a_config_map_of_kubernetes_is_followed() {
        let folder = Folder::new();
        publish(&folder, "..1", &attempts(4));
        symlink("..data/p.toml", folder.path("mount/p.toml")).expect("a link");
        let path = folder.path("mount/p.toml");
        let policies = Policies::new(Loader::new().read(&path).expect("a good file")).expect("built");
        let (_watcher, reloads) = watch(&policies, &path);
        for (from, to) in [(4, 2), (2, 3), (3, 5)] {
            publish(&folder, &format!("..{to}"), &attempts(to));
            assert_eq!(reloads.changes(), change(from, to));
        }
    }

    #[test]
    fn a_link_of_a_folder_above_is_followed_and_so_is_the_file_that_it_leads_to() {
        let folder = Folder::new();
        for (version, made) in [("1", 4), ("2", 2)] {
            fs::create_dir(folder.path(version)).expect("a folder");
            folder.write(&format!("{version}/p.toml"), &attempts(made));
        }
        symlink(folder.path("1"), folder.path("current")).expect("a link");
        let path = folder.path("current/p.toml");
        let policies = Policies::new(Loader::new().read(&path).expect("a good file")).expect("built");
        let (_watcher, reloads) = watch(&policies, &path);
        symlink("2", folder.path("next")).expect("a link");
        folder.replace("next", "current");
        assert_eq!(reloads.changes(), change(4, 2));
        folder.write("2/p.toml", &attempts(3));
        assert_eq!(reloads.changes(), change(2, 3));
    }

    #[test]
    fn links_in_a_circle_are_a_file_that_cannot_be_read() {
        let folder = Folder::new();
        symlink("b", folder.path("a")).expect("a link");
        symlink("a", folder.path("b")).expect("a link");
        folder.write("p.toml", &attempts(4));
        let policies = Policies::new(Loader::new().read(folder.path("p.toml")).expect("a good file")).expect("built");
        let (_watcher, reloads) = watch(&policies, &folder.path("a"));
        assert!(reloads.refused().to_string().contains("could not be read"));
        folder.write("a", &attempts(2));
        assert_eq!(reloads.changes(), change(4, 2));
    }
}

#[test]
fn a_refused_file_says_why_and_the_policies_stay() {
    let folder = Folder::new();
    let (policies, _watcher, reloads) = watched(&folder.path("p.toml"));
    folder.write("p.toml", "[policy.orders]\nretry = { max_attempts = 0, max_atempts = 1 }\n");
    let refused = reloads.refused();
    let fields: Vec<_> = refused.problems().iter().map(|problem| (problem.place().line(), problem.field())).collect();
    assert_eq!(fields, [(Some(2), "policy.orders.retry.max_attempts"), (Some(2), "policy.orders.retry.max_atempts")]);
    assert_eq!(policies.get("orders").expect("known").load().max_attempts(), 4);
    folder.write("p.toml", &attempts(2));
    assert_eq!(reloads.changes(), change(4, 2));
}

#[test]
fn a_file_without_text_is_about_to_be_written() {
    let folder = Folder::new();
    let (policies, _watcher, reloads) = watched(&folder.path("p.toml"));
    fs::write(folder.path("p.toml"), "").expect("written");
    assert!(reloads.refused().to_string().ends_with("p.toml: could not be read: it is empty"));
    assert!(policies.get("orders").is_ok());
    folder.write("p.toml", "# None any more.\n");
    assert_eq!(reloads.changes(), "policy.orders: removed");
}

#[test]
fn other_files_and_the_same_text_are_no_reload() {
    let folder = Folder::new();
    let (_policies, _watcher, reloads) = watched(&folder.path("p.toml"));
    folder.write("p.toml", &attempts(3));
    assert_eq!(reloads.changes(), change(4, 3));
    folder.write("q.toml", &attempts(9));
    folder.write("p.toml", &attempts(3));
    folder.write("p.toml", &format!("# Three.\n{}", attempts(3)));
    assert_eq!(reloads.changes(), "nothing changed");
    folder.write("p.toml", &attempts(2));
    assert_eq!(reloads.changes(), change(3, 2));
}

#[test]
fn a_change_between_reading_and_watching_is_not_missed() {
    let folder = Folder::new();
    folder.write("p.toml", &attempts(4));
    let path = folder.path("p.toml");
    let policies = Policies::new(Loader::new().read(&path).expect("a good file")).expect("built");
    folder.write("p.toml", &attempts(2));
    let (_watcher, reloads) = watch(&policies, &path);
    assert_eq!(reloads.changes(), change(4, 2));
}

#[test]
fn a_file_that_does_not_exist_yet_is_waited_for() {
    let folder = Folder::new();
    folder.write("p.toml", &attempts(4));
    let policies = Policies::new(Loader::new().read(folder.path("p.toml")).expect("a good file")).expect("built");
    let (_watcher, reloads) = watch(&policies, &folder.path("later/deeper/p.toml"));
    assert!(reloads.refused().to_string().contains("later/deeper/p.toml: could not be read"));
    fs::create_dir_all(folder.path("later/deeper")).expect("a folder");
    folder.write("later/deeper/p.toml", &attempts(2));
    assert_eq!(reloads.changes(), change(4, 2));
}

#[test]
fn a_dropped_watcher_ends_and_its_callback_goes() {
    let folder = Folder::new();
    let (_policies, watcher, reloads) = watched(&folder.path("p.toml"));
    folder.write("p.toml", &attempts(2));
    assert_eq!(reloads.changes(), change(4, 2));
    drop(watcher);
    reloads.end();
}

#[test]
fn a_panic_is_contained_and_the_watcher_goes_on() {
    let folder = Folder::new();
    folder.write("p.toml", &attempts(4));
    let path = folder.path("p.toml");
    let policies = Policies::new(Loader::new().read(&path).expect("a good file")).expect("built");
    let _orders = policies.get_with("orders", |builder| {
        let policy = builder.build()?;
        assert!(policy.max_attempts() != 3, "no three");
        Ok(policy)
    });
    let (sender, receiver) = mpsc::channel();
    let _watcher = policies.watch(&Loader::new(), &path, move |reload| {
        let is_first = reload.as_ref().is_ok_and(|changes| changes.to_string() == change(4, 2));
        sender.send(reload).expect("the test listens");
        assert!(!is_first, "the callback fails");
    });
    let reloads = Reloads(receiver);
    folder.write("p.toml", &attempts(2));
    assert_eq!(reloads.changes(), change(4, 2));
    folder.write("p.toml", &attempts(3));
    assert!(reloads.refused().to_string().ends_with("could not be built: a policy panicked: no three"));
    folder.write("p.toml", &attempts(5));
    assert_eq!(reloads.changes(), change(2, 5));
}

#[test]
fn variables_and_presets_of_the_loader_hold_for_each_reload() {
    let folder = Folder::new();
    let path = folder.path("p.toml");
    folder.write("p.toml", "[policy.orders]\nretry = {}\ndeadline = '1s'\n");
    let loader = Loader::new().variables([("REDRESS__POLICY__ORDERS__RETRY__MAX_ATTEMPTS", "2")]);
    let policies = Policies::new(loader.read(&path).expect("a good file")).expect("built");
    let (sender, receiver) = mpsc::channel();
    let _watcher = policies.watch(&loader, &path, move |reload| sender.send(reload).expect("the test listens"));
    folder.write("p.toml", "[policy.orders]\nretry = { max_attempts = 9 }\ndeadline = '2s'\n");
    assert_eq!(Reloads(receiver).changes(), "policy.orders.deadline: \"1s\" -> \"2s\"");
    assert_eq!(policies.get("orders").expect("known").load().max_attempts(), 2);
}
