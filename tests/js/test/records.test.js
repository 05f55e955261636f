// A reader made from PROTOCOL.md alone takes its examples, and nothing that differs from them in one bit.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { block, bytes } from '../support/document.js'
import { decode, encode } from '../lib/cbor.js'
import {
  MAX_RECORD, SMALL_ORDER, hex, keyOf, open, openUnder, parseKey, publisherFrom, seal, select, sha256, validate
} from '../lib/record.js'
import { compareVersions, parseVersion } from '../lib/version.js'

const publisher = publisherFrom(Buffer.from(bytes('seed')))
const key = kind => new TextEncoder().encode(block(`key ${kind}`))

test('the examples are good, and signing them anew makes the same bytes', () => {
  assert.equal(publisher.id, hex(bytes('publisher')))
  for (const kind of ['release', 'list', 'notice']) {
    const record = bytes(kind)
    const found = kind === 'notice' ? open(record) : openUnder(key(kind), record)
    assert.equal(found.kind, kind)
    assert.equal(found.publisher, publisher.id)
    assert.equal(hex(seal(publisher, kind, found.body)), hex(record))
  }
  assert.equal(open(bytes('release')).digest, hex(bytes('release-digest')))
  const told = JSON.parse(block('json release'))
  const { digest, ...body } = open(bytes('release')).body
  assert.deepEqual({ ...body, digest: hex(digest) }, told)
  assert.deepEqual(keyOf(publisher.id, 'hello', '1.0.0'), key('release'))
  assert.deepEqual(keyOf(publisher.id, 'hello'), key('list'))
})

test('not one bit of an example can be changed', () => {
  for (const kind of ['release', 'list', 'notice']) {
    const good = bytes(kind)
    for (let at = 0; at < good.length; at++) {
      const bad = Uint8Array.from(good)
      bad[at] ^= 1
      assert.throws(() => open(bad), { name: 'Malformed' }, `${kind}: byte ${at}`)
    }
  }
})

test('what breaks a rule is told by the rule', async () => {
  const body = open(bytes('release')).body
  const list = open(bytes('list')).body
  const released = changes => seal(publisher, 'release', { ...body, ...changes })
  const listed = changes => seal(publisher, 'list', { ...list, ...changes })
  const entry = version => ({ ...list.entries[0], version })
  const envelope = changes => {
    const found = decode(bytes('release'), { depth: 1, items: 4 })
    return encode({ ...found, ...changes })
  }
  const cases = [
    ['number-zero', released({ number: 0 })],
    ['bad-name', released({ name: '-x' })],
    ['bad-version', released({ version: '1.0' })],
    ['bad-version', released({ version: '01.0.0' })],
    ['bad-version', released({ version: '18446744073709551616.0.0' })],
    ['field-too-long', released({ title: 'x'.repeat(257) })],
    ['field-too-long', released({ tags: ['x'.repeat(65)] })],
    ['empty-label', released({ categories: [''] })],
    ['list-too-long', released({ tags: Array(33).fill('x') })],
    ['unreadable', released({ size: -1 })],
    ['unreadable', released({ more: 1 })],
    ['unreadable', released({ digest: new Uint8Array(31) })],
    ['unreadable', seal(publisher, 'rumour', body)],
    ['list-unordered', listed({ entries: [entry('1.0.0'), entry('1.0.0')] })],
    ['list-unordered', listed({ entries: [entry('1.0.0'), entry('1.0.0-rc.1')] })],
    ['too-many', listed({ entries: Array(151).fill(entry('1.0.0')) })],
    ['too-large', new Uint8Array(MAX_RECORD + 1)],
    ['too-deep', new Uint8Array([0x81, 0x80])],
    ['hostile-length', new Uint8Array([0xbb, 255, 255, 255, 255, 255, 255, 255, 255])],
    ['not-canonical', new Uint8Array([0xbf, 0xff])],
    ['unknown-version', envelope({ v: 2 })],
    ['bad-signature', envelope({ s: new Uint8Array(64).fill(7) })],
    ['bad-public-key', envelope({ k: new Uint8Array(32) })]
  ]
  for (const [code, record] of cases) {
    assert.throws(() => open(record), { code }, code)
  }
  await assert.rejects(validate(key('list'), bytes('release')), { code: 'wrong-kind' })
  await assert.rejects(validate(keyOf(publisher.id, 'other', '1.0.0'), bytes('release')), { code: 'wrong-key' })
  for (const bad of ['', '/swarmproof/', '/other/x/y', `/swarmproof/${publisher.id}/a/1.0.0/b`,
    `/swarmproof/${publisher.id.toUpperCase()}/a`, `/swarmproof/${publisher.id}/a/1.0`, `/swarmproof/${publisher.id}/a/`]) {
    assert.throws(() => parseKey(new TextEncoder().encode(bad)), { code: 'unknown-key' }, bad)
  }
})

test('integers of 64 bits are read as they are', () => {
  const body = { ...open(bytes('release')).body, number: 2n ** 64n - 1n, size: 2n ** 53n }
  const record = seal(publisher, 'release', body)
  assert.equal(open(record).body.number, 2n ** 64n - 1n)
})

test('of two lists the later is kept, and of two releases the first', () => {
  const list = open(bytes('list')).body
  const of = (sequence, until) => seal(publisher, 'list', { ...list, sequence, until })
  const at = key('list')
  assert.equal(select(at, [of(1, 9), of(3, 1), of(2, 99)]), 1)
  const twins = [of(5, 1), of(5, 2)]
  const lower = sha256(twins[0]) < sha256(twins[1]) ? 0 : 1
  assert.equal(select(at, twins), lower)
  assert.equal(select(at, twins.toReversed()), 1 - lower)
  const other = seal(publisher, 'release', { ...open(bytes('release')).body, number: 9 })
  assert.equal(select(key('release'), [bytes('release'), other]), 0)
})

test('versions are in the order that is told', () => {
  const versions = block('versions').split(/\s+/).map(parseVersion)
  assert.ok(versions.length > 10 && !versions.includes(undefined))
  for (let i = 1; i < versions.length; i++) {
    assert.ok(compareVersions(versions[i - 1], versions[i]) < 0, `${i}`)
    assert.ok(compareVersions(versions[i], versions[i - 1]) > 0, `${i}`)
    assert.equal(compareVersions(versions[i], versions[i]), 0)
  }
})

test('the weak points are those that are told', () => {
  assert.deepEqual(block('hex small-order').split('\n'), SMALL_ORDER)
})
