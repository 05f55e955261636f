//! Addresses, names and tokens as somebody types them.

use std::fs;

use super::super::token::{Token, TokenError};
use super::super::url::NodeUrl;
use super::super::wanted::{Wanted, WantedError};
use crate::package::Version;

#[test]
fn an_address_is_a_scheme_a_host_and_a_port() {
    let read =
        |text: &str| text.parse::<NodeUrl>().map(|url| url.to_string()).map_err(|error| error.to_string());
    assert_eq!(read("http://127.0.0.1:4800").unwrap(), NodeUrl::default().to_string());
    assert_eq!(read("http://[::1]:9/").unwrap(), "http://[::1]:9");
    assert_eq!(read("http://node.example").unwrap(), "http://node.example");
    for (bad, why) in [
        ("127.0.0.1:4800", "does not begin with http://"),
        ("localhost", "does not begin with http://"),
        ("https://localhost:1", "speaks plain HTTP"),
        ("http://me:secret@localhost:1", "takes a token"),
        ("http://localhost:1/v1", "nothing stands behind the port"),
        ("http://localhost:1/?q", "nothing stands behind the port"),
        ("http://", "is no address"),
        ("", "is no address"),
        ("http://a b", "is no address"),
    ] {
        let error = read(bad).unwrap_err();
        assert!(error.contains(why) && error.contains("http://127.0.0.1:4800"), "{bad}: {error}");
    }
}

#[test]
fn only_the_loopback_is_this_machine() {
    let here = |text: &str| text.parse::<NodeUrl>().unwrap().is_loopback();
    assert!(NodeUrl::default().is_loopback());
    for text in ["http://localhost", "http://LocalHost:1", "http://127.0.0.2:1", "http://[::1]:1"] {
        assert!(here(text), "{text}");
    }
    for text in [
        "http://192.0.2.1:4800",
        "http://[2001:db8::1]:4800",
        "http://0.0.0.0:4800",
        "http://localhost.example",
        "http://127.0.0.1.example:4800",
    ] {
        assert!(!here(text), "{text}");
    }
}

#[test]
fn a_package_is_named_by_publisher_and_name() {
    let publisher = "ab".repeat(32);
    let wanted: Wanted = format!("{publisher}/serde@1.0.0-rc.1+b").parse().unwrap();
    assert_eq!(wanted.version, Some("1.0.0-rc.1+b".parse().unwrap()));
    assert_eq!(wanted.clone().release().unwrap().version, "1.0.0-rc.1+b".parse::<Version>().unwrap());
    let wanted: Wanted = format!("{publisher}/serde").parse().unwrap();
    assert_eq!((wanted.package.name.as_str(), &wanted.version), ("serde", &None));
    let error = wanted.release().unwrap_err();
    assert!(error.to_string().contains("/serde has no version"), "{error}");
    let read = |text: &str| text.parse::<Wanted>().unwrap_err();
    assert!(matches!(read("serde"), WantedError::NoSlash { .. }));
    assert!(read("serde").to_string().contains("PUBLISHER/NAME@VERSION"));
    assert!(read("abc/serde").to_string().contains("64 hexadecimal digits, found \"abc\""));
    assert!(read(&format!("{publisher}/-x")).to_string().contains("found \"-x\""));
    assert!(
        read(&format!("{publisher}/x@1.0"))
            .to_string()
            .contains("such as 1.2.3 or 2.0.0-rc.1, found \"1.0\"")
    );
    assert!(matches!(read(&format!("{publisher}/x@")), WantedError::Version { .. }));
}

#[test]
fn a_token_is_read_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let missing = Token::from_file(&path).unwrap_err();
    assert!(matches!(missing, TokenError::Missing { .. }), "{missing}");
    assert!(missing.to_string().contains("--token-file"), "{missing}");
    fs::write(&path, "s3cret-s3cret\n").unwrap();
    let token = Token::from_file(&path).unwrap();
    assert_eq!(token.header(), "Bearer s3cret-s3cret");
    assert!(!format!("{token:?}").contains("s3cret"));
    for bad in ["", " \n", "two words", "li\nnes", "t\u{fc}"] {
        fs::write(&path, bad).unwrap();
        let error = Token::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("not a token") && error.contains(&path.display().to_string()), "{error}");
        assert!(bad.trim().is_empty() || !error.contains(bad), "{error}");
    }
    fs::write(&path, "x".repeat(5000)).unwrap();
    assert!(Token::from_file(&path).unwrap_err().to_string().contains("more than 4096 bytes"));
    assert!(matches!(Token::from_file(folder.path()), Err(TokenError::Unreadable { .. })));
}
