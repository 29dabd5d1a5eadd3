//! Nodes of a cluster, met by a client without clusters.

use redress_servers::Redis;

use crate::client::{Connection, Value};
use crate::connections::{connect, ok, refused, run, told, until};

/// The slots of these keys, as `CLUSTER KEYSLOT` says: one in each half.
const LOW: &str = "{b}";
const LOW_SLOT: &str = "3300";
const HIGH: &str = "{a}";

fn node() -> Redis {
    Redis::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"])
}

fn id(connection: &mut Connection) -> String {
    run(connection, "CLUSTER MYID").expect("an id")
}

#[test]
fn a_cluster_in_each_of_its_states() {
    let (low, high) = (node(), node());
    let (mut at_low, mut at_high) = (connect(&low), connect(&high));
    // No node serves anything.
    assert_eq!(told(&refused(&mut at_low, &format!("GET {LOW}"))), "TRANSIENT CLUSTERDOWN, not run");

    ok(&mut at_low, "CLUSTER ADDSLOTSRANGE 0 8191");
    ok(&mut at_high, "CLUSTER ADDSLOTSRANGE 8192 16383");
    ok(&mut at_low, &format!("CLUSTER MEET 127.0.0.1 {}", high.port()));
    until(|| run::<Value>(&mut at_low, &format!("SET {LOW} 7")).ok());
    until(|| run::<Value>(&mut at_high, &format!("SET {HIGH} 7")).ok());

    assert_eq!(told(&refused(&mut at_low, &format!("GET {HIGH}"))), "TRANSIENT MOVED, not run");
    assert_eq!(told(&refused(&mut at_low, &format!("MGET {LOW} {HIGH}"))), "PERMANENT CROSSSLOT, not run");

    // A slot moves: the key that is there is served, the others are asked of the new node.
    let target = id(&mut at_high);
    ok(&mut at_low, &format!("CLUSTER SETSLOT {LOW_SLOT} MIGRATING {target}"));
    ok(&mut at_low, &format!("GET {LOW}"));
    assert_eq!(told(&refused(&mut at_low, &format!("GET {LOW}other"))), "TRANSIENT ASK, not run");
    assert_eq!(told(&refused(&mut at_low, &format!("MGET {LOW} {LOW}other"))), "TRANSIENT TRYAGAIN, not run");
}
