//! What a query asks, in a few words.

use crate::engine::Lookup;
use crate::oracle::Asked;
use crate::package::Query;

/// What a query asks.
pub(in crate::scenario) fn asked(asked: &Asked) -> String {
    match asked {
        Asked::Search(query, _) => format!("search ({})", words(query)),
        Asked::Get(Lookup::Release(release)) => format!("get of {release}"),
        Asked::Get(Lookup::List(package)) => format!("list of {package}"),
        Asked::Get(Lookup::Latest(package)) => format!("get of the latest {package}"),
    }
}

/// What a search asks, short.
pub(in crate::scenario) fn words(query: &Query) -> String {
    let mut parts = Vec::new();
    if !query.text.is_empty() {
        parts.push(format!("{:?}", query.text));
    }
    parts.extend(query.categories.iter().map(|category| format!("category {category}")));
    parts.extend(query.tags.iter().map(|tag| format!("tag {tag}")));
    parts.join(", ")
}
