//! A second reader of CBOR, which shares nothing with the first: enough to see which keys are written.

/// An item.
pub(crate) enum Value {
    /// A map with texts for keys.
    Map(Vec<(String, Value)>),
    /// A list.
    List(Vec<Value>),
    /// Anything else.
    Leaf,
}

/// The one item in `bytes`. Panics on what is not well-formed.
pub(crate) fn read(bytes: &[u8]) -> Value {
    let (value, rest) = item(bytes);
    assert!(rest.is_empty(), "{} bytes behind the end", rest.len());
    value
}

fn item(bytes: &[u8]) -> (Value, &[u8]) {
    let (major, argument, rest) = head(bytes);
    match major {
        0 | 7 => (Value::Leaf, rest),
        2 | 3 => (Value::Leaf, &rest[argument..]),
        4 => {
            let (mut items, mut rest) = (Vec::new(), rest);
            for _ in 0..argument {
                let (value, after) = item(rest);
                items.push(value);
                rest = after;
            }
            (Value::List(items), rest)
        }
        5 => {
            let (mut pairs, mut rest) = (Vec::new(), rest);
            for _ in 0..argument {
                let (major, length, after) = head(rest);
                assert_eq!(major, 3, "a key that is no text");
                let key = std::str::from_utf8(&after[..length]).unwrap().to_owned();
                let (value, after) = item(&after[length..]);
                pairs.push((key, value));
                rest = after;
            }
            (Value::Map(pairs), rest)
        }
        other => panic!("major type {other}"),
    }
}

fn head(bytes: &[u8]) -> (u8, usize, &[u8]) {
    let width = match bytes[0] & 31 {
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        small => return (bytes[0] >> 5, small.into(), &bytes[1..]),
    };
    let argument = bytes[1..=width].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    (bytes[0] >> 5, argument, &bytes[1 + width..])
}
