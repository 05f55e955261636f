//! `swarmproof search`: results shown as they come.

use crate::api::{OutcomeView, SearchLine};
use crate::client::{ClientError, SearchQuery};

use super::args::Search;
use super::{connect, show};
use crate::cli::exit::{End, Refused};
use crate::cli::format::Format;
use crate::cli::output::{self, paint};

/// Search, and show what comes.
pub(crate) fn search(args: &Search) -> Result<End, Refused> {
    let query = SearchQuery {
        words: args.words.join(" "),
        categories: args.category.clone(),
        tags: args.tag.clone(),
        limit: args.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
    };
    let mut hits = 0usize;
    for line in connect::client(&args.place)?.search(&query)? {
        let line = line?;
        match &line {
            SearchLine::Error(error) => {
                return Err(ClientError::Refused { status: error.code.status(), error: error.clone() }.into());
            }
            SearchLine::Hit(_) => hits += 1,
            SearchLine::End(_) => {}
        }
        match (args.place.format, &line) {
            (Format::Json, line) => output::put(&show::json(line))?,
            (Format::Text, SearchLine::Hit(release)) => output::put(&show::hit(release, paint))?,
            (Format::Text, SearchLine::End(end)) => {
                let lead = if hits > 0 { "\n" } else { "" };
                output::put(&format!("{lead}{}", show::end(end, hits, paint)))?;
            }
            (Format::Text, SearchLine::Error(_)) => {}
        }
        if let SearchLine::End(end) = &line {
            let failed = matches!(end.outcome, OutcomeView::Failed | OutcomeView::Cancelled);
            return Ok(if failed || hits == 0 { End::Failed } else { End::Held });
        }
    }
    // The last line is an end or an error, so nobody comes here.
    Ok(End::Failed)
}
