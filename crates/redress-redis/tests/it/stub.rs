//! A server of loopback that answers each command as a test says.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::client::{Client, Connection};

/// What to answer: a reply without its last line break; or nothing, and the connection closes.
pub(crate) enum Answer {
    Reply(String),
    Close,
}

impl From<&str> for Answer {
    fn from(reply: &str) -> Self {
        Self::Reply(reply.to_owned())
    }
}

pub(crate) struct Stub {
    address: SocketAddr,
    commands: Receiver<String>,
}

impl Stub {
    pub(crate) fn client(&self) -> Client {
        Client::open(format!("redis://{}", self.address)).expect("an address")
    }

    pub(crate) fn connect(&self) -> Connection {
        self.client().get_connection().expect("the stub listens")
    }

    /// The names of the commands so far.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.commands.try_iter().collect()
    }
}

/// Answers by the command's name. `CLIENT SETINFO`, which opens each connection, is answered apart.
pub(crate) fn serve(mut answer: impl FnMut(&str) -> Answer + Send + 'static) -> Stub {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let (heard, commands) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The next connection follows when this one is closed.
            let _ = converse(stream, &mut |command| {
                if command == "CLIENT" {
                    return "+OK".into();
                }
                // The test is over once nothing receives.
                let _ = heard.send(command.to_owned());
                answer(command)
            });
        }
    });
    Stub { address, commands }
}

fn converse(stream: TcpStream, answer: &mut dyn FnMut(&str) -> Answer) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(command) = read_command(&mut reader)? {
        match answer(&command) {
            Answer::Reply(reply) => write!(writer, "{reply}\r\n")?,
            Answer::Close => break,
        }
    }
    Ok(())
}

/// Reads an array of bulk strings, and returns the first.
fn read_command(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut head = String::new();
    if reader.read_line(&mut head)? == 0 {
        return Ok(None);
    }
    let mut name = None;
    for _ in 0..number(&head)? {
        let mut length = String::new();
        reader.read_line(&mut length)?;
        let mut word = vec![0; number(&length)? + 2];
        reader.read_exact(&mut word)?;
        name.get_or_insert_with(|| String::from_utf8_lossy(&word).trim_end().to_owned());
    }
    Ok(name)
}

fn number(line: &str) -> io::Result<usize> {
    line.trim_end().get(1..).and_then(|digits| digits.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
