// A js-libp2p peer as PROTOCOL.md describes it: a client of the DHT with a validator for our namespace.

import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

import { nameOf } from './document.js'
import { PATIENCE, until } from './node.js'
import { select, validate } from '../lib/record.js'

const options = () => ({ signal: AbortSignal.timeout(PATIENCE) })

/** A peer that is joined to the swarm. It ends with the test `t`. */
export class JsPeer {
  /** Join by the node at `address`. A peer that is `credulous` checks nothing, and so sees whatever is stored. */
  static async join (t, address, { credulous = false } = {}) {
    const validator = credulous ? async () => {} : validate
    const selector = credulous ? () => 0 : select
    const libp2p = await createLibp2p({
      addresses: { listen: [] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: {
        identify: identify(),
        ping: ping(),
        dht: kadDHT({
          protocol: nameOf('Kademlia protocol'),
          clientMode: true,
          // Loopback addresses are as good as any here.
          peerInfoMapper: passthroughMapper,
          initialQuerySelfInterval: 10,
          validators: { swarmproof: validator },
          selectors: { swarmproof: selector }
        })
      }
    })
    t.after(() => libp2p.stop())
    await libp2p.dial(multiaddr(address), options())
    await until('the DHT has peers', () => libp2p.services.dht.routingTable.size > 0)
    return Object.assign(new JsPeer(), { libp2p, id: libp2p.peerId.toString() })
  }

  /** The values that are found under `key`, the chosen one last, and the errors on the way. */
  async get (key) {
    const found = { values: [], errors: [] }
    for await (const event of this.libp2p.services.dht.get(key, options())) {
      if (event.name === 'VALUE') found.values.push(event.value)
      if (event.name === 'QUERY_ERROR') found.errors.push(event.error)
    }
    return found
  }

  /** Send a value to those who are closest to its key. Gives how many acknowledged it. */
  async put (key, value) {
    let acknowledged = 0
    for await (const event of this.libp2p.services.dht.put(key, value, options())) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') acknowledged++
    }
    return acknowledged
  }

  /** Ask the node at `address` over the question protocol: the frame of the answer. */
  async ask (address, body, patience = 10_000) {
    const stream = await this.libp2p.dialProtocol(multiaddr(address), nameOf('Question protocol'), options())
    const head = Buffer.alloc(8)
    head.writeUInt32BE(body.length, 0)
    head.writeUInt32BE(patience, 4)
    stream.send(Buffer.concat([head, body]))
    const parts = []
    for await (const part of stream) parts.push(Buffer.from(part.subarray()))
    await stream.close()
    const answer = Buffer.concat(parts)
    return { frame: answer, length: answer.readUInt32BE(0), kind: answer[4], body: new Uint8Array(answer.subarray(5)) }
  }
}
