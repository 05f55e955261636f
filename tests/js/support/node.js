// Real nodes: `swarmproof node` processes on the loopback, each with a data folder of its own.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const BINARY = process.env.SWARMPROOF_BIN ??
  fileURLToPath(new URL('../../../target/debug/swarmproof', import.meta.url))

/** What a test waits for at most, in milliseconds; a machine that is busy with other things is slow. */
export const PATIENCE = 30_000

/** A node that is up. */
export class RustNode {
  /** Start one and wait until it says where it is. It ends with the test `t`, whatever comes. */
  static async start (t, bootstrap = []) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'swarmproof-js-'))
    const args = ['node', '--data', folder, '--listen', '/ip4/127.0.0.1/tcp/0', '--http', '127.0.0.1:0']
    bootstrap.forEach(address => args.push('--bootstrap', address))
    const child = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [said, log] = ['', '']
    child.stderr.on('data', data => { log = (log + data).slice(-20_000) })
    const ended = new Promise(resolve => {
      child.on('error', error => resolve(error.message))
      child.on('exit', (code, signal) => resolve(`ended with ${code ?? signal}`))
    })
    // Also when this process ends before the test does.
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    t.after(async () => {
      process.off('exit', kill)
      kill()
      await ended
      fs.rmSync(folder, { recursive: true, force: true })
    })
    const up = new Promise(resolve => {
      child.stdout.on('data', data => {
        said += data
        const line = /^up: HTTP on (http:\S+), join by (\S+)/m.exec(said)
        if (line !== null) resolve({ http: line[1], address: line[2] })
      })
    })
    const first = await Promise.race([up, ended, sleep(PATIENCE, 'silent', { ref: false })])
    if (typeof first === 'string') throw new Error(`${BINARY} node: ${first}\n${said}\n${log}`)
    const token = fs.readFileSync(path.join(folder, 'token'), 'utf8').trim()
    return Object.assign(new RustNode(), first, { token, log: () => log })
  }

  /** What a node answers under `path`: status and, where it is JSON, the value. */
  async ask (path, options = {}) {
    const answer = await fetch(this.http + path, { signal: AbortSignal.timeout(PATIENCE), ...options })
    const text = await answer.text()
    const json = answer.headers.get('content-type')?.includes('json') && !answer.headers.get('content-type').includes('ndjson')
    return { status: answer.status, text, value: json ? JSON.parse(text) : undefined }
  }

  async publish (manifest) {
    const { status, text, value } = await this.ask('/v1/packages', {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(manifest)
    })
    assert.equal(status, 201, text)
    return value
  }

  /** The value of a counter without labels. */
  async metric (name) {
    const { text } = await this.ask('/metrics')
    const line = text.split('\n').find(line => line.startsWith(`${name} `))
    assert.notEqual(line, undefined, `no metric ${name}`)
    return Number(line.split(' ')[1])
  }

  /** What the node thinks of a peer, from 0 to 1; undefined when it does not know it. */
  async scoreOf (peer) {
    const { value } = await this.ask('/v1/peers')
    return value.peers.find(found => found.peer === peer)?.score
  }
}

/** So many nodes that know one another. */
export async function swarm (t, count) {
  const nodes = [await RustNode.start(t)]
  while (nodes.length < count) nodes.push(await RustNode.start(t, [nodes[0].address]))
  for (const node of nodes) {
    await until(`${node.http} knows the others`, async () => {
      const { value } = await node.ask('/v1/peers')
      return value.peers.length >= count - 1
    })
  }
  return nodes
}

/** Wait until `held` holds. */
export async function until (what, held) {
  const end = Date.now() + PATIENCE
  for (;;) {
    const found = await held()
    if (found) return found
    if (Date.now() > end) throw new Error(`in ${PATIENCE} ms it did not come about that ${what}`)
    await sleep(50)
  }
}
