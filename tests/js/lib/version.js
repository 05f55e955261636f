// Semantic versions as PROTOCOL.md wants them spelt and ordered.

const NUMBER = '(0|[1-9][0-9]*)'
const PRE = '(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)'
const BUILD = '[0-9A-Za-z-]+'
const SPELLING = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${PRE}(?:\\.${PRE})*))?(?:\\+(${BUILD}(?:\\.${BUILD})*))?$`
)
const MOST = 2n ** 64n - 1n

/** The parts of a version, or undefined when `text` spells none. */
export function parseVersion (text) {
  const match = SPELLING.exec(text)
  if (match === null) return undefined
  const numbers = match.slice(1, 4).map(BigInt)
  if (numbers.some(number => number > MOST)) return undefined
  return { numbers, pre: match[4]?.split('.') ?? [], build: match[5]?.split('.') ?? [] }
}

/** Negative when `a` comes first, positive when `b` does, 0 when they are the same. Both as parsed. */
export function compareVersions (a, b) {
  for (let i = 0; i < 3; i++) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1
  }
  // A version before its release: one with such a part comes before one without.
  if ((a.pre.length === 0) !== (b.pre.length === 0)) return a.pre.length === 0 ? 1 : -1
  return compareLists(a.pre, b.pre) || compareLists(a.build, b.build)
}

function compareLists (a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareIdentifiers(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareIdentifiers (a, b) {
  const [digitsA, digitsB] = [a, b].map(text => /^[0-9]+$/.test(text))
  if (digitsA !== digitsB) return digitsA ? -1 : 1
  if (digitsA) {
    const [x, y] = [BigInt(a), BigInt(b)]
    if (x !== y) return x < y ? -1 : 1
    return a.length - b.length
  }
  return a === b ? 0 : a < b ? -1 : 1
}
