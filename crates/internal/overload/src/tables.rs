//! The tables, with what each of their cells must say.

use crate::cell::{Cell, measure};
use crate::mechanisms::Mechanism;
use crate::scene::Scene;

/// A table before it is measured.
pub(crate) struct Plan {
    /// The name between the marks on the page.
    pub(crate) name: &'static str,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<PlannedRow>,
}

pub(crate) struct PlannedRow {
    pub(crate) name: String,
    pub(crate) scenes: Vec<(Mechanism, Scene)>,
    /// Whether the scene of each column recovers.
    pub(crate) recovers: Vec<bool>,
}

/// A measured table.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    head: Vec<String>,
    rows: Vec<(String, Vec<Cell>)>,
}

/// The sizes of the first table.
pub(crate) const SIZES: [u32; 3] = [100, 1000, 10_000];

/// Who recovers at which size, from an outage of 10 s.
pub(crate) const AT_SIZES: &[(Mechanism, [bool; 3])] = &[
    (Mechanism::NoRetries, [true, true, true]),
    (Mechanism::Unlimited, [false, false, false]),
    (Mechanism::ServerDrops(0), [false, false, false]),
    (Mechanism::ServerDrops(20), [true, true, true]),
    (Mechanism::Window, [true, false, false]),
    (Mechanism::Earned(100.0), [true, false, false]),
    (Mechanism::Earned(10.0), [true, true, false]),
    (Mechanism::Earned(1.0), [true, true, true]),
    (Mechanism::Fleet, [true, true, true]),
    (Mechanism::DefaultBreaker, [true, true, false]),
    (Mechanism::Ratio, [true, true, false]),
    (Mechanism::RatioAndEarned, [true, true, false]),
];

/// All tables. Each number of `shrink` divides the traffic, the server and the clients.
pub(crate) fn plans(shrink: u32) -> Vec<Plan> {
    vec![sizes(shrink), http(shrink), chances(shrink), waits(shrink), loads(shrink), lengths(shrink)]
}

pub(crate) fn sizes(shrink: u32) -> Plan {
    let row = |(mechanism, recovers): &(Mechanism, [bool; 3])| PlannedRow {
        name: mechanism.name(),
        scenes: SIZES.map(|clients| (*mechanism, Scene::new(clients).shrunk(shrink))).to_vec(),
        recovers: recovers.to_vec(),
    };
    Plan { name: "sizes", head: head_of_sizes("each client has"), rows: AT_SIZES.iter().map(row).collect() }
}

fn head_of_sizes(first: &str) -> Vec<String> {
    [first, "100 clients", "1,000 clients", "10,000 clients"].map(str::to_owned).into()
}

/// Outages that every number of clients recovers from with the preset `http`.
const HTTP: [(Mechanism, u64); 4] =
    [(Mechanism::ImpatientHttp, 10), (Mechanism::Http, 10), (Mechanism::Http, 30), (Mechanism::Http, 60)];

pub(crate) fn http(shrink: u32) -> Plan {
    let row = |(mechanism, outage): (Mechanism, u64)| PlannedRow {
        name: format!("{outage} s, {}", mechanism.name()),
        scenes: SIZES.map(|clients| (mechanism, Scene { outage, ..Scene::new(clients) }.shrunk(shrink))).to_vec(),
        recovers: vec![true; SIZES.len()],
    };
    Plan { name: "http", head: head_of_sizes("outage, `AsyncPolicy::http()`"), rows: HTTP.map(row).into() }
}

/// Capacities, and whether 10,000 and 100,000 clients recover with them.
const CHANCES: [(f64, [bool; 2]); 4] =
    [(10.0, [false, false]), (1.0, [true, false]), (0.3, [true, true]), (0.1, [true, true])];

/// Capacities below one token, for clients that call rarely.
pub(crate) fn chances(shrink: u32) -> Plan {
    let row = |(capacity, recovers): (f64, [bool; 2])| {
        let scene = |clients| (Mechanism::Earned(capacity), Scene::new(clients).shrunk(shrink));
        let scenes = [10_000, 100_000].map(scene);
        PlannedRow { name: format!("capacity {capacity}"), scenes: scenes.to_vec(), recovers: recovers.to_vec() }
    };
    let head = ["`Budget::earned(0.1)`", "10,000 clients", "100,000 clients"].map(str::to_owned);
    Plan { name: "chances", head: head.into(), rows: CHANCES.map(row).into() }
}

/// Longer waits and fewer attempts, at 1,000 clients.
pub(crate) fn waits(shrink: u32) -> Plan {
    let row = |(attempts, from)| {
        let mechanism = Mechanism::Waits { attempts, from };
        let scenes = vec![(mechanism, Scene::new(1000).shrunk(shrink))];
        PlannedRow { name: mechanism.name(), scenes, recovers: vec![false] }
    };
    let rows = [(2, 100), (4, 100), (4, 1000), (4, 5000), (6, 1000), (6, 5000)].map(row).into();
    Plan { name: "waits", head: vec!["no budget, no breaker".to_owned(), "recovery".to_owned()], rows }
}

/// Shares of the server's capacity in percent, and whether 4 attempts recover from them.
const LOADS: [(u32, bool); 6] = [(20, true), (24, true), (26, false), (30, false), (50, false), (70, false)];

pub(crate) fn loads(shrink: u32) -> Plan {
    let row = |(percent, recovers)| {
        let scene = Scene { load: percent * 10, after: 600, ..Scene::new(1000) }.shrunk(shrink);
        PlannedRow { name: format!("{percent} %"), scenes: beside_none(scene), recovers: vec![recovers, true] }
    };
    Plan { name: "loads", head: beside_none_head("load"), rows: LOADS.map(row).into() }
}

/// Lengths of the outage in seconds, and whether 4 attempts recover from them.
const LENGTHS: [(u64, bool); 5] = [(1, true), (2, false), (5, false), (10, false), (30, false)];

pub(crate) fn lengths(shrink: u32) -> Plan {
    let row = |(outage, recovers)| {
        let scene = Scene { outage, ..Scene::new(1000) }.shrunk(shrink);
        PlannedRow { name: format!("{outage} s"), scenes: beside_none(scene), recovers: vec![recovers, true] }
    };
    Plan { name: "lengths", head: beside_none_head("outage"), rows: LENGTHS.map(row).into() }
}

fn beside_none(scene: Scene) -> Vec<(Mechanism, Scene)> {
    vec![(Mechanism::Unlimited, scene), (Mechanism::NoRetries, scene)]
}

fn beside_none_head(first: &str) -> Vec<String> {
    let columns = [Mechanism::Unlimited, Mechanism::NoRetries].map(Mechanism::name);
    std::iter::once(first.to_owned()).chain(columns).collect()
}

impl Plan {
    /// Measures every cell.
    ///
    /// # Errors
    ///
    /// The cells that say something else than planned.
    pub(crate) fn measure(self, seeds: u64) -> Result<Table, String> {
        let scenes: Vec<_> = self.rows.iter().flat_map(|row| row.scenes.clone()).collect();
        let mut measured = measure(&scenes, seeds).into_iter();
        let (mut rows, mut wrong) = (Vec::new(), Vec::new());
        for row in self.rows {
            let cells: Vec<Cell> = measured.by_ref().take(row.scenes.len()).collect();
            for (cell, (expected, column)) in cells.iter().zip(row.recovers.iter().zip(&self.head[1..])) {
                if cell.recovers() != Some(*expected) {
                    let planned = if *expected { "recovers" } else { "never recovers" };
                    wrong.push(format!("{}: {}, {column}: {cell}, where it {planned}", self.name, row.name));
                }
            }
            rows.push((row.name, cells));
        }
        let table = Table { name: self.name, head: self.head, rows };
        if wrong.is_empty() { Ok(table) } else { Err(format!("{}\n{}", wrong.join("\n"), table.markdown())) }
    }
}

impl Table {
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = format!("|---{}|\n", "|--:".repeat(self.head.len() - 1));
        let rows = self.rows.iter().map(|(name, cells)| {
            let cells = cells.iter().map(Cell::to_string);
            line(&std::iter::once(name.clone()).chain(cells).collect::<Vec<_>>())
        });
        line(&self.head) + &rule + &rows.collect::<String>()
    }

    /// The cells of a row.
    #[cfg(test)]
    pub(crate) fn row(&self, mechanism: Mechanism) -> &[Cell] {
        let row = self.rows.iter().find(|(name, _)| *name == mechanism.name());
        row.map_or(&[], |(_, cells)| cells)
    }
}
