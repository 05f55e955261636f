// Records as PROTOCOL.md describes them: read, checked, signed. Written from that document alone.

import crypto from 'node:crypto'

import { Malformed, decode, encode, equal } from './cbor.js'
import { compareVersions, parseVersion } from './version.js'

export const PREFIX = Buffer.from('swarmproof record v1\0', 'latin1')
export const NAMESPACE = '/swarmproof/'
export const MAX_RECORD = 14336
export const MAX_ANNOUNCEMENT = 4096

const ENVELOPE = { depth: 1, items: 4 }
const BODY = { depth: 4, items: 150 }
const MOST = 2n ** 64n - 1n

/** The encodings of points of small order, their highest bit cleared. */
export const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
]

// What each kind of body holds: a check for each key.
const RELEASE = {
  name: packageName,
  version,
  number: positive('number'),
  title: text('title', 256),
  description: text('description', 8192),
  categories: labels('categories'),
  tags: labels('tags'),
  licence: text('licence', 256),
  digest: bytesOf('digest', 32),
  size: integer('size'),
  created: integer('created')
}
const LIST = { name: packageName, sequence: positive('sequence'), until: integer('until'), entries }
const ENTRY = { version, digest: bytesOf('digest', 32), yanked }
const NOTICE = {
  name: packageName,
  version,
  number: positive('number'),
  says,
  categories: labels('categories'),
  tags: labels('tags')
}
const KINDS = { release: RELEASE, list: LIST, notice: NOTICE }

/** A publisher's key, drawn anew or from its 32 secret bytes. */
export function publisherFrom (seed = crypto.randomBytes(32)) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const secret = crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const raw = crypto.createPublicKey(secret).export({ format: 'jwk' }).x
  const key = new Uint8Array(Buffer.from(raw, 'base64url'))
  return { key, id: hex(key), sign: message => new Uint8Array(crypto.sign(null, message, secret)) }
}

/** The signed bytes of a record of this kind. Nothing is checked: a test signs what is wrong, too. */
export function seal (publisher, kind, body) {
  const b = encode({ [kind]: body })
  const s = publisher.sign(Buffer.concat([PREFIX, b]))
  return encode({ b, k: publisher.key, s, v: 1 })
}

/** The record in `bytes`: `{ kind, publisher, body, digest }`. Throws `Malformed` when it is not a good one. */
export function open (bytes) {
  return verified(unverified(bytes))
}

/** The record in `bytes`, which must be the one that belongs under `key`. */
export function openUnder (key, bytes) {
  const found = unverified(bytes)
  const name = parseKey(key)
  const kind = name.version === undefined ? 'list' : 'release'
  if (found.kind !== kind) throw new Malformed('wrong-kind')
  const same = found.publisher === name.publisher && found.body.name === name.name
  if (!same || found.body.version !== name.version) throw new Malformed('wrong-key')
  return verified(found)
}

/** What a key names. */
export function parseKey (key) {
  const unknown = () => new Malformed('unknown-key')
  if (key.length > 206) throw unknown()
  const parts = utf8(key).split('/')
  const [nothing, namespace, publisher, name, version] = parts
  if (nothing !== '' || namespace !== 'swarmproof' || parts.length < 4 || parts.length > 5) throw unknown()
  if (!/^[0-9a-f]{64}$/.test(publisher) || !isName(name)) throw unknown()
  if (parts.length === 5 && !isVersion(version)) throw unknown()
  return { publisher, name, version }
}

/** The key of a release, or of a package's list when no version is given. */
export function keyOf (publisher, name, version) {
  const path = version === undefined ? `${publisher}/${name}` : `${publisher}/${name}/${version}`
  return new TextEncoder().encode(NAMESPACE + path)
}

/** For `validators` of a DHT: throws when the value is not good under the key. */
export async function validate (key, value) {
  openUnder(key, value)
}

/** For `selectors` of a DHT: the index of the value to keep. All are good under the key. */
export function select (key, values) {
  const opened = values.map(value => openUnder(key, value))
  let best = 0
  opened.forEach((found, i) => {
    if (found.kind === 'list' && i > 0 && isBetter(found, opened[best])) best = i
  })
  return best
}

function isBetter (offered, held) {
  const [a, b] = [offered, held].map(found => BigInt(found.body.sequence))
  return a > b || (a === b && offered.digest < held.digest)
}

/** Everything but the signature. */
function unverified (bytes) {
  if (bytes.length > MAX_RECORD) throw new Malformed('too-large')
  const envelope = decode(bytes, ENVELOPE)
  fields(envelope, {
    b: it => it instanceof Uint8Array,
    k: bytesOf('k', 32),
    s: bytesOf('s', 64),
    v: integer('v')
  })
  if (envelope.v !== 1) throw new Malformed('unknown-version')
  const whole = decode(envelope.b, BODY)
  const [kind, ...others] = isMap(whole) ? Object.keys(whole) : []
  if (others.length > 0 || !Object.hasOwn(KINDS, kind)) throw new Malformed('unreadable', 'no such kind')
  const body = whole[kind]
  fields(body, KINDS[kind])
  if (kind === 'notice' && bytes.length > MAX_ANNOUNCEMENT) throw new Malformed('too-large')
  return { kind, publisher: hex(envelope.k), body, digest: sha256(bytes), envelope }
}

function verified ({ envelope, ...found }) {
  const message = Buffer.concat([PREFIX, envelope.b])
  // A point of small order: with it, anyone could sign.
  if (isSmall(envelope.k)) throw new Malformed('bad-public-key')
  if (isSmall(envelope.s.subarray(0, 32))) throw new Malformed('bad-signature')
  const x = Buffer.from(envelope.k).toString('base64url')
  const key = crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  let good = false
  try {
    good = crypto.verify(null, message, key, envelope.s)
  } catch {
    throw new Malformed('bad-public-key')
  }
  if (!good) throw new Malformed('bad-signature')
  return found
}

function isSmall (point) {
  const cleared = Uint8Array.from(point)
  cleared[31] &= 0x7f
  return SMALL_ORDER.includes(hex(cleared))
}

function isMap (value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** That `value` is a map of exactly these keys, each as its check wants it. */
function fields (value, checks) {
  if (!isMap(value)) throw new Malformed('unreadable', 'no map')
  const wanted = Object.keys(checks)
  if (Object.keys(value).length !== wanted.length || !wanted.every(key => Object.hasOwn(value, key))) {
    throw new Malformed('unreadable', `other keys than ${wanted.join(', ')}`)
  }
  for (const key of wanted) {
    if (!checks[key](value[key])) throw new Malformed('unreadable', `${key} is of another type`)
  }
}

function utf8 (bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Malformed('unknown-key')
  }
}

function lengthOf (text) {
  return Buffer.byteLength(text, 'utf8')
}

function isName (name) {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)
}

function isVersion (text) {
  return text.length <= 64 && parseVersion(text) !== undefined
}

function packageName (value) {
  if (typeof value === 'string' && !isName(value)) throw new Malformed('bad-name')
  return typeof value === 'string'
}

function version (value) {
  if (typeof value !== 'string') return false
  if (lengthOf(value) > 64) throw new Malformed('field-too-long')
  if (!isVersion(value)) throw new Malformed('bad-version')
  return true
}

function text (field, most) {
  return value => {
    if (typeof value === 'string' && lengthOf(value) > most) throw new Malformed('field-too-long', field)
    return typeof value === 'string'
  }
}

function labels (field) {
  return value => {
    if (!Array.isArray(value) || !value.every(label => typeof label === 'string')) return false
    if (value.length > 32) throw new Malformed('list-too-long', field)
    if (value.includes('')) throw new Malformed('empty-label', field)
    if (value.some(label => lengthOf(label) > 64)) throw new Malformed('field-too-long', field)
    return true
  }
}

function bytesOf (_field, length) {
  return value => value instanceof Uint8Array && value.length === length
}

function isInteger (value) {
  return typeof value === 'bigint' ? value >= 0n && value <= MOST : Number.isSafeInteger(value) && value >= 0
}

function integer (_field) {
  return isInteger
}

function positive (field) {
  return value => {
    if (value === 0) throw new Malformed('number-zero', field)
    return isInteger(value)
  }
}

function yanked (value) {
  return typeof value === 'boolean'
}

function says (value) {
  if (value === 'yanked') return true
  if (!isMap(value)) return false
  fields(value, { published: bytesOf('published', 32) })
  return true
}

function entries (value) {
  if (!Array.isArray(value)) return false
  value.forEach(entry => fields(entry, ENTRY))
  const versions = value.map(entry => parseVersion(entry.version))
  const ascends = versions.every((found, i) => i === 0 || compareVersions(versions[i - 1], found) < 0)
  if (!ascends) throw new Malformed('list-unordered')
  return true
}

export function sha256 (bytes) {
  return crypto.createHash('sha256').update(bytes).digest('hex')
}

export function hex (bytes) {
  return Buffer.from(bytes).toString('hex')
}

export { Malformed, equal }
