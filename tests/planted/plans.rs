//! The scenarios under which faults are looked for: small ones, each with what its faults need to show.

/// Registries that know little, on a quick network without faults: searches, gets, listings.
pub const QUIET: &str = r#"
description = "Sixteen peers, two registries that know little, nothing broken."
duration = "20s"
[network]
peers = 16
registries = 2
profile = "lan"
[catalogue]
packages = 40
publishers = 4
registries_start = "empty"
[registry]
holds = 5
[[workload]]
search = { rate = "2/s", from = "4s", until = "18s" }
[[workload]]
get = { rate = "1/s", from = "4s", until = "18s" }
"#;

/// The same with the delays of the internet, and searches that are given up midway.
pub const CANCELLED: &str = r#"
description = "Sixteen peers; searches are given up while they run."
duration = "20s"
[network]
peers = 16
registries = 2
[catalogue]
packages = 40
publishers = 4
registries_start = "empty"
[registry]
holds = 5
[[workload]]
cancel = { rate = "2/s", from = "4s", until = "18s", after = "50ms" }
[[workload]]
search = { rate = "1/s", from = "4s", until = "18s" }
"#;

/// Half of the peers accept what comes and never answer; queries have little time.
pub const SILENT: &str = r#"
description = "Half of the peers are silent, and searches have two seconds."
duration = "20s"
[network]
peers = 20
registries = 2
[catalogue]
packages = 40
publishers = 4
[registry]
holds = 15
timeout = "2s"
adaptive_timeout = false
answers_wanted = 12
[[workload]]
search = { rate = "2/s", from = "4s", until = "18s" }
[[fault]]
at = "2s"
silent = { share = 0.5 }
"#;

/// A third of the peers send records with bad signatures.
pub const UNSIGNED: &str = r#"
description = "A third of the peers send records that nobody signed."
duration = "20s"
[network]
peers = 16
registries = 2
[catalogue]
packages = 40
publishers = 4
registries_start = "empty"
[registry]
holds = 5
answers_wanted = 5
[[workload]]
search = { rate = "2/s", from = "4s", until = "18s" }
[[fault]]
at = "1s"
malformed = { share = 0.3, kinds = ["bad-signature"] }
"#;

/// Releases come out while others look for them.
pub const PUBLISHING: &str = r#"
description = "Registries publish, and list and search for what others publish."
duration = "40s"
[network]
peers = 12
registries = 3
profile = "lan"
[catalogue]
packages = 20
publishers = 4
[[workload]]
publish = { rate = "1/s", from = "2s", until = "30s", packages = 2 }
[[workload]]
versions = { rate = "2/s", from = "6s", until = "38s" }
[[workload]]
search = { rate = "1/s", from = "6s", until = "38s", by = "new" }
"#;

/// Registries that start with everything, and many peers to ask.
pub const MANY: &str = r#"
description = "Thirty peers, and registries that know of every package."
duration = "20s"
[network]
peers = 30
registries = 2
[catalogue]
packages = 60
publishers = 4
[registry]
max_results = 10
answers_wanted = 3
fan_out = 3
[[workload]]
search = { rate = "1/s", from = "4s", until = "18s", by = "word" }
"#;

/// Many searches at once, with the delays of the internet, so that they overlap.
pub const BUSY: &str = r#"
description = "Sixteen peers; searches overlap."
duration = "15s"
[network]
peers = 16
registries = 2
[catalogue]
packages = 40
publishers = 4
registries_start = "empty"
[registry]
holds = 5
[[workload]]
search = { rate = "8/s", from = "4s", until = "12s" }
"#;

/// A publisher shows an older list than before.
pub const ROLLBACK: &str = r#"
description = "Every peer loses its disk and shows an older list."
duration = "60s"
[network]
peers = 20
registries = 2
[catalogue]
packages = 10
versions = 5
[[workload]]
versions = { rate = "1/s", from = "5s", until = "55s", package = 2 }
[[workload]]
search = { rate = "30/m", from = "5s", until = "15s" }
[[fault]]
at = "15s"
rollback = { package = 2 }
[[fault]]
at = "20s"
for = "3s"
crash = { share = 1.0, keep = "nothing" }
"#;

/// Two halves that are cut off from each other, each of which goes on publishing; the cut heals at the end.
pub const CUT: &str = r#"
description = "Two halves cut off from each other to the end, and then healed."
duration = "40s"
[network]
peers = 8
registries = 4
[catalogue]
packages = 20
publishers = 4
registries_start = "empty"
[registry]
catch_up = "5s"
answers_wanted = 7
fan_out = 7
[[workload]]
publish = { rate = "10/m", from = "12s", until = "35s" }
[[workload]]
search = { rate = "2/s", from = "4s", until = "38s", by = "new" }
[[fault]]
at = "10s"
partition = { share = 0.5, registries = [0, 1] }
[liveness]
core = 1.0
within = "30m"
"#;
