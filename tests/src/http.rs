//! A small HTTP/1.1 client for the API, over one connection that it opens again when it must.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::{PATIENCE, TOKEN};

/// A connection to the API.
pub struct Client {
    address: SocketAddr,
    token: String,
    connection: Option<BufReader<TcpStream>>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// A client with the scenarios' token.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, token: TOKEN.into(), connection: None }
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self { token: token.into(), ..self }
    }

    /// Sends a message, and gives its id.
    ///
    /// # Panics
    /// When it is not accepted.
    pub fn send(&mut self, message: &Value) -> String {
        let answer = self.post("/v1/messages", message);
        assert_eq!(answer.status, 202, "{message} was answered {answer:?}");
        answer.json()["id"].as_str().expect("a message has an id").to_owned()
    }

    /// A message as it is now.
    ///
    /// # Panics
    /// When there is none.
    pub fn message(&mut self, id: &str) -> Value {
        let answer = self.get(&format!("/v1/messages/{id}"));
        assert_eq!(answer.status, 200, "{id} was answered {answer:?}");
        answer.json()
    }

    /// `GET`.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path, "").unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// `DELETE`.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn delete(&mut self, path: &str) -> Answer {
        self.request("DELETE", path, "").unwrap_or_else(|error| panic!("DELETE {path}: {error}"))
    }

    /// `PUT` without a body.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn put(&mut self, path: &str) -> Answer {
        self.request("PUT", path, "").unwrap_or_else(|error| panic!("PUT {path}: {error}"))
    }

    /// `POST` with a JSON body.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// `PATCH` with a JSON body.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn patch(&mut self, path: &str, body: &Value) -> Answer {
        self.request("PATCH", path, &body.to_string()).unwrap_or_else(|error| panic!("PATCH {path}: {error}"))
    }

    /// `POST` with a JSON body to a gateway that may be killed meanwhile.
    ///
    /// # Errors
    /// When there is no answer: nobody knows then whether the request was heard.
    pub fn try_post(&mut self, path: &str, body: &Value) -> io::Result<Answer> {
        self.request("POST", path, &body.to_string())
    }

    fn request(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        let (address, token, length) = (self.address, &self.token, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        connection.get_mut().write_all(request.as_bytes())?;
        let answer = read_answer(&mut connection)?;
        if answer.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

fn read_answer(connection: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let line = read_line(connection)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| bad("no status"))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(connection)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().map_err(|_| bad("no length"))?];
    connection.read_exact(&mut body)?;
    Ok(Answer { status, headers, body: String::from_utf8(body).map_err(|_| bad("not UTF-8"))? })
}

fn read_line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    match connection.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
