// Canonical DAG-CBOR from strangers: the shape is looked at before anything is built.

import * as dagCbor from '@ipld/dag-cbor'

/** Bytes are not what they should be. `code` says which way. */
export class Malformed extends Error {
  constructor (code, words = code) {
    super(words)
    this.name = 'Malformed'
    this.code = code
  }
}

/** The canonical bytes of `value`. */
export function encode (value) {
  return dagCbor.encode(value)
}

/** The value whose canonical encoding `bytes` is: at most `depth` maps and lists in one another, of at most `items`. */
export function decode (bytes, { depth, items }) {
  checkShape(bytes, depth, items)
  let value
  try {
    value = dagCbor.decode(bytes)
  } catch (error) {
    throw new Malformed('unreadable', error.message)
  }
  if (!equal(encode(value), bytes)) throw new Malformed('not-canonical')
  return value
}

export function equal (a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Walk over the heads of all items without building any, and without recursion. */
function checkShape (bytes, depth, most) {
  const open = [1n]
  let at = 0
  for (;;) {
    while (open[open.length - 1] === 0n) {
      open.pop()
      if (open.length === 0) {
        if (at !== bytes.length) throw new Malformed('unreadable', 'bytes behind the end')
        return
      }
    }
    open[open.length - 1]--
    if (at >= bytes.length) throw new Malformed('unreadable', 'an item is missing')
    const major = bytes[at] >> 5
    const info = bytes[at] & 31
    at++
    if (major === 7) {
      if (info < 20 || info > 22) throw new Malformed('unreadable', 'a float')
      continue
    }
    if (major === 1 || major === 6) throw new Malformed('unreadable', 'a negative integer or a tag')
    let argument = BigInt(info)
    if (info === 31) throw new Malformed('not-canonical', 'no length')
    if (info > 27) throw new Malformed('unreadable', 'no such head')
    if (info > 23) {
      const width = 1 << (info - 24)
      if (at + width > bytes.length) throw new Malformed('unreadable', 'a head is cut off')
      argument = bytes.subarray(at, at + width).reduce((sum, byte) => sum << 8n | BigInt(byte), 0n)
      at += width
    }
    const left = BigInt(bytes.length - at)
    if (major === 2 || major === 3) {
      if (argument > left) throw new Malformed('hostile-length')
      at += Number(argument)
    } else if (major === 4 || major === 5) {
      const inside = major === 5 ? argument * 2n : argument
      if (inside > left) throw new Malformed('hostile-length')
      if (argument > BigInt(most)) throw new Malformed('too-many')
      if (open.length > depth) throw new Malformed('too-deep')
      open.push(inside)
    }
  }
}
