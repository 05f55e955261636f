//! Which file of a source tree imports which, read from its text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A source file, its layer, and what it names.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct File {
    /// Its path under the root.
    pub(crate) path: String,
    /// The module below the crate that it belongs to.
    pub(crate) layer: String,
    /// First names of paths that do not begin in this crate.
    pub(crate) outside: BTreeSet<String>,
    /// How many lines it has.
    pub(crate) lines: usize,
}

/// What a tree imports.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Each file that is not a test, with the layers that it names.
    pub(crate) layers: Vec<(File, BTreeSet<String>)>,
    /// For each file the files that it imports.
    pub(crate) files: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    /// The tree under `root`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        gather(root, "", &mut files);
        Self::of(files)
    }

    /// The tree of these files: path and text.
    pub(crate) fn of(files: BTreeMap<String, String>) -> Self {
        let sources: BTreeMap<String, Source> = files
            .iter()
            .filter(|(path, _)| !is_test(path))
            .map(|(path, text)| (path.clone(), Source::of(path, text)))
            .collect();
        let homes: BTreeMap<&[String], &str> =
            sources.iter().map(|(path, source)| (source.module.as_slice(), path.as_str())).collect();
        let mut tree = Self::default();
        for (path, source) in &sources {
            let layer =
                source.module.first().cloned().unwrap_or_else(|| path.trim_end_matches(".rs").to_owned());
            let inside =
                source.paths.iter().filter(|it| !it.exported || it.path.starts_with(&["crate".to_owned()]));
            let layers = source.paths.iter().filter_map(|it| it.absolute(&source.module).first().cloned());
            let known: BTreeSet<String> =
                layers.filter(|it| sources.values().any(|s| s.module.first() == Some(it))).collect();
            let imports = inside
                .filter_map(|it| home(&it.absolute(&source.module), &homes, &sources, 8))
                .filter(|it| it != path)
                .collect();
            let file = File {
                path: path.clone(),
                layer,
                outside: source.outside.clone(),
                lines: files[path].lines().count(),
            };
            tree.layers.push((file, known));
            tree.files.insert(path.clone(), imports);
        }
        tree
    }
}

fn gather(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            gather(&entry.path(), &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs"))
}

/// The file that defines what `path` names: the longest prefix that is a module, followed through the
/// re-exports there, at most `steps` times.
fn home(
    path: &[String],
    homes: &BTreeMap<&[String], &str>,
    sources: &BTreeMap<String, Source>,
    steps: u8,
) -> Option<String> {
    let length = (1..=path.len()).rev().find(|length| homes.contains_key(&path[..*length]))?;
    let file = homes[&path[..length]];
    let source = &sources[file];
    if let (Some(name), true) = (path.get(length), steps > 0) {
        let target = source.paths.iter().find(|it| it.exported && it.name.as_ref() == Some(name));
        if let Some(target) = target {
            let mut further = target.absolute(&source.module);
            further.extend(path[length + 1..].iter().cloned());
            if let Some(found) = home(&further, homes, sources, steps - 1) {
                return Some(found);
            }
        }
    }
    Some(file.to_owned())
}

/// A path that a file names.
#[derive(Debug)]
struct Named {
    /// From `crate`, `self` or `super` on.
    path: Vec<String>,
    /// The name that a `use` gives it.
    name: Option<String>,
    /// Whether a `pub use` does.
    exported: bool,
}

impl Named {
    /// The path below the crate's root, for a file that is the module `from`.
    fn absolute(&self, from: &[String]) -> Vec<String> {
        let mut at: Vec<String> = from.to_vec();
        for part in &self.path {
            match part.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop();
                }
                name => at.push(name.to_owned()),
            }
        }
        at
    }
}

/// A file as it is read.
#[derive(Debug)]
struct Source {
    module: Vec<String>,
    paths: Vec<Named>,
    outside: BTreeSet<String>,
}

impl Source {
    fn of(path: &str, text: &str) -> Self {
        let stem = path.trim_end_matches(".rs");
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        let module: Vec<String> = if ["lib", "main"].contains(&stem) {
            Vec::new()
        } else {
            stem.split('/').map(str::to_owned).collect()
        };
        let words = words(&without_inline_tests(&without_comments(text)));
        let mut source = Self { module, paths: Vec::new(), outside: BTreeSet::new() };
        let children: BTreeSet<&String> =
            words.windows(2).filter(|pair| pair[0] == "mod").map(|pair| &pair[1]).collect();
        let mut at = 0;
        while at < words.len() {
            let before = at.checked_sub(1).map_or("", |at| words[at].as_str());
            if words[at] == "use" {
                // `pub use`, `pub(crate) use`
                let exported = before == "pub" || before == ")";
                at += 1;
                let mut found = Vec::new();
                at = tree(&words, at, &[], &mut found);
                for (mut path, name) in found {
                    match path.first().map(String::as_str) {
                        Some("crate" | "self" | "super") => {}
                        Some(first) if children.contains(&first.to_owned()) => {
                            path.insert(0, "self".to_owned())
                        }
                        Some(first) => {
                            source.outside.insert(first.to_owned());
                            continue;
                        }
                        None => continue,
                    }
                    source.paths.push(Named { path, name, exported });
                }
                continue;
            }
            let heads_path = before != "::" && words.get(at + 1).is_some_and(|it| it == "::");
            if heads_path && ["crate", "self", "super"].contains(&words[at].as_str()) {
                let mut path = vec![words[at].clone()];
                while words.get(at + 1).is_some_and(|it| it == "::")
                    && words.get(at + 2).is_some_and(|it| is_name(it))
                {
                    path.push(words[at + 2].clone());
                    at += 2;
                }
                source.paths.push(Named { path, name: None, exported: false });
            } else if heads_path && is_name(&words[at]) {
                source.outside.insert(words[at].clone());
            }
            at += 1;
        }
        source
    }
}

/// Read one tree of a `use` at `at`: its paths with the names they get, and where it ends.
fn tree(
    words: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(Vec<String>, Option<String>)>,
) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match words.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while words.get(at).is_some_and(|it| it != "}") {
                    at = tree(words, at, &path, found);
                    if words.get(at).is_some_and(|it| it == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some("::") => at += 1,
            Some("as") => {
                found.push((path, words.get(at + 1).cloned()));
                return at + 2;
            }
            Some(word) if is_name(word) || word == "*" => {
                // `self` behind a prefix names the prefix.
                if word != "*" && (word != "self" || path.is_empty()) {
                    path.push(word.to_owned());
                }
                at += 1;
            }
            _ => {
                let name = path.last().cloned();
                found.push((path, name));
                return at;
            }
        }
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|it: char| it.is_alphabetic() || it == '_')
}

/// Names, `::`, and single other characters.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_alphanumeric() || letter == '_' {
            let mut word = String::from(letter);
            while let Some(next) = letters.next_if(|it| it.is_alphanumeric() || *it == '_') {
                word.push(next);
            }
            words.push(word);
        } else if letter == ':' && letters.next_if_eq(&':').is_some() {
            words.push("::".to_owned());
        } else if !letter.is_whitespace() {
            words.push(letter.to_string());
        }
    }
    words
}

/// `text` without its comments, and with empty strings.
pub(crate) fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    let is = |at: usize, text: &str| text.chars().enumerate().all(|(i, it)| letters.get(at + i) == Some(&it));
    while at < letters.len() {
        if is(at, "//") {
            while at < letters.len() && letters[at] != '\n' {
                at += 1;
            }
        } else if is(at, "/*") {
            let mut deep = 1;
            at += 2;
            while at < letters.len() && deep > 0 {
                let step = if is(at, "/*") {
                    deep += 1;
                    2
                } else if is(at, "*/") {
                    deep -= 1;
                    2
                } else {
                    1
                };
                at += step;
            }
        } else if let Some(hashes) = raw_string(&letters, at) {
            let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            at += hashes + 2;
            while at < letters.len() && !is(at, &end) {
                at += 1;
            }
            at += hashes + 1;
            kept.push_str("\"\"");
        } else if letters[at] == '"' {
            at += 1;
            while at < letters.len() && letters[at] != '"' {
                at += if letters[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
            kept.push_str("\"\"");
        } else if is(at, "'\\") {
            // An escaped character: 'x' of any other kind holds no quote that matters, but '"' does.
            at += 3;
            while at < letters.len() && letters[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if is(at, "'\"'") {
            at += 3;
        } else {
            kept.push(letters[at]);
            at += 1;
        }
    }
    kept
}

/// How many `#` a raw string that begins at `at` has.
fn raw_string(letters: &[char], at: usize) -> Option<usize> {
    let joined = at.checked_sub(1).is_some_and(|it| letters[it].is_alphanumeric() && letters[it] != 'b');
    if letters.get(at) != Some(&'r') || joined {
        return None;
    }
    let hashes = letters[at + 1..].iter().take_while(|it| **it == '#').count();
    (letters.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// `text` up to its module of tests, which stands last.
fn without_inline_tests(text: &str) -> String {
    match text.find("#[cfg(test)]\nmod tests {") {
        Some(at) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}

/// Every set of files that import in a circle, each once, by the way round from its first file.
pub(crate) fn circles(files: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in files.keys() {
        if told.contains(start.as_str()) {
            continue;
        }
        if let Some(way) = way_back(start, files) {
            told.extend(way.iter().filter_map(|it| files.get_key_value(it)).map(|(it, _)| it.as_str()));
            found.insert(way);
        }
    }
    found.into_iter().collect()
}

/// The shortest way from `start` back to itself.
fn way_back(start: &str, files: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut edge = vec![start];
    while !edge.is_empty() {
        let mut next = Vec::new();
        for file in edge {
            for import in files.get(file).into_iter().flatten() {
                if import == start {
                    let mut way = vec![start.to_owned(), file.to_owned()];
                    let mut at = file;
                    while at != start {
                        at = from[at];
                        way.push(at.to_owned());
                    }
                    way.reverse();
                    way.dedup();
                    return Some(way);
                }
                if import != file && !from.contains_key(import.as_str()) {
                    from.insert(import, file);
                    next.push(import.as_str());
                }
            }
        }
        edge = next;
    }
    None
}
