//! What a comparison is asked.

use std::path::PathBuf;

use crate::cli::format::Format;
use crate::cli::run_args::Seeds;
use crate::engine::{FanOut, QueryConfig};

/// Compare strategies.
#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The strategies: how many peers are asked at once, `hedged`, `adaptive`
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,2,3,5,8,hedged,adaptive")]
    pub(crate) fan_out: Vec<Strategy>,
    /// Run these seeds of each file instead of its own; B is left out, as in 0..20
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<Seeds>,
    /// How many runs at once; as many as there are cores, unless given. Changes nothing but the time it takes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Draw latency against requests into this file
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// One of the strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strategy(pub(crate) FanOut);

impl core::str::FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fixed =
            || text.parse().ok().filter(|it| (1..=QueryConfig::MAX_FAN_OUT).contains(it)).map(FanOut::Fixed);
        FanOut::named(text).or_else(fixed).map(Self).ok_or_else(|| {
            let most = QueryConfig::MAX_FAN_OUT;
            format!("`{text}` is no strategy of fan-out: a number from 1 to {most}, `hedged` or `adaptive`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_are_named_as_in_files() {
        assert_eq!("1".parse(), Ok(Strategy(FanOut::Fixed(1))));
        assert_eq!("256".parse(), Ok(Strategy(FanOut::Fixed(256))));
        assert_eq!("hedged".parse(), Ok(Strategy(FanOut::Hedged)));
        assert_eq!("adaptive".parse(), Ok(Strategy(FanOut::Adaptive)));
        for bad in ["", "0", "257", "-1", "Hedged", "hedge", "1.5", "99999999999"] {
            assert!(bad.parse::<Strategy>().is_err(), "{bad}");
        }
    }
}
