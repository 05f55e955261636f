//! Flags over a file over defaults, and what is refused.

use super::*;

const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

fn flags() -> Flags {
    Flags { data: Some("/d".into()), ..Flags::default() }
}

fn wrong(flags: &Flags) -> String {
    let error = NodeConfig::resolve(flags).unwrap_err();
    assert!(error.is_usage(), "{error}");
    error.to_string()
}

#[test]
fn without_anything_there_are_defaults_and_http_is_for_this_machine_alone() {
    let config = NodeConfig::resolve(&flags()).unwrap();
    assert_eq!(config.http.to_string(), "127.0.0.1:4800");
    assert!(config.http.ip().is_loopback());
    let listen: Vec<String> = config.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen[..2], ["/ip4/0.0.0.0/tcp/4801", "/ip4/0.0.0.0/udp/4801/quic-v1"]);
    assert!(config.bootstrap.is_empty() && config.external.is_empty());
}

#[test]
fn flags_win_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    let text = format!(
        "data = \"/file\"\nhttp = \"127.0.0.1:1\"\nlisten = [\"/ip4/127.0.0.1/tcp/1\"]\nexternal = [\"/dns4/node.example/tcp/9\"]\nbootstrap = [\"/ip4/1.2.3.4/tcp/9/p2p/{PEER}\"]\nlog_format = \"json\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let config = NodeConfig::resolve(&Flags { config: Some(file.clone()), ..Flags::default() }).unwrap();
    assert_eq!(config.data, PathBuf::from("/file"));
    assert_eq!(config.http.port(), 1);
    assert_eq!(config.bootstrap[0].peer.to_string(), PEER);
    assert_eq!(config.external, ["/dns4/node.example/tcp/9".parse().unwrap()]);
    assert_eq!(config.log_format, LogFormat::Json);
    let over = Flags {
        config: Some(file),
        http: Some("[::1]:2".to_owned()),
        listen: vec!["/ip6/::/udp/0/quic-v1".to_owned()],
        external: vec!["/ip6/2001:db8::1/udp/4801/quic-v1".to_owned()],
        log_format: Some(LogFormat::Text),
        ..flags()
    };
    let config = NodeConfig::resolve(&over).unwrap();
    assert_eq!((config.data, config.http.port()), (PathBuf::from("/d"), 2));
    assert_eq!(config.listen.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/ip6/::/udp/0/quic-v1"]);
    assert_eq!(config.external, ["/ip6/2001:db8::1/udp/4801/quic-v1".parse().unwrap()]);
    assert_eq!(config.log_format, LogFormat::Text);
}

#[test]
fn wrong_addresses_are_refused_with_the_flag_and_what_would_be_right() {
    let listen = |text: &str| Flags { listen: vec![text.to_owned()], ..flags() };
    for bad in [
        "4801",
        "/ip4/0.0.0.0",
        "/ip4/1.2.3/tcp/1",
        "/ip4/0.0.0.0/tcp/70000",
        "/dns4/x.example/tcp/1",
        "/ip4/0.0.0.0/udp/4801",
        "/ip4/127.0.0.1/tcp/1/ws",
        "",
        "/memory/1",
    ] {
        let text = wrong(&listen(bad));
        assert!(text.starts_with("--listen: ") && text.contains("/ip4/0.0.0.0/tcp/4801"), "{bad}: {text}");
        assert!(text.contains(&format!("{bad:?}")), "{text}");
    }
    let external = |text: &str| Flags { external: vec![text.to_owned()], ..flags() };
    for bad in [
        "192.0.2.1:4801",
        "/ip4/192.0.2.1",
        "/ip4/0.0.0.0/tcp/4801",
        "/ip6/::/udp/4801/quic-v1",
        "/ip4/192.0.2.1/tcp/0",
        "/ip4/192.0.2.1/udp/4801",
        "/ip4/224.0.0.1/tcp/1",
        "/memory/1/tcp/1",
        &format!("/ip4/192.0.2.1/tcp/4801/p2p/{PEER}"),
        &format!("/ip4/192.0.2.1/tcp/4801/p2p/{PEER}/p2p-circuit"),
    ] {
        let text = wrong(&external(bad));
        assert!(
            text.starts_with("--external: ") && text.contains("/ip4/192.0.2.1/tcp/4801"),
            "{bad}: {text}"
        );
        assert!(text.contains(&format!("{bad:?}")), "{text}");
    }
    for good in ["/ip4/192.0.2.1/tcp/4801", "/dns6/node.example/udp/1/quic-v1", "/ip4/10.0.0.7/tcp/1"] {
        let config = NodeConfig::resolve(&external(good)).unwrap();
        assert_eq!(config.external.iter().map(ToString::to_string).collect::<Vec<_>>(), [good]);
    }
    let text = wrong(&Flags { external: vec!["/ip4/192.0.2.1/tcp/1".to_owned(); 9], ..flags() });
    assert!(text.starts_with("--external: at most 8"), "{text}");
    let text = wrong(&Flags { bootstrap: vec!["/ip4/1.2.3.4/tcp/4801".to_owned()], ..flags() });
    assert!(text.starts_with("--bootstrap: ") && text.contains("/p2p/"), "{text}");
    for bad in ["4800", "localhost:4800", "127.0.0.1", "127.0.0.1:70000"] {
        let text = wrong(&Flags { http: Some(bad.to_owned()), ..flags() });
        assert!(text.starts_with("--http: ") && text.contains("127.0.0.1:4800"), "{text}");
    }
    let text = wrong(&Flags { listen: vec!["/ip4/0.0.0.0/tcp/1".to_owned(); 65], ..flags() });
    assert!(text.contains("at most 64"), "{text}");
}

#[test]
fn a_wrong_address_in_a_file_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    std::fs::write(&file, "listen = [\n  \"/ip4/0.0.0.0/tcp/1\",\n  \"nowhere\",\n]\n").unwrap();
    let text = wrong(&Flags { config: Some(file.clone()), ..flags() });
    assert!(text.contains("node.toml:3:3: \"nowhere\" is no multiaddr"), "{text}");
    let text = wrong(&Flags { config: Some(folder.path().join("none.toml")), ..flags() });
    assert!(text.contains("none.toml: cannot be read"), "{text}");
}
