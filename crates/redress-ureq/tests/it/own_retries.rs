//! ureq sends nothing again by itself, so the policy's attempts are all that is sent.

use crate::support::{BUSY, OK, Server};

#[test]
fn ureq_sends_no_request_again() {
    let closes = Server::start(|mut peer| {
        peer.next();
    });
    let resets = Server::start(|mut peer| {
        peer.next();
        peer.reset();
    });
    let is_busy = Server::answers([BUSY]);
    let agent = ureq::agent();
    for server in [closes, resets, is_busy] {
        assert!(agent.get(server.uri("/")).call().is_err());
        assert_eq!(server.arrived().len(), 1);
    }
}

#[test]
fn ureq_sends_no_request_again_over_a_pooled_connection_that_closed() {
    let server = Server::start(|mut peer| {
        peer.next();
        peer.send(OK);
        peer.next();
    });
    let agent = ureq::agent();
    let mut first = agent.get(server.uri("/")).call().expect("a response");
    assert_eq!(first.body_mut().read_to_string().expect("text"), "ok");
    assert!(agent.get(server.uri("/")).call().is_err());
    assert_eq!(server.connections(), [0, 0]);
}
