// What PROTOCOL.md holds, as a reader of it finds it.

import fs from 'node:fs'

const text = fs.readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8')

/** The one fenced block that opens with these words. */
export function block (opens) {
  const parts = text.split('```' + opens + '\n')
  if (parts.length !== 2) throw new Error(`PROTOCOL.md has ${parts.length - 1} blocks \`${opens}\``)
  return parts[1].split('\n```')[0]
}

/** The bytes that a block spells in hexadecimal digits; what follows a `#` is a remark. */
export function bytes (name) {
  const digits = block(`hex ${name}`).split('\n').map(line => line.split('#')[0].trim()).join('')
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** The name in the table of names. */
export function nameOf (what) {
  const row = text.split('\n').find(line => line.startsWith(`| ${what} | `))
  return row.split('`')[1]
}
