//! What the errors of the `redis` crate say, read alike from its versions 1 and 2.
//!
//! Only what 1.0 has is read: the kinds of its error, which are not exhaustive, and text codes.

use std::error::Error;

/// An error of the client.
pub(crate) trait Client: Error + 'static {
    type Reply: Reply;

    fn situation(&self) -> Situation;
    /// The code of an error reply, where the client keeps one.
    fn reply_code(&self) -> Option<&str>;
    /// The text behind the code, or what the client adds to its own errors.
    fn text(&self) -> &str;
    /// The error replies inside: several of a pipeline, or of the queue of a transaction.
    fn replies(&self) -> Vec<Self::Reply>;
    fn is_time_up(&self) -> bool;
    /// Whether no connection was made, because the server or its socket is not there.
    fn is_refused(&self) -> bool;
}

/// An error reply.
pub(crate) trait Reply: Error + 'static {
    fn code(&self) -> &str;
    fn text(&self) -> &str;
}

/// The kinds of the client's errors that differ in their class, with the name of the kind.
#[derive(Clone, Copy)]
pub(crate) enum Situation {
    /// The socket, or TLS.
    Io,
    /// The server refused the credentials while connecting.
    Credentials(&'static str),
    /// No node to send to.
    NoNode(&'static str),
    /// Found before anything was sent.
    Client(&'static str),
    /// The configuration or the arguments are wrong.
    Caller(&'static str),
    /// The reply is not what the client or the caller expected.
    Conversion(&'static str),
    /// The reply does not convert, or is not RESP.
    Parse(&'static str),
    /// An error reply.
    Reply,
    /// Newer than this crate.
    Other,
}

macro_rules! reads {
    ($redis:ident) => {
        impl Client for $redis::RedisError {
            type Reply = $redis::ServerError;

            fn situation(&self) -> Situation {
                use $redis::ErrorKind as Kind;
                match self.kind() {
                    Kind::Io => Situation::Io,
                    Kind::AuthenticationFailed => Situation::Credentials("AuthenticationFailed"),
                    Kind::ClusterConnectionNotFound => Situation::NoNode("ClusterConnectionNotFound"),
                    Kind::MasterNameNotFoundBySentinel => Situation::NoNode("MasterNameNotFoundBySentinel"),
                    Kind::NoValidReplicasFoundBySentinel => Situation::NoNode("NoValidReplicasFoundBySentinel"),
                    Kind::Client => Situation::Client("Client"),
                    Kind::InvalidClientConfig => Situation::Caller("InvalidClientConfig"),
                    Kind::EmptySentinelList => Situation::Caller("EmptySentinelList"),
                    Kind::RESP3NotSupported => Situation::Caller("RESP3NotSupported"),
                    Kind::UnexpectedReturnType => Situation::Conversion("UnexpectedReturnType"),
                    Kind::Parse => Situation::Parse("Parse"),
                    Kind::Server(_) | Kind::Extension => Situation::Reply,
                    // A kind that exists only with the client's feature `json`.
                    _ if self.category() == "serializing" => Situation::Conversion("Serialize"),
                    _ => Situation::Other,
                }
            }

            fn reply_code(&self) -> Option<&str> {
                self.code()
            }

            fn text(&self) -> &str {
                self.detail().unwrap_or_default()
            }

            fn replies(&self) -> Vec<Self::Reply> {
                let replies = self.clone().into_server_errors();
                replies.iter().flat_map(|replies| replies.iter()).map(|(_, reply)| reply.clone()).collect()
            }

            fn is_time_up(&self) -> bool {
                self.is_timeout()
            }

            fn is_refused(&self) -> bool {
                self.is_connection_refusal()
            }
        }

        impl Reply for $redis::ServerError {
            fn code(&self) -> &str {
                self.code()
            }

            fn text(&self) -> &str {
                self.details().unwrap_or_default()
            }
        }
    };
}

#[cfg(feature = "redis-1")]
reads!(redis);
#[cfg(feature = "redis-2")]
reads!(redis_2);
