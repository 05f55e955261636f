//! Everything that an operator can get wrong at the start: each a clear error that says what to do, and an exit code.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::process::{Node, ended, local, manifest, program};

/// What a start came to: the exit code and what was said, without what differs from run to run.
fn refused(root: &Path, arguments: &[String], unstable: &[(String, &str)]) -> (i32, String) {
    let mut command = program();
    command.args(arguments).env("HOME", root).env_remove("XDG_DATA_HOME");
    let output = ended(command);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "it did not start, so it says nothing there");
    let mut text = String::from_utf8(output.stderr).unwrap();
    for (from, to) in unstable {
        text = text.replace(from, to);
    }
    text = text.replace(root.to_str().unwrap(), "ROOT");
    (output.status.code().unwrap(), text)
}

/// Everything that the data folder holds.
fn contents(data: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    all.sort();
    all
}

fn said(name: &str, code: i32, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("node__{name}"), format!("exit code {code}\n{text}")));
}

#[test]
fn flags_and_files_that_cannot_be_are_wrong_usage() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let with = |more: &[&str]| {
        let mut all = vec!["node".to_owned(), "--data".to_owned(), data.to_str().unwrap().to_owned()];
        all.extend(more.iter().map(|&it| it.to_owned()));
        all
    };
    let file = root.path().join("node.toml");
    let config = file.to_str().unwrap().to_owned();
    let cases: &[(&str, Vec<String>, &str, &str)] = &[
        ("listen", with(&["--listen", "tcp/4801"]), "", "/ip4/0.0.0.0/tcp/4801"),
        ("external", with(&["--external", "/ip4/0.0.0.0/tcp/4801"]), "", "/ip4/192.0.2.1/tcp/4801"),
        ("bootstrap", with(&["--bootstrap", "/ip4/192.0.2.1/tcp/4801"]), "", "/p2p/"),
        ("http", with(&["--http", "4800"]), "", "127.0.0.1:4800"),
        ("config-missing", with(&["--config", "ROOT/none.toml"]), "", "cannot be read"),
        (
            "config-key",
            with(&["--config", &config]),
            "http = \"127.0.0.1:0\"\nbotstrap = []\n",
            "`bootstrap`?",
        ),
        ("config-value", with(&["--config", &config]), "[query]\nfan_out = 0\n", "from 1 to 256"),
        ("config-address", with(&["--config", &config]), "listen = [\"nowhere\"]\n", "node.toml:1:11"),
        ("log", with(&["--config", &config]), "log = \"==\"\n", "info"),
    ];
    for (name, arguments, text, words) in cases {
        fs::write(&file, text).unwrap();
        let (code, said_) = refused(root.path(), arguments, &[]);
        assert_eq!(code, 2, "{name}: {said_}");
        assert!(said_.starts_with("error: ") && said_.contains(words), "{name}: {said_}");
        said(name, code, &said_);
        assert!(!data.exists(), "{name}: nothing is made before the input is known to be good");
    }
}

#[test]
fn what_is_in_use_is_refused_and_who_uses_it_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let first = Node::start(&root.path().join("first"), &[]);
    let second = root.path().join("second");

    let (code, text) = refused(root.path(), &local(&first.data), &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("another node is using this folder") && text.contains("--data"), "{text}");
    said("folder-in-use", code, &text);

    let mut arguments = local(&second);
    *arguments.last_mut().unwrap() = first.http.clone();
    let (code, text) = refused(root.path(), &arguments, &[(first.http.clone(), "127.0.0.1:PORT")]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("another program, perhaps another node") && text.contains("--http"), "{text}");
    said("http-port-in-use", code, &text);

    // Its own TCP port, which the system would let a second node of the same user share.
    let tcp = first.join[0].split("/p2p/").next().unwrap().to_owned();
    let (free, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let udp_address = format!("/ip4/127.0.0.1/udp/{}/quic-v1", udp.local_addr().unwrap().port());
    drop(free);
    for (name, address) in [("tcp-port-in-use", tcp), ("udp-port-in-use", udp_address)] {
        let mut arguments = local(&second);
        let at = arguments.iter().position(|it| it == "--listen").unwrap();
        arguments[at + 1] = address.clone();
        let port = address.split('/').nth(4).unwrap().to_owned();
        let (code, text) = refused(root.path(), &arguments, &[(port, "PORT")]);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("cannot listen on") && text.contains("--listen"), "{text}");
        said(name, code, &text);
    }
    first.publish(&manifest("still-here", "1.0.0"));
    assert_eq!(first.search("still-here", 5).0, ["still-here@1.0.0"]);
}

#[test]
fn a_folder_that_is_spoilt_is_refused_and_left_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let fresh = |name: &str| {
        let data = root.path().join(name);
        let node = Node::start(&data, &[]);
        node.publish(&manifest("kept", "1.0.0"));
        node.kill();
        data
    };
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil, &str); 6] = [
        ("key-cut", |data| fs::write(data.join("publisher.key"), [7; 31]).unwrap(), "publisher.key"),
        ("key-noise", |data| fs::write(data.join("node.key"), b"not a key").unwrap(), "node.key"),
        (
            "key-readable-by-all",
            |data| fs::set_permissions(data.join("node.key"), fs::Permissions::from_mode(0o644)).unwrap(),
            "chmod 600",
        ),
        (
            "database-noise",
            |data| fs::write(data.join("swarmproof.redb"), vec![0xa5; 8192]).unwrap(),
            "swarmproof.redb",
        ),
        (
            "database-cut",
            |data| {
                let file = fs::File::options().write(true).open(data.join("swarmproof.redb")).unwrap();
                file.set_len(4096).unwrap();
            },
            "swarmproof.redb",
        ),
        ("other-publisher", |data| fs::write(data.join("publisher.key"), [9; 32]).unwrap(), "publisher.key"),
    ];
    for (name, spoil, words) in cases {
        let data = fresh(name);
        spoil(&data);
        let publisher = |text: &str| {
            text.split(|it: char| !it.is_ascii_hexdigit())
                .filter(|word| word.len() == 64)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let before = contents(&data);
        let (code, text) = refused(root.path(), &local(&data), &[]);
        assert_eq!(code, 1, "{name}: {text}");
        assert!(text.contains(words) && (text.contains("move") || text.contains("chmod")), "{name}: {text}");
        let after = contents(&data);
        assert_eq!(
            before.iter().map(|it| &it.0).collect::<Vec<_>>(),
            after.iter().map(|it| &it.0).collect::<Vec<_>>(),
            "{name}"
        );
        if name != "other-publisher" {
            assert!(before == after, "{name}: something was changed");
        }
        let text = publisher(&text).iter().fold(text.clone(), |text, word| text.replace(word, "PUBLISHER"));
        said(name, code, &text);
    }
}

#[test]
fn a_page_of_the_database_that_is_damaged_is_told_as_one_error_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("node");
    let node = Node::start(&data, &[]);
    node.publish(&manifest("kept", "1.0.0"));
    node.kill();
    // With another key even a database that can be opened is refused, so that each start ends by itself.
    fs::write(data.join("publisher.key"), [9; 32]).unwrap();
    let database = data.join("swarmproof.redb");
    let sound = fs::read(&database).unwrap();
    let (mut damaged, mut asserted) = (0, 0);
    for (at, page) in
        sound.chunks(4096).enumerate().skip(1).filter(|(_, page)| page.iter().any(|it| *it != 0))
    {
        let mut bytes = sound.clone();
        bytes[at * 4096..][..page.len()].fill(0);
        fs::write(&database, bytes).unwrap();
        let (code, text) = refused(root.path(), &local(&data), &[]);
        assert_eq!(code, 1, "page {at}: {text}");
        assert!(text.starts_with("error: ROOT/node/swarmproof.redb: "), "page {at}: {text}");
        assert_eq!(text.lines().count(), 1, "page {at}: {text}");
        damaged += usize::from(text.contains("the database is damaged"));
        // The words of an assertion of the database's own, which is a panic.
        asserted += usize::from(text.contains("internal error"));
    }
    assert!(damaged > 3 && asserted > 0, "{damaged} pages were found damaged, {asserted} of them by a panic");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let (code, text) = refused(root.path(), &local(Path::new("/dev/null/swarmproof")), &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("/dev/null/swarmproof") && text.contains("--data DIR"), "{text}");
    said("folder-unwritable", code, &text);
    // Without a folder named and without a home there is none to be taken.
    let mut command = program();
    command.arg("node").env_remove("HOME").env_remove("XDG_DATA_HOME");
    let output = ended(command);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--data DIR"), "{output:?}");
}

#[test]
fn the_help_says_what_is_logged_when_nothing_is_said_of_it() {
    let mut command = program();
    command.args(["node", "--help"]);
    let help = String::from_utf8(ended(command).stdout).unwrap();
    let log = swarmproof::node::NodeConfig::local("unused").log;
    assert!(help.contains(&format!("`{log}`")), "{help}");
}
