//! A data folder, made, found again, and spoilt.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A folder as a node leaves it.
fn made(path: &Path) -> DataFolder {
    let mut folder = DataFolder::open(path).unwrap();
    folder.keep_publisher().unwrap();
    folder
}

fn refused(path: &Path) -> String {
    DataFolder::open(path).unwrap_err().to_string()
}

#[test]
fn it_is_made_once_and_is_the_same_afterwards() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/b");
    let mut first = DataFolder::open(&path).unwrap();
    assert!(first.new_publisher() && !path.join("publisher.key").exists());
    first.keep_publisher().unwrap();
    assert_eq!(mode(&path), 0o700);
    for name in ["node.key", "publisher.key", "token"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    let (peer, publisher) = (first.keypair.public().to_peer_id(), first.publisher.id());
    let token = fs::read(token_file(&path)).unwrap();
    assert!(first.token.is(token.trim_ascii()));
    let shown = format!("{first:?}");
    drop(first);
    let again = DataFolder::open(&path).unwrap();
    assert!(!again.new_publisher());
    assert_eq!((again.keypair.public().to_peer_id(), again.publisher.id()), (peer, publisher));
    let hex = |bytes: &[u8]| bytes.iter().map(|it| format!("{it:02x}")).collect::<String>();
    let secret = fs::read(path.join("publisher.key")).unwrap();
    assert!(
        !shown.contains(&hex(&secret)) && !shown.contains(std::str::from_utf8(token.trim_ascii()).unwrap())
    );
}

#[test]
fn two_folders_have_other_secrets() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (DataFolder::open(one.path()).unwrap(), DataFolder::open(two.path()).unwrap());
    assert_ne!(one.publisher.id(), two.publisher.id());
    assert_ne!(one.keypair.public(), two.keypair.public());
}

#[test]
fn a_second_node_is_refused_while_the_first_is_there() {
    let root = tempfile::tempdir().unwrap();
    let first = DataFolder::open(root.path()).unwrap();
    let text = refused(root.path());
    assert!(text.contains("another node is using this folder") && text.contains("--data"), "{text}");
    drop(first);
    DataFolder::open(root.path()).unwrap();
}

#[test]
fn a_secret_that_others_may_read_is_refused_and_left_alone() {
    for name in ["node.key", "publisher.key", "token"] {
        let root = tempfile::tempdir().unwrap();
        drop(made(root.path()));
        let file = root.path().join(name);
        let before = fs::read(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let text = refused(root.path());
        assert!(text.contains(name) && text.contains("mode 0640") && text.contains("chmod 600"), "{text}");
        assert_eq!(fs::read(&file).unwrap(), before);
        assert_eq!(mode(&file), 0o640, "it is the operator's to change");
    }
}

#[test]
fn a_secret_that_is_none_is_refused_and_left_alone() {
    for (name, words) in [
        ("node.key", "libp2p's protobuf encoding"),
        ("publisher.key", "the 32 bytes of a publisher's secret key"),
        ("token", "at least 32 visible characters"),
    ] {
        for bad in [&b""[..], b"short", &[0xff; 31]] {
            let root = tempfile::tempdir().unwrap();
            drop(made(root.path()));
            let file = root.path().join(name);
            fs::write(&file, bad).unwrap();
            let text = refused(root.path());
            assert!(text.contains(name) && text.contains(words) && text.contains("move it away"), "{text}");
            assert!(text.contains(&format!("these {} bytes are not", bad.len())), "{text}");
            assert_eq!(fs::read(&file).unwrap(), bad);
        }
    }
}

#[test]
fn a_key_that_was_half_written_is_made_anew() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("publisher.new"), b"ha").unwrap();
    drop(made(root.path()));
    assert_eq!(fs::read(root.path().join("publisher.key")).unwrap().len(), 32);
    assert!(!root.path().join("publisher.new").exists());
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("data");
    fs::write(&path, "mine").unwrap();
    let text = refused(&path);
    assert!(text.contains("data") && text.contains("--data DIR"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}
