//! Which node is asked, and with which token.

use std::env;
use std::path::PathBuf;

use crate::client::{Client, NodeUrl, Token};
use crate::node::{default_data_folder, token_file};

use super::args::{Where, Who};
use crate::cli::exit::Refused;

/// The node's address, when none is given.
const NODE: &str = "SWARMPROOF_NODE";
/// The token itself, when no file is given.
const TOKEN: &str = "SWARMPROOF_TOKEN";

/// A client of the node that is meant.
pub(super) fn client(place: &Where) -> Result<Client, Refused> {
    let node = match (&place.node, variable(NODE)?) {
        (Some(node), _) => node.clone(),
        (None, Some(text)) => text.parse().map_err(|error| Refused::Usage(format!("{NODE}: {error}")))?,
        (None, None) => NodeUrl::default(),
    };
    Ok(Client::new(node))
}

/// The same, with the token that is meant.
pub(super) fn client_with_token(place: &Where, who: &Who) -> Result<Client, Refused> {
    let client = client(place)?;
    let token = match (&who.token_file, variable(TOKEN)?) {
        (Some(path), _) => Token::from_file(path)?,
        (None, Some(text)) => Token::read(&text, TOKEN)?,
        // It goes over the network in the clear, and is none of a stranger's business.
        (None, None) if !client.node().is_loopback() => {
            return Err(Refused::Usage(format!(
                "the node at {} is not on this machine, and is not shown the token of the one that is: name its own \
                 token with --token-file or {TOKEN}",
                client.node()
            )));
        }
        (None, None) => Token::from_file(&default_token_file()?)?,
    };
    Ok(client.with_token(token))
}

/// The token of the data folder that a node uses when none is named.
fn default_token_file() -> Result<PathBuf, Refused> {
    let folder = default_data_folder();
    let folder =
        folder.map_err(|_| Refused::Usage("no token: name a node's file with --token-file".to_owned()))?;
    Ok(token_file(&folder))
}

/// A variable of the environment; one that is empty is as good as none.
fn variable(name: &str) -> Result<Option<String>, Refused> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Refused::Usage(format!("{name} is not UTF-8"))),
    }
}
