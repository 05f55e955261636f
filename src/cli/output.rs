//! Where text goes: standard output and standard error, coloured only on a terminal.

use std::io::{self, Write};

use crate::scenario::report::Tone;
use anstyle::{AnsiColor, Style};

use super::exit::{End, Refused};

/// `text` in the colour of its tone. The streams below take the colours out again where `NO_COLOR` is set
/// or nobody watches.
pub(crate) fn paint(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Heading => Style::new().bold(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Faint => Style::new().dimmed(),
    };
    format!("{style}{text}{style:#}")
}

/// Write to standard output.
pub(crate) fn put(text: &str) -> Result<(), Refused> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|cause| match cause.kind() {
        io::ErrorKind::BrokenPipe => Refused::Unread,
        _ => Refused::System { what: "cannot write to standard output", cause },
    })
}

/// Write to standard output, and that was all.
pub(crate) fn print(text: &str) -> Result<End, Refused> {
    put(text).map(|()| End::Held)
}

/// Say on standard error what is wrong.
pub(crate) fn complain(refused: &Refused) {
    if !matches!(refused, Refused::Unread) {
        say(&format!("{} {refused}\n", paint(Tone::Bad, "error:")));
    }
}

/// Write to standard error. Where even that fails there is nowhere left to say so.
pub(crate) fn say(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
