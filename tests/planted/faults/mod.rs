//! The faults themselves, by family.

mod counts;
mod crossed;
mod endings;
mod forgiving;
mod limits;
mod records;
mod reputation;

use super::hunt::Planted;

/// Every fault, in the order of the sketch's numbers.
pub fn all() -> Vec<Planted> {
    let mut all = Vec::new();
    all.extend(crossed::faults());
    all.extend(endings::faults());
    all.extend(counts::faults());
    all.extend(limits::faults());
    all.extend(reputation::faults());
    all.extend(records::faults());
    all.extend(forgiving::faults());
    all.sort_by_key(|fault| (fault.number.trim_end_matches(char::is_alphabetic).len(), fault.number));
    all
}
