// js-libp2p against real nodes: it reads what they published, they find what it put, and what is ill-made is
// refused and charged.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decode, encode } from '../lib/cbor.js'
import { equal, hex, keyOf, open, openUnder, publisherFrom, seal, sha256 } from '../lib/record.js'
import { bytes } from '../support/document.js'
import { PATIENCE, RustNode, swarm, until } from '../support/node.js'
import { JsPeer } from '../support/peer.js'

const deadline = { timeout: 4 * PATIENCE }

const manifest = {
  name: 'from-rust',
  version: '1.2.3-rc.1+build.5',
  title: 'Published by a node',
  description: 'Read by another language: ünï©ode.',
  categories: ['protocol'],
  tags: ['interop', 'dag-cbor'],
  licence: 'MIT',
  digest: sha256('content'),
  size: 7
}

/** A release as its publisher describes it, and the list that it is in. */
function releaseOf (publisher, changes = {}) {
  const body = {
    name: 'from-js',
    version: '0.1.0',
    number: 1,
    title: 'Put by js-libp2p',
    description: 'Found over a node\'s HTTP interface.',
    categories: ['protocol'],
    tags: ['interop'],
    licence: 'Apache-2.0',
    digest: new Uint8Array(Buffer.from(sha256('other content'), 'hex')),
    size: 2 ** 40,
    created: Date.now(),
    ...changes
  }
  return { body, record: seal(publisher, 'release', body), key: keyOf(publisher.id, body.name, body.version) }
}

function listOf (publisher, releases, sequence) {
  const entries = releases.map(({ body, record }) => ({
    version: body.version,
    digest: new Uint8Array(Buffer.from(sha256(record), 'hex')),
    yanked: false
  }))
  const body = { name: releases[0].body.name, sequence, until: Date.now() + 7 * 86_400_000, entries }
  return { body, record: seal(publisher, 'list', body), key: keyOf(publisher.id, body.name) }
}

test('js-libp2p gets what a node published', deadline, async t => {
  const nodes = await swarm(t, 3)
  const published = await nodes[0].publish(manifest)
  const peer = await JsPeer.join(t, nodes[2].address)

  const key = keyOf(published.publisher, published.name, published.version)
  const { values } = await peer.get(key)
  assert.ok(values.length > 0, 'the release is found')
  const release = openUnder(key, values.at(-1))
  const { digest, created, number, ...told } = release.body
  const { digest: wanted, ...rest } = manifest
  assert.deepEqual(told, rest)
  assert.equal(hex(digest), wanted)
  assert.equal(number, published.number)
  assert.ok(Math.abs(created - Date.now()) < 10 * 60_000, 'made just now')

  const lists = await peer.get(keyOf(published.publisher, published.name))
  const list = openUnder(keyOf(published.publisher, published.name), lists.values.at(-1))
  assert.equal(list.body.sequence, published.sequence)
  assert.deepEqual(list.body.entries.map(entry => [entry.version, hex(entry.digest), entry.yanked]),
    [[manifest.version, release.digest, false]])

  assert.deepEqual((await peer.get(keyOf(published.publisher, 'never-published'))).values, [])
})

test('a node finds what js-libp2p put, and its newer list wins', deadline, async t => {
  const nodes = await swarm(t, 3)
  const peer = await JsPeer.join(t, nodes[0].address)
  const publisher = publisherFrom()
  const first = releaseOf(publisher)
  const lists = [listOf(publisher, [first], 1)]
  for (const { key, record } of [first, lists[0]]) {
    const acknowledged = await peer.put(key, record)
    assert.ok(acknowledged > 0, 'somebody acknowledged it')
  }
  const path = `/v1/packages/${publisher.id}/from-js`
  for (const node of nodes) {
    const { status, text, value } = await node.ask(`${path}/0.1.0`)
    assert.equal(status, 200, text)
    assert.deepEqual(value, {
      publisher: publisher.id,
      name: 'from-js',
      version: '0.1.0',
      title: first.body.title,
      description: first.body.description,
      categories: first.body.categories,
      tags: first.body.tags,
      licence: first.body.licence,
      digest: hex(first.body.digest),
      size: first.body.size,
      created_ms: first.body.created
    })
  }

  const second = releaseOf(publisher, { version: '0.2.0', number: 2 })
  lists.push(listOf(publisher, [first, second], 2))
  for (const { key, record } of [second, lists[1], lists[0]]) await peer.put(key, record)
  const newest = await nodes[1].ask(path)
  assert.deepEqual([newest.status, newest.value?.version], [200, '0.2.0'], newest.text)
  const versions = await nodes[2].ask(`/v1/versions/${publisher.id}/from-js`)
  assert.equal(versions.value.sequence, 2, 'the older list, put last, did not win')
  assert.deepEqual(versions.value.versions.map(it => [it.version, it.record]),
    [first, second].map(({ body, record }) => [body.version, sha256(record)]))
})

test('what is ill-made is not stored, and who sent it is charged', { timeout: 12 * PATIENCE }, async t => {
  const nodes = await swarm(t, 2)
  const publisher = publisherFrom()
  const good = releaseOf(publisher)
  const forged = decode(good.record, { depth: 1, items: 4 })
  const kinds = {
    'a signature of somebody else': { key: good.key, record: encode({ ...forged, s: publisherFrom().sign(forged.b) }) },
    'another publisher\'s key over it': { key: good.key, record: seal(publisherFrom(), 'release', good.body) },
    'a good record under another key': { key: keyOf(publisher.id, 'from-js', '9.9.9'), record: good.record },
    'a list under a release\'s key': { key: good.key, record: listOf(publisher, [good], 1).record },
    'a record that is cut off': { key: good.key, record: good.record.subarray(0, -1) },
    'another encoding of the same': { key: good.key, record: notCanonical(good.record) },
    'a number of zero': releaseOf(publisher, { number: 0 }),
    'a title over its limit': releaseOf(publisher, { title: 'x'.repeat(257) }),
    'a record over its limit': { key: good.key, record: new Uint8Array(14337).fill(0x81) },
    'a key that is none of ours': { key: new TextEncoder().encode('/other/thing'), record: good.record }
  }
  const witness = await JsPeer.join(t, nodes[0].address, { credulous: true })
  for (const [what, { key, record }] of Object.entries(kinds)) {
    await t.test(what, async t => {
      const rejected = async () => {
        const counts = await Promise.all(nodes.map(node => node.metric('swarmproof_rejected_total')))
        return counts.reduce((sum, count) => sum + count, 0)
      }
      const before = await rejected()
      const liar = await JsPeer.join(t, nodes[0].address, { credulous: true })
      await liar.put(key, record)
      await until('it is counted as rejected', async () => await rejected() > before)
      const scores = await until('a node charges the peer', async () => {
        const scores = await Promise.all(nodes.map(node => node.scoreOf(liar.id)))
        return scores.some(score => score !== undefined && score < 0.5) ? scores : undefined
      })
      t.diagnostic(`scores of the peer: ${scores.map(score => score?.toFixed(3)).join(', ')}`)
      if (what === 'a key that is none of ours') return
      const { values } = await witness.get(key)
      assert.equal(values.length, 0, 'nobody serves it, not even to one who checks nothing')
    })
  }
  const { status } = await nodes[0].ask(`/v1/packages/${publisher.id}/from-js/0.1.0`)
  assert.equal(status, 404, 'no node tells of it')

  // The same publisher, key and path: it was what was wrong that was refused, and not these.
  const honest = await JsPeer.join(t, nodes[1].address)
  await honest.put(good.key, good.record)
  const { values } = await witness.get(good.key)
  assert.ok(values.length > 0 && equal(values.at(-1), good.record))
})

/** The envelope with its version spelt in two bytes, where one would do. */
function notCanonical (record) {
  assert.equal(record.at(-1), 1)
  return new Uint8Array([...record.subarray(0, -1), 0x18, 1])
}

test('questions are asked and answered as they are written down', deadline, async t => {
  const node = await RustNode.start(t)
  const published = await node.publish(manifest)
  const peer = await JsPeer.join(t, node.address)
  const shape = { depth: 6, items: 512 }
  const answerTo = async question => {
    const body = encode(question)
    const { length, kind, body: answer } = await peer.ask(node.address, body)
    assert.deepEqual([kind, length], [0, answer.length])
    const { to, body: said } = decode(answer, shape)
    assert.equal(hex(to), sha256(body).slice(0, 16))
    return said
  }
  // The example's own bytes, and they are what this encoder writes.
  const example = { search: { text: 'hello', categories: [], tags: [], limit: 20 } }
  assert.equal(hex(encode(example)), hex(bytes('question')))
  const nothing = (await answerTo(example)).found
  assert.deepEqual([nothing.held, nothing.records, nothing.names], [1, [], []])

  const { found } = await answerTo({ search: { text: 'LANGUAGE node', categories: ['protocol'], tags: [], limit: 5 } })
  assert.equal(found.records.length, 1)
  const release = open(found.records[0])
  assert.equal(release.body.name, manifest.name)

  const { heads } = await answerTo({ heads: {} })
  assert.deepEqual(heads.heads.map(([publisher, number]) => [hex(publisher), number]), [[published.publisher, 1]])
  assert.equal(heads.more, false)
  const publisher = heads.heads[0][0]
  const { page } = await answerTo({ page: { publisher, from: 1 } })
  assert.deepEqual(page.statements.map(it => open(it).digest), [release.digest])
  const keys = [keyOf(published.publisher, manifest.name, manifest.version), keyOf(published.publisher, 'none')]
  const { records } = await answerTo({ records: { keys } })
  assert.deepEqual(records.records.map(it => open(it).digest), [release.digest])

  const refused = await peer.ask(node.address, new Uint8Array([0xa0]))
  assert.deepEqual([refused.kind, refused.length, refused.frame.length], [2, 0, 5], 'not understood')
})
