// Serves an example with its token server: `npm run example react`, `npm run example react -- --port 4000`.
import { existsSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createServer } from 'vite'

const examples = new URL('../examples/', import.meta.url)
const configOf = (name) => new URL(`${name}/vite.config.ts`, examples)
const names = readdirSync(examples).filter((name) => existsSync(configOf(name)))
/** Examples without a page of Vite: they run in Node. */
const programs = ['cli', 'server', 'service']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '5173' }, host: { type: 'string', default: '127.0.0.1' } },
})
const [name = ''] = positionals

if (names.includes(name)) {
  const { default: config } = await import(configOf(name).href)
  const { port, host } = values
  const server = await createServer({ ...config, configFile: false, server: { port: Number(port), host } })
  await server.listen()
  console.log(`\nThe example ${name}: ${server.resolvedUrls?.local[0]}`)
  console.log('Sign in with any user name. If a password is asked for, it is "correct".')
} else if (programs.includes(name)) {
  await import(new URL(`${name}/main.ts`, examples).href)
} else {
  console.error(`Usage: npm run example <name>. Names: ${[...names, ...programs].join(', ')}`)
  process.exitCode = 1
}
