//! How text becomes words: the same on every machine and in every version of the language.

/// The words of `text` as they are written: maximal runs of ASCII letters and digits and of non-ASCII
/// characters. Other scripts are taken as they are, since case tables change between versions.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let inner = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
    text.split(move |c| !inner(c)).filter(|word| !word.is_empty())
}

/// The [`words`] of `text`, ASCII letters lower-cased: the form in which they are compared.
pub fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    words(text).map(str::to_ascii_lowercase)
}
