//! Where two traces in files part, as text.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use swarmproof::scenario::report::{Compared, compare_traces, plain, side_by_side};

/// What a comparison of the two comes to, for people.
pub(crate) fn shown(one: &Path, other: &Path) -> String {
    let read = |path: &Path| File::open(path).map(BufReader::new);
    let compared = || -> io::Result<Compared> { compare_traces(read(one)?, read(other)?) };
    match compared() {
        Ok(Compared::Parted(parting)) => side_by_side(&parting, &plain),
        Ok(Compared::Same { events }) => {
            format!(
                "Made twice more, it had the same {events} events both times: it differs only now and then.\n"
            )
        }
        Err(error) => format!("Made twice more, its traces cannot be read: {error}\n"),
    }
}
