//! One of several parts, for several machines.

/// One of several parts that together are everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which, from 0.
    number: u64,
    /// Of how many.
    of: u64,
}

impl Shard {
    /// All of it.
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    /// How many of `all` are in this part: every `of`-th is.
    pub(super) fn count(self, all: u64) -> u64 {
        all.saturating_sub(self.number).div_ceil(self.of)
    }

    /// The n-th of this part, among all.
    pub(super) fn nth(self, n: u64) -> Option<u64> {
        n.checked_mul(self.of)?.checked_add(self.number)
    }
}

impl core::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = || format!("`{text}` is no part such as 2/8, the second of eight");
        let (number, of) = text.split_once('/').ok_or_else(wanted)?;
        let (number, of) =
            (number.parse::<u64>().map_err(|_| wanted())?, of.parse::<u64>().map_err(|_| wanted())?);
        if of == 0 || number == 0 || number > of {
            return Err(format!(
                "`{text}`: there are parts from 1/{of} to {of}/{of}, and this is none of them"
            ));
        }
        Ok(Self { number: number - 1, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_of_those_that_there_are() {
        assert_eq!("1/1".parse(), Ok(Shard::WHOLE));
        assert_eq!("8/8".parse(), Ok(Shard { number: 7, of: 8 }));
        for bad in ["9/8", "0/8", "1/0", "0/0", "1", "/", "1/", "/8", "-1/8", "1/8/2", "a/b", "1.5/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert!("9/8".parse::<Shard>().unwrap_err().contains("from 1/8 to 8/8"));
    }
}
