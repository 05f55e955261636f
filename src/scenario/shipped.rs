//! The scenarios that come with the crate: each can be read, and each seed of it makes a plan that is good.

use std::path::{Path, PathBuf};

use super::catalogue_file::CatalogueFile;
use super::{Plan, Scenario};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");

fn gather(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, ending, files);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files.sort();
}

#[test]
fn each_scenario_is_read_and_makes_good_plans() {
    let mut files = Vec::new();
    gather(Path::new(FOLDER), "toml", &mut files);
    assert!(files.len() >= 16, "{}", files.len());
    let (mut least, mut most) = (u32::MAX, 0);
    for file in files {
        let scenario = Scenario::read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert!(scenario.description.len() > 60, "{} does not say what it proves", file.display());
        // What chaos draws is nobody's to expect.
        let says = !scenario.workloads.is_empty() && !scenario.expect.is_empty();
        assert!(says || scenario.chaos.is_some(), "{}", file.display());
        (least, most) = (least.min(scenario.network.peers), most.max(scenario.network.peers));
        let seeds = scenario.seeds();
        assert!((1..=5).contains(&seeds.len()), "{}", file.display());
        for seed in seeds {
            let plan = Plan::make(&scenario, seed);
            let text = plan.to_toml().unwrap();
            let read = Plan::parse(&text, "plan")
                .unwrap_or_else(|error| panic!("{} {seed}: {error}", file.display()));
            assert_eq!(read, plan);
            assert!(!plan.timeline.operations.is_empty());
            if scenario.chaos.is_none() {
                assert_eq!(plan.has_faults(), !scenario.faults.is_empty(), "{}", file.display());
            }
            assert!(!plan.releases().unwrap().is_empty());
        }
    }
    assert_eq!((least, most), (5, 2000));
}

#[test]
fn the_shipped_catalogue_is_what_the_command_writes() {
    let mut files = Vec::new();
    gather(Path::new(FOLDER), "jsonl", &mut files);
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let file = CatalogueFile::parse(&text, "catalogue").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(file.to_text(), text);
    assert!(file.packages.len() > 300 && file.names() < file.packages.len() as u32);
    assert!(file.packages.iter().any(|package| package.name.as_str() == "libp2p"));
}
